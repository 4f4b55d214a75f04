//! The embedded store answers as Redis does, and keeps what it has acknowledged.

mod differential;
mod files;
mod further;
mod operations;
mod stand_in;
mod twins;
