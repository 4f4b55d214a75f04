//! Without the prelude.

#![no_implicit_prelude]

/// A record.
#[derive(::redis_hashmap::RedisHash, ::serde::Serialize)]
#[redis_hash(key = "bare:{id}", ttl = "1h", sliding)]
pub(crate) struct Bare<T> {
    a: T,
    b: ::std::option::Option<u8>,
    #[redis_hash(default)]
    c: ::std::vec::Vec<T>,
    #[redis_hash(text)]
    d: u8,
    #[redis_hash(counter, ttl = "5m")]
    e: i64,
    #[redis_hash(skip)]
    f: T,
    #[serde(deserialize_with = "::serde::Deserialize::deserialize")]
    g: ::std::option::Option<u8>,
}

#[::std::prelude::v1::test]
fn it_works() -> crate::Test {
    use ::std::option::Option::Some;
    let mut con = ::redis_hashmap::open("memory:")?;
    let record = Bare::<u8>::of(1).on(&mut con);
    let value = Bare { a: 1, b: Some(2), c: ::std::vec![3], d: 4, e: 5, f: 0, g: Some(6) };
    record.set_all(&value)?;
    let read = record.get_all()?.ok_or("stored")?;
    ::std::assert_eq!((read.a, read.b, read.c, read.d, read.e), (1, Some(2), ::std::vec![3], 4, 5));
    ::std::assert_eq!((read.f, read.g), (0, Some(6)));
    record.patch(&::serde_json::from_str(r#"{"g": 7}"#)?)?;
    ::std::assert_eq!(record.g().get()?, Some(7));
    ::std::result::Result::Ok(())
}
