//! The schema file of a record: all that its fields hold, and have held. Users commit it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use crate::format::past::Past;
use crate::format::schema::Schema;
use crate::schema::parse::{Text, parse};
use crate::schema::text::{name, word};

/// The format of the file.
const VERSION: &str = "format 1";

/// What stands for a field that is stored as plain text.
pub(crate) const TEXT: &str = "text";

/// What stands for a counter.
pub(crate) const COUNTER: &str = "counter";

/// The content of a schema file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) fields: BTreeMap<String, BTreeSet<Held>>,
    /// The definitions of the names in them.
    types: BTreeMap<String, String>,
}

/// Of which type values are, where a field was of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    None,
    /// Of a version of today's, so they are read by names.
    Is,
    /// Of the type of this name, so they are converted: `#[redis_hash(was = OldType)]`.
    Was(String),
}

/// What a field has held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    pub(crate) mark: Mark,
    /// An expression, or a word such as `text`.
    pub(crate) expression: String,
    /// The samples that its type refuses, although each of their scalars is one that it takes.
    pub(crate) refused: BTreeSet<String>,
}

impl Held {
    fn read(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let mut mark = Mark::None;
        if let Some(converted) = rest.strip_prefix(WAS) {
            let mut text = Text::new(converted);
            mark = Mark::Was(text.word()?);
            rest = text.rest();
        } else if let Some(named) = rest.strip_prefix(IS) {
            mark = Mark::Is;
            rest = named;
        }
        // Such words can stand in a text too, but hashes alone do not follow there.
        let is_hash = |word: &str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (expression, refused) = rest
            .rsplit_once(EXCEPT)
            .filter(|(_, refused)| refused.split(' ').skip(1).all(is_hash) && refused.starts_with(' '))
            .unwrap_or((rest, ""));
        let refused = refused.split_whitespace().map(str::to_owned).collect();
        Ok(Self { mark, expression: expression.trim().to_owned(), refused })
    }

    pub(crate) fn unmarked(expression: String) -> Self {
        Self { mark: Mark::None, expression, refused: BTreeSet::new() }
    }

    /// The name of the type through which it is converted, if it is.
    pub(crate) fn was(&self) -> Option<&str> {
        if let Mark::Was(was) = &self.mark { Some(was) } else { None }
    }

    /// True for the same expression. The names of types do not count.
    pub(crate) fn is(&self, expression: &str) -> bool {
        without_names(&self.expression) == without_names(expression)
    }

    /// The attribute that converts it.
    pub(crate) fn attribute(&self) -> String {
        let was = self.was().unwrap_or("OldType");
        match self.expression.as_str() {
            TEXT => format!("was_text = {was}"),
            COUNTER => "was_counter".to_owned(),
            _ => format!("was = {was}"),
        }
    }

    /// True for a word that stands for no type of serde.
    pub(crate) fn is_word(&self) -> bool {
        [TEXT, COUNTER].contains(&self.expression.as_str())
    }
}

/// As the file has it.
impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mark {
            Mark::None => {}
            Mark::Is => f.write_str(IS)?,
            Mark::Was(was) => write!(f, "{WAS}{} ", word(was))?,
        }
        f.write_str(&self.expression)?;
        if !self.refused.is_empty() {
            f.write_str(EXCEPT)?;
        }
        self.refused.iter().try_for_each(|sample| write!(f, " {sample}"))
    }
}

/// What stands before the name of the type through which values are converted.
const WAS: &str = "was ";

/// What stands before what is never converted.
const IS: &str = "is ";

/// What stands before samples that are refused.
const EXCEPT: &str = " except";

