//! Public and private structs, in functions and in nested modules, with fields whose names lints look at.

use redis_hashmap::{RedisHash, open};
use redis_hashmap_tests::odd::{Conventional, ConventionalPatch, Copied, Linked};

use crate::Test;

mod nested {
    pub(crate) mod inner {
        use redis_hashmap::RedisHash;

        #[derive(RedisHash, Debug)]
        pub(in crate::lints) struct Restricted {
            pub(in crate::lints) a: u8,
            pub(super) b: Option<u8>,
            c: Option<u8>,
        }

        #[derive(RedisHash, Debug)]
        struct Unused {
            _a: u8,
        }
    }
}

#[test]
fn they_work() -> Test {
    #[derive(RedisHash, Debug, PartialEq, Eq)]
    struct Local<T> {
        a: T,
        b: Option<u8>,
    }

    let mut con = open("memory:")?;
    let value = Copied { one: 1, two: Some(2.0) };
    let record = Copied::at("copied").on(&mut con);
    record.set_all(&value)?;
    assert_eq!(record.get_all()?, Some(value));
    let value = Conventional { is_admin: true, next: Some("next".to_owned()), ..Conventional::default() };
    let record = Conventional::at("conventional").on(&mut con);
    record.set_all(&value)?;
    record.patch(&ConventionalPatch::default().new(1).is_admin(true).to_text("text".to_owned()))?;
    assert_eq!(record.get_all()?, Some(Conventional { new: 1, to_text: "text".to_owned(), ..value }));
    let value = Linked { theme: 1, language: None };
    let record = Linked::at("linked").on(&mut con);
    record.set_all(&value)?;
    assert_eq!(record.get_all()?, Some(value));
    let record = nested::inner::Restricted::at("restricted").on(&mut con);
    record.a().set(1)?;
    assert_eq!(record.get_all()?.map(|read| read.a), Some(1));
    let record = Local::at("local").on(&mut con);
    record.set_all(&Local { a: 1, b: None })?;
    assert_eq!(record.get_all()?, Some(Local { a: 1, b: None }));
    Ok(())
}
