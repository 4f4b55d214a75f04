//! Makes keys of templates and arbitrary ids: different ids never give one key, and they are escaped as documented.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use redis_hashmap::{Error, HashMap, RedisHash, key};

use crate::mutation::mutated;
use crate::run::{run, seed};

#[derive(RedisHash)]
#[redis_hash(key = "user:{id}")]
struct One {
    _field: u8,
}

#[derive(RedisHash)]
#[redis_hash(key = "user:{id}:settings")]
struct OneAndTail {
    _field: u8,
}

#[derive(RedisHash)]
#[redis_hash(key = "user:{a}:{b}")]
struct Two {
    _field: u8,
}

#[derive(RedisHash)]
#[redis_hash(key = "{{tenant:{a}}}{b}/%{{{c}")]
struct Three {
    _field: u8,
}

/// The keys of three ids in each template, by the macro and by the derive, and as the docs say.
fn keys([a, b, c]: [&str; 3]) -> [(&'static str, String); 4] {
    let [ea, eb, ec] = [a, b, c].map(|id| {
        // `%` first, since the others bring it.
        id.replace('%', "%25").replace('{', "%7B").replace('}', "%7D").replace(':', "%3A")
    });
    let same = |template, by_macro: String, by_derive: &str, documented: String| {
        assert_eq!(by_macro, documented, "{template} {a:?} {b:?} {c:?}");
        assert_eq!(by_derive, documented, "{template} {a:?} {b:?} {c:?}");
        (template, documented)
    };
    [
        same("one", key!("user:{}", a), One::of(a).key(), format!("user:{ea}")),
        same("one and tail", key!("user:{}:settings", a), OneAndTail::of(a).key(), format!("user:{ea}:settings")),
        same("two", key!("user:{}:{}", a, b), Two::of(a, b).key(), format!("user:{ea}:{eb}")),
        same(
            "three",
            key!("{{tenant:{}}}{}/%{{{}", a, b, c),
            Three::of(a, b, c).key(),
            format!("{{tenant:{ea}}}{eb}/%{{{ec}"),
        ),
    ]
}

/// The ids are the lines of the input, three for each list.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let mut ids = text.split('\n');
    let mut list = || [(); 3].map(|()| ids.next().unwrap_or_default());
    let (left, right) = (list(), list());
    for ids in [left, right] {
        if let Some(at) = ids.iter().position(|id| id.is_empty()) {
            is_refused(ids, at);
            return false;
        }
    }
    // The ids that each template takes.
    let counts = [1, 1, 2, 3];
    for (at, (template, one)) in keys(left).into_iter().enumerate() {
        for (other_at, (other_template, other)) in keys(right).into_iter().enumerate() {
            let are_equal = at == other_at && left[..counts[at]] == right[..counts[at]];
            // `settings` as an id is the one way in which the templates here can meet: it is a text of one of them.
            let is_settings = at != other_at && [left[1], right[1]].contains(&"settings");
            if !is_settings {
                assert_eq!(one == other, are_equal, "{template} {left:?} and {other_template} {right:?}: {one}");
            }
        }
    }
    true
}

/// No key is made of an empty id, and the first operation says so.
fn is_refused([a, b, c]: [&str; 3], at: usize) {
    let mut con = redis_hashmap::open("memory:").unwrap();
    let key = key!("{{tenant:{}}}{}/%{{{}", a, b, c);
    assert_eq!(key, "", "{a:?} {b:?} {c:?}");
    assert!(matches!(HashMap::new(key).on(&mut con).size(), Err(Error::EmptyKey)));
    let error = Three::of(a, b, c).on(&mut con).size().unwrap_err();
    let name = ["a", "b", "c"][at];
    assert!(matches!(error, Error::EmptyId { placeholder, .. } if placeholder == name), "{error}");
}

fn id() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => select(&["%", ":", "{", "}", "25", "7B", "7D", "3A", "a", "/%", "settings", "user", "ß"][..])
            .prop_map(ToOwned::to_owned),
        1 => "[^\n]{1,2}",
    ];
    vec(part, 1..4).prop_map(|parts| parts.concat())
}

/// Two lists, which often are nearly equal, or put together equal.
fn lists() -> impl Strategy<Value = Vec<u8>> {
    let changed = ([id(), id(), id()], any::<prop::sample::Index>(), any::<bool>());
    let lists = changed.prop_map(|(left, at, splits)| {
        let mut right = left.clone();
        if splits {
            // The same characters, with the end of an id elsewhere.
            let together: Vec<char> = left.concat().chars().collect();
            let cut = 1 + at.index(together.len() - 2);
            right = [&together[..cut], &together[cut..=cut], &together[cut + 1..]].map(|part| part.iter().collect());
        } else {
            right.rotate_left(at.index(3));
        }
        [left.join("\n"), right.join("\n")].join("\n").into_bytes()
    });
    lists.boxed()
}

#[test]
fn different_ids_never_give_one_key() {
    let telling = vec(select(&b"%:{}\n257BD3A"[..]), 1..3);
    run("keys", 4000, mutated(prop_oneof![8 => lists(), 1 => seed("keys")], telling), check);
}

/// Ids of other types are what they display.
#[test]
fn numbers_and_characters_are_ids() {
    proptest!(|(number in any::<i128>(), letter in any::<char>(), flag in any::<bool>())| {
        let (one, two, three) = (number.to_string(), letter.to_string(), flag.to_string());
        prop_assert_eq!(key!("{}:{}{{{}", number, letter, flag), key!("{}:{}{{{}", one, two, three));
        let (of_values, of_texts) = (Two::of(number, letter), Two::of(one, two));
        prop_assert_eq!(of_values.key(), of_texts.key());
    });
}
