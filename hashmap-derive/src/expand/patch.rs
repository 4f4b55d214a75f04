//! `UserSettingsPatch`, the changes to a record: its type, its builder, and the traits that it implements.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::expand::patch_json;
use crate::expand::shared::{Names, std_impls, unused, unused_value};
use crate::record::{Field, Presence, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, generics, .. } = record;
    let patch = &names.patch;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let (unused, unused_value) = (unused(record), unused_value(generics));
    let declarations = fields.iter().map(|field| {
        let Field { ident, vis, ty, name, .. } = field;
        let (ty, doc) = if let Presence::Optional = field.presence {
            (
                quote!(::core::option::Option<::core::option::Option<#ty>>),
                format!(" `Some(Some(value))` sets the field `{name}`, `Some(None)` clears it, and `None` keeps it."),
            )
        } else {
            (
                quote!(::core::option::Option<#ty>),
                format!(" `Some(value)` sets the field `{name}`, and `None` keeps it."),
            )
        };
        quote! {
            #[doc = #doc]
            #vis #ident: #ty
        }
    });
    // Two methods with one name have been reported already.
    let mut seen = HashSet::new();
    let builders = fields.iter().filter(|field| seen.insert(field.accessor.unraw())).map(|field| {
        let Field { ident, vis, ty, name, accessor, .. } = field;
        let (doc, param, value) = if let Presence::Optional = field.presence {
            (
                format!(" Sets the field `{name}`, or clears it if `None` is given."),
                quote!(impl ::core::convert::Into<::core::option::Option<#ty>>),
                quote!(::core::convert::Into::into(value)),
            )
        } else {
            (format!(" Sets the field `{name}`."), quote!(#ty), quote!(value))
        };
        quote! {
            #[doc = #doc]
            #[must_use]
            #vis fn #accessor(mut self, value: #param) -> Self {
                self.#ident = ::core::option::Option::Some(#value);
                self
            }
        }
    });
    let states = fields.iter().map(|field| {
        let ident = &field.ident;
        let label = ident.unraw().to_string();
        let state = if let Presence::Optional = field.presence { quote!(patched_option) } else { quote!(patched) };
        quote!((#label, #runtime::__private::debug::#state(&self.#ident)))
    });
    let clones = std_impls(record, generics, patch);
    let json = (!record.converted).then(|| patch_json::expand(record, names));
    let doc = format!(
        " The changes to a [`{ident}`]: each field is kept, set or (if it is an `Option`) cleared. By default \
         everything is kept. serde reads it from JSON and the like, under the names that it knows for `{ident}`: a \
         missing name keeps the field, `null` clears it. Its `Debug` shows no values."
    );
    let name = patch.to_string();
    quote! {
        #[doc = #doc]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        #vis struct #patch #generics #where_clause {
            #(#declarations,)*
            #unused
        }

        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        impl #impl_generics #patch #ty_generics #where_clause {
            #(#builders)*
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::default::Default for #patch #ty_generics #where_clause {
            fn default() -> Self {
                Self { #(#idents: ::core::option::Option::None,)* #unused_value }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::fmt::Debug for #patch #ty_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::debug::fields(f, #name, &[#(#states),*])
            }
        }

        #clones
        #json
    }
}
