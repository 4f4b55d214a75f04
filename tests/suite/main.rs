//! Tests that need a server, and the exact commands on the wire.

mod aliases;
mod asynchronous;
mod bad_fields;
mod batches;
mod clusters;
mod concurrency;
mod conversions;
mod derives;
mod errors;
mod evolution;
mod evolving_maps;
mod examples;
mod expiry;
mod faults;
mod given;
mod hostile;
mod instantiations;
mod keys;
mod maps;
mod merges;
mod odd_replies;
mod open;
mod opening;
mod original;
mod partials;
mod patches;
mod readers;
mod recipes;
mod records;
mod redirections;
mod requirements;
mod run_time_ttl;
mod scans;
mod scripts;
mod secrets;
mod sharing;
mod state;
mod verdicts;
mod waiting;
mod wire;
mod writes;

use std::time::Duration;

/// redis-rs's default response timeout is 500 ms, which a busy machine can exceed.
const PATIENCE: Duration = Duration::from_secs(20);

fn patient() -> redis::AsyncConnectionConfig {
    redis::AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE)).set_connection_timeout(Some(PATIENCE))
}
