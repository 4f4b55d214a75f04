//! Values of older types, beside those of today's and beside JSON, which is how peers let types change. On `memory:`, so that
//! next to nothing but decoding is measured.

use std::hint::black_box;

use redis_hashmap::open;

use crate::Done;
use crate::rounds::{interleaved, shown, times};

mod v1 {
    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash)]
    pub(super) struct Book {
        pub(super) addresses: Vec<Address>,
        pub(super) length: u32,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Address {
        street: String,
        zip: u32,
        kind: Kind,
    }

    #[derive(Serialize, Deserialize)]
    enum Kind {
        Home,
        Work { floor: u8 },
    }

    pub(super) fn addresses(count: u32) -> Vec<Address> {
        let address = |zip| Address {
            street: format!("{zip} Main Street"),
            zip,
            kind: if zip % 2 == 0 { Kind::Home } else { Kind::Work { floor: 3 } },
        };
        (10_000..10_000 + count).map(address).collect()
    }
}

mod v2 {
    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash)]
    #[redis_hash(schema)]
    pub(super) struct Book {
        pub(super) addresses: Vec<Address>,
        #[redis_hash(was = u32)]
        pub(super) length: Size,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Address {
        zip: u64,
        #[serde(alias = "street")]
        line1: String,
        kind: Kind,
        note: Option<String>,
    }

    #[derive(Serialize, Deserialize)]
    enum Kind {
        Work { floor: u8 },
        Home,
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct Size {
        pages: u32,
    }

    impl From<u32> for Size {
        fn from(pages: u32) -> Self {
            Self { pages }
        }
    }
}

pub(crate) fn run() -> Done {
    let mut con = open("memory:")?;
    for count in [1, 100] {
        let addresses = v1::addresses(count);
        v1::Book::at("book").on(&mut con).addresses().set(&addresses)?;
        v1::Book::at("book").on(&mut con).length().set(7)?;
        let json = serde_json::to_vec(&addresses)?;
        redis::cmd("HSET").arg("json").arg("addresses").arg(json).exec(&mut con)?;
        // Written once as today's type.
        let todays = v2::Book::at("book").on(&mut con).addresses().get()?.ok_or("no addresses")?;
        v2::Book::at("today").on(&mut con).addresses().set(&todays)?;

        let rounds = 20_000 / count.min(20);
        let (old, new) = (v2::Book::at("book"), v2::Book::at("today"));
        // Each measure needs the connection for itself, and they take turns.
        let shared = std::cell::RefCell::new(&mut con);
        let [today, older, by_json, converted] = interleaved([
            times(rounds, |_| new.on(&mut **shared.borrow_mut()).addresses().get().map(|all| drop(black_box(all)))),
            times(rounds, |_| old.on(&mut **shared.borrow_mut()).addresses().get().map(|all| drop(black_box(all)))),
            times(rounds, |_| -> Done {
                let json: Vec<u8> =
                    redis::cmd("HGET").arg("json").arg("addresses").query(&mut **shared.borrow_mut())?;
                drop(black_box(serde_json::from_slice::<Vec<v2::Address>>(&json)?));
                Ok(())
            }),
            times(rounds, |_| old.on(&mut **shared.borrow_mut()).length().get().map(|size| drop(black_box(size)))),
        ])?;
        shown(&format!("get of {count} addresses of today's type"), today.micros(), "us");
        shown(&format!("get of {count} addresses by an older schema"), older.micros(), "us");
        shown(&format!("{count} by an older schema, times as long as of today's type"), older.ratio_to(&today), "x");
        shown(&format!("{count} by an older schema, times as long as serde_json"), older.ratio_to(&by_json), "x");
        shown("get of a number that is converted", converted.micros(), "us");
    }
    Ok(())
}
