//! One suite of scenarios on every place and every kind of connection. It prints a table of what ran where.

#![allow(clippy::duplicate_mod, reason = "the scenarios are compiled for each way of calling")]

mod coverage;
mod places;

// --- on a blocking connection ----------------------------------------------------------------------------------------
macro_rules! con {
    () => { impl redis::ConnectionLike };
}
macro_rules! on {
    ($accessor:expr, $con:ident) => {
        $accessor.on(&mut *$con)
    };
}
macro_rules! outcome {
    ($operation:expr) => {
        $operation
    };
}
macro_rules! entries {
    ($map:expr) => {
        $map.iter().collect::<Vec<_>>()
    };
}
macro_rules! send {
    ($commands:expr, $con:ident) => {
        $commands.query(&mut *$con)?
    };
}
macro_rules! send_each {
    ($commands:expr, $con:ident) => {
        $commands.query_each(&mut *$con)?
    };
}
macro_rules! alone {
    ($($statement:tt)*) => { $($statement)* };
}
// Only where the connection can be shared.
macro_rules! shared {
    ($($statement:tt)*) => {};
}
// The second, where the connection cannot be cloned, as a batch on an async one has to.
macro_rules! batched {
    (($($first:tt)*) or ($($second:tt)*)) => { $($first)* };
}
// What all ways have in common, in terms of `outcome!`.
macro_rules! go {
    ($operation:expr) => {
        outcome!($operation)?
    };
}
macro_rules! fails {
    ($operation:expr) => {
        outcome!($operation).err().ok_or("it should fail")?
    };
}
#[path = "scenarios.rs"]
#[allow(clippy::unused_async, reason = "other ways await")]
mod blocking;

// --- on an async connection that can be cloned -----------------------------------------------------------------------
macro_rules! con {
    () => { (impl redis::aio::ConnectionLike + Clone + Send + Sync + 'static) };
}
macro_rules! on {
    ($accessor:expr, $con:ident) => {
        $accessor.on_async($con.clone())
    };
}
macro_rules! outcome {
    ($operation:expr) => {
        $operation.await
    };
}
macro_rules! entries {
    ($map:expr) => {
        futures::StreamExt::collect::<Vec<_>>($map.stream()).await
    };
}
macro_rules! send {
    ($commands:expr, $con:ident) => {
        $commands.query_async(&mut *$con).await?
    };
}
macro_rules! send_each {
    ($commands:expr, $con:ident) => {
        $commands.query_each_async(&mut *$con).await?
    };
}
macro_rules! alone {
    ($($statement:tt)*) => {};
}
macro_rules! shared {
    ($($statement:tt)*) => { $($statement)* };
}
#[path = "scenarios.rs"]
mod asynchronous;

// --- on an async connection that is borrowed, such as one of a pool ---------------------------------------------------
macro_rules! con {
    () => { (impl redis::aio::ConnectionLike + Send) };
}
macro_rules! batched {
    (($($first:tt)*) or ($($second:tt)*)) => { $($second)* };
}
macro_rules! shared {
    ($($statement:tt)*) => {};
}
macro_rules! on {
    ($accessor:expr, $con:ident) => {
        $accessor.on_exclusive(&mut *$con)
    };
}
macro_rules! alone {
    ($($statement:tt)*) => { $($statement)* };
}
#[path = "scenarios.rs"]
mod exclusive;
