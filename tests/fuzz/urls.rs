//! Parses arbitrary and nearly valid URLs: no panic, and nothing that is shown has a password in it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use redis_hashmap::Options;

use crate::mutation::mutated;
use crate::run::{run, seed};

/// Each secret begins with this, and so many characters follow.
const MARK: &str = "s3cr3t";
const LONG: usize = 8;

/// The secrets in a URL that are written where a password stands, and nowhere else.
fn secrets(url: &str) -> Vec<&str> {
    let of_server = url.starts_with("redis") && !url.starts_with("redis+unix:");
    let is_password = |at: usize| {
        let before_a_host = of_server && url[at..].contains('@');
        let is_parameter = url[..at].ends_with("pass=") && url[..at].contains('?');
        before_a_host || is_parameter
    };
    let found = url.match_indices(MARK).filter_map(|(at, _)| url.get(at..at + MARK.len() + LONG));
    found.filter(|secret| url.match_indices(secret).all(|(at, _)| is_password(at))).collect()
}

pub(crate) fn check(bytes: &[u8]) -> bool {
    let url = String::from_utf8_lossy(bytes);
    let result = Options::parse(&url);
    let shown = match &result {
        Ok(options) => format!("{options:?} {:#?}", options.clone().credentials(None, "s3cr3t-in-code")),
        Err(error) => format!("{error} {error:?} {:?}", std::error::Error::source(error).map(ToString::to_string)),
    };
    assert!(!shown.contains("s3cr3t-in-code"), "{shown}");
    for secret in secrets(&url) {
        assert!(!shown.contains(secret), "{url:?} shows {secret}: {shown}");
    }
    result.is_ok()
}

/// A password: a secret, perhaps with what has a meaning in a URL around it.
fn secret() -> impl Strategy<Value = String> {
    let around = || prop_oneof![4 => Just(String::new()), 1 => "[:@/?&=#,%\\[\\] ]", 1 => "[0-9][/?,]", 1 => "%(40|2F|3F|ff|zz)?"];
    (around(), "[0-9a-f]{8}", around()).prop_map(|(before, secret, after)| format!("{before}{MARK}{secret}{after}"))
}

fn parameters() -> impl Strategy<Value = String> {
    let fixed = select(
        &[
            "protocol=resp3",
            "protocol=2",
            "protocol=4",
            "connect_timeout=500ms",
            "response_timeout=1m",
            "as=redis-7.0",
            "response_timeout=0s",
            "connect_timeout=99999999999999999999s",
            "connect_timeout=18446744073709551615m",
            "db=3",
            "db=65536",
            "user=u",
            "durability=eventual",
            "ca=/ca.crt",
            "cert=a%20b",
            "key=%ff",
            "sentinel_user=u",
            "nonsense",
            "=",
            "",
        ][..],
    );
    let parameter = prop_oneof![
        4 => fixed.prop_map(ToOwned::to_owned),
        1 => secret().prop_map(|secret| format!("pass={secret}")),
        1 => secret().prop_map(|secret| format!("sentinel_pass={secret}")),
    ]
    .boxed();
    let count = prop_oneof![3 => Just(0..1_usize), 1 => Just(1..3)];
    count
        .prop_flat_map(move |count| vec(parameter.clone(), count))
        .prop_map(|all| if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) })
}

fn url() -> impl Strategy<Value = Vec<u8>> {
    let scheme = select(
        &[
            "redis",
            "rediss",
            "redis+cluster",
            "rediss+cluster",
            "redis+sentinel",
            "rediss+sentinel",
            "redis+nonsense",
            "Redis",
        ][..],
    );
    let host = prop_oneof![
        9 => "[a-z]{1,4}(:[0-9]{1,4})?",
        1 => Just("[::1%25eth0]:6380".to_owned()),
        1 => Just("[::1".to_owned()),
        1 => Just("ü.例:1".to_owned()),
        1 => Just(String::new()),
    ];
    let user = option::of((option::of("[a-z]{0,3}"), secret()));
    let server = (scheme, user, vec(host, 1..3), select(&["", "/", "/0", "/m", "/m/3", "/70000"][..]), parameters());
    let server = server.prop_map(|(scheme, user, hosts, path, parameters)| {
        let user = user.map(|(name, secret)| format!("{}:{secret}@", name.unwrap_or_default())).unwrap_or_default();
        format!("{scheme}://{user}{}{path}{parameters}", hosts.join(","))
    });
    let local = (
        select(
            &["memory:", "memory:a/b", "file:a.redb", "file:///a/b", "file://h/b", "redis+unix:///s", "unix:/s"][..],
        ),
        parameters(),
    );
    prop_oneof![4 => server, 1 => local.prop_map(|(place, parameters)| format!("{place}{parameters}"))]
        .prop_map(String::into_bytes)
}

#[test]
fn no_url_panics_or_shows_a_password() {
    let telling = vec(select(&b":/@?&=#%,[]0123456789"[..]), 1..4);
    let valid = prop_oneof![4 => url(), 1 => seed("urls"), 1 => any::<String>().prop_map(String::into_bytes)];
    run("urls", 8000, mutated(valid, telling), check);
}
