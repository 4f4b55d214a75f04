//! Hash slots of a Redis Cluster.

use crc::{CRC_16_XMODEM, Crc};

pub(crate) const SLOTS: u16 = 16_384;

/// Returns the hash slot of a key: the CRC16 of its hash tag, or of the whole key if it has none (Redis Cluster
/// specification, "Key distribution model").
pub(crate) fn slot(key: &[u8]) -> u16 {
    Crc::<u16>::new(&CRC_16_XMODEM).checksum(hash_tag(key)) % SLOTS
}

fn hash_tag(key: &[u8]) -> &[u8] {
    let tag = || {
        let start = key.iter().position(|byte| *byte == b'{')? + 1;
        let len = key[start..].iter().position(|byte| *byte == b'}')?;
        (len > 0).then(|| &key[start..start + len])
    };
    tag().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::slot;

    /// The expected values are those of CLUSTER KEYSLOT.
    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"user:42:settings"), slot(b"x{user:42:settings}y"));
        assert_eq!(slot(b"123456789"), 12739);
        assert_eq!(slot(b"{}foo"), 9500);
        assert_eq!(slot(b"foo{}{bar}"), 8363);
        assert_eq!(slot(b"foo{{bar}}zap"), 4015);
    }
}
