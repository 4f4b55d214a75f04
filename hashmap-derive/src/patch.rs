use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse_quote;

use crate::expand::{Names, mentions, std_impls, unused, unused_value, whole_format};
use crate::parse::{Field, Presence, Record};

/// `UserSettingsPatch`: what to change of a record.
pub(crate) fn patch(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, generics, .. } = record;
    let patch = &names.patch;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let (unused, unused_value) = (unused(record), unused_value(generics));
    let declarations = fields.iter().map(|field| {
        let Field { ident, vis, ty, name, .. } = field;
        let (ty, doc) = if let Presence::Optional = field.presence {
            (
                quote!(::core::option::Option<::core::option::Option<#ty>>),
                format!("`Some(Some(value))` sets the field `{name}`, `Some(None)` clears it, `None` keeps it."),
            )
        } else {
            (quote!(::core::option::Option<#ty>), format!("`Some(value)` sets the field `{name}`, `None` keeps it."))
        };
        quote! {
            #[doc = #doc]
            #vis #ident: #ty
        }
    });
    // Two methods of one name are an error already.
    let mut seen = HashSet::new();
    let builders = fields.iter().filter(|field| seen.insert(field.accessor.unraw())).map(|field| {
        let Field { ident, vis, ty, name, accessor, .. } = field;
        let (doc, param, value) = if let Presence::Optional = field.presence {
            (
                format!("Sets the field `{name}`, or clears it where `None` is given."),
                quote!(impl ::core::convert::Into<::core::option::Option<#ty>>),
                quote!(::core::convert::Into::into(value)),
            )
        } else {
            (format!("Sets the field `{name}`."), quote!(#ty), quote!(value))
        };
        quote! {
            #[doc = #doc]
            #[must_use]
            #vis fn #accessor(mut self, value: #param) -> Self {
                self.#ident = ::core::option::Option::Some(#value);
                self
            }
        }
    });
    let states = fields.iter().map(|field| {
        let ident = &field.ident;
        let label = ident.unraw().to_string();
        let state = if let Presence::Optional = field.presence {
            quote! {
                match &self.#ident {
                    ::core::option::Option::None => "kept",
                    ::core::option::Option::Some(::core::option::Option::None) => "cleared",
                    ::core::option::Option::Some(::core::option::Option::Some(_)) => "set",
                }
            }
        } else {
            quote!(if self.#ident.is_some() { "set" } else { "kept" })
        };
        quote!(.field(#label, &::core::format_args!("{}", #state)))
    });
    let clones = std_impls(record, generics, patch);
    let json = (!record.converted).then(|| json(record, names));
    let doc = format!(
        "What to change of a [`{ident}`]: each field, whether it is kept, set or (an `Option`) cleared. By default \
         everything is kept. It is read from JSON and the like by serde, under the names that serde knows for \
         `{ident}`: what is not there is kept, `null` clears. Its `Debug` shows no values."
    );
    let name = patch.to_string();
    quote! {
        #[doc = #doc]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        #vis struct #patch #generics #where_clause {
            #(#declarations,)*
            #unused
        }

        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        impl #impl_generics #patch #ty_generics #where_clause {
            #(#builders)*
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::default::Default for #patch #ty_generics #where_clause {
            fn default() -> Self {
                Self { #(#idents: ::core::option::Option::None,)* #unused_value }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::fmt::Debug for #patch #ty_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name) #(#states)* .finish()
            }
        }

        #clones
        #json
    }
}

/// `Deserialize`, where the types of all fields that can be set from outside have it.
fn json(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, runtime, .. } = record;
    let patch = &names.patch;
    let mut generics = record.generics.clone();
    generics.params.insert(0, parse_quote!('de));
    let clause = generics.make_where_clause();
    let settable: Vec<_> = record.stored().filter(|field| !field.json_names.is_empty()).collect();
    let params: Vec<_> = record.generics.type_params().map(|param| param.ident.clone()).collect();
    for field in settable.iter().filter(|field| field.deserialize_with.is_none()) {
        let ty = &field.ty;
        // Beside the user's own `T: DeserializeOwned`, one of a lifetime would be ambiguous; of a type without parameters,
        // one without a lifetime would be judged at once.
        clause.predicates.push(if mentions(ty, &params) {
            parse_quote!(#ty: #runtime::__private::serde::de::DeserializeOwned)
        } else {
            parse_quote!(#ty: #runtime::__private::serde::Deserialize<'de>)
        });
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, ty_generics, _) = record.generics.split_for_impl();
    let reads = settable.iter().enumerate().map(|(position, field)| {
        let Field { ident, json_names, .. } = field;
        let read = read(record, field);
        quote! {
            #(#json_names)|* => {
                self.#ident = ::core::option::Option::Some(#read);
                ::core::result::Result::Ok(::core::option::Option::Some(#position))
            }
        }
    });
    let json_names = settable.iter().map(|field| &field.json_names[0]);
    let (expecting, deny) = (format!("a patch of a {ident}"), record.deny_unknown_fields);
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #runtime::__private::PatchFields<'de> for #patch #ty_generics #where_clause {
            const EXPECTING: &'static ::core::primitive::str = #expecting;
            const NAMES: &'static [&'static ::core::primitive::str] = &[#(#json_names),*];
            const DENY_UNKNOWN: ::core::primitive::bool = #deny;

            fn read<__A: #runtime::__private::serde::de::MapAccess<'de>>(
                &mut self,
                name: &::core::primitive::str,
                map: &mut __A,
            ) -> ::core::result::Result<::core::option::Option<::core::primitive::usize>, __A::Error> {
                match name {
                    #(#reads)*
                    _ => ::core::result::Result::Ok(::core::option::Option::None),
                }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #runtime::__private::serde::Deserialize<'de> for #patch #ty_generics #where_clause {
            fn deserialize<__D: #runtime::__private::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                #runtime::__private::deserialize_patch(deserializer)
            }
        }
    }
}

/// The value of a field in JSON.
fn read(record: &Record, field: &Field) -> TokenStream {
    let (runtime, ty) = (&record.runtime, &field.ty);
    let is_optional = matches!(field.presence, Presence::Optional);
    let Some(function) = &field.deserialize_with else {
        return quote!(map.next_value()?);
    };
    // What the user's function returns: for an `Option` field all of it.
    let ty = if is_optional { quote!(::core::option::Option<#ty>) } else { quote!(#ty) };
    let (impl_generics, ty_generics, where_clause) = record.generics.split_for_impl();
    let mut generics = record.generics.clone();
    generics.params.insert(0, parse_quote!('__de));
    let (with_lifetime, _, _) = generics.split_for_impl();
    let unused = unused(record);
    let unused_value = unused_value(&record.generics);
    let wrapper = format_ident!("__Value");
    quote! {{
        struct #wrapper #impl_generics #where_clause { value: #ty, #unused }
        impl #with_lifetime #runtime::__private::serde::Deserialize<'__de> for #wrapper #ty_generics #where_clause {
            fn deserialize<__D: #runtime::__private::serde::Deserializer<'__de>>(
                deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                ::core::result::Result::Ok(Self { value: #function(deserializer)?, #unused_value })
            }
        }
        map.next_value::<#wrapper #ty_generics>()?.value
    }}
}

/// `UserSettingsFields`: the fields by name.
pub(crate) fn fields(record: &Record, names: &Names) -> TokenStream {
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
        let doc = format!("The field `{name}`.");
        quote! {
            #[doc = #doc]
            #vis #ident: #runtime::NamedField<#ty, #format>
        }
    });
    let doc = format!("The fields of a [`{ident}`] by name, of which `get_many` reads some.");
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
                f.debug_struct(#name) #(.field(#labels, &self.#idents))* .finish()
            }
        }
    }
}
