//! Waits until replicas have what was written: `wait`.

use std::time::Duration;

use redis::{Cmd, Value, cmd};

use crate::error::Error;
use crate::error::place::Place;
use crate::error::redis_fault::RedisFault;
use crate::run::mailbox::Mailbox;

/// Returns how many replicas have acknowledged everything that the connection has written.
pub(crate) async fn wait(mailbox: Mailbox, replicas: u32, timeout: Duration, place: Place) -> Result<u64, Error> {
    const OPERATION: &str = "WAIT";
    match mailbox.send_cmd(command(replicas, timeout)).await.and_then(Value::extract_error) {
        Ok(Value::Int(count)) if count >= 0 => Ok(count.unsigned_abs()),
        Ok(_) => Err(Error::UnexpectedReply { place, operation: OPERATION }),
        Err(error) => Err(Error::Redis { place, operation: OPERATION, source: RedisFault::new(error) }),
    }
}

fn command(replicas: u32, timeout: Duration) -> Cmd {
    // 0 would be no time-out at all.
    let millis = timeout.as_nanos().div_ceil(1_000_000).clamp(1, i64::MAX as u128);
    let mut wait = cmd("WAIT");
    wait.arg(replicas).arg(u64::try_from(millis).unwrap_or(u64::MAX));
    wait
}
