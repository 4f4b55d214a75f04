//! The embedded store: it answers as Redis does, and keeps what it has said it keeps.

mod differential;
mod files;
mod operations;
mod twins;
