//! The schema file of a record: what is compiled in, `check_schema`, and the test that calls it.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use crate::attr::Was;
use crate::expand::shared::{UNUSED, history_fn, was_const};
use crate::record::{Field, Record, Storage, stored_type};

pub(super) fn expand(record: &Record) -> TokenStream {
    let Some((_, path)) = record.schema() else {
        return TokenStream::new();
    };
    let Record { ident, vis, runtime, allows, removed, .. } = record;
    let name = ident.unraw().to_string();
    let path = path.as_ref().map_or_else(|| format!("redis-hash/{name}.schema"), syn::LitStr::value);
    let package = quote!(::core::env!("CARGO_MANIFEST_DIR"));
    // A first schema is recorded by a test of a program that was built without it.
    let is_there =
        std::env::var_os("CARGO_MANIFEST_DIR").is_some_and(|package| Path::new(&package).join(&path).exists());
    let file = if is_there {
        quote!(::core::option::Option::Some(::core::include_str!(::core::concat!(#package, "/", #path))))
    } else {
        quote!(::core::option::Option::None)
    };
    let history = history_fn();
    let fields = record.stored().map(|field| schema_of(record, field));
    let test = format_ident!("schema_of_{}", snake_case(&name), span = ident.span());
    let doc = format!(
        " Proves that today's `{ident}` reads all that `{path}` says was stored of it, and that the file is up to date."
    );
    quote! {
        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        impl #ident {
            #[doc(hidden)]
            fn #history() -> &'static #runtime::__private::History {
                static HISTORY: #runtime::__private::History = #runtime::__private::History::new(#file);
                &HISTORY
            }

            #[doc = #doc]
            #[doc = ""]
            #[doc = " A test that is generated calls it."]
            #[doc = ""]
            #[doc = " # Errors"]
            #[doc = ""]
            #[doc = " What cannot be read, and the attribute that mends it; or how to record a schema that has changed."]
            #vis fn check_schema() -> ::core::result::Result<(), #runtime::SchemaProblem> {
                #runtime::__private::check_schema(&#runtime::__private::RecordSchema {
                    record: #name,
                    package: #package,
                    path: #path,
                    history: Self::#history(),
                    removed: &[#(#removed),*],
                    fields: &[#(#fields),*],
                })
            }
        }

        #[cfg(test)]
        #[test]
        fn #test() -> ::core::result::Result<(), #runtime::SchemaProblem> {
            #ident::check_schema()
        }
    }
}

fn schema_of(record: &Record, field: &Field) -> TokenStream {
    let Record { runtime, .. } = record;
    let Field { ty, name, aliases, .. } = field;
    let schema = quote!(#runtime::__private::FieldSchema);
    let declared = match field.storage {
        Storage::Text => quote!(#schema::text::<#ty>(#name, &[#(#aliases),*])),
        Storage::Counter => quote!(#schema::counter::<#ty>(#name, &[#(#aliases),*])),
        Storage::Bincode => {
            let sample = field.given.sample.iter().map(|(_, expr)| expr);
            quote!(#schema::encoded::<#ty>(#name, &[#(#aliases),*], || #runtime::__private::trace_schema::<#ty>(::std::vec![#(#sample),*])))
        }
    };
    if field.given.was.is_empty() {
        return declared;
    }
    let conversions = was_const(field);
    let traces = field.given.was.iter().map(|(_, was)| match was {
        Was::Encoded(old) => {
            let old = stored_type(old);
            quote!(::core::option::Option::Some(|| #runtime::__private::trace_schema::<#old>(::std::vec![])))
        }
        Was::Text(_) | Was::Counter => quote!(::core::option::Option::None),
    });
    quote!(#declared.was(Self::#conversions, ::std::vec![#(#traces),*]))
}

/// `user_settings` for `UserSettings`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}
