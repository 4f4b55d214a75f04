//! The `Deserialize` of `UserSettingsPatch` and of `UserSettingsPartial`, which reads them from JSON and the like.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse_quote;

use crate::expand::shared::{Names, distinct_types, local};
use crate::record::{Field, Presence, Record};
use crate::tokens::mentions;
use crate::tokens::with_lifetime;

/// What is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Patch,
    Partial,
}

pub(super) fn expand(record: &Record, names: &Names, read_item: Item) -> TokenStream {
    let map_var = local(record, "__map");
    let deserializer_var = local(record, "__deserializer");
    let name_var = local(record, "__name");
    let Record { ident, runtime, allows, .. } = record;
    let Names { patch, partial, ty_generics, .. } = names;
    let (item, expecting) = match read_item {
        Item::Patch => (patch, format!("a patch of a {ident}")),
        Item::Partial => (partial, format!("a part of a {ident}")),
    };
    let de = record.used.unused_lifetime(&["de", "__de"]);
    let (access, deserializer) = (record.used.unused(&["__A"]), record.used.unused(&["__D"]));
    let mut generics = record.generics.clone();
    generics.params.insert(0, parse_quote!(#de));
    let clause = generics.make_where_clause();
    let settable: Vec<_> = record.stored().filter(|field| !field.json_names.is_empty()).collect();
    let params: Vec<_> = record.generics.type_params().map(|param| param.ident.clone()).collect();
    for ty in distinct_types(settable.iter().copied().filter(|field| field.with.read.is_none())) {
        // Beside a user's `T: DeserializeOwned`, a bound with a lifetime would be ambiguous. On a type without
        // parameters, rustc would check a bound without a lifetime at once, even if it is never needed.
        clause.predicates.push(if mentions(ty, &params) {
            parse_quote!(#ty: #runtime::__private::serde::de::DeserializeOwned)
        } else {
            parse_quote!(#ty: #runtime::__private::serde::Deserialize<#de>)
        });
    }
    let bound = record.serde_bound.read.iter().flatten();
    clause.predicates.extend(bound.map(|predicate| with_lifetime(predicate, &de)));
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let reads = settable.iter().enumerate().map(|(position, field)| {
        let Field { ident, json_names, .. } = field;
        let read = read(record, names, field);
        // A partial record holds what an `Option` field itself holds, and reads any field as an `Option`.
        let is_option = field.with.read.is_none() || matches!(field.presence, Presence::Optional);
        let value =
            if read_item == Item::Partial && is_option { read } else { quote!(::core::option::Option::Some(#read)) };
        quote! {
            #(#json_names)|* => {
                self.#ident = #value;
                ::core::result::Result::Ok(::core::option::Option::Some(#position))
            }
        }
    });
    let json_names = settable.iter().map(|field| &field.json_names[0]);
    let (deny, (read_name, written_name)) = (record.deny_unknown_fields, &record.serde_name);
    let tag = record.tag.as_ref().map(|key| {
        quote! {
            const TAG: ::core::option::Option<(&'static ::core::primitive::str, [&'static ::core::primitive::str; 2])> =
                ::core::option::Option::Some((#key, [#read_name, #written_name]));
        }
    });
    quote! {
        #[automatically_derived]
        #(#allows)*
        impl #impl_generics #runtime::__private::FieldsByName<#de> for #item #ty_generics #where_clause {
            const EXPECTING: &'static ::core::primitive::str = #expecting;
            const NAMES: &'static [&'static ::core::primitive::str] = &[#(#json_names),*];
            const DENY_UNKNOWN: ::core::primitive::bool = #deny;
            #tag

            fn read<#access: #runtime::__private::serde::de::MapAccess<#de>>(
                &mut self,
                #name_var: &::core::primitive::str,
                #map_var: &mut #access,
            ) -> ::core::result::Result<::core::option::Option<::core::primitive::usize>, #access::Error> {
                match #name_var {
                    #(#reads)*
                    _ => ::core::result::Result::Ok(::core::option::Option::None),
                }
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #impl_generics #runtime::__private::serde::Deserialize<#de> for #item #ty_generics #where_clause {
            fn deserialize<#deserializer: #runtime::__private::serde::Deserializer<#de>>(
                #deserializer_var: #deserializer,
            ) -> ::core::result::Result<Self, #deserializer::Error> {
                #runtime::__private::deserialize_fields(#deserializer_var)
            }
        }
    }
}

/// The expression that reads the value of a field.
fn read(record: &Record, names: &Names, field: &Field) -> TokenStream {
    let deserializer_var = local(record, "__deserializer");
    let map_var = local(record, "__map");
    let (runtime, ty) = (&record.runtime, &field.ty);
    let is_optional = matches!(field.presence, Presence::Optional);
    let Some(function) = &field.with.read else {
        return quote!(#map_var.next_value()?);
    };
    // The user's function returns the type of the whole field, which may be an `Option`.
    let ty = if is_optional { quote!(::core::option::Option<#ty>) } else { quote!(#ty) };
    let Names { ty_generics, .. } = names;
    let (impl_generics, _, where_clause) = record.generics.split_for_impl();
    // Not the lifetime of the impl around it, which it would shadow.
    let de = record.used.unused_lifetime(&["__de_value"]);
    let deserializer = record.used.unused(&["__D"]);
    let mut generics = record.generics.clone();
    generics.params.insert(0, parse_quote!(#de));
    let bound = record.serde_bound.read.iter().flatten();
    generics.make_where_clause().predicates.extend(bound.map(|predicate| with_lifetime(predicate, &de)));
    let (read_generics, _, read_clause) = generics.split_for_impl();
    let (marker, marker_value) = (names.marker_field(record), names.marker_value());
    let wrapper = record.used.unused(&["__Value"]);
    quote! {{
        struct #wrapper #impl_generics #where_clause { value: #ty, #marker }
        impl #read_generics #runtime::__private::serde::Deserialize<#de> for #wrapper #ty_generics #read_clause {
            fn deserialize<#deserializer: #runtime::__private::serde::Deserializer<#de>>(
                #deserializer_var: #deserializer,
            ) -> ::core::result::Result<Self, #deserializer::Error> {
                ::core::result::Result::Ok(Self { value: #function(#deserializer_var)?, #marker_value })
            }
        }
        #map_var.next_value::<#wrapper #ty_generics>()?.value
    }}
}
