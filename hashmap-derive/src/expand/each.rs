//! `UserSettingsEach`, the record with a `Result` for each field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::carried::{Carried, code, link};
use crate::expand::shared::{Names, UNUSED, clone_impl, local};
use crate::record::{Field, Presence, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let f_var = local(record, "__f");
    let Record { ident, vis, runtime, generics, allows, .. } = record;
    let Names { each, ty_generics, .. } = names;
    let marks = &record.carried.marks;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let declarations = fields.iter().map(|Field { ident, vis, ty, name, carried, presence, .. }| {
        let Carried { docs, has_text, marks, lints, .. } = carried;
        let doc = format!(" The field {}, or why it cannot be read.", code(name));
        let doc = (!has_text).then(|| quote!(#[doc = #doc]));
        let ty = if let Presence::Optional = presence { quote!(::core::option::Option<#ty>) } else { quote!(#ty) };
        quote!(#(#docs)* #doc #(#marks)* #(#lints)* #vis #ident: ::core::result::Result<#ty, #runtime::Error>)
    });
    let labels = fields.iter().map(|field| field.ident.unraw().to_string());
    let clone = clone_impl(record, names, each);
    let doc = format!(
        " A {} that was read, each field by itself: its value, or why it cannot be read. Its `Debug` shows the errors, and \
         no values.",
        link(ident)
    );
    let name = each.to_string();
    let marker = names.marker_field(record);
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        #vis struct #each #generics #where_clause {
            #(#declarations,)*
            #marker
        }

        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        impl #impl_generics #each #ty_generics #where_clause {
            /// Returns what is wrong with the fields that cannot be read.
            #[must_use]
            #vis fn errors(&self) -> ::std::vec::Vec<&#runtime::Error> {
                #runtime::__private::each::errors([#(#runtime::__private::each::error(&self.#idents)),*])
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::fmt::Debug for #each #ty_generics #where_clause {
            fn fmt(&self, #f_var: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::each::fmt(#f_var, #name, &[
                    #((#labels, #runtime::__private::each::error(&self.#idents))),*
                ])
            }
        }

        #clone
    }
}
