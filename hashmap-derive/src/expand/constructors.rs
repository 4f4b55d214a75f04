//! `UserSettings::at`, `UserSettings::of` and hidden items: defaults, and a constant for each field.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{Names, codec_const, default_fn, format};
use crate::record::{Presence, Record, Value};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, .. } = record;
    let Names { accessor, generics, args, .. } = names;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let returned = quote!(#accessor<#(#args,)* #runtime::Deferred>);
    let of = record.key.as_ref().map(|template| {
        let source = &template.source;
        let (befores, ids): (Vec<_>, Vec<_>) = template.placeholders.iter().cloned().unzip();
        let id_names = ids.iter().map(|id| id.unraw().to_string());
        let tail = &template.tail;
        let doc = format!("The accessor of the record at the key `{}`. No I/O.", source.value());
        quote! {
            #[doc = #doc]
            #[doc = ""]
            #[doc = "`%`, `{`, `}` and `:` in an id are percent-encoded; an empty id is an error of the first operation."]
            #[must_use]
            #vis fn of(#(#ids: impl ::core::fmt::Display),*) -> #returned {
                const TEMPLATE: #runtime::__private::Template = #runtime::__private::Template {
                    source: #source,
                    placeholders: &[#((#befores, #id_names)),*],
                    tail: #tail,
                };
                ::core::convert::From::from(#runtime::Record::of(TEMPLATE, &[#(&#ids),*]))
            }
        }
    });
    let defaults = record.fields.iter().filter_map(|field| {
        let (Presence::Defaulted(value) | Presence::Skipped(value)) = &field.presence else { return None };
        let (name, ty) = (default_fn(field), &field.ty);
        let value = match value {
            Value::Expr(expr) => quote!(#expr),
            Value::Trait => quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default()),
        };
        Some(quote! {
            #[doc(hidden)]
            #[allow(non_snake_case)]
            fn #name() -> #ty {
                #value
            }
        })
    });
    let codecs = record.stored().map(|field| {
        let (codec, ty, name) = (codec_const(field), &field.ty, &field.name);
        let format = format(record, field);
        let value = quote_spanned!(ty.span()=> #runtime::__private::FieldCodec::<#ty>::new::<#format>(#name));
        let or = matches!(field.presence, Presence::Defaulted(_)).then(|| {
            let default = default_fn(field);
            quote!(.or(Self::#default))
        });
        let expiring = field.ttl.map(|millis| quote!(.expiring(#millis)));
        quote! {
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            const #codec: #runtime::__private::FieldCodec<#ty> = #value #or #expiring;
        }
    });
    let doc =
        format!("The accessor of the `{ident}` at a key. No I/O; an empty key is an error of the first operation.");
    quote! {
        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #[doc = #doc]
            #[must_use]
            #vis fn at(key: impl ::core::convert::Into<::std::string::String>) -> #returned {
                ::core::convert::From::from(#runtime::Record::at(key))
            }

            #of

            #(#codecs)*

            #(#defaults)*
        }
    }
}
