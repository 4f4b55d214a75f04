//! The `Serialize` of `UserSettingsPartial`, which writes it as serde writes the struct, without the fields that are absent.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, parse_quote};

use crate::expand::shared::{Names, distinct_types, local};
use crate::record::{Field, Presence, Record};

/// Writes the impl. There is none where serde writes the struct as another type, or a field beside the others.
pub(super) fn expand(record: &Record, names: &Names) -> Option<TokenStream> {
    let written: Vec<_> = record.stored().filter(|field| field.written_name.is_some()).collect();
    if record.into || written.iter().any(|field| field.flatten.is_some()) {
        return None;
    }
    let fields_var = local(record, "__fields");
    let serializer_var = local(record, "__serializer");
    let serializer = record.used.unused(&["__S"]);
    let Record { runtime, allows, .. } = record;
    let Names { partial, ty_generics, any, .. } = names;
    let mut generics = record.generics.clone();
    let clause = generics.make_where_clause();
    for ty in distinct_types(written.iter().copied().filter(|field| field.with.write.is_none())) {
        clause.predicates.push(parse_quote!(for<#any> #ty: #runtime::__private::serde::Serialize));
    }
    clause.predicates.extend(record.serde_bound.write.iter().flatten().cloned());
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let value_vars: Vec<_> = (0..written.len()).map(|index| local(record, &format!("__value{index}"))).collect();
    let values = written.iter().map(|field| value(record, field));
    let shown = written.iter().zip(&value_vars).map(|(field, value_var)| shown(record, names, field, value_var));
    let written_names = written.iter().filter_map(|field| field.written_name.as_ref());
    let name = &record.serde_name.1;
    let tag = if let Some(tag) = &record.tag {
        quote!(::core::option::Option::Some(#tag))
    } else {
        quote!(::core::option::Option::None)
    };
    Some(quote! {
        #[automatically_derived]
        #(#allows)*
        impl #impl_generics #runtime::__private::serde::Serialize for #partial #ty_generics #where_clause {
            fn serialize<#serializer: #runtime::__private::serde::Serializer>(
                &self,
                #serializer_var: #serializer,
            ) -> ::core::result::Result<#serializer::Ok, #serializer::Error> {
                #(let #value_vars = #values;)*
                let mut #fields_var = #runtime::__private::serialize_struct(
                    #serializer_var,
                    #name,
                    #tag,
                    &[#(::core::option::Option::is_some(&#value_vars)),*],
                )?;
                #(#runtime::__private::serialize_field(&mut #fields_var, #written_names, #shown)?;)*
                #runtime::__private::serde::ser::SerializeStruct::end(#fields_var)
            }
        }
    })
}

/// The expression of a field that is to be written: an `Option` of a reference to what the struct's field would hold.
fn value(record: &Record, field: &Field) -> TokenStream {
    let (runtime, ident) = (&record.runtime, &field.ident);
    let value = if let Presence::Optional = field.presence {
        quote!(#runtime::__private::present(&self.#ident))
    } else {
        quote!(::core::option::Option::as_ref(&self.#ident))
    };
    match &field.skip_serializing_if {
        Some(function) => {
            let it = local(record, "__it");
            quote!(::core::option::Option::filter(#value, |#it| !#function(*#it)))
        }
        None => value,
    }
}

/// The expression of what is handed to the serializer: the field itself, or what a function of the user makes of it.
fn shown(record: &Record, names: &Names, field: &Field, value_var: &Ident) -> TokenStream {
    let (runtime, ty) = (&record.runtime, &field.ty);
    let Some(function) = &field.with.write else { return quote!(#value_var) };
    let ty = if let Presence::Optional = field.presence { quote!(::core::option::Option<#ty>) } else { quote!(#ty) };
    let lifetime = record.used.unused_lifetime(&["__field"]);
    let serializer = record.used.unused(&["__S"]);
    let serializer_var = local(record, "__serializer");
    let wrapper = record.used.unused(&["__Value"]);
    let mut generics = record.generics.clone();
    generics.params.insert(0, parse_quote!(#lifetime));
    let mut write_generics = generics.clone();
    write_generics.make_where_clause().predicates.extend(record.serde_bound.write.iter().flatten().cloned());
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, _, write_clause) = write_generics.split_for_impl();
    let args = &record.args;
    let (marker, marker_value) = (names.marker_field(record), names.marker_value());
    let it = local(record, "__it");
    quote! {{
        struct #wrapper #impl_generics #where_clause { value: &#lifetime #ty, #marker }
        impl #impl_generics #runtime::__private::serde::Serialize for #wrapper<#lifetime, #args> #write_clause {
            fn serialize<#serializer: #runtime::__private::serde::Serializer>(
                &self,
                #serializer_var: #serializer,
            ) -> ::core::result::Result<#serializer::Ok, #serializer::Error> {
                #function(self.value, #serializer_var)
            }
        }
        ::core::option::Option::map(#value_var, |#it| #wrapper::<'_, #args> { value: #it, #marker_value })
    }}
}
