//! Types, traits, parameters and constants with the names that generated code could have.

#![allow(
    dead_code,
    clippy::builtin_type_shadow,
    non_camel_case_types,
    non_upper_case_globals,
    clippy::upper_case_acronyms,
    reason = "odd names"
)]

use redis_hashmap::{RedisHash, open};

use crate::Test;

/// A struct with a type parameter of each name, and one with a const parameter of it.
macro_rules! parameters {
    ($($test:ident $name:ident)*) => {$(
        #[test]
        fn $test() -> Test {
            #[derive(RedisHash, Debug, Clone, PartialEq)]
            struct OfType<$name: ::core::clone::Clone + ::core::cmp::PartialEq = u8> {
                one: $name,
                many: ::std::option::Option<::std::vec::Vec<$name>>,
            }
            #[derive(RedisHash, Debug, Clone, PartialEq)]
            struct OfConst<const $name: usize = 3> {
                one: u8,
                #[redis_hash(skip, default = [0; $name])]
                array: [u8; $name],
            }
            let mut con = open("memory:")?;
            let value = OfType { one: 1_u8, many: Some(vec![2]) };
            let record = OfType::at("type").on(&mut con);
            record.set_all(&value)?;
            assert_eq!(record.get_all()?, Some(value));
            record.patch(&serde_json::from_str(r#"{"one": 5}"#)?)?;
            assert_eq!(record.one().get()?, Some(5));
            let value = OfConst::<3> { one: 1, array: [0; 3] };
            let record = OfConst::<3>::at("const").on(&mut con);
            record.set_all(&value)?;
            assert_eq!(record.get_all()?, Some(value));
            record.patch(&OfConstPatch::default().one(2))?;
            assert_eq!(record.one().get()?, Some(2));
            Ok(())
        }
    )*};
}

parameters! {
    e E executor RedisHashExecutor under_e __E under_a __A under_d __D under_value __Value record Record field Field
    error Error option Option string String result Result send Send into Into default Default clone Clone debug Debug
    display Display deref Deref deferred Deferred bincode Bincode target Target phantom PhantomData some Some ok Ok
    vec Vec box_ Box partial Partial patch Patch fields Fields hash Hash
    lower_key key lower_value value lower_f f lower_out out lower_fields fields lower_map map lower_name name
    lower_other other lower_patch patch lower_target target lower_executor executor lower_u8 usize under_record __record
    under_out __out under_key __key template TEMPLATE core core std std runtime redis_hashmap
}

/// A struct with a field of a type of each name, beside bounds on a trait of that name.
macro_rules! types {
    ($($test:ident $name:ident)*) => {$(
        mod $test {
            #[derive(::serde::Serialize, ::serde::Deserialize, Debug, Clone, PartialEq, Eq)]
            pub(crate) struct $name(pub(crate) u8);

            #[derive(::redis_hashmap::RedisHash, Debug, Clone, PartialEq, Eq)]
            pub(crate) struct Holder {
                pub(crate) a: $name,
                pub(crate) b: ::std::option::Option<$name>,
                #[redis_hash(default = $name(1))]
                pub(crate) c: $name,
            }

            pub(crate) mod of_trait {
                pub(crate) trait $name {}
                impl $name for u8 {}

                #[derive(::redis_hashmap::RedisHash, Debug, Clone, PartialEq, Eq)]
                pub(crate) struct Bounded<T: $name>
                where
                    ::std::vec::Vec<T>: Clone,
                {
                    pub(crate) a: T,
                }
            }

            #[test]
            fn test() -> ::std::result::Result<(), ::std::boxed::Box<dyn ::std::error::Error>> {
                let mut con = ::redis_hashmap::open("memory:")?;
                let value = Holder { a: $name(1), b: ::std::option::Option::Some($name(2)), c: $name(3) };
                let record = Holder::at("type").on(&mut con);
                record.set_all(&value)?;
                assert_eq!(record.get_all()?, ::std::option::Option::Some(value));
                record.patch(&::serde_json::from_str("{\"a\": 5}")?)?;
                assert_eq!(record.a().get()?, ::std::option::Option::Some($name(5)));
                let record = of_trait::Bounded::<u8>::at("trait").on(&mut con);
                record.a().set(&1)?;
                assert_eq!(record.get_all()?, ::std::option::Option::Some(of_trait::Bounded { a: 1 }));
                ::std::result::Result::Ok(())
            }
        }
    )*};
}

types! {
    t_e E t_executor RedisHashExecutor t_under_e __E t_under_a __A t_under_value __Value t_record Record
    t_field Field t_error Error t_result Result t_send Send t_into Into t_deferred Deferred t_bincode Bincode
    t_target Target t_display Display t_sized Sized t_phantom PhantomData t_fields Fields t_hash Hash t_string String
    t_redis_hash RedisHash t_named NamedField t_fn Fn t_vec Vec t_option Option
    t_box Box t_default Default t_deref Deref
}

/// Constants whose names the variables of generated code could have.
mod constants {
    use redis_hashmap::{RedisHash, open};

    use crate::Test;

    type __D = u8;
    type __A = u8;
    const E: usize = 2;
    const f: u8 = 1;
    const out: u8 = 1;
    const fields: u8 = 1;
    const map: u8 = 1;
    const name: u8 = 1;
    const other: u8 = 1;
    const patch: u8 = 1;
    const record: u8 = 1;
    static target: u8 = 1;
    static executor: u8 = 1;
    static deserializer: u8 = 1;

    #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Wrapper<const N: usize>(u8);

    #[derive(RedisHash, Debug, Clone, PartialEq, Eq)]
    #[redis_hash(key = "{TEMPLATE}")]
    struct Constants {
        deserialized: Option<__D>,
        accessed: Option<__A>,
        wrapper: Wrapper<E>,
        array: [u8; E],
        #[redis_hash(default = f + out)]
        sum: u8,
    }

    #[test]
    fn test() -> Test {
        let mut con = open("memory:")?;
        let value = Constants { deserialized: None, accessed: None, wrapper: Wrapper(1), array: [2; E], sum: 2 };
        let accessor = Constants::of("id").on(&mut con);
        accessor.wrapper().set(Wrapper(1))?;
        accessor.array().set([2; E])?;
        assert_eq!(accessor.get_all()?, Some(value));
        Ok(())
    }
}
