//! The records that are measured.

use redis_hashmap::RedisHash;

/// Twenty fields, as a profile has them.
#[derive(RedisHash, Debug, Clone, PartialEq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) theme: String,
    pub(crate) language: String,
    pub(crate) country: String,
    pub(crate) city: String,
    pub(crate) street: String,
    pub(crate) phone: String,
    pub(crate) age: u8,
    pub(crate) logins: u64,
    pub(crate) created: u64,
    pub(crate) seen: u64,
    pub(crate) score: f64,
    pub(crate) is_admin: bool,
    pub(crate) is_active: bool,
    pub(crate) wants_mail: bool,
    pub(crate) font_size: u8,
    pub(crate) zoom: f32,
    pub(crate) tags: Vec<String>,
    pub(crate) invited_by: Option<u64>,
}

pub(crate) fn profile(number: u64) -> Profile {
    Profile {
        name: format!("Ann Example {number}"),
        email: format!("ann.example.{number}@example.org"),
        theme: "dark".to_owned(),
        language: "en".to_owned(),
        country: "Iceland".to_owned(),
        city: "Reykjavik".to_owned(),
        street: "Laugavegur 17".to_owned(),
        phone: "+354 555 1234".to_owned(),
        age: 42,
        logins: number,
        created: 1_700_000_000_000 + number,
        seen: 1_800_000_000_000 + number,
        score: 0.75,
        is_admin: false,
        is_active: true,
        wants_mail: true,
        font_size: 14,
        zoom: 1.25,
        tags: vec!["early".to_owned(), "paying".to_owned()],
        invited_by: Some(7),
    }
}

/// Ten fields.
#[derive(RedisHash, Debug, Clone, PartialEq)]
pub(crate) struct Order {
    customer: u64,
    product: String,
    amount: u32,
    price: u64,
    currency: String,
    street: String,
    city: String,
    ordered: u64,
    is_paid: bool,
    note: String,
}

pub(crate) fn order(number: u64) -> Order {
    Order {
        customer: number * 7,
        product: format!("product {number}"),
        amount: 3,
        price: 1999,
        currency: "EUR".to_owned(),
        street: "Laugavegur 17".to_owned(),
        city: "Reykjavik".to_owned(),
        ordered: 1_800_000_000_000 + number,
        is_paid: true,
        note: "leave it at the door, please".to_owned(),
    }
}
