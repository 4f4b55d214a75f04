//! The implementation of `EvolvingValue`, and the test that calls its `check_schema`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::evolving::Evolving;
use crate::expand::schema::{file, snake_case};
use crate::tokens::written;

pub(super) fn expand(value: &Evolving) -> TokenStream {
    let Evolving { ident, runtime, path, removed, was, allows, .. } = value;
    let private = quote!(#runtime::__private);
    let package = quote!(::core::env!("CARGO_MANIFEST_DIR"));
    let file = file(path, &package);
    let samples = value.sample.as_ref().map(|sample| {
        quote! {
            fn __samples() -> ::std::vec::Vec<Self> {
                ::std::vec![#sample]
            }
        }
    });
    let traces = was.iter().map(|old| quote!(|| #private::trace_schema::<#old>(::std::vec![])));
    // rustc points at the old type if it is not converted.
    let conversions = was.iter().map(|old| {
        let name = written(old);
        quote_spanned!(old.span()=> #private::Was::<Self>::encoded::<#old>(#name))
    });
    // A record may be a value of maps too, and has a test of its own.
    let test = format_ident!("schema_of_{}_values", snake_case(&ident.unraw().to_string()), span = ident.span());
    quote! {
        #[automatically_derived]
        #(#allows)*
        impl #runtime::EvolvingValue for #ident {
            fn check_schema() -> ::core::result::Result<(), #runtime::SchemaProblem> {
                #private::check_value::<Self>(
                    #path,
                    #package,
                    &[#(#removed),*],
                    &[#(#traces),*],
                )
            }

            fn __past() -> (&'static #private::History, &'static #private::Conversions<Self>) {
                static HISTORY: #private::History = #private::History::new(#file);
                (&HISTORY, const { &#private::Conversions(&[#(#conversions),*]) })
            }

            #samples
        }

        #[cfg(test)]
        #[test]
        #(#allows)*
        fn #test() -> ::core::result::Result<(), #runtime::SchemaProblem> {
            <#ident as #runtime::EvolvingValue>::check_schema()
        }
    }
}
