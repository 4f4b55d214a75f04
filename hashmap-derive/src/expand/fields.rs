//! `UserSettingsFields`, the fields by name, from which `get_many` selects.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::carried::{Carried, code, link};
use crate::expand::shared::{Names, UNUSED, local, whole_format};
use crate::record::{Field, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let f_var = local(record, "__f");
    let Record { ident, vis, runtime, generics, allows, .. } = record;
    let Names { fields, ty_generics, .. } = names;
    let marks = &record.carried.marks;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let idents: Vec<_> = record.stored().map(|field| &field.ident).collect();
    let labels = record.stored().map(|field| field.ident.unraw().to_string());
    let marker = names.marker_field(record);
    let declarations = record.stored().map(|field| {
        let Field { ident, vis, ty, name, carried: Carried { marks, lints, .. }, .. } = field;
        let format = whole_format(record, field);
        let doc = format!(" The field {}.", code(name));
        quote! {
            #[doc = #doc]
            #(#marks)*
            #(#lints)*
            #vis #ident: #runtime::NamedField<#ty, #format>
        }
    });
    let doc = format!(" The fields of a {} by name, from which `get_many` selects.", link(ident));
    let name = fields.to_string();
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        #vis struct #fields #generics #where_clause {
            #(#declarations,)*
            #marker
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::fmt::Debug for #fields #ty_generics #where_clause {
            fn fmt(&self, #f_var: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::debug::fields(#f_var, #name, &[#((#labels, #runtime::NamedField::name(&self.#idents))),*])
            }
        }
    }
}
