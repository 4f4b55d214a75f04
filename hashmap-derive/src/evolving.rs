//! The type that derives `Evolving`, as it was read from the tokens and judged.

use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Expr, Ident, LitStr, Path, Type, parse_quote};

use crate::attr::{
    RecordAttrs, SchemaFile, Was, each_attribute, in_package, note, runtime, sample, string, unknown, was,
};
use crate::carried::{self, Carried};
use crate::ctxt::Ctxt;

/// The name of the attribute.
const EVOLVING: &str = "evolving";

const KEYS: &str = "`schema`, `removed`, `was`, `sample`, `crate`";

/// A type that derives `Evolving`.
pub(crate) struct Evolving {
    pub(crate) ident: Ident,
    /// The path of the runtime crate.
    pub(crate) runtime: Path,
    /// The path of the schema file in the folder of the package.
    pub(crate) path: String,
    /// The names of what was stored and is gone.
    pub(crate) removed: Vec<LitStr>,
    /// The types that it was.
    pub(crate) was: Vec<Type>,
    /// A value of it.
    pub(crate) sample: Option<Expr>,
    /// Lints that are allowed in generated code.
    pub(crate) allows: Vec<Attribute>,
}

/// What `#[evolving(…)]` says.
#[derive(Default)]
struct Attrs {
    runtime: Option<Path>,
    schema: Option<LitStr>,
    removed: Vec<LitStr>,
    was: Vec<Type>,
    sample: Option<Expr>,
    /// The keys so far.
    seen: Vec<String>,
}

impl Evolving {
    /// Reads the type. Returns `None` if it has parameters: then no code for it would compile.
    pub(crate) fn read(ctxt: &Ctxt, input: &DeriveInput) -> Option<Self> {
        let mut attrs = Attrs::default();
        each_attribute(ctxt, &input.attrs, EVOLVING, |meta| attrs.parse(ctxt, meta));
        for attr in parts(&input.data).into_iter().filter(|attr| attr.path().is_ident(EVOLVING)) {
            ctxt.error(attr, "`#[evolving(…)]` is for the type as a whole: move it there");
        }
        if !input.generics.params.is_empty() {
            ctxt.error(
                &input.generics,
                "a type with parameters is several types, and one schema file is for one: wrap what the map holds in a type of \
                 its own, as in `struct Users(Page<User>);`, and derive Evolving on that",
            );
            return None;
        }

        let name = input.ident.unraw().to_string();
        let of_record = RecordAttrs::of(&Ctxt::default(), &input.attrs).schema;
        let of_record = of_record.and_then(|schema| Some(schema.files.first()?.path_for(&name)));
        let file = SchemaFile { of: None, path: attrs.schema };
        let path = file.path_for(&name);
        if of_record.as_ref() == Some(&path) {
            let problem = format!(
                "{path} is the schema file of the record already: give its values in maps one of their own, as in \
                 `#[evolving(schema = \"redis-hash/{name}Value.schema\")]`"
            );
            match &file.path {
                Some(given) => ctxt.error(given, problem),
                None => ctxt.error(&input.ident, problem),
            }
        }
        let carried = Carried::of(&input.ident, &input.attrs);
        Some(Self {
            ident: input.ident.clone(),
            runtime: attrs.runtime.unwrap_or_else(|| parse_quote!(::redis_hashmap)),
            path,
            removed: attrs.removed,
            was: attrs.was,
            sample: attrs.sample,
            allows: carried::lints(std::iter::once(&carried), false),
        })
    }
}

impl Attrs {
    fn parse(&mut self, ctxt: &Ctxt, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("was") {
            // It can have been several.
            if let Some((_, Was::Encoded(old))) = was(ctxt, meta)? {
                self.was.push(old);
            }
            return Ok(());
        }
        note(ctxt, &mut self.seen, meta);
        if meta.path.is_ident("crate") {
            self.runtime = runtime(ctxt, meta)?;
        } else if meta.path.is_ident("schema") {
            self.schema = string(ctxt, meta, "schema = \"path/to/file\"")?;
            self.schema.iter().for_each(|path| in_package(ctxt, path));
        } else if meta.path.is_ident("removed") {
            self.removed.extend(string(ctxt, meta, "removed = \"Type.field\"")?);
        } else if meta.path.is_ident("sample") {
            self.sample = sample(ctxt, meta)?;
        } else {
            unknown(ctxt, meta, "a type that derives Evolving", KEYS, None)?;
        }
        Ok(())
    }
}

/// The attributes of each field and each variant.
fn parts(data: &Data) -> Vec<&Attribute> {
    match data {
        Data::Struct(data) => data.fields.iter().flat_map(|field| &field.attrs).collect(),
        Data::Enum(data) => {
            let fields = data.variants.iter().flat_map(|variant| variant.fields.iter().flat_map(|field| &field.attrs));
            data.variants.iter().flat_map(|variant| &variant.attrs).chain(fields).collect()
        }
        Data::Union(_) => Vec::new(),
    }
}
