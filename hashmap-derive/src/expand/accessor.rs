//! `UserSettingsHash<E>`, the accessor: its type, a method for each field, and the traits that it implements.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse_quote;

use crate::carried::{Carried, code, link};
use crate::expand::shared::{Names, UNUSED, field_const, local, name_lint, whole_format};
use crate::record::{Field, Presence, Record, Storage};

pub(super) fn expand(record: &Record, names: &Names) -> TokenStream {
    let f_var = local(record, "__f");
    let record_var = local(record, "__record");
    let Record { ident, vis, runtime, args, allows, .. } = record;
    let Names { accessor, executor, accessor_generics, ty_generics, .. } = names;
    let marks = &record.carried.marks;
    let (impl_generics, _, where_clause) = accessor_generics.split_for_impl();
    let accessor_ty = quote!(<#args #executor>);
    let target = quote!(#runtime::Record<#ident #ty_generics, #executor>);
    let doc = format!(
        " The typed accessor of a {} in Redis: a method for each field, and through \
         [`Record`]({}::Record) the operations on the whole.",
        link(ident),
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
    let with_bound = |bound: TokenStream| {
        let mut generics = unbound.clone();
        generics.make_where_clause().predicates.push(parse_quote!(#executor: #bound));
        generics
    };
    let (clone, debug) = (with_bound(quote!(::core::clone::Clone)), with_bound(quote!(::core::fmt::Debug)));
    let (clone_where, debug_where) = (&clone.where_clause, &debug.where_clause);
    quote! {
        #[doc = #doc]
        #(#marks)*
        #(#allows)*
        #vis struct #accessor #declared (#target) #declared_where;

        #[automatically_derived]
        #(#marks)*
        #(#allows)*
        #[allow(dead_code, reason = #UNUSED)]
        impl #impl_generics #accessor #accessor_ty #where_clause {
            #(#methods)*
        }

        #[automatically_derived]
        #(#allows)*
        impl #unbound_generics ::core::ops::Deref for #accessor #accessor_ty #unbound_where {
            type Target = #target;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #unbound_generics ::core::ops::DerefMut for #accessor #accessor_ty #unbound_where {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #unbound_generics ::core::convert::From<#target> for #accessor #accessor_ty #unbound_where {
            fn from(#record_var: #target) -> Self {
                Self(#record_var)
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #unbound_generics ::core::clone::Clone for #accessor #accessor_ty #clone_where {
            fn clone(&self) -> Self {
                Self(::core::clone::Clone::clone(&self.0))
            }
        }

        #[automatically_derived]
        #(#allows)*
        impl #unbound_generics ::core::fmt::Debug for #accessor #accessor_ty #debug_where {
            fn fmt(&self, #f_var: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, #f_var)
            }
        }
    }
}

/// The method of a field.
fn method(record: &Record, names: &Names, field: &Field) -> TokenStream {
    let Record { ident, runtime, .. } = record;
    let args = &record.args;
    let turbofish = (!args.is_empty()).then(|| quote!(::<#args>));
    let Field { vis, ty, carried: Carried { docs, has_text, marks, lints, .. }, name, accessor, .. } = field;
    let executor = &names.executor;
    let name_lint = name_lint(accessor);
    let format = whole_format(record, field);
    let constant = field_const(field);
    let absence = match (&field.presence, field.storage) {
        (Presence::Defaulted(_), Storage::Counter) => "a counter",
        (Presence::Defaulted(_), _) => "with a default that `get` returns where it is absent",
        (Presence::Optional, _) => "optional",
        _ => "required",
    };
    let expiry = if field.ttl.is_some() { "; it expires" } else { "" };
    let doc = format!(" The field {} of the hash, {absence}{expiry}.", code(name));
    // An empty line separates it from the user's own doc.
    let gap = has_text.then(|| quote!(#[doc = ""]));
    quote! {
        #(#docs)*
        #gap
        #[doc = #doc]
        #(#marks)*
        #(#lints)*
        #name_lint
        #vis fn #accessor(&self) -> #runtime::Field<'_, #executor, #ty, #format> {
            #runtime::Record::field(&self.0, &#ident #turbofish::#constant)
        }
    }
}
