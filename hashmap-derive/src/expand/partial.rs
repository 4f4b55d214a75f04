//! `UserSettingsPartial`, the record with every field an `Option`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::carried::{Carried, code, link};
use crate::expand::read_json::{self, Item};
use crate::expand::shared::{Names, UNUSED, clone_impl, local, partial_eq_impl};
use crate::expand::write_json;
use crate::record::{Field, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let f_var = local(record, "__f");
    let Record { ident, vis, runtime, generics, allows, .. } = record;
    let Names { partial, ty_generics, .. } = names;
    let marks = &record.carried.marks;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let declarations = fields.iter().map(|Field { ident, vis, ty, name, carried, .. }| {
        let Carried { docs, has_text, marks, lints, .. } = carried;
        let doc = format!(" The field {}, if it is stored.", code(name));
        let doc = (!has_text).then(|| quote!(#[doc = #doc]));
        quote!(#(#docs)* #doc #(#marks)* #(#lints)* #vis #ident: ::core::option::Option<#ty>)
    });
    let labels = fields.iter().map(|field| field.ident.unraw().to_string());
    let (clone, partial_eq) = (clone_impl(record, names, partial), partial_eq_impl(record, names, partial));
    let doc = format!(
        " What is stored of a {}: each field, or `None` where it is absent. Its `Debug` shows which fields are stored, \
         and no values.",
        link(ident)
    );
    let read = (!record.from).then(|| read_json::expand(record, names, Item::Partial));
    let written = write_json::expand(record, names);
    let name = partial.to_string();
    let (marker, marker_value) = (names.marker_field(record), names.marker_value());
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#allows)*
        #[allow(dead_code, clippy::derive_partial_eq_without_eq, reason = #UNUSED)]
        #vis struct #partial #generics #where_clause {
            #(#declarations,)*
            #marker
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::default::Default for #partial #ty_generics #where_clause {
            fn default() -> Self {
                Self { #(#idents: ::core::option::Option::None,)* #marker_value }
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::fmt::Debug for #partial #ty_generics #where_clause {
            fn fmt(&self, #f_var: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::debug::fields(#f_var, #name, &[
                    #((#labels, #runtime::__private::debug::stored(&self.#idents))),*
                ])
            }
        }

        #clone
        #partial_eq
        #read
        #written
    }
}
