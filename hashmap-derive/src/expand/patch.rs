//! `UserSettingsPatch`, the changes to a record: its type, its builder, and the traits that it implements.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::carried::{Carried, code, link};
use crate::expand::read_json::{self, Item};
use crate::expand::shared::{Names, UNUSED, clone_impl, local, name_lint, partial_eq_impl};
use crate::record::{Field, Presence, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let f_var = local(record, "__f");
    let Record { ident, vis, runtime, generics, allows, .. } = record;
    let Names { patch, ty_generics, .. } = names;
    let marks = &record.carried.marks;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let (marker, marker_value) = (names.marker_field(record), names.marker_value());
    let declarations = fields.iter().map(|field| declaration(record, field));
    // Two methods with one name have been reported already.
    let mut seen = HashSet::new();
    let builders =
        fields.iter().filter(|field| seen.insert(field.accessor.unraw())).map(|field| builder(record, field));
    let states = fields.iter().map(|field| {
        let ident = &field.ident;
        let label = ident.unraw().to_string();
        let state = match (&field.presence, field.merge) {
            (Presence::Optional, true) => quote!(merged_option),
            (Presence::Optional, false) => quote!(patched_option),
            (_, true) => quote!(merged),
            (_, false) => quote!(patched),
        };
        quote!((#label, #runtime::__private::debug::#state(&self.#ident)))
    });
    let (clone, partial_eq) = (clone_impl(record, names, patch), partial_eq_impl(record, names, patch));
    let json = (!record.from).then(|| read_json::expand(record, names, Item::Patch));
    let doc = format!(
        " The changes to a {}: each field is kept, set or (if it is an `Option`) cleared. By default \
         everything is kept. serde reads it from JSON and the like, under the names that it knows for `{ident}`: a \
         missing name keeps the field, `null` clears it. Its `Debug` shows no values.",
        link(ident)
    );
    let name = patch.to_string();
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#allows)*
        #[allow(dead_code, clippy::derive_partial_eq_without_eq, reason = #UNUSED)]
        #vis struct #patch #generics #where_clause {
            #(#declarations,)*
            #marker
        }

        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, clippy::missing_const_for_fn, reason = #UNUSED)]
        impl #impl_generics #patch #ty_generics #where_clause {
            #(#builders)*
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::default::Default for #patch #ty_generics #where_clause {
            fn default() -> Self {
                Self { #(#idents: ::core::option::Option::None,)* #marker_value }
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::fmt::Debug for #patch #ty_generics #where_clause {
            fn fmt(&self, #f_var: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::debug::fields(#f_var, #name, &[#(#states),*])
            }
        }

        #clone
        #partial_eq
        #json
    }
}

/// The declaration of a field.
fn declaration(record: &Record, field: &Field) -> TokenStream {
    let runtime = &record.runtime;
    let Field { ident, vis, ty, carried: Carried { marks, lints, .. }, .. } = field;
    let name = code(&field.name);
    let (ty, sets) = if field.merge { (quote!(#runtime::Merge<#ty>), "sets or merges") } else { (quote!(#ty), "sets") };
    let (ty, doc) = if let Presence::Optional = field.presence {
        (
            quote!(::core::option::Option<::core::option::Option<#ty>>),
            format!(" `Some(Some(value))` {sets} the field {name}, `Some(None)` clears it, and `None` keeps it."),
        )
    } else {
        (quote!(::core::option::Option<#ty>), format!(" `Some(value)` {sets} the field {name}, and `None` keeps it."))
    };
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#lints)*
        #vis #ident: #ty
    }
}

/// The method of the builder that sets a field.
fn builder(record: &Record, field: &Field) -> TokenStream {
    let runtime = &record.runtime;
    let value_ident = record.used_in_types.unused(&["value", "__value"]);
    let name_lint = name_lint(&field.accessor);
    let Field { ident, vis, ty, accessor, carried: Carried { marks, lints, .. }, .. } = field;
    let name = code(&field.name);
    let is_optional = matches!(field.presence, Presence::Optional);
    let (doc, target) = if is_optional {
        (format!(" Sets the field {name}, or clears it if `None` is given."), quote!(::core::option::Option<#ty>))
    } else {
        (format!(" Sets the field {name}."), quote!(#ty))
    };
    let made = match (field.merge, is_optional) {
        (true, true) => quote!(#runtime::__private::given_option(#value_ident)),
        (true, false) => quote!(#runtime::__private::given(#value_ident)),
        (false, _) => quote!(#runtime::IntoValue::into_value(#value_ident)),
    };
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#lints)*
        #name_lint
        #[must_use]
        #vis fn #accessor(mut self, #value_ident: impl #runtime::IntoValue<#target>) -> Self {
            self.#ident = ::core::option::Option::Some(#made);
            self
        }
    }
}
