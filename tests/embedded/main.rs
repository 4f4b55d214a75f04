//! The embedded store answers as Redis does, and keeps what it has acknowledged.

mod differential;
mod files;
mod operations;
mod twins;
