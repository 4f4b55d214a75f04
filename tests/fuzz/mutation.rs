//! Random changes of bytes.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Flip(Index, u8),
    Insert(Index, Vec<u8>),
    Overwrite(Index, Vec<u8>),
    Remove(Index, usize),
    /// What lies somewhere, once more somewhere else.
    Copy(Index, usize, Index),
    Cut(Index),
}

impl Mutation {
    fn apply(self, bytes: &mut Vec<u8>) {
        let at = |index: Index, bytes: &Vec<u8>| index.index(bytes.len() + 1);
        match self {
            Self::Set(index, byte) if !bytes.is_empty() => *index.get_mut(bytes) = byte,
            Self::Flip(index, bit) if !bytes.is_empty() => *index.get_mut(bytes) ^= 1 << bit,
            Self::Set(..) | Self::Flip(..) => {}
            Self::Insert(index, middle) => {
                let at = at(index, bytes);
                bytes.splice(at..at, middle);
            }
            Self::Overwrite(index, middle) => {
                let at = at(index, bytes);
                let end = (at + middle.len()).min(bytes.len());
                bytes.splice(at..end, middle);
            }
            Self::Remove(index, count) => {
                let at = at(index, bytes);
                bytes.drain(at..(at + count).min(bytes.len()));
            }
            Self::Copy(index, count, to) => {
                let from = at(index, bytes);
                let copied = bytes[from..(from + count).min(bytes.len())].to_vec();
                let to = at(to, bytes);
                bytes.splice(to..to, copied);
            }
            Self::Cut(index) => bytes.truncate(at(index, bytes)),
        }
    }
}

fn mutation(telling: BoxedStrategy<Vec<u8>>) -> impl Strategy<Value = Mutation> {
    let index = any::<Index>;
    prop_oneof![
        3 => (index(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        2 => (index(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        3 => (index(), telling.clone()).prop_map(|(at, middle)| Mutation::Insert(at, middle)),
        3 => (index(), telling).prop_map(|(at, middle)| Mutation::Overwrite(at, middle)),
        2 => (index(), 1..8_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        1 => (index(), 1..40_usize, index()).prop_map(|(from, count, to)| Mutation::Copy(from, count, to)),
        1 => index().prop_map(Mutation::Cut),
    ]
}

/// Valid inputs, some of them as they are and most with some changes. `telling` is what has a meaning in such an input.
pub(crate) fn mutated(
    valid: impl Strategy<Value = Vec<u8>> + 'static,
    telling: impl Strategy<Value = Vec<u8>> + 'static,
) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop_oneof![1 => Just(0..1_usize), 4 => Just(1..3), 2 => Just(3..10)];
    let telling = telling.boxed();
    let changes = changes.prop_flat_map(move |count| vec(mutation(telling.clone()), count));
    (valid, changes).prop_map(|(mut bytes, changes)| {
        for change in changes {
            change.apply(&mut bytes);
        }
        bytes
    })
}
