//! The implementations of `RedisHash` and of `DefaultedHash`: how a record is written and read.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::expand::shared::{Names, default_value, field_const, local, ttl_const};
use crate::record::{Field, Presence, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let out_var = local(record, "__out");
    let patch_var = local(record, "__patch");
    let fields_var = local(record, "__fields");
    let target_var = local(record, "__target");
    let executor_var = local(record, "__executor");
    let Record { ident, runtime, args, allows, .. } = record;
    let Names { accessor, partial, each, patch, fields, generics, ty_generics, .. } = names;
    let executor = record.used.unused(&["__E"]);
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let infos = record.stored().map(|field| {
        let constant = field_const(field);
        quote!(#runtime::NamedField::info(&Self::#constant))
    });
    let writes = record.stored().map(|field| write(record, field, &out_var));
    let patch_writes = record.stored().map(|field| write_patch(record, field, &patch_var, &out_var));
    let reads = record.fields.iter().map(|field| {
        let ident = &field.ident;
        let value = if let Presence::Skipped(value) = &field.presence {
            default_value(field, value)
        } else {
            let result = read(field, &fields_var);
            quote!(#result?)
        };
        quote!(#ident: #value)
    });
    let each_reads = record.stored().map(|field| {
        let (ident, result) = (&field.ident, read(field, &fields_var));
        quote!(#ident: #result)
    });
    let ttl = record.ttl.as_ref().map(|_| {
        let constant = ttl_const();
        quote! {
            const TTL: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(Self::#constant);
        }
    });
    let sliding = record.sliding.as_ref().map(|_| {
        quote!(
            const SLIDING: ::core::primitive::bool = true;
        )
    });
    let by_name = record.stored().map(|field| {
        let (ident, constant) = (&field.ident, field_const(field));
        quote!(#ident: Self::#constant)
    });
    let partial_reads = record.stored().map(|field| {
        let (ident, constant) = (&field.ident, field_const(field));
        quote!(#ident: #fields_var.option(&Self::#constant)?)
    });
    let marker = names.marker_value();
    let marks = marks(record, names);
    quote! {
        #[automatically_derived]
        #(#allows)*
        impl #impl_generics #runtime::RedisHash for #ident #ty_generics #where_clause {
            const FIELDS: &'static [#runtime::FieldInfo] = &[#(#infos),*];

            type Hash<#executor> = #accessor<#args #executor>;
            type Partial = #partial #ty_generics;
            type Each = #each #ty_generics;
            type Patch = #patch #ty_generics;
            type Fields = #fields #ty_generics;

            #ttl
            #sliding
            const NAMED: Self::Fields = #fields { #(#by_name,)* #marker };

            fn accessor<#executor>(#target_var: #runtime::__private::Target, #executor_var: #executor) -> Self::Hash<#executor> {
                #accessor(#runtime::Record::new(#target_var, #executor_var))
            }

            fn write(&self, #out_var: &mut #runtime::__private::Changes) -> ::core::result::Result<(), #runtime::Error> {
                #(#writes)*
                ::core::result::Result::Ok(())
            }

            fn write_patch(
                #patch_var: &Self::Patch,
                #out_var: &mut #runtime::__private::PatchWriter<'_>,
            ) -> ::core::result::Result<(), #runtime::Error> {
                #(#patch_writes)*
                ::core::result::Result::Ok(())
            }

            fn read(
                #fields_var: &mut #runtime::__private::RecordReader<'_>,
            ) -> ::core::result::Result<Self, #runtime::Error> {
                ::core::result::Result::Ok(Self { #(#reads),* })
            }

            fn read_each(#fields_var: &mut #runtime::__private::RecordReader<'_>) -> Self::Each {
                #each { #(#each_reads,)* #marker }
            }

            fn read_partial(
                #fields_var: &mut #runtime::__private::RecordReader<'_>,
            ) -> ::core::result::Result<Self::Partial, #runtime::Error> {
                ::core::result::Result::Ok(#partial { #(#partial_reads,)* #marker })
            }
        }

        #marks
    }
}

/// The implementations of the traits that mark what a record can do.
fn marks(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, runtime, allows, .. } = record;
    let Names { generics, ty_generics, .. } = names;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let defaulted = record.fields.iter().all(|field| !matches!(field.presence, Presence::Required)).then(|| {
        quote! {
            #[automatically_derived]
            #(#allows)*
            impl #impl_generics #runtime::DefaultedHash for #ident #ty_generics #where_clause {}
        }
    });
    let plain_patch = record.stored().all(|field| !field.merge).then(|| {
        quote! {
            #[automatically_derived]
            #(#allows)*
            impl #impl_generics #runtime::PlainPatch for #ident #ty_generics #where_clause {}
        }
    });
    quote!(#defaulted #plain_patch)
}

/// The expression that reads a field of the record, a `Result`.
fn read(field: &Field, fields: &Ident) -> TokenStream {
    let constant = field_const(field);
    match &field.presence {
        Presence::Optional => quote!(#fields.option(&Self::#constant)),
        Presence::Defaulted(_) => quote!(#fields.defaulted(&Self::#constant)),
        Presence::Required | Presence::Skipped(_) => quote!(#fields.required(&Self::#constant)),
    }
}

/// The statement that writes a field of the record.
fn write(record: &Record, field: &Field, out: &Ident) -> TokenStream {
    let (runtime, ident, constant) = (&record.runtime, &field.ident, field_const(field));
    if let Presence::Optional = field.presence {
        let value = quote!(::core::option::Option::as_ref(&self.#ident));
        quote!(#runtime::NamedField::set_option(&Self::#constant, #value, #out)?;)
    } else {
        quote!(#runtime::NamedField::set(&Self::#constant, &self.#ident, #out)?;)
    }
}

/// The statement that writes what a patch says of a field.
fn write_patch(record: &Record, field: &Field, patch: &Ident, out: &Ident) -> TokenStream {
    let (runtime, ident, constant) = (&record.runtime, &field.ident, field_const(field));
    let method = match (&field.presence, field.merge) {
        (Presence::Optional, true) => quote!(merge_option),
        (Presence::Optional, false) => quote!(set_option),
        (_, true) => quote!(merge),
        (_, false) => quote!(set),
    };
    quote! {
        #runtime::__private::PatchWriter::#method(#out, &Self::#constant, ::core::option::Option::as_ref(&#patch.#ident))?;
    }
}
