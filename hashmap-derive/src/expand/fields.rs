//! `UserSettingsFields`, the fields by name, from which `get_many` selects.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

use crate::expand::shared::{Names, unused, whole_format};
use crate::record::{Field, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, generics, .. } = record;
    let fields = &names.fields;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let idents: Vec<_> = record.stored().map(|field| &field.ident).collect();
    let labels = record.stored().map(|field| field.ident.unraw().to_string());
    let unused = unused(record);
    let declarations = record.stored().map(|field| {
        let Field { ident, vis, ty, name, .. } = field;
        let format = whole_format(record, field);
        let doc = format!(" The field `{name}`.");
        quote! {
            #[doc = #doc]
            #vis #ident: #runtime::NamedField<#ty, #format>
        }
    });
    let doc = format!(" The fields of a [`{ident}`] by name, from which `get_many` selects.");
    let name = fields.to_string();
    quote! {
        #[doc = #doc]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        #vis struct #fields #generics #where_clause {
            #(#declarations,)*
            #unused
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::fmt::Debug for #fields #ty_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                #runtime::__private::debug::fields(f, #name, &[#((#labels, self.#idents.name())),*])
            }
        }
    }
}
