//! What needs a server, and the exact commands on the wire.

mod asynchronous;
mod batches;
mod errors;
mod examples;
mod maps;
mod open;
mod original;
mod records;
mod wire;
