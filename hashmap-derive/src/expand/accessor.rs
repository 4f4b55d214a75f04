//! `UserSettingsHash<E>`, the accessor: its type, a method for each field, and the traits that it implements.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse_quote;

use crate::expand::shared::{Names, field_const, whole_format};
use crate::record::{Field, Presence, Record, Storage};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, .. } = record;
    let Names { accessor, executor, accessor_generics, .. } = names;
    let (_, ty_generics, _) = record.generics.split_for_impl();
    let (impl_generics, accessor_ty, where_clause) = accessor_generics.split_for_impl();
    let target = quote!(#runtime::Record<#ident #ty_generics, #executor>);
    let doc = format!(
        " The typed accessor of a [`{ident}`] in Redis: a method for each field, and through \
         [`Record`]({}::Record) the operations on the whole.",
        quote!(#runtime).to_string().replace(' ', "")
    );
    // Two methods with one name have been reported already.
    let mut seen = HashSet::new();
    let methods = record
        .stored()
        .filter(|field| seen.insert(field.accessor.unraw()))
        .map(|field| method(record, names, field))
        .collect::<Vec<_>>();

    let mut declared = record.generics.clone();
    declared.params.push(parse_quote!(#executor = #runtime::Deferred));
    let declared_where = &declared.where_clause;
    let mut unbound = record.generics.clone();
    unbound.params.push(parse_quote!(#executor));
    let (unbound_generics, _, unbound_where) = unbound.split_for_impl();
    // Clone and Debug depend on the executor alone; the derives of std would ask for more.
    let allows = &record.allows;
    let with_bound = |bound: TokenStream| {
        let mut generics = unbound.clone();
        generics.make_where_clause().predicates.push(parse_quote!(#executor: #bound));
        generics
    };
    let (clone, debug) = (with_bound(quote!(::core::clone::Clone)), with_bound(quote!(::core::fmt::Debug)));
    let (clone_where, debug_where) = (&clone.where_clause, &debug.where_clause);
    quote! {
        #[doc = #doc]
        #(#allows)*
        #[allow(deprecated)]
        #vis struct #accessor #declared (#target) #declared_where;

        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        impl #impl_generics #accessor #accessor_ty #where_clause {
            #(#methods)*
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #unbound_generics ::core::ops::Deref for #accessor #accessor_ty #unbound_where {
            type Target = #target;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #unbound_generics ::core::ops::DerefMut for #accessor #accessor_ty #unbound_where {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #unbound_generics ::core::convert::From<#target> for #accessor #accessor_ty #unbound_where {
            fn from(record: #target) -> Self {
                Self(record)
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #unbound_generics ::core::clone::Clone for #accessor #accessor_ty #clone_where {
            fn clone(&self) -> Self {
                Self(::core::clone::Clone::clone(&self.0))
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #unbound_generics ::core::fmt::Debug for #accessor #accessor_ty #debug_where {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
    }
}

/// The method of a field.
fn method(record: &Record, names: &Names, field: &Field) -> TokenStream {
    let Record { ident, runtime, .. } = record;
    let (_, ty_generics, _) = record.generics.split_for_impl();
    let turbofish = ty_generics.as_turbofish();
    let Field { vis, ty, attrs, name, accessor, .. } = field;
    let executor = &names.executor;
    let format = whole_format(record, field);
    let constant = field_const(field);
    let absence = match (&field.presence, field.storage) {
        (Presence::Defaulted(_), Storage::Counter) => "a counter",
        (Presence::Defaulted(_), _) => "with a default that `get` returns where it is absent",
        (Presence::Optional, _) => "optional",
        _ => "required",
    };
    let expiry = if field.ttl.is_some() { "; it expires" } else { "" };
    let doc = format!(" The field `{name}` of the hash, {absence}{expiry}.");
    // An empty line separates it from the user's own doc.
    let gap = attrs.iter().any(|attr| attr.path().is_ident("doc")).then(|| quote!(#[doc = ""]));
    quote! {
        #(#attrs)*
        #gap
        #[doc = #doc]
        #vis fn #accessor(&self) -> #runtime::Field<'_, #executor, #ty, #format> {
            self.0.field(&#ident #turbofish::#constant)
        }
    }
}
