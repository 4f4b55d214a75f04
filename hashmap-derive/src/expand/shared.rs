//! Names, generics, formats and constants of fields, which several generated items share.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Generics, Ident, Lifetime, Type, WhereClause, parse_quote};

use crate::attr::{Ttl, Was};
use crate::record::{Field, Presence, Record, Storage, Value, stored_type};
use crate::tokens::mentions;

/// Why generated items allow lints.
pub(super) const UNUSED: &str = "generated for every use";

/// Names and generics that several items share. A generated parameter, lifetime or variable has a name that occurs
/// nowhere in the input, or begins with `__`: a pattern of one identifier would mean a constant of that name in scope.
pub(super) struct Names {
    pub(super) accessor: Ident,
    pub(super) partial: Ident,
    pub(super) each: Ident,
    pub(super) patch: Ident,
    pub(super) fields: Ident,
    /// The constructors.
    pub(super) at: Ident,
    pub(super) of: Ident,
    /// The accessor's parameter that says how it is run.
    pub(super) executor: Ident,
    /// The record's generics, with what its fields need to be stored.
    pub(super) generics: Generics,
    /// `generics`, with the executor behind them.
    pub(super) accessor_generics: Generics,
    /// The record's type and const arguments, in angle brackets if there are any.
    pub(super) ty_generics: TokenStream,
    /// A lifetime for bounds.
    pub(super) any: Lifetime,
    /// The field that uses the parameters of the record: without it, one that only occurs in skipped fields would be
    /// unused. `None` if there are none.
    pub(super) marker: Option<Ident>,
}

