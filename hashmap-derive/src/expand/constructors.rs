//! `UserSettings::at`, `UserSettings::of`, and for each field a hidden constant that describes it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::expand::shared::{Names, default_value, field_const, format, whole_format};
use crate::record::{Presence, Record};

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
        let doc = format!(" Returns the accessor of the record at the key `{}`. No I/O.", source.value());
        quote! {
            #[doc = #doc]
            #[doc = ""]
            #[doc = " `%`, `{`, `}` and `:` in an id are percent-encoded. An empty id makes the first operation fail."]
            #[must_use]
            #vis fn of(#(#ids: impl ::core::fmt::Display),*) -> #returned {
                const TEMPLATE: #runtime::__private::Template = #runtime::__private::Template {
                    source: #source,
                    placeholders: &[#((#befores, #id_names)),*],
                    tail: #tail,
                };
                #accessor(#runtime::Record::of(TEMPLATE, &[#(&#ids),*]))
            }
        }
    });
    let fields = record.stored().map(|field| {
        let (constant, ty, name) = (field_const(field), &field.ty, &field.name);
        let (format, whole_format) = (format(record, field), whole_format(record, field));
        let (constructor, default) = match &field.presence {
            Presence::Defaulted(value) => {
                let value = default_value(field, value);
                (quote!(defaulted), quote!(, || #value))
            }
            Presence::Optional => (quote!(optional), quote!()),
            Presence::Required | Presence::Skipped(_) => (quote!(required), quote!()),
        };
        let expiring = field.ttl.map(|millis| quote!(.expiring(#millis)));
        let made = quote_spanned!(ty.span()=> #runtime::NamedField::<#ty, _>::#constructor::<#format>(#name #default));
        quote! {
            #[doc(hidden)]
            const #constant: #runtime::NamedField<#ty, #whole_format> = #made #expiring;
        }
    });
    let doc = format!(
        " Returns the accessor of the `{ident}` at a key. No I/O. An empty key makes the first operation fail."
    );
    quote! {
        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, deprecated, non_upper_case_globals)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #[doc = #doc]
            #[must_use]
            #vis fn at(key: impl ::core::convert::Into<::std::string::String>) -> #returned {
                #accessor(#runtime::Record::at(key))
            }

            #of

            #(#fields)*
        }
    }
}
