//! The stored format: what lies in Redis is a promise.

mod any;
mod depth;
mod golden;
mod properties;
mod shapes;
mod stored;
mod types;
mod values;
mod wide;
mod widening;
