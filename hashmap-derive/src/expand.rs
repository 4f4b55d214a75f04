use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{GenericParam, Generics, Ident, Type, parse_quote};

use crate::parse::{Field, Presence, Record, Storage, Value, span_of};
use crate::{patch, schema};

/// All that a record gets. Generated code only delegates: what it does is written in the runtime crate.
pub(crate) fn record(record: &Record) -> TokenStream {
    let names = Names::new(record);
    let items = [
        accessor(record, &names),
        constructors(record, &names),
        partial(record, &names),
        patch::patch(record, &names),
        patch::fields(record, &names),
        schema::schema(record, &names),
    ];
    quote!(#(#items)*)
}

/// Names that several items share.
pub(crate) struct Names {
    pub(crate) accessor: Ident,
    pub(crate) partial: Ident,
    pub(crate) patch: Ident,
    pub(crate) fields: Ident,
    /// The accessor's parameter that says how it is run.
    executor: Ident,
    /// The record's generics, with what its fields need to be stored.
    pub(crate) generics: Generics,
    /// The same, with the executor behind them.
    accessor_generics: Generics,
}

impl Names {
    fn new(record: &Record) -> Self {
        // No parameter and no field type of the user's may be called so.
        let e = format_ident!("E");
        let is_taken = record.generics.params.iter().any(|param| match param {
            GenericParam::Type(param) => param.ident == e,
            GenericParam::Const(param) => param.ident == e,
            GenericParam::Lifetime(_) => false,
        }) || record.fields.iter().any(|field| mentions(&field.ty, std::slice::from_ref(&e)));
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
        }
    }
}

/// Adds `Serialize + DeserializeOwned` (for text `Display + FromStr`) for each field type that a parameter occurs in.
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

pub(crate) fn mentions(ty: &Type, params: &[Ident]) -> bool {
    struct Search<'a> {
        params: &'a [Ident],
        found: bool,
    }
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.found |= self.params.contains(ident);
        }
    }
    let mut search = Search { params, found: false };
    search.visit_type(ty);
    search.found
}

