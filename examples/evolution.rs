//! Types change, and what they have stored stays readable. Version 1 of a program writes; version 2 has renamed, retyped,
//! grown and reordered what it wrote, and reads it.
//!
//! ```sh
//! cargo run --example evolution                      # in memory
//! REDIS_URL=redis://127.0.0.1/ cargo run --example evolution
//! cargo test --example evolution                     # the test that `schema` generates
//! ```

use redis_hashmap::Error;

/// What the program was. Its records are in production.
mod v1 {
    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash, Debug)]
    #[redis_hash(key = "example:evolution:{user_id}")]
    pub(crate) struct Profile {
        pub(crate) nick: String,
        pub(crate) visits: u32,
        pub(crate) theme: Theme,
        /// In points.
        pub(crate) font: u8,
        pub(crate) addresses: Vec<Address>,
    }

    #[derive(Serialize, Deserialize, Debug)]
    pub(crate) enum Theme {
        Light,
        Dark,
    }

    #[derive(Serialize, Deserialize, Debug)]
    pub(crate) struct Address {
        pub(crate) street: String,
        pub(crate) zip: u32,
    }
}

/// What it is now. `redis-hash/Profile.schema` knows what version 1 stored.
mod v2 {
    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash, Debug)]
    #[redis_hash(key = "example:evolution:{user_id}", schema)]
    pub(crate) struct Profile {
        /// It had another name.
        #[redis_hash(alias = "nick")]
        pub(crate) nickname: String,
        /// It was a `u32`.
        pub(crate) visits: u64,
        pub(crate) theme: Theme,
        /// It was its size alone.
        #[redis_hash(was = u8)]
        pub(crate) font: Font,
        pub(crate) addresses: Vec<Address>,
        /// It is new.
        #[redis_hash(default = "en".to_owned())]
        pub(crate) language: String,
    }

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    pub(crate) enum Theme {
        /// It is new, and stands before the others.
        System,
        Light,
        /// It had another name.
        #[serde(alias = "Dark")]
        Night {
            contrast: Option<u8>,
        },
    }

    #[derive(Serialize, Deserialize, Debug)]
    pub(crate) struct Font {
        name: String,
        points: u8,
    }

    impl From<u8> for Font {
        fn from(points: u8) -> Self {
            Self { name: "serif".to_owned(), points }
        }
    }

    #[derive(Serialize, Deserialize, Debug)]
    pub(crate) struct Address {
        /// It was a number, in the second place.
        pub(crate) zip: u64,
        #[serde(alias = "street")]
        pub(crate) line1: String,
        pub(crate) note: Option<String>,
    }
}

fn main() -> Result<(), Error> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "memory:".to_owned());
    let mut con = redis_hashmap::open(&url)?;
    let (old, new) = (v1::Profile::of(42), v2::Profile::of(42));

    println!("# Version 1 writes");
    old.on(&mut con).clear()?;
    old.on(&mut con).set_all(&v1::Profile {
        nick: "ann".to_owned(),
        visits: 7,
        theme: v1::Theme::Dark,
        font: 12,
        addresses: vec![v1::Address { street: "1 Main St".to_owned(), zip: 10_115 }],
    })?;
    println!("{:?}", old.on(&mut con).get_all()?);

    println!("\n# Version 2 reads it");
    println!("{:?}", new.on(&mut con).get_all()?);
    println!("theme.get      {:?}", new.on(&mut con).theme().get()?);
    println!("font.get       {:?}", new.on(&mut con).font().get()?);
    println!("language.get   {:?}, its default", new.on(&mut con).language().get()?);

    println!("\n# It reads and writes nothing: the fields are those of version 1");
    println!("{:?}", sorted(old.on(&mut con).get_fields()?));

    println!("\n# What version 2 changes, it writes as its own");
    new.on(&mut con).update(|profile| {
        profile.visits += 1;
        profile.nickname.push_str(" b.");
        profile.addresses[0].note = Some("ring twice".to_owned());
    })?;
    println!("{:?}", sorted(new.on(&mut con).get_fields()?));
    println!("{:?}", new.on(&mut con).get_all()?);

    println!("\n# Version 1, where it still runs, reads what it can, and is told what it cannot");
    println!("visits.get     {:?}", old.on(&mut con).visits().get()?);
    println!("theme.get      {:?}", old.on(&mut con).theme().get()?);
    match old.on(&mut con).addresses().update(Vec::clear) {
        Ok(_) => println!("addresses      cleared"),
        Err(error) => println!("addresses      {error}"),
    }
    println!("{:?}", new.on(&mut con).addresses().get()?);
    new.on(&mut con).clear()?;
    Ok(())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
