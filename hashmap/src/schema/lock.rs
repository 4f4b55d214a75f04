//! The schema file of a record: all that its fields hold, and have held. Users commit it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::format::schema::Schema;
use crate::schema::parse::{Text, parse};
use crate::schema::text::{Written, name, word};

/// The format of the file.
const VERSION: &str = "format 1";

/// What stands for a field that is stored as plain text.
pub(crate) const TEXT: &str = "text";

/// What stands for a counter.
pub(crate) const COUNTER: &str = "counter";

/// The content of a schema file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    /// What each field has held: expressions, and words such as `text`.
    pub(crate) fields: BTreeMap<String, BTreeSet<String>>,
    /// The definitions of the names in them.
    types: BTreeMap<String, String>,
}

impl Lock {
    /// Reads a file. The error names the line.
    pub(crate) fn read(file: Option<&str>) -> Result<Self, String> {
        let Some(file) = file else { return Ok(Self::default()) };
        let mut lock = Self::default();
        let mut has_format = false;
        for (number, line) in file.lines().enumerate() {
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
        self.fields.entry(name).or_default().insert(text.rest().to_owned());
        Ok(())
    }

    /// Checks that each name is defined, and that its hash is that of its definition.
    fn check(&self) -> Result<(), String> {
        for (field, expressions) in &self.fields {
            for expression in expressions {
                if !is_word_of_its_own(expression) {
                    parse(without_exceptions(expression).0, &self.types)
                        .map_err(|problem| format!("field `{field}`: {problem}"))?;
                }
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

    /// The schemas that these fields have had, each with the words that say what it is, and with the samples that its type
    /// refused.
    pub(crate) fn schemas<'a, 'f>(
        &'a self,
        fields: impl Iterator<Item = &'f str>,
    ) -> Vec<(&'a str, Schema, BTreeSet<&'a str>)> {
        let expressions = fields.filter_map(|field| self.fields.get(field)).flatten();
        let schemas = expressions.filter(|expression| !is_word_of_its_own(expression)).filter_map(|expression| {
            let (expression, refused) = without_exceptions(expression);
            Some((expression, parse(expression, &self.types).ok()?, refused.split_whitespace().collect()))
        });
        schemas.collect()
    }

    /// True if a field is known to have held this. The names of types do not count.
    pub(crate) fn knows(&self, field: &str, expression: &str) -> bool {
        let known = self.fields.get(field).into_iter().flatten();
        known.into_iter().any(|known| without_names(without_exceptions(known).0) == without_names(expression))
    }

    /// Adds what a field holds, and the samples that its type refuses.
    pub(crate) fn add(&mut self, field: &str, written: Written, refused: &BTreeSet<String>) {
        let mut expression = written.expression;
        if !refused.is_empty() {
            expression.push_str(EXCEPT);
            expression.extend(refused.iter().flat_map(|sample| [" ", sample]));
        }
        self.fields.entry(field.to_owned()).or_default().insert(expression);
        for (name, definition) in written.types {
            self.types.entry(name).or_insert(definition);
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

    /// The definition of a name.
    pub(crate) fn definition(&self, name: &str) -> Option<&str> {
        self.types.get(name).map(String::as_str)
    }

    /// Writes the file.
    pub(crate) fn write(&self, record: &str) -> String {
        let mut file = format!(
            "# What the fields of {record} hold, and have held. Commit this file: it is how values that older versions stored are\n\
             # read. `cargo test` checks it, and says how to add to it. Lines may be in any order; merges keep those of both sides.\n\
             {VERSION}\n"
        );
        for (field, expressions) in &self.fields {
            for expression in expressions {
                let _ = writeln!(file, "{}: {expression}", word(field));
            }
        }
        for (name, definition) in &self.types {
            let _ = writeln!(file, "{name} = {definition}");
        }
        file
    }
}

/// True for what stands for no type of serde.
fn is_word_of_its_own(expression: &str) -> bool {
    [TEXT, COUNTER].contains(&expression)
}

/// What stands before the samples that a type refuses, although each of their scalars is one that it takes.
const EXCEPT: &str = " except";

fn without_exceptions(expression: &str) -> (&str, &str) {
    expression.split_once(EXCEPT).unwrap_or((expression, ""))
}

/// An expression or a definition in which types are their hashes alone.
fn without_names(text: &str) -> String {
    let mut out = String::new();
    for part in text.split_inclusive(|char: char| !(char.is_alphanumeric() || char == '_' || char == '.')) {
        out.push_str(part.rsplit_once('.').filter(|(_, hash)| hash.len() >= 8).map_or(part, |(_, hash)| hash));
    }
    out
}