impl Lock {
    /// Reads a file. The error names the line.
    pub(crate) fn read(file: Option<&str>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(Self::default()) };
        let mut lock = Self::default();
        let mut has_format = false;
        for (number, line) in file.trim_start_matches('\u{feff}').lines().enumerate() {
            let at = |problem: String| format!("line {}: {problem}", number + 1);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
            } else if line == VERSION {
                has_format = true;
            } else if line.starts_with("format ") {
                return Err(at(
                    "it was written by a newer version of redis-hashmap, which is needed to read it".to_owned()
                ));
            } else if ["<<<<<<<", "=======", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) {
                return Err(at(
                    "this is a conflict of a merge: keep the lines of both sides, without the marks".to_owned()
                ));
            } else {
                lock.line(line).map_err(at)?;
            }
        }
        if !has_format {
            return Err(format!("it has no line `{VERSION}`: it was cut, or is not a schema file"));
        }
        lock.check()?;
        lock.settle();
        Ok(lock)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let mut text = Text::new(line);
        let name = text.word()?;
        if text.eat("=") {
            let definition = text.rest().to_owned();
            return match self.types.insert(name.clone(), definition.clone()) {
                Some(other) if without_names(&other) != without_names(&definition) => {
                    Err(format!("`{name}` is defined twice, and differently"))
                }
                _ => Ok(()),
            };
        }
        text.expect(":")?;
        self.fields.entry(name).or_default().insert(Held::read(text.rest())?);
        Ok(())
    }

    /// Checks that each name is defined, and that its hash is that of its definition.
    fn check(&self) -> Result<(), String> {
        for (field, held) in &self.fields {
            for held in held.iter().filter(|held| !held.is_word()) {
                parse(&held.expression, &self.types).map_err(|problem| format!("field `{field}`: {problem}"))?;
            }
        }
        for named in self.types.keys() {
            let schema = parse(named, &self.types)?;
            if name(&schema, schema.root) != *named {
                return Err(format!("`{named}` does not belong to its definition, which was changed or damaged"));
            }
        }
        Ok(())
    }

    /// Forgets what has a mark too: a merge keeps the lines of both sides.
    fn settle(&mut self) {
        for held in self.fields.values_mut() {
            let marked: Vec<Held> = held.iter().filter(|held| held.mark != Mark::None).cloned().collect();
            held.retain(|held| {
                held.mark != Mark::None || !marked.iter().any(|marked| marked.expression == held.expression)
            });
        }
    }

    /// What these fields have held.
    pub(crate) fn held<'a>(&'a self, fields: &[&str]) -> BTreeSet<&'a Held> {
        fields.iter().filter_map(|field| self.fields.get(*field)).flatten().collect()
    }

    /// The schema of what was held. `None` for a word.
    pub(crate) fn schema(&self, held: &Held) -> Option<Schema> {
        if held.is_word() { None } else { parse(&held.expression, &self.types).ok() }
    }

    /// The schemas that a field has had.
    pub(crate) fn past(&self, field: &str) -> Vec<Past> {
        let past = |held: &Held| {
            Some(Past { words: self.meaning(held), schema: self.schema(held)?, was: held.was().map(str::to_owned) })
        };
        self.fields.get(field).into_iter().flatten().filter_map(past).collect()
    }

    /// Adds what a field holds. Samples that its type refuses are in it.
    pub(crate) fn add(&mut self, field: &str, held: Held, types: BTreeMap<String, String>) {
        self.fields.entry(field.to_owned()).or_default().insert(held);
        for (name, definition) in types {
            self.types.entry(name).or_insert(definition);
        }
    }

    /// Marks what these fields have held.
    pub(crate) fn mark(&mut self, fields: &[&str], expression: &str, mark: &Mark) {
        for field in fields {
            let Some(held) = self.fields.get_mut(*field) else { continue };
            *held = std::mem::take(held)
                .into_iter()
                .map(|held| if held.is(expression) { Held { mark: mark.clone(), ..held } } else { held })
                .collect();
        }
    }

    /// What was held, and what its names stand for.
    pub(crate) fn meaning(&self, held: &Held) -> String {
        match self.types.get(held.expression.trim_matches(['[', ']', '?'])) {
            Some(definition) => format!("{} = {definition}", held.expression),
            None => held.expression.clone(),
        }
    }

    /// True if this was stored: a field, or as `Address.zip` one of a struct.
    pub(crate) fn has(&self, place: &str) -> bool {
        let in_struct = |(of_type, field): (&str, &str)| {
            let field = format!("{}:", word(field));
            let of_type = format!("{}.", of_type.split("::").next().unwrap_or(of_type));
            self.types.iter().any(|(name, definition)| name.starts_with(&of_type) && definition.contains(&field))
        };
        self.fields.contains_key(place) || place.split_once('.').is_some_and(in_struct)
    }

    /// Writes the file.
    pub(crate) fn write(&self, record: &str) -> String {
        let mut file = format!(
            "# What the fields of {record} hold, and have held. Commit this file: it is how values that older versions stored are\n\
             # read. `cargo test` checks it, and says how to add to it. Lines may be in any order; merges keep those of both sides.\n\
             {VERSION}\n"
        );
        for (field, held) in &self.fields {
            for held in held {
                let _ = writeln!(file, "{}: {held}", word(field));
            }
        }
        for (name, definition) in &self.types {
            let _ = writeln!(file, "{name} = {definition}");
        }
        file
    }
}

/// An expression or a definition in which types are their hashes alone.
fn without_names(text: &str) -> String {
    renamed(text, |_, hash| hash)
}

/// An expression or a definition in which types are their names alone.
pub(crate) fn without_hashes(text: &str) -> String {
    renamed(text, |name, _| name)
}

/// An expression or a definition in which each type is only one part of what it is called. Texts in it stay as they are.
fn renamed(text: &str, part_of: impl for<'a> Fn(&'a str, &'a str) -> &'a str) -> String {
    let mut out = String::new();
    // Every other part is a text in quotes, but for quotes that are escaped in one.
    let mut is_text = false;
    for part in text.split_inclusive('"') {
        if is_text {
            out.push_str(part);
            is_text = !part.ends_with('"') || ends_in_escape(part);
        } else {
            for part in part.split_inclusive(|char: char| !(char.is_alphanumeric() || char == '_' || char == '.')) {
                let named = part.rsplit_once('.').filter(|(_, hash)| hash.len() >= 8);
                out.push_str(named.map_or(part, |(name, hash)| part_of(name, hash)));
            }
            is_text = part.ends_with('"');
        }
    }
    out
}

/// True if the quote at the end is escaped.
fn ends_in_escape(part: &str) -> bool {
    let before = part.strip_suffix('"').unwrap_or(part);
    (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
}
