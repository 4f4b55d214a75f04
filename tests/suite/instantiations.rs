//! Records with parameters: each type that one is used as has a schema file of its own.

use redis_hashmap::{Error, open};
use redis_hashmap_tests::{AnyError, key};

type Test = Result<(), AnyError>;

mod v1 {
    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    #[derive(RedisHash)]
    pub(super) struct Cached<T> {
        pub(super) content: T,
        pub(super) seen: Vec<T>,
        pub(super) age: Age,
        pub(super) note: String,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct User {
        pub(super) name: String,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
    pub(super) enum Age {
        Young,
        Old,
    }

    #[derive(RedisHash)]
    pub(super) struct Grid<const N: usize> {
        pub(super) cells: (u8, u8),
    }
}

mod v2 {
    use std::fmt::Display;

    use redis_hashmap::RedisHash;
    use serde::{Deserialize, Serialize};

    use super::v1;

    #[derive(RedisHash, Debug)]
    #[redis_hash(schema(Cached<User>, Cached<Vec<u8>> = "redis-hash/bytes.schema", crate::instantiations::v2::Cached<(u8, String)>))]
    pub(super) struct Cached<T> {
        pub(super) content: T,
        pub(super) seen: Vec<T>,
        pub(super) age: v1::Age,
        #[redis_hash(was = String)]
        pub(super) note: Note,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct User {
        #[serde(alias = "name")]
        pub(super) nickname: String,
        pub(super) email: Option<String>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Note {
        pub(super) text: String,
    }

    impl From<String> for Note {
        fn from(text: String) -> Self {
            Self { text }
        }
    }

    /// What was depends on the parameter too.
    #[derive(RedisHash, Debug)]
    #[redis_hash(schema(Wrapped<String>))]
    pub(super) struct Wrapped<T: Display> {
        #[redis_hash(was = T)]
        pub(super) content: Wrapper<T>,
    }

    #[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
    pub(super) struct Wrapper<T> {
        pub(super) text: String,
        pub(super) original: Option<T>,
    }

    impl<T: Display> From<T> for Wrapper<T> {
        fn from(original: T) -> Self {
            Self { text: original.to_string(), original: Some(original) }
        }
    }

    #[derive(RedisHash, Debug)]
    #[redis_hash(schema(Grid<4>))]
    pub(super) struct Grid<const N: usize> {
        pub(super) cells: (u16, u16),
    }
}

fn user(name: &str) -> v1::User {
    v1::User { name: name.to_owned() }
}

#[test]
fn each_type_reads_by_its_own_file() -> Test {
    let (mut con, key) = (open("memory:")?, key());
    let age = v1::Age::Old;
    let old = v1::Cached { content: user("ann"), seen: vec![user("bob")], age, note: "x".to_owned() };
    v1::Cached::at(&*key).on(&mut con).set_all(&old)?;
    let new = v2::Cached::<v2::User>::at(&*key).on(&mut con).get_all()?.ok_or("nothing")?;
    assert_eq!(new.content, v2::User { nickname: "ann".to_owned(), email: None });
    assert_eq!(new.seen, vec![v2::User { nickname: "bob".to_owned(), email: None }]);
    assert_eq!((new.age, new.note.text.as_str()), (v1::Age::Old, "x"));
    v2::Cached::<v2::User>::check_schema()?;
    v2::Cached::<Vec<u8>>::check_schema()?;
    Ok(())
}

/// A type that has no file reads its own values, and what it was where that is seen from the value.
#[test]
fn a_type_without_a_file_says_so() -> Test {
    #[derive(serde::Serialize, serde::Deserialize, Debug)]
    struct Other {
        nickname: String,
    }
    let (mut con, key) = (open("memory:")?, key());
    let old = v1::Cached { content: user("ann"), seen: vec![], age: v1::Age::Young, note: "x".to_owned() };
    v1::Cached::at(&*key).on(&mut con).set_all(&old)?;
    let other = v2::Cached::<Other>::at(&*key).on(&mut con);
    assert!(matches!(other.content().get(), Err(Error::OtherShape { .. })));
    assert_eq!(other.note().get()?.map(|note| note.text).as_deref(), Some("x"));
    let problem = v2::Cached::<Other>::check_schema().expect_err("no file").to_string();
    assert_eq!(
        problem,
        "`Cached<Other>` has no schema file: name it on the record, as in `#[redis_hash(schema(Cached<Other>))]`"
    );
    Ok(())
}

#[test]
fn what_it_was_may_depend_on_the_parameter() -> Test {
    let (mut con, key) = (open("memory:")?, key());
    redis_hashmap::HashMap::new(&*key).on(&mut con).set("content", "plain")?;
    let wrapped = v2::Wrapped::<String>::at(&*key).on(&mut con);
    assert_eq!(wrapped.content().get()?.ok_or("nothing")?.original.as_deref(), Some("plain"));
    v2::Wrapped::<String>::check_schema()?;
    Ok(())
}

#[test]
fn a_const_parameter_makes_types_too() -> Test {
    let (mut con, key) = (open("memory:")?, key());
    v1::Grid::<4>::at(&*key).on(&mut con).set_all(&v1::Grid { cells: (1, 2) })?;
    assert_eq!(v2::Grid::<4>::at(&*key).on(&mut con).cells().get()?, Some((1, 2)));
    v2::Grid::<4>::check_schema()?;
    assert!(v2::Grid::<5>::check_schema().is_err());
    Ok(())
}
