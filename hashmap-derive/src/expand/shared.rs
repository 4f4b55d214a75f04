//! Names, generics, formats and constants of fields, which several generated items share.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::{GenericParam, Generics, Ident, Type, parse_quote};

use crate::record::{Field, Presence, Record, Storage, Value};

/// Names and generics that several items share.
pub(super) struct Names {
    pub(super) accessor: Ident,
    pub(super) partial: Ident,
    pub(super) patch: Ident,
    pub(super) fields: Ident,
    /// The accessor's parameter that says how it is run.
    pub(super) executor: Ident,
    /// The record's generics, with what its fields need to be stored.
    pub(super) generics: Generics,
    /// `generics`, with the executor behind them.
    pub(super) accessor_generics: Generics,
    /// The record's type and const parameters by name: the arguments of a type that has them too.
    pub(super) args: Vec<Ident>,
}

impl Names {
    pub(super) fn new(record: &Record) -> Self {
        // `E`, unless the user has a parameter or a type of that name.
        let e = format_ident!("E");
        let is_taken = record.generics.params.iter().any(|param| match param {
            GenericParam::Type(param) => param.ident == e,
            GenericParam::Const(param) => param.ident == e,
            GenericParam::Lifetime(_) => false,
        }) || record.fields.iter().any(|field| mentions(&field.ty, std::slice::from_ref(&e)));
        let args = record.generics.params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(param.ident.clone()),
            GenericParam::Const(param) => Some(param.ident.clone()),
            GenericParam::Lifetime(_) => None,
        });
        let executor = if is_taken { format_ident!("RedisHashExecutor") } else { e };
        let mut generics = record.generics.clone();
        bound_fields(record, &mut generics);
        let mut accessor_generics = generics.clone();
        accessor_generics.params.push(parse_quote!(#executor));
        Self {
            accessor: record.accessor.clone().unwrap_or_else(|| record.item("Hash")),
            partial: record.partial.clone().unwrap_or_else(|| record.item("Partial")),
            patch: record.patch.clone().unwrap_or_else(|| record.item("Patch")),
            fields: record.fields_by_name.clone().unwrap_or_else(|| record.item("Fields")),
            executor,
            generics,
            accessor_generics,
            args: args.collect(),
        }
    }
}

/// Adds the bounds of each field type that mentions a parameter: `Serialize + DeserializeOwned`, or for text
/// `Display + FromStr`.
fn bound_fields(record: &Record, generics: &mut Generics) {
    let params: Vec<Ident> = generics.type_params().map(|param| param.ident.clone()).collect();
    if params.is_empty() {
        return;
    }
    let runtime = &record.runtime;
    let clause = generics.make_where_clause();
    for param in &params {
        clause.predicates.push(parse_quote!(#param: ::core::marker::Send + 'static));
    }
    for field in record.fields.iter().filter(|field| mentions(&field.ty, &params)) {
        let ty = &field.ty;
        let format = format(record, field);
        if field.is_stored() {
            clause.predicates.push(parse_quote!(#format: #runtime::FormatOf<#ty, #ty> + #runtime::Format<#ty>));
        }
        if let Presence::Defaulted(Value::Trait) | Presence::Skipped(Value::Trait) = field.presence {
            clause.predicates.push(parse_quote!(#ty: ::core::default::Default));
        }
    }
}

/// True if one of the names occurs in the type.
pub(super) fn mentions(ty: &Type, names: &[Ident]) -> bool {
    struct Search<'a> {
        names: &'a [Ident],
        found: bool,
    }
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.found |= self.names.contains(ident);
        }
    }
    let mut search = Search { names, found: false };
    search.visit_type(ty);
    search.found
}

/// The type that says how a field is stored, whether it has a default, and whether it expires.
pub(super) fn whole_format(record: &Record, field: &Field) -> TokenStream {
    let runtime = &record.runtime;
    let mut format = format(record, field);
    if let Presence::Defaulted(_) = field.presence {
        format = quote!(#runtime::Defaulted<#format>);
    }
    if field.ttl.is_some() {
        format = quote!(#runtime::Expiring<#format>);
    }
    format
}

/// The type that says how a field is stored. Its tokens have the span of the field's type, so that rustc points there
/// if that cannot be stored.
pub(super) fn format(record: &Record, field: &Field) -> TokenStream {
    let (runtime, span) = (&record.runtime, field.ty.span());
    let path = match field.storage {
        Storage::Bincode => quote!(#runtime::Bincode),
        Storage::Text => quote!(#runtime::Text),
        Storage::Counter => quote!(#runtime::Counter),
    };
    path.into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}

/// The expression of a declared default. It is placed in an `impl` of the user's struct, so `Self` means the struct.
pub(super) fn default_value(field: &Field, value: &Value) -> TokenStream {
    let ty = &field.ty;
    match value {
        Value::Expr(expr) => quote!(#expr),
        Value::Trait => quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default()),
    }
}

/// The name of the hidden constant that says what a field is called, what its absence means, how it is stored and how
/// long it lives.
pub(super) fn field_const(field: &Field) -> Ident {
    format_ident!("__redis_hash_field_{}", field.ident.unraw(), span = field.ident.span())
}

/// The types of some fields, each once: rustc reports every bound that is written and does not hold.
pub(super) fn distinct_types<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<&'a Type> {
    let mut seen = HashSet::new();
    fields.map(|field| &field.ty).filter(|ty| seen.insert(quote!(#ty).to_string())).collect()
}

/// The impls of `Clone` and `PartialEq` for a type with the fields of the record, where all their types have them.
pub(super) fn std_impls(record: &Record, generics: &Generics, item: &Ident) -> TokenStream {
    let idents: Vec<_> = record.stored().map(|field| &field.ident).collect();
    let unused = unused_value(generics);
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    // rustc does not check a bound with `for<'_>` before it is needed.
    let where_all = |bound: TokenStream| {
        let mut generics = generics.clone();
        let clause = generics.make_where_clause();
        for ty in distinct_types(record.stored()) {
            clause.predicates.push(parse_quote!(for<'__any> #ty: #bound));
        }
        generics.where_clause
    };
    let (clone_where, eq_where) = (where_all(quote!(::core::clone::Clone)), where_all(quote!(::core::cmp::PartialEq)));
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::clone::Clone for #item #ty_generics #clone_where {
            fn clone(&self) -> Self {
                Self { #(#idents: ::core::clone::Clone::clone(&self.#idents),)* #unused }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::cmp::PartialEq for #item #ty_generics #eq_where {
            fn eq(&self, other: &Self) -> ::core::primitive::bool {
                true #(&& self.#idents == other.#idents)*
            }
        }
    }
}

/// A field that uses the parameters of the record: without it, one that only occurs in skipped fields would be unused.
pub(super) fn unused(record: &Record) -> Option<TokenStream> {
    let ident = &record.ident;
    let (_, ty_generics, _) = record.generics.split_for_impl();
    record
        .generics
        .type_params()
        .next()
        .map(|_| quote!(#[doc(hidden)] __record: ::core::marker::PhantomData<fn() -> #ident #ty_generics>,))
}

/// The value of that field.
pub(super) fn unused_value(generics: &Generics) -> Option<TokenStream> {
    generics.type_params().next().map(|_| quote!(__record: ::core::marker::PhantomData,))
}
