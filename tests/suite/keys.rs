//! Keys of maps, made of a template and ids by `key!`.

use redis_hashmap::{Error, HashMap, RedisHash, key};
use redis_hashmap_tests::connection;

#[derive(RedisHash)]
#[redis_hash(key = "{{tenant:{tenant}}}:user:{user}")]
struct Record {
    _a: u8,
}

/// They are what a record with this template has.
#[test]
fn ids_are_encoded_like_those_of_records() {
    for (tenant, user) in
        [("a", "b"), ("a:user:b", "c"), ("a}", "{b"), ("100%", "größe 大小"), ("%25", " "), ("{}", "{{}}")]
    {
        assert_eq!(key!("{{tenant:{}}}:user:{}", tenant, user), Record::of(tenant, user).key());
    }
    assert_eq!(key!("app"), "app");
    assert_eq!(key!("a{{b}}c"), "a{b}c");
    assert_eq!(key!("{}", 1), "1");
    assert_eq!(key!("{}:", 1_u128,), "1:");
    assert_eq!(key!("größe:{}:大小", true), "größe:true:大小");
}

#[test]
fn an_empty_id_is_an_error_of_the_first_operation() {
    struct Broken;
    impl std::fmt::Display for Broken {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half")?;
            Err(std::fmt::Error)
        }
    }
    for key in [key!("tenant:{}:flags", ""), key!("tenant:{}:user:{}", "a", ""), key!("tenant:{}", Broken)] {
        assert_eq!(key, "");
        let error = HashMap::new(key).on(connection().expect("a store")).size().expect_err("it has no key");
        assert!(matches!(error, Error::EmptyKey) && error.is_rejected_input(), "{error}");
        assert!(error.to_string().contains("each id"), "{error}");
    }
}

/// An id is evaluated once.
#[test]
fn ids_are_expressions() {
    let mut count = 0;
    let mut next = || {
        count += 1;
        count
    };
    assert_eq!(key!("a:{}:{}", next(), format!("{}", 1 + 1)), "a:1:2");
}
