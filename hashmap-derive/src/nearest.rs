//! Finds the word that was probably meant.

/// Returns the word that is most like this one, if one is like it: at most a third of its letters are wrong, missing, too many
/// or in each other's place.
pub(crate) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let like = words.map(|known| (distance(word, known), known)).min_by_key(|(distance, _)| *distance);
    like.filter(|(distance, known)| *distance <= known.len().div_ceil(3)).map(|(_, known)| known)
}

/// How many letters have to be changed, added, left out or swapped with the next one.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut before: (Vec<usize>, char) = (Vec::new(), '\0');
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut next = vec![index + 1];
        for (at, expected) in other.iter().enumerate() {
            let changed = row[at] + usize::from(letter != *expected);
            let mut least = changed.min(row[at + 1] + 1).min(next[at] + 1);
            if index > 0 && at > 0 && letter == other[at - 1] && before.1 == *expected {
                least = least.min(before.0[at - 1] + 1);
            }
            next.push(least);
        }
        before = (std::mem::replace(&mut row, next), letter);
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn letters_that_are_wrong_missing_too_many_or_swapped() {
        for (one, other, expected) in
            [("alias", "alias", 0), ("alais", "alias", 1), ("alis", "alias", 1), ("aliass", "alias", 1), ("", "ttl", 3)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn what_is_like_nothing_has_no_nearest() {
        let words = || ["rename", "ttl", "text", "alias"].into_iter();
        assert_eq!(nearest("alais", words()), Some("alias"));
        assert_eq!(nearest("tll", words()), Some("ttl"));
        assert_eq!(nearest("renamed", words()), Some("rename"));
        assert_eq!(nearest("expires", words()), None);
    }
}
