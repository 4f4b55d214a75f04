//! What the derive has to respect in a struct: generics, visibility, attributes, and names that the user has taken.

use std::collections::BTreeMap;

use redis_hashmap::RedisHash;
use redis_hashmap_tests::{AnyError, key, server};

type Test = Result<(), AnyError>;

#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Versioned<T, const N: usize>
where
    T: Clone + PartialEq,
{
    value: T,
    history: Vec<T>,
    latest: Option<T>,
    #[redis_hash(default)]
    counts: BTreeMap<String, T>,
    #[redis_hash(skip, default = [0; N])]
    buffer: [u8; N],
}

#[test]
fn generics_carry_over() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = Versioned::<String, 4>::at(&*key).on(&mut con);
    accessor.value().set("now")?;
    accessor.history().set(&["then".to_owned()][..])?;
    let read = accessor.get_all()?.unwrap();
    assert_eq!((read.value.as_str(), read.history.len(), read.latest, read.buffer), ("now", 1, None, [0; 4]));
    let partial = accessor.get_partial()?;
    assert_eq!(partial.value.as_deref(), Some("now"));
    let hash: VersionedHash<String, 4> = Versioned::at(&*key);
    let hash = hash.on(&mut con);
    assert_eq!(hash.key(), &*key);
    Ok(())
}

mod visibility {
    #![deny(missing_docs, unreachable_pub, warnings, clippy::pedantic)]
    use redis_hashmap::RedisHash;

    /// A record with everything that carries over.
    #[derive(RedisHash)]
    pub(crate) struct Mixed {
        /// Documented.
        pub(crate) public: u8,
        private: Option<u8>,
        /// Gone.
        #[deprecated = "use `public`"]
        pub(crate) old: Option<u8>,
        #[cfg(any())]
        compiled_out: NoSuchType,
        #[cfg(not(any()))]
        pub(super) compiled_in: Option<u8>,
    }

    pub(crate) fn private_field(mixed: &mut MixedHash) -> String {
        format!("{:?}", mixed.private())
    }
}

#[test]
#[expect(deprecated, reason = "the attribute carries over to the method: this expectation would not hold otherwise")]
fn visibility_cfg_and_deprecated_carry_over() -> Test {
    let key = key();
    let mut accessor = visibility::Mixed::at(&*key);
    assert_eq!(visibility::private_field(&mut accessor), format!("Field(\"private\" of {:?})", &*key));
    let mut con = server()?;
    accessor.public().set(1).query(&mut con)?;
    accessor.old().set(2).query(&mut con)?;
    accessor.compiled_in().set(3).query(&mut con)?;
    assert_eq!(visibility::Mixed::FIELDS.len(), 4);
    let read = accessor.get_all().query(&mut con)?.unwrap();
    assert_eq!((read.public, read.old, read.compiled_in), (1, Some(2), Some(3)));
    Ok(())
}

mod reexport {
    pub(crate) mod inner {
        pub(crate) use ::redis_hashmap as maps;
    }
}

#[derive(RedisHash, Debug, PartialEq)]
#[redis_hash(crate = "crate::derives::reexport::inner::maps")]
struct Reexported {
    a: u8,
    #[redis_hash(default, text)]
    b: u8,
}

#[test]
fn the_runtime_crate_can_be_named() -> Test {
    let (key, mut con) = (key(), server()?);
    let accessor = Reexported::at(&*key).on(&mut con);
    accessor.set_all(&Reexported { a: 1, b: 2 })?;
    assert_eq!(accessor.get_all()?, Some(Reexported { a: 1, b: 2 }));
    Ok(())
}

mod hygiene {
    #![deny(warnings)]
    #![no_implicit_prelude]

    /// A user's own type of a name that generated code likes.
    #[derive(::serde::Serialize, ::serde::Deserialize, Debug, PartialEq)]
    pub(crate) struct E(pub(crate) u8);
    use ::std::fmt::Debug;
    use ::std::prelude::rust_2024::{PartialEq, derive};

    #[allow(dead_code)]
    pub(crate) trait Into {
        fn into(self) -> u8;
    }
    impl<T> Into for T {
        fn into(self) -> u8 {
            0
        }
    }
    #[allow(dead_code, non_camel_case_types)]
    pub(crate) struct bool;
    #[allow(dead_code)]
    pub(crate) struct Option;
    #[allow(dead_code)]
    pub(crate) struct Result;

    #[derive(::redis_hashmap::RedisHash, Debug, PartialEq)]
    #[allow(non_camel_case_types, non_snake_case)]
    pub(crate) struct odd_record {
        pub(crate) e: E,
        pub(crate) field: u8,
        pub(crate) record: u8,
        pub(crate) at: u8,
        #[redis_hash(skip)]
        pub(crate) _m: u8,
        #[redis_hash(default)]
        pub(crate) _n: u8,
        pub(crate) camelCase: u8,
        #[redis_hash(skip, default = "constant")]
        pub(crate) label: &'static str,
    }

    /// The names of generated types are taken.
    #[allow(dead_code)]
    pub(crate) struct PasswordHash(pub(crate) u8);

    #[derive(::redis_hashmap::RedisHash, Debug, PartialEq)]
    #[redis_hash(accessor = "StoredPassword")]
    pub(crate) struct Password {
        pub(crate) hash: u8,
    }

    #[deprecated = "use another one"]
    #[derive(::redis_hashmap::RedisHash)]
    pub(crate) struct Old {
        pub(crate) a: u8,
        #[redis_hash(default)]
        pub(crate) b: u8,
    }
}

#[test]
fn generated_code_minds_its_own_names() -> Test {
    let (key, mut con) = (key(), server()?);
    let record = hygiene::odd_record {
        e: hygiene::E(1),
        field: 2,
        record: 3,
        at: 4,
        _m: 0,
        _n: 5,
        camelCase: 6,
        label: "constant",
    };
    let accessor = hygiene::odd_record::at(&*key).on(&mut con);
    accessor.set_all(&record)?;
    assert_eq!((accessor.at().get()?, accessor._n().get()?, accessor.camelCase().get()?), (Some(4), 5, Some(6)));
    assert_eq!(accessor.get_all()?, Some(record));
    let password: hygiene::StoredPassword<_> = hygiene::Password::at(&*key).on(&mut con);
    password.hash().set(7)?;
    assert_eq!(password.get_all()?, Some(hygiene::Password { hash: 7 }));
    Ok(())
}

/// Bounds of the user, beside those of the derive.
#[derive(RedisHash, Debug, Clone, PartialEq)]
struct Bounded<T: serde::Serialize + serde::de::DeserializeOwned> {
    one: T,
    many: Option<Vec<T>>,
    text: String,
}

#[test]
fn a_parameter_may_have_the_bounds_of_its_use() {
    let key = key();
    let mut con = server().unwrap();
    let record = Bounded::<u8>::at(&*key).on(&mut con);
    record.patch(&serde_json::from_str(r#"{"one": 1, "many": [2], "text": "x"}"#).unwrap()).unwrap();
    assert_eq!(record.get_all().unwrap(), Some(Bounded { one: 1, many: Some(vec![2]), text: "x".to_owned() }));
}
