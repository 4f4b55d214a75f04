//! The embedded store answers as Redis does, and keeps what it has acknowledged.

mod differential;
mod files;
mod further;
mod memory;
mod operations;
mod patterns;
mod stand_in;
mod twins;
mod watch;
