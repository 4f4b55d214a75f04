//! The schema files of a record: what is compiled in, `check_schema`, and the test that calls it.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::parse_quote;

use crate::attr::Was;
use crate::expand::shared::{Names, UNUSED, history_fn, was_const};
use crate::record::{Field, Record, Storage, stored_type};
use crate::tokens::mentions;

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Some(schema) = &record.schema else {
        return TokenStream::new();
    };
    let Record { ident, vis, runtime, allows, removed, .. } = record;
    let Names { generics, ty_generics, .. } = names;
    let package = quote!(::core::env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<String> = schema.files.iter().map(|file| file.path_for(&record.name_of(file))).collect();
    let types: Vec<TokenStream> = schema
        .files
        .iter()
        .map(|file| file.of.as_ref().map_or_else(|| quote!(#ident), ToTokens::to_token_stream))
        .collect();
    let known_files = schema.files.iter().zip(&paths).map(|(of, path)| {
        let file = file(path, &package);
        // A static is one for all types that the record is used as.
        let history = quote!(static HISTORY: #runtime::__private::History = #runtime::__private::History::new(#file););
        let known = quote!(::core::option::Option::Some((#path, &HISTORY)));
        of.of.as_ref().map_or_else(
            || quote!(#history #known),
            |of| {
                quote! {
                    if ::core::any::TypeId::of::<Self>() == ::core::any::TypeId::of::<#of>() {
                        #history
                        return #known;
                    }
                }
            },
        )
    });
    let unknown = schema.files.iter().all(|file| file.of.is_some()).then(|| quote!(::core::option::Option::None));

    let (history, known) = (history_fn(), format_ident!("__redis_hash_schema_file"));
    let fields = record.stored().map(|field| schema_of(record, field));
    let tests = schema.files.iter().zip(&types).enumerate().map(|(index, (file, ty))| {
        let name = record.name_of(file);
        // Types of different modules can have one name.
        let is_second = schema.files.iter().take(index).any(|other| record.name_of(other) == name);
        let number = if is_second { format!("_{}", index + 1) } else { String::new() };
        let test = format_ident!("schema_of_{}{number}", snake_case(&name), span = ident.span());
        quote! {
            #[cfg(test)]
            #[test]
            fn #test() -> ::core::result::Result<(), #runtime::SchemaProblem> {
                <#ty>::check_schema()
            }
        }
    });
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let mut checked = generics.clone();
    let clause = checked.make_where_clause();
    let params: Vec<_> = record.generics.type_params().map(|param| param.ident.clone()).collect();
    for field in record.stored().filter(|field| field.storage == Storage::Bincode && mentions(&field.ty, &params)) {
        let (ty, serde) = (&field.ty, quote!(#runtime::__private::serde));
        clause.predicates.push(parse_quote!(#ty: #serde::Serialize + #serde::de::DeserializeOwned));
    }
    let (_, _, checked_where) = checked.split_for_impl();
    quote! {
        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        impl #impl_generics #ident #ty_generics #where_clause {
            /// The path of its schema file, and what was in it.
            #[doc(hidden)]
            fn #known() -> ::core::option::Option<(&'static str, &'static #runtime::__private::History)> {
                #(#known_files)*
                #unknown
            }

            #[doc(hidden)]
            fn #history() -> &'static #runtime::__private::History {
                Self::#known().map_or(&#runtime::__private::NO_HISTORY, |(_, history)| history)
            }
        }

        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        impl #impl_generics #ident #ty_generics #checked_where {
            /// Proves that the types of today read all that the schema file says was stored, and that the file is up to date.
            ///
            /// A test that is generated calls it.
            ///
            /// # Errors
            ///
            /// What cannot be read, and the attribute that mends it; or how to record a schema that has changed.
            #vis fn check_schema() -> ::core::result::Result<(), #runtime::SchemaProblem> {
                #runtime::__private::check_schema::<Self>(
                    Self::#known(),
                    #package,
                    &[#(#removed),*],
                    &[#(#fields),*],
                )
            }
        }

        #(#tests)*
    }
}

/// What is in a file. A first schema is recorded by a test of a program that was built without it.
pub(super) fn file(path: &str, package: &TokenStream) -> TokenStream {
    let is_there =
        std::env::var_os("CARGO_MANIFEST_DIR").is_some_and(|package| Path::new(&package).join(path).is_file());
    if is_there {
        quote!(::core::option::Option::Some(::core::include_str!(::core::concat!(#package, "/", #path))))
    } else {
        quote!(::core::option::Option::None)
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
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for char in name.chars() {
        if char.is_uppercase() && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        snake.extend(char.to_lowercase());
    }
    snake
}
