//! Several errors in one message.

use std::fmt;

/// Shows errors one after the other, with a number for each. A map may have a million bad fields: not all are shown.
pub(super) struct Listed<'a, E>(pub(super) &'a [E]);

impl<E: fmt::Display> fmt::Display for Listed<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 64;
        for (index, error) in self.0.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}({}) {error}", index + 1)?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
