//! The implementations of `RedisHash` and of `DefaultedHash`: how a record is written and read.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand::shared::{Names, default_value, field_const, unused_value};
use crate::record::{Presence, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, runtime, .. } = record;
    let Names { accessor, partial, patch, fields, generics, args, .. } = names;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let infos = record.stored().map(|field| {
        let constant = field_const(field);
        quote!(Self::#constant.info())
    });
    let writes = record.stored().map(|field| {
        let (ident, constant) = (&field.ident, field_const(field));
        if let Presence::Optional = field.presence {
            quote!(Self::#constant.set_option(self.#ident.as_ref(), out)?;)
        } else {
            quote!(Self::#constant.set(&self.#ident, out)?;)
        }
    });
    let patch_writes = record.stored().map(|field| {
        let (ident, constant) = (&field.ident, field_const(field));
        if let Presence::Optional = field.presence {
            quote!(Self::#constant.patch_option(patch.#ident.as_ref(), out)?;)
        } else {
            quote!(Self::#constant.patch(patch.#ident.as_ref(), out)?;)
        }
    });
    let reads = record.fields.iter().map(|field| {
        let (ident, constant) = (&field.ident, field_const(field));
        let value = match &field.presence {
            Presence::Required => quote!(fields.required(&Self::#constant)?),
            Presence::Optional => quote!(fields.option(&Self::#constant)?),
            Presence::Defaulted(_) => quote!(fields.defaulted(&Self::#constant)?),
            Presence::Skipped(value) => default_value(field, value),
        };
        quote!(#ident: #value)
    });
    let ttl = record.ttl.map(|millis| {
        quote! {
            const TTL: ::core::option::Option<::core::time::Duration> =
                ::core::option::Option::Some(::core::time::Duration::from_millis(#millis));
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
        quote!(#ident: fields.option(&Self::#constant)?)
    });
    let unused_value = unused_value(generics);
    let defaulted = record.fields.iter().all(|field| !matches!(field.presence, Presence::Required)).then(|| {
        quote! {
            #[automatically_derived]
            #[allow(deprecated)]
            impl #impl_generics #runtime::DefaultedHash for #ident #ty_generics #where_clause {}
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #runtime::RedisHash for #ident #ty_generics #where_clause {
            const FIELDS: &'static [#runtime::FieldInfo] = &[#(#infos),*];

            type Hash<__E> = #accessor<#(#args,)* __E>;
            type Partial = #partial #ty_generics;
            type Patch = #patch #ty_generics;
            type Fields = #fields #ty_generics;

            #ttl
            #sliding
            const NAMED: Self::Fields = #fields { #(#by_name,)* #unused_value };

            fn accessor<__E>(target: #runtime::__private::Target, executor: __E) -> Self::Hash<__E> {
                #accessor(#runtime::Record::new(target, executor))
            }

            fn write(&self, out: &mut #runtime::__private::Changes) -> ::core::result::Result<(), #runtime::Error> {
                #(#writes)*
                ::core::result::Result::Ok(())
            }

            fn write_patch(
                patch: &Self::Patch,
                out: &mut #runtime::__private::Changes,
            ) -> ::core::result::Result<(), #runtime::Error> {
                #(#patch_writes)*
                ::core::result::Result::Ok(())
            }

            fn read(
                fields: &mut #runtime::__private::RecordReader<'_>,
            ) -> ::core::result::Result<Self, #runtime::Error> {
                ::core::result::Result::Ok(Self { #(#reads),* })
            }

            fn read_partial(
                fields: &mut #runtime::__private::RecordReader<'_>,
            ) -> ::core::result::Result<Self::Partial, #runtime::Error> {
                ::core::result::Result::Ok(#partial { #(#partial_reads,)* #unused_value })
            }
        }

        #defaulted
    }
}