/// How a field is stored, what stands for it where it is absent, and whether it expires.
pub(crate) fn whole_format(record: &Record, field: &Field) -> TokenStream {
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

/// How the field is stored. rustc points at these tokens where its type cannot be: they have the type's span.
fn format(record: &Record, field: &Field) -> TokenStream {
    let (runtime, span) = (&record.runtime, span_of(&field.ty));
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

/// The hidden function that makes the default of a field: `Self` in the user's expression is the user's struct.
pub(crate) fn default_fn(field: &Field) -> Ident {
    format_ident!("__redis_hash_default_{}", field.ident.unraw(), span = field.ident.span())
}

/// The hidden constant that says how a field is written and read.
pub(crate) fn codec_const(field: &Field) -> Ident {
    format_ident!("__redis_hash_field_{}", field.ident.unraw(), span = field.ident.span())
}

/// `UserSettingsHash<E>`: one method for each field, and by Deref the operations of a record.
fn accessor(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, .. } = record;
    let Names { accessor, executor, accessor_generics, .. } = names;
    let (_, ty_generics, _) = record.generics.split_for_impl();
    let (impl_generics, accessor_ty, where_clause) = accessor_generics.split_for_impl();
    let target = quote!(#runtime::Record<#ident #ty_generics, #executor>);
    let doc = format!(
        "The typed accessor of a [`{ident}`] in Redis: a method for each field, and the operations of a \
         [`Record`]({}::Record) on the whole.",
        quote!(#runtime).to_string().replace(' ', "")
    );
    // Two methods of one name are an error already.
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
    // Clone and Debug depend on the executor alone, which the derives of std cannot say.
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

fn method(record: &Record, names: &Names, field: &Field) -> TokenStream {
    let Record { ident, runtime, .. } = record;
    let (_, ty_generics, _) = record.generics.split_for_impl();
    let Field { vis, ty, attrs, name, accessor, .. } = field;
    let executor = &names.executor;
    let format = whole_format(record, field);
    let codec = codec_const(field);
    let absence = match (&field.presence, field.storage) {
        (Presence::Defaulted(_), Storage::Counter) => "a counter",
        (Presence::Defaulted(_), _) => "where it is absent, `get` gives its default",
        (Presence::Optional, _) => "optional",
        _ => "required",
    };
    let expiry = if field.ttl.is_some() { "; it expires" } else { "" };
    let doc = format!("The field `{name}` of the hash, {absence}{expiry}.");
    // Behind the user's own words.
    let gap = attrs.iter().any(|attr| attr.path().is_ident("doc")).then(|| quote!(#[doc = ""]));
    quote! {
        #(#attrs)*
        #gap
        #[doc = #doc]
        #vis fn #accessor(&mut self) -> #runtime::Field<'_, #executor, #ty, #format> {
            #runtime::Record::field(&mut self.0, &<#ident #ty_generics>::#codec)
        }
    }
}

/// `UserSettings::at`, `UserSettings::of` and the hidden functions that make defaults.
fn constructors(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, runtime, .. } = record;
    let Names { accessor, generics, .. } = names;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let args = generics.params.iter().map(|param| match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        // `parse` refuses them.
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    });
    let returned = quote!(#accessor<#(#args,)* #runtime::Deferred>);
    let of = record.key.as_ref().map(|template| {
        let source = &template.source;
        let (befores, ids): (Vec<_>, Vec<_>) = template.placeholders.iter().cloned().unzip();
        let id_names = ids.iter().map(|id| id.unraw().to_string());
        let tail = &template.tail;
        let doc = format!("The accessor of the record at the key `{}`. No I/O.", source.value());
        quote! {
            #[doc = #doc]
            #[doc = ""]
            #[doc = "`%`, `{`, `}` and `:` in an id are percent-encoded; an empty id is an error of the first operation."]
            #[must_use]
            #vis fn of(#(#ids: impl ::core::fmt::Display),*) -> #returned {
                const TEMPLATE: #runtime::__private::Template = #runtime::__private::Template {
                    source: #source,
                    placeholders: &[#((#befores, #id_names)),*],
                    tail: #tail,
                };
                ::core::convert::From::from(#runtime::Record::of(TEMPLATE, &[#(&#ids),*]))
            }
        }
    });
    let defaults = record.fields.iter().filter_map(|field| {
        let (Presence::Defaulted(value) | Presence::Skipped(value)) = &field.presence else { return None };
        let (name, ty) = (default_fn(field), &field.ty);
        let value = match value {
            Value::Expr(expr) => quote!(#expr),
            Value::Trait => quote_spanned!(span_of(ty)=> <#ty as ::core::default::Default>::default()),
        };
        Some(quote! {
            #[doc(hidden)]
            #[allow(non_snake_case)]
            fn #name() -> #ty {
                #value
            }
        })
    });
    let codecs = record.stored().map(|field| {
        let (codec, ty, name) = (codec_const(field), &field.ty, &field.name);
        let format = format(record, field);
        let value = quote_spanned!(span_of(ty)=> #runtime::__private::FieldCodec::<#ty>::new::<#format>(#name));
        let or = matches!(field.presence, Presence::Defaulted(_)).then(|| {
            let default = default_fn(field);
            quote!(.or(Self::#default))
        });
        let expiring = field.ttl.map(|millis| quote!(.expiring(#millis)));
        quote! {
            #[doc(hidden)]
            #[allow(non_upper_case_globals)]
            const #codec: #runtime::__private::FieldCodec<#ty> = #value #or #expiring;
        }
    });
    let doc =
        format!("The accessor of the `{ident}` at a key. No I/O; an empty key is an error of the first operation.");
    quote! {
        #[automatically_derived]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        impl #impl_generics #ident #ty_generics #where_clause {
            #[doc = #doc]
            #[must_use]
            #vis fn at(key: impl ::core::convert::Into<::std::string::String>) -> #returned {
                ::core::convert::From::from(#runtime::Record::at(key))
            }

            #of

            #(#codecs)*

            #(#defaults)*
        }
    }
}

/// `UserSettingsPartial`: every field an `Option`.
fn partial(record: &Record, names: &Names) -> TokenStream {
    let Record { ident, vis, generics, .. } = record;
    let partial = &names.partial;
    let allows = &record.allows;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let fields: Vec<_> = record.stored().collect();
    let idents: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let declarations = fields.iter().map(|Field { ident, vis, ty, attrs, name, .. }| {
        let has_doc = attrs.iter().any(|attr| attr.path().is_ident("doc"));
        let doc = (!has_doc).then(|| format!("The field `{name}`, if it is stored.")).map(|doc| quote!(#[doc = #doc]));
        quote!(#(#attrs)* #doc #vis #ident: ::core::option::Option<#ty>)
    });
    let labels = fields.iter().map(|field| field.ident.unraw().to_string());
    let clones = std_impls(record, generics, partial);
    let doc = format!("What is stored of a [`{ident}`]: each field, if it is there. Its `Debug` shows which are.");
    let name = partial.to_string();
    let (unused, unused_value) = (unused(record), unused_value(generics));
    quote! {
        #[doc = #doc]
        #(#allows)*
        #[allow(dead_code, deprecated)]
        #vis struct #partial #generics #where_clause {
            #(#declarations,)*
            #unused
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::default::Default for #partial #ty_generics #where_clause {
            fn default() -> Self {
                Self { #(#idents: ::core::option::Option::None,)* #unused_value }
            }
        }

        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics ::core::fmt::Debug for #partial #ty_generics #where_clause {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let stored = |stored: ::core::primitive::bool| if stored { "stored" } else { "absent" };
                f.debug_struct(#name)
                    #(.field(#labels, &::core::format_args!("{}", stored(self.#idents.is_some()))))*
                    .finish()
            }
        }

        #clones
    }
}

/// `Clone` and `PartialEq`, where the types of all fields have them.
pub(crate) fn std_impls(record: &Record, generics: &Generics, item: &Ident) -> TokenStream {
    let idents: Vec<_> = record.stored().map(|field| &field.ident).collect();
    let unused = unused_value(generics);
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    // A bound over any lifetime is one that rustc does not judge before it is needed.
    let where_all = |bound: TokenStream| {
        let mut generics = generics.clone();
        let clause = generics.make_where_clause();
        for field in record.stored() {
            let ty = &field.ty;
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

/// Parameters that only occur in skipped fields must still be used: a field for them.
pub(crate) fn unused(record: &Record) -> Option<TokenStream> {
    let ident = &record.ident;
    let (_, ty_generics, _) = record.generics.split_for_impl();
    record
        .generics
        .type_params()
        .next()
        .map(|_| quote!(#[doc(hidden)] __record: ::core::marker::PhantomData<fn() -> #ident #ty_generics>,))
}

/// Its value.
pub(crate) fn unused_value(generics: &Generics) -> Option<TokenStream> {
    generics.type_params().next().map(|_| quote!(__record: ::core::marker::PhantomData,))
}
