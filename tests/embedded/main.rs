//! The embedded store answers as Redis does, and keeps what it has acknowledged.

mod clients;
mod damage;
mod differential;
mod disks;
mod files;
mod folder;
mod further;
mod kills;
mod layouts;
mod memory;
mod operations;
mod patterns;
mod stand_in;
mod twins;
mod watch;
