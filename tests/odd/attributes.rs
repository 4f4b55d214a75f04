//! Attributes on the struct and on its fields that generated items repeat.

use redis_hashmap::{RedisHash, open};

use crate::Test;

#[derive(RedisHash, Debug, Clone, PartialEq, Eq)]
#[expect(non_snake_case, clippy::struct_field_names, reason = "the names of another program")]
struct Expected {
    field_camelCase: u8,
    field_other: Option<u8>,
    field_third: Option<u8>,
}

#[derive(RedisHash, Debug, Clone, PartialEq, Eq)]
#[cfg_attr(all(), expect(non_camel_case_types, reason = "the name of another program"))]
#[warn(non_snake_case, reason = "a weaker level than that of the crate")]
#[allow(non_snake_case)]
struct odd_name {
    camelCase: u8,
    #[redis_hash(default)]
    otherCase: u8,
    #[cfg_attr(all(), redis_hash(default = 3))]
    #[cfg(not(any()))]
    thirdCase: u8,
    #[cfg(any())]
    never: NoSuchType,
    #[cfg_attr(any(), redis_hash(nonsense))]
    plain: Option<u8>,
}

#[test]
fn lints_are_allowed_where_they_were_allowed_or_expected() -> Test {
    let mut con = open("memory:")?;
    let value = Expected { field_camelCase: 1, field_other: None, field_third: Some(2) };
    let record = Expected::at("expected").on(&mut con);
    record.set_all(&value)?;
    record.field_camelCase().set(1)?;
    assert_eq!(record.get_all()?, Some(value));
    let record = odd_name::at("odd").on(&mut con);
    record.camelCase().set(1)?;
    assert_eq!(record.get_all()?, Some(odd_name { camelCase: 1, otherCase: 0, thirdCase: 3, plain: None }));
    Ok(())
}

mod old {
    use redis_hashmap::RedisHash;

    #[deprecated = "use another type"]
    #[derive(serde::Serialize, serde::Deserialize, Debug, Clone, Default)]
    pub(crate) struct OldType(pub(crate) u8);

    #[deprecated(since = "0.1.0", note = "use another")]
    #[derive(RedisHash)]
    pub(crate) struct Old {
        pub(crate) a: u8,
        #[redis_hash(default)]
        pub(crate) b: u8,
    }

    #[derive(RedisHash)]
    pub(crate) struct Current {
        #[deprecated]
        pub(crate) a: Option<u8>,
        pub(crate) b: Option<u8>,
        #[deprecated = "never stored"]
        #[redis_hash(skip)]
        pub(crate) c: u8,
        #[allow(deprecated)]
        pub(crate) d: Option<OldType>,
    }

    pub(crate) fn old(key: &str) -> impl Fn() -> u8 {
        #[allow(deprecated)]
        let accessor = Old::at(key);
        move || {
            #[expect(deprecated, reason = "the method of a deprecated struct")]
            let _field = accessor.a();
            1
        }
    }

    #[expect(deprecated, reason = "generated of a deprecated struct")]
    pub(crate) type Hash = OldHash;
    #[expect(deprecated, reason = "generated of a deprecated struct")]
    pub(crate) type Patch = OldPatch;
    #[expect(deprecated, reason = "generated of a deprecated struct")]
    pub(crate) type Partial = OldPartial;
    #[expect(deprecated, reason = "generated of a deprecated struct")]
    pub(crate) type Fields = OldFields;
}

#[test]
fn who_uses_what_is_deprecated_is_warned() -> Test {
    let mut con = open("memory:")?;
    let record = old::Current::at("current").on(&mut con);
    #[expect(deprecated, reason = "the method of a deprecated field")]
    record.a().set(1)?;
    record.b().set(2)?;
    #[expect(deprecated, reason = "the builder of a deprecated field")]
    let patch = old::CurrentPatch::default().a(3);
    record.patch(&patch)?;
    let partial = record.get_partial()?;
    #[expect(deprecated, reason = "a deprecated field")]
    let a = partial.a;
    assert_eq!((a, partial.b), (Some(3), Some(2)));
    #[expect(deprecated, reason = "a deprecated field")]
    let read = record.get_all()?.map(|read| (read.a, read.b, read.c, read.d.map(|old| old.0)));
    assert_eq!(read, Some((Some(3), Some(2), 0, None)));
    assert_eq!(old::old("old")(), 1);
    let size = size_of::<(old::Hash, old::Patch, old::Partial, old::Fields)>();
    assert!(size > 0);
    Ok(())
}
