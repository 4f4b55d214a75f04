//! Replies that a command does not give, over a mock without a server.

use redis::{Cmd, Value, cmd};
use redis_hashmap::{Error, HashMap};

use crate::wire::{DARK, KEY, Settings, SettingsPatch, bulk, command, mock};

/// A reply that the command does not give is an error, whatever it is.
#[test]
fn unexpected_replies_are_errors() {
    let odd = [
        Value::Okay,
        Value::Int(-1),
        Value::Double(1.5),
        Value::Boolean(true),
        Value::Array(vec![Value::Int(1)]),
        Value::Array(vec![Value::Nil; 4]),
        Value::Map(vec![(Value::Nil, Value::Nil)]),
        Value::Push { kind: redis::PushKind::Message, data: Vec::new() },
    ];
    let settings = Settings::at(KEY);
    let hmget = cmd("HMGET").arg(KEY).arg("theme").arg("width").arg("nick").clone();
    for reply in odd {
        let unexpected = |error: Error| assert!(matches!(error, Error::UnexpectedReply { .. }), "{error}");
        let answer = |cmd: &Cmd| mock(vec![(cmd.clone(), reply.clone())]);
        unexpected(settings.on(answer(cmd("HLEN").arg(KEY))).size().unwrap_err());
        unexpected(settings.on(answer(&hmget)).get_all().unwrap_err());
        unexpected(HashMap::new(KEY).on(answer(cmd("HGETALL").arg(KEY))).get_all().unwrap_err());
        unexpected(HashMap::new(KEY).on(answer(cmd("HKEYS").arg(KEY))).get_fields().unwrap_err());
        unexpected(HashMap::new(KEY).on(answer(cmd("HGET").arg(KEY).arg("a"))).get::<u8>("a").unwrap_err());
        let (hset, patch) = (command(&[b"HSET", b"user:1", b"theme", DARK]), SettingsPatch::default().theme("dark"));
        unexpected(settings.on(answer(&hset)).patch(&patch).unwrap_err());
        unexpected(
            settings
                .on(answer(&command(&[b"HSETNX", b"user:1", b"theme", DARK])))
                .theme()
                .set_if_absent("dark")
                .unwrap_err(),
        );
    }
}

/// What a server refuses inside of a list of answers is its error.
#[test]
fn an_error_inside_a_list_is_that_of_the_server() {
    let refused = || redis::parse_redis_value(b"-WRONGTYPE not a hash\r\n").expect("an error is a reply");
    let is_redis = |error: Error| assert!(matches!(error, Error::Redis { .. }), "{error}");
    let hmget = cmd("HMGET").arg(KEY).arg("theme").arg("width").arg("nick").clone();
    let values = Value::Array(vec![refused(), Value::Nil, bulk(b"x")]);
    let error = Settings::at(KEY).on(mock(vec![(hmget, values)])).get_all().unwrap_err();
    let Error::Fields { errors, .. } = error else { panic!("{error}") };
    assert!(matches!(errors[..], [Error::Redis { .. }, Error::Foreign { .. }]), "{errors:?}");
    let hkeys = cmd("HKEYS").arg(KEY).clone();
    is_redis(HashMap::new(KEY).on(mock(vec![(hkeys, Value::Array(vec![refused()]))])).get_fields().unwrap_err());
}
