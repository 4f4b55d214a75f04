//! The embedded store answers as Redis does, and keeps what it has acknowledged.

mod damage;
mod differential;
mod disks;
mod files;
mod folder;
mod kills;
mod layouts;
mod operations;
mod twins;
