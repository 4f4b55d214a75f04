//! The servers that the embedded store can stand in for.

use std::fmt;

/// A server that the embedded store can stand in for: it then has the commands and options of that server, and no others.
///
/// Written as in a URL: `memory:?as=redis-7.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Server {
    /// Redis 7.0, in which fields do not expire.
    Redis70,
    /// Redis 8.0.
    Redis80,
    /// Valkey 8.1, in which fields do not expire.
    Valkey81,
    /// Valkey 9.1.
    Valkey91,
}

impl Server {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Redis70, Self::Redis80, Self::Valkey81, Self::Valkey91];

    /// Its name in a URL, such as `redis-7.0`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Redis70 => "redis-7.0",
            Self::Redis80 => "redis-8.0",
            Self::Valkey81 => "valkey-8.1",
            Self::Valkey91 => "valkey-9.1",
        }
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|server| server.name() == name)
    }

    /// True if it has the commands that let fields expire.
    pub(super) fn expires_fields(self) -> bool {
        matches!(self, Self::Redis80 | Self::Valkey91)
    }

    /// True if HSCAN takes NOVALUES.
    pub(super) fn scans_names(self) -> bool {
        self != Self::Redis70
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
