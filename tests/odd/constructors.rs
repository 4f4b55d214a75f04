//! Structs that have methods called `at` and `of` already.

use redis_hashmap::{RedisHash, open};

use crate::Test;

#[derive(RedisHash, Debug, Clone, Copy, PartialEq, Eq)]
#[redis_hash(key = "point:{id}", at = "at_key", of = "of_id")]
struct Point {
    x: u8,
    y: u8,
}

impl Point {
    const fn at(x: u8, y: u8) -> Self {
        Self { x, y }
    }

    const fn of((x, y): (u8, u8)) -> Self {
        Self::at(x, y)
    }
}

#[derive(RedisHash, Debug, Clone, Copy, PartialEq, Eq)]
#[redis_hash(key = "raw:{id}", at = "r#type", of = "at")]
struct Raw {
    r#type: u8,
}

#[test]
fn the_generated_constructors_have_the_given_names() -> Test {
    let mut con = open("memory:")?;
    Point::of_id(1).on(&mut con).set_all(&Point::at(2, 3))?;
    assert_eq!(Point::at_key("point:1").on(&mut con).get_all()?, Some(Point::of((2, 3))));
    Raw::at(1).on(&mut con).r#type().set(2)?;
    assert_eq!(Raw::r#type("raw:1").on(&mut con).get_all()?, Some(Raw { r#type: 2 }));
    Ok(())
}
