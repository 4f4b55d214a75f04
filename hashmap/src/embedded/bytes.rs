//! Names and values in memory: short ones lie where they are needed, long ones on the heap.

/// The most bytes that take no allocation. With them, a field with its name, value and time fills one cache line.
const SHORT: usize = 22;

#[derive(Debug)]
pub(super) enum Bytes {
    Short(u8, [u8; SHORT]),
    Long(Box<[u8]>),
}

impl Bytes {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match (short.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(len)) => {
                place.copy_from_slice(bytes);
                Self::Short(len, short)
            }
            _ => Self::Long(bytes.into()),
        }
    }

    /// Replaces the bytes, where they are if they are as long.
    pub(super) fn replace(&mut self, bytes: &[u8]) {
        match self {
            Self::Long(long) if long.len() == bytes.len() => long.copy_from_slice(bytes),
            _ => *self = Self::new(bytes),
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short(len, short) => short.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(long) => long,
        }
    }
}
