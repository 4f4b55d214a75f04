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
    pub(crate) fn read(file: &str) -> Result<Self, String> {
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
        if !has_format && !file.trim().is_empty() {
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
                Some(other) if other != definition => Err(format!("`{name}` is defined twice, and differently")),
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
                    parse(expression, &self.types).map_err(|problem| format!("field `{field}`: {problem}"))?;
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

    /// The schemas that these fields have had.
    pub(crate) fn schemas<'a, 'f>(&'a self, fields: impl Iterator<Item = &'f str>) -> Vec<(&'a str, Schema)> {
        let expressions = fields.filter_map(|field| self.fields.get(field)).flatten();
        let schemas = expressions.filter(|expression| !is_word_of_its_own(expression));
        schemas.filter_map(|expression| Some((expression.as_str(), parse(expression, &self.types).ok()?))).collect()
    }

    /// Adds what a field holds.
    pub(crate) fn add(&mut self, field: &str, written: Written) {
        let expressions = self.fields.entry(field.to_owned()).or_default();
        expressions.insert(written.expression);
        self.types.extend(written.types);
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