impl Names {
    pub(super) fn new(record: &Record) -> Self {
        let executor = record.used.unused(&["E", "RedisHashExecutor"]);
        let mut generics = record.generics.clone();
        bound_fields(record, &mut generics);
        let mut accessor_generics = generics.clone();
        accessor_generics.params.push(parse_quote!(#executor));
        let args = &record.args;
        let has_types = record.generics.type_params().next().is_some();
        Self {
            accessor: record.accessor_ident(),
            partial: record.partial_ident(),
            each: record.each_ident(),
            patch: record.patch_ident(),
            fields: record.fields_ident(),
            at: record.at_ident(),
            of: record.of_ident(),
            executor,
            generics,
            accessor_generics,
            ty_generics: if args.is_empty() { TokenStream::new() } else { quote!(<#args>) },
            any: record.used.unused_lifetime(&["__any"]),
            marker: has_types.then(|| record.used.unused(&["__record"])),
        }
    }

    /// The declaration of the marker.
    pub(super) fn marker_field(&self, record: &Record) -> Option<TokenStream> {
        let (ident, ty_generics) = (&record.ident, &self.ty_generics);
        self.marker
            .as_ref()
            .map(|marker| quote!(#[doc(hidden)] #marker: ::core::marker::PhantomData<fn() -> #ident #ty_generics>,))
    }

    /// The marker in an expression.
    pub(super) fn marker_value(&self) -> Option<TokenStream> {
        self.marker.as_ref().map(|marker| quote!(#marker: ::core::marker::PhantomData,))
    }
}

/// The lint of clippy that looks at the name of a method which a field has given.
pub(super) fn name_lint(accessor: &Ident) -> Option<TokenStream> {
    ["iter", "iter_mut"]
        .iter()
        .any(|name| accessor == name)
        .then(|| quote!(#[allow(clippy::iter_not_returning_iterator, reason = "it is named after a field")]))
}

/// A name for a variable of generated code. A const parameter of the record could have it.
pub(super) fn local(record: &Record, name: &str) -> Ident {
    record.used_in_types.unused(&[name])
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
        if field.merge {
            let serde = quote!(#runtime::__private::serde);
            clause.predicates.push(parse_quote!(#ty: #serde::Serialize + #serde::de::DeserializeOwned));
        }
        if let Presence::Defaulted(Value::Trait) | Presence::Skipped(Value::Trait) = field.presence {
            clause.predicates.push(parse_quote!(#ty: ::core::default::Default));
        }
    }
    for (field, (_, was)) in record.stored().flat_map(|field| field.given.was.iter().map(move |was| (field, was))) {
        let (ty, serde) = (&field.ty, quote!(#runtime::__private::serde));
        let (old, bound) = match was {
            Was::Encoded(old) => (stored_type(old).clone(), quote!(#serde::Serialize + #serde::de::DeserializeOwned)),
            Was::Text(old) => (stored_type(old).clone(), quote!(::core::str::FromStr)),
            Was::Counter => (parse_quote!(i64), TokenStream::new()),
        };
        if mentions(&old, &params) {
            clause.predicates.push(parse_quote!(#old: #bound));
        }
        if mentions(&old, &params) || mentions(ty, &params) {
            clause.predicates.push(parse_quote!(#ty: ::core::convert::TryFrom<#old>));
        }
    }
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
    spanned(path, span)
}

/// Gives tokens a span, so that rustc points there.
fn spanned(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
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

/// The expression of a declared time to live, a `Duration`.
pub(super) fn duration(record: &Record, ttl: &Ttl) -> TokenStream {
    let runtime = &record.runtime;
    match ttl {
        Ttl::Millis(_, millis) => quote!(::core::time::Duration::from_millis(#millis)),
        Ttl::Expr(expr) => {
            let checked = spanned(quote!(#runtime::__private::declared_ttl), expr.span());
            quote_spanned!(expr.span()=> #checked(#expr))
        }
    }
}

/// The name of the hidden constant that says what a field is called, what its absence means, how it is stored and how
/// long it lives.
pub(super) fn field_const(field: &Field) -> Ident {
    format_ident!("__redis_hash_field_{}", field.ident.unraw(), span = field.ident.span())
}

/// The name of the hidden constant that says how long the record lives. rustc evaluates it where it stands, and that of the
/// trait only where it is used.
pub(super) fn ttl_const() -> Ident {
    format_ident!("__redis_hash_ttl")
}

/// The name of the hidden constant that converts the types that a field was.
pub(super) fn was_const(field: &Field) -> Ident {
    format_ident!("__redis_hash_was_{}", field.ident.unraw(), span = field.ident.span())
}

/// The name of the hidden function that returns the schema file, as it was when the program was built.
pub(super) fn history_fn() -> Ident {
    format_ident!("__redis_hash_history")
}

/// The types of some fields, each once: rustc reports every bound that is written and does not hold.
pub(super) fn distinct_types<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<&'a Type> {
    let mut seen = HashSet::new();
    fields.map(|field| &field.ty).filter(|ty| seen.insert(quote!(#ty).to_string())).collect()
}

/// The record's generics with a bound on each field's type, which rustc checks only where the impl is needed: it does not
/// check a bound with `for<'_>` before.
fn where_all(record: &Record, names: &Names, bound: &TokenStream) -> Option<WhereClause> {
    let any = &names.any;
    let mut generics = record.generics.clone();
    let clause = generics.make_where_clause();
    for ty in distinct_types(record.stored()) {
        clause.predicates.push(parse_quote!(for<#any> #ty: #bound));
    }
    generics.where_clause
}

/// The impl of `Clone` for a type with the fields of the record, where all their types have it.
pub(super) fn clone_impl(record: &Record, names: &Names, item: &Ident) -> TokenStream {
    let allows = &record.allows;
    let idents: Vec<_> = record.stored().map(|field| &field.ident).collect();
    let (marker, ty_generics) = (names.marker_value(), &names.ty_generics);
    let (impl_generics, _, _) = record.generics.split_for_impl();
    let where_clause = where_all(record, names, &quote!(::core::clone::Clone));
    quote! {
        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::clone::Clone for #item #ty_generics #where_clause {
            fn clone(&self) -> Self {
                Self { #(#idents: ::core::clone::Clone::clone(&self.#idents),)* #marker }
            }
        }
    }
}

/// The impl of `PartialEq` for a type with the fields of the record, where all their types have it.
pub(super) fn partial_eq_impl(record: &Record, names: &Names, item: &Ident) -> TokenStream {
    let allows = &record.allows;
    let idents: Vec<_> = record.stored().map(|field| &field.ident).collect();
    let (other, ty_generics) = (local(record, "__other"), &names.ty_generics);
    let (impl_generics, _, _) = record.generics.split_for_impl();
    let where_clause = where_all(record, names, &quote!(::core::cmp::PartialEq));
    quote! {
        #[automatically_derived]
        #(#allows)*
        impl #impl_generics ::core::cmp::PartialEq for #item #ty_generics #where_clause {
            fn eq(&self, #other: &Self) -> ::core::primitive::bool {
                true #(&& self.#idents == #other.#idents)*
            }
        }
    }
}
