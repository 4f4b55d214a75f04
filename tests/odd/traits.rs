//! Traits in scope whose methods have the names of those that generated code calls, and of fields.

use std::borrow::Borrow;

use redis_hashmap::{RedisHash, open};

use crate::Test;
use crate::traits::greedy::{Plain, PlainPatch};

mod greedy {
    use redis_hashmap::RedisHash;

    /// Methods that take `self` by value come before those of a type that take it by reference.
    #[expect(clippy::wrong_self_convention, reason = "odd names")]
    #[allow(dead_code, reason = "they are there to be taken")]
    pub(crate) trait Greedy: Sized {
        fn field(self, _: u8) {}
        fn set(self) {}
        fn set_option(self) {}
        fn patch(self) {}
        fn patch_option(self) {}
        fn info(self) {}
        fn name(self) {}
        fn as_ref(self) {}
        fn required(self) {}
        fn option(self) {}
        fn defaulted(self) {}
        fn expiring(self) {}
        fn next_value(self) {}
        fn is_some(self) {}
        fn is_none(self) {}
        fn map(self) {}
        fn filter(self) {}
        fn err(self) {}
        fn merge(self) {}
        fn merge_option(self) {}
        fn into_value(self) {}
        fn serialize_field(self) {}
        fn end(self) {}
    }
    impl<T> Greedy for T {}

    #[derive(RedisHash, Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Plain {
        pub(crate) borrow: u8,
        pub(crate) borrow_mut: Option<u8>,
        #[redis_hash(counter, ttl = "1h")]
        pub(crate) count: i64,
    }

    #[derive(RedisHash, serde::Serialize, serde::Deserialize, Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Merging<T: PartialEq, const N: usize> {
        #[redis_hash(merge)]
        pub(crate) map: Option<std::collections::BTreeMap<String, T>>,
        #[redis_hash(merge, default)]
        #[serde(default)]
        pub(crate) list: Vec<T>,
        #[redis_hash(skip)]
        #[serde(skip)]
        pub(crate) nothing: std::marker::PhantomData<[T; N]>,
        #[serde(serialize_with = "serde::Serialize::serialize")]
        pub(crate) r#type: Option<u8>,
    }
}

#[test]
fn a_trait_in_scope_merges_nothing() -> Test {
    let record = greedy::Merging::<u8, 2>::at("merging").on(open("memory:")?);
    record.merge(&serde_json::from_str(r#"{"map": {"a": 1}, "list": [1], "type": 2}"#)?)?;
    record.merge(&serde_json::from_str(r#"{"map": {"b": 2}}"#)?)?;
    let partial = serde_json::to_value(record.get_partial()?)?;
    assert_eq!(partial, serde_json::json!({"map": {"a": 1, "b": 2}, "list": [1], "type": 2}));
    assert!(record.get_each()?.is_some_and(|each| each.errors().is_empty()));
    Ok(())
}

#[test]
fn the_trait_takes_methods_by_value() {
    greedy::Greedy::info(1);
}

#[test]
fn a_trait_in_scope_takes_no_method() -> Test {
    let mut con = open("memory:")?;
    let record = Plain::at("plain").on(&mut con);
    record.set_all(&Plain { borrow: 1, borrow_mut: None, count: 2 })?;
    record.patch(&PlainPatch::default().borrow(3).borrow_mut(4))?;
    record.patch(&serde_json::from_str(r#"{"count": 5}"#)?)?;
    assert_eq!((record.borrow().get()?, record.borrow_mut().get()?), (Some(3), Some(4)));
    assert_eq!(record.get_all()?, Some(Plain { borrow: 3, borrow_mut: Some(4), count: 5 }));
    assert!(format!("{:?}", <Plain as RedisHash>::FIELDS).contains("borrow_mut"));
    let text = String::from("in scope");
    let borrowed: &str = text.borrow();
    assert_eq!(borrowed, "in scope");
    Ok(())
}
