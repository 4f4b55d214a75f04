//! Templates of keys, such as `"user:{user_id}:settings"`.

use syn::{Ident, LitStr};

/// A template of a key, taken apart at its placeholders.
pub(crate) struct Template {
    pub(crate) source: LitStr,
    /// Each placeholder: the text before it, and its name.
    pub(crate) placeholders: Vec<(String, Ident)>,
    /// The text after the last placeholder.
    pub(crate) tail: String,
}

/// Characters that are encoded in every id, so that any of them between two placeholders keeps the ids apart.
const SEPARATORS: [char; 3] = [':', '{', '}'];

impl Template {
    pub(crate) fn parse(source: LitStr) -> syn::Result<Self> {
        let error = |message: String| syn::Error::new(source.span(), message);
        let text = source.value();
        if text.is_empty() {
            return Err(error("the key is empty; write one such as \"user:{user_id}:settings\"".to_owned()));
        }
        let mut placeholders: Vec<(String, Ident)> = Vec::new();
        let mut literal = String::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '{' | '}' if chars.peek() == Some(&char) => {
                    chars.next();
                    literal.push(char);
                }
                '{' => {
                    let mut name = String::new();
                    let closed = loop {
                        match chars.next() {
                            Some('}') => break true,
                            Some(char) => name.push(char),
                            None => break false,
                        }
                    };
                    if !closed {
                        return Err(error(
                            "a `{` of the key is not closed; a literal brace is written `{{`".to_owned(),
                        ));
                    }
                    let Ok(ident) = syn::parse_str::<Ident>(&name) else {
                        return Err(error(format!(
                            "`{{{name}}}` in the key is not the name of a parameter; write one such as `{{user_id}}`, and \
                             literal braces as `{{{{` and `}}}}`"
                        )));
                    };
                    if placeholders.iter().any(|(_, other)| *other == ident) {
                        return Err(error(format!("`{{{name}}}` appears twice in the key; once is enough")));
                    }
                    if !placeholders.is_empty() && !literal.contains(SEPARATORS) {
                        return Err(error(format!(
                            "`{{{name}}}` needs a `:` between it and the placeholder before it, or different ids could \
                             give the same key"
                        )));
                    }
                    placeholders.push((std::mem::take(&mut literal), ident));
                }
                '}' => {
                    return Err(error(
                        "a `}` of the key has no `{` before it; a literal brace is written `}}`".to_owned(),
                    ));
                }
                char => literal.push(char),
            }
        }
        Ok(Self { source, placeholders, tail: literal })
    }
}
