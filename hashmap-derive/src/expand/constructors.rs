//! `UserSettings::at`, `UserSettings::of`, and for each field a hidden constant that describes it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Path;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use crate::attr::Was;
use crate::carried::code;
use crate::expand::shared::{
    Names, UNUSED, default_value, duration, field_const, format, history_fn, ttl_const, was_const, whole_format,
};
use crate::record::{Field, Presence, Record, Storage, stored_type};
use crate::tokens::written;

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, args, allows, .. } = record;
    let Names { accessor, generics, ty_generics, at, of, .. } = names;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let returned = quote!(#accessor<#args #runtime::Deferred>);
    let key = record.used_in_types.unused(&["key", "__key"]);
    let of_ids = record.key.as_ref().map(|template| {
        let source = &template.source;
        let (befores, ids): (Vec<_>, Vec<_>) = template.placeholders.iter().cloned().unzip();
        let id_names = ids.iter().map(|id| id.unraw().to_string());
        let tail = &template.tail;
        let doc = format!(" Returns the accessor of the record at the key {}. No I/O.", code(&source.value()));
        quote! {
            #[doc = #doc]
            #[doc = ""]
            #[doc = " `%`, `{`, `}` and `:` in an id are percent-encoded. An empty id makes the first operation fail."]
            #[must_use]
            #vis fn #of(#(#ids: impl ::core::fmt::Display),*) -> #returned {
                #accessor(#runtime::Record::of(
                    #runtime::__private::Template {
                        source: #source,
                        placeholders: &[#((#befores, #id_names)),*],
                        tail: #tail,
                    },
                    &[#(&#ids),*],
                ))
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
        let expiring = field.ttl.as_ref().map(|ttl| {
            let ttl = duration(record, ttl);
            quote!(.expiring(#ttl))
        });
        let was = &field.given.was;
        let has_past = field.storage == Storage::Bincode || !was.is_empty();
        let evolving = (record.schema.is_some() && has_past).then(|| {
            let history = history_fn();
            quote!(.evolving(Self::#history))
        });
        let conversions = (record.schema.is_some() && !was.is_empty()).then(|| {
            let was = was.iter().map(|(attribute, was)| conversion(record, field, attribute, was));
            let constant = was_const(field);
            quote! {
                #[doc(hidden)]
                const #constant: &'static #runtime::__private::Conversions<#ty> = &#runtime::__private::Conversions(&[#(#was),*]);
            }
        });
        let converted = conversions.as_ref().map(|_| {
            let constant = was_const(field);
            quote!(.converted(Self::#constant))
        });
        let former = &field.aliases;
        let aliased = (!former.is_empty()).then(|| quote!(.aliased(&[#(#former),*])));
        let declared = quote!(const { &#runtime::__private::DeclaredName::new(#name) #aliased #evolving #converted });
        let made =
            quote_spanned!(ty.span()=> #runtime::NamedField::<#ty, _>::#constructor::<#format>(#declared #default));
        quote! {
            #conversions
            #[doc(hidden)]
            const #constant: #runtime::NamedField<#ty, #whole_format> = #made #expiring;
        }
    });
    let ttl = record.ttl.as_ref().map(|ttl| {
        let (constant, ttl) = (ttl_const(), duration(record, ttl));
        quote! {
            #[doc(hidden)]
            const #constant: ::core::time::Duration = #ttl;
        }
    });
    let doc = format!(
        " Returns the accessor of the `{ident}` at a key. No I/O. An empty key makes the first operation fail."
    );
    quote! {
        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, non_upper_case_globals, reason = #UNUSED)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #[doc = #doc]
            #[must_use]
            #vis fn #at(#key: impl ::core::convert::Into<::std::string::String>) -> #returned {
                #accessor(#runtime::Record::at(#key))
            }

            #of_ids

            #(#fields)*
            #ttl
        }
    }
}

/// How the values of a type that a field was become those of today. Its tokens have the span of that type, so that rustc points
/// there if it does not.
fn conversion(record: &Record, field: &Field, attribute: &Path, was: &Was) -> TokenStream {
    let (runtime, ty) = (&record.runtime, &field.ty);
    let (constructor, old) = match was {
        Was::Encoded(old) => (quote!(encoded), Some(stored_type(old))),
        Was::Text(old) => (quote!(text), Some(stored_type(old))),
        Was::Counter => (quote!(counter), None),
    };
    let span = old.map_or_else(|| attribute.span(), Spanned::span);
    let (name, old) = (old.map(written), old.map(|old| quote!(::<#old>)));
    quote_spanned!(span=> #runtime::__private::Was::<#ty>::#constructor #old (#name))
}
