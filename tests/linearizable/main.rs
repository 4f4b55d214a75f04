//! Histories of many clients, checked for linearizability: each operation takes effect at one moment between its call and its
//! return, also under kills, cuts and cancelled calls.

mod checker;
mod clients;
mod controls;
mod kills;
mod model;
mod places;
mod rounds;
