//! `UserSettingsPartial`, the record with every field an `Option`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::expand::shared::{Names, std_impls, unused, unused_value};
use crate::record::{Field, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, generics, .. } = record;
    let partial = &names.partial;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let declarations = fields.iter().map(|Field { ident, vis, ty, attrs, name, .. }| {
        let has_doc = attrs.iter().any(|attr| attr.path().is_ident("doc"));
        let doc = (!has_doc).then(|| format!(" The field `{name}`, if it is stored.")).map(|doc| quote!(#[doc = #doc]));
        quote!(#(#attrs)* #doc #vis #ident: ::core::option::Option<#ty>)
    });
    let labels = fields.iter().map(|field| field.ident.unraw().to_string());
    let clones = std_impls(record, generics, partial);
    let doc = format!(
        " What is stored of a [`{ident}`]: each field, or `None` where it is absent. Its `Debug` shows which fields \
         are stored, and no values."
    );
    let name = partial.to_string();
    let (unused, unused_value) = (unused(record), unused_value(generics));
    quote! {
        #[doc = #doc]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        #vis struct #partial #generics #where_clause {
            #(#declarations,)*
            #unused
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::default::Default for #partial #ty_generics #where_clause {
            fn default() -> Self {
                Self { #(#idents: ::core::option::Option::None,)* #unused_value }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::fmt::Debug for #partial #ty_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::debug::fields(f, #name, &[
                    #((#labels, #runtime::__private::debug::stored(&self.#idents))),*
                ])
            }
        }

        #clones
    }
}
