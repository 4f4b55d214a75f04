//! The implementations of `RedisHash` and of `DefaultedHash`: how a record is written and read.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Names, codec_const, default_fn, unused_value};
use crate::record::{Field, Presence, Record};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, runtime, .. } = record;
    let Names { accessor, partial, patch, fields, generics, args, .. } = names;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let infos = record.stored().map(|field| info(record, field));
    let patch_writes = record.stored().map(patch_write);
    let writes = record.stored().map(|field| {
        let (ident, codec) = (&field.ident, codec_const(field));
        if let Presence::Optional = field.presence {
            quote!(out.set_option(&Self::#codec, self.#ident.as_ref())?;)
        } else {
            quote!(out.set(&Self::#codec, &self.#ident)?;)
        }
    });
    let reads = record.fields.iter().map(|field| {
        let (ident, codec, default) = (&field.ident, codec_const(field), default_fn(field));
        let value = match field.presence {
            Presence::Required => quote!(fields.required(&Self::#codec)?),
            Presence::Optional => quote!(fields.option(&Self::#codec)?),
            Presence::Defaulted(_) => quote!(fields.defaulted(&Self::#codec)?),
            Presence::Skipped(_) => quote!(Self::#default()),
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
        let (ident, codec) = (&field.ident, codec_const(field));
        quote!(#ident: #runtime::NamedField::new(Self::#codec))
    });
    let partial_reads = record.stored().map(|field| {
        let (ident, codec) = (&field.ident, codec_const(field));
        quote!(#ident: fields.option(&Self::#codec)?)
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

            fn write(&self, out: &mut #runtime::__private::Write) -> ::core::result::Result<(), #runtime::Error> {
                #(#writes)*
                ::core::result::Result::Ok(())
            }

            fn write_patch(
                patch: &Self::Patch,
                out: &mut #runtime::__private::Write,
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

/// What `FIELDS` says of a field.
fn info(record: &Record, field: &Field) -> TokenStream {
    let runtime = &record.runtime;
    let name = &field.name;
    let presence = match field.presence {
        Presence::Required | Presence::Skipped(_) => quote!(Required),
        Presence::Optional => quote!(Optional),
        Presence::Defaulted(_) => quote!(Defaulted),
    };
    let expiring = field.ttl.map(|millis| quote!(.expiring(#millis)));
    quote!(#runtime::FieldInfo::new(#name, #runtime::Presence::#presence) #expiring)
}

/// The statement that writes a field of a patch.
fn patch_write(field: &Field) -> TokenStream {
    let (ident, codec) = (&field.ident, codec_const(field));
    if let Presence::Optional = field.presence {
        quote! {
            out.patch_option(
                &Self::#codec,
                ::core::option::Option::map(patch.#ident.as_ref(), ::core::option::Option::as_ref),
            )?;
        }
    } else {
        quote!(out.patch(&Self::#codec, patch.#ident.as_ref())?;)
    }
}
