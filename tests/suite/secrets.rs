//! Passwords in URLs: what of a URL is shown, and when AUTH is sent.

use std::error::Error as _;
use std::fmt::Write as _;

use proptest::prelude::*;
use redis::ConnectionLike;
use redis_hashmap::{Error, Options, open, open_async};
use redis_hashmap_tests::{AnyError, given};

type Test = Result<(), AnyError>;

/// All texts of an error.
fn texts(error: &Error) -> String {
    let mut texts = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(cause) = source {
        write!(texts, " {cause} {cause:?}").expect("a String takes all");
        source = cause.source();
    }
    texts
}

/// What a program could print of this URL: of what it is parsed to, and of the error of parsing or opening it.
fn shown(url: &str, opens: bool) -> String {
    match Options::parse(url) {
        Err(error) => texts(&error),
        Ok(options) => {
            let mut shown = format!("{options:?} {options:#?}");
            if opens {
                shown += &options.open().map_or_else(|error| texts(&error), |con| format!("{con:?}"));
            }
            shown
        }
    }
}

/// Passwords that nobody has encoded. In some of them a part is taken for a host, a port or a parameter.
#[test]
fn no_part_of_a_password_is_shown() {
    for url in [
        "redis://user:1234?S3cret@h",
        "redis://tok?S3cret@h",
        "redis://tok/S3cret@h",
        "redis://user:12/S3cret@h:6379/0",
        "redis://user:S3cret",
        "redis://user:S3cret:x",
        "redis://user:12?db=1&S3cret@h",
        "redis://h/S3cret",
        "redis://h?S3cret",
        "redis://h?pass=S3cret",
        "redis://h?S3cret=1",
        "redis://h?protocol=S3cret",
        "redis://h?response_timeout=S3cret",
        "redis://tok%40S3cret",
        "redis://tok%3AS3cret",
        "redis:user:S3cret@h",
        "redis:/user:S3cret@h",
        "http://user:S3cret@h",
        "S3cret://h",
        "S3cret",
        "rediss://user:12?ca=x&S3cret@h",
        "redis+unix:///s?pass=hunter&2S3cret",
        "redis+unix:///s?pass=hunter&S3cret=2",
        "redis+unix://user:S3cret@/s",
        "redis+cluster://user:12/S3cret@h,i",
        "redis+cluster://user:12?S3cret@h,i",
        "redis+cluster://user:S3cret@h,i/3",
        "redis+sentinel://user:12/S3cret@host",
        "redis+sentinel://user:12?S3cret@host/mymaster",
        "redis+sentinel://h/mymaster?sentinel_pass=a&S3cret",
        "redis+sentinel://h/mymaster/S3cret",
        "file://user:S3cret@h/x",
        "file:x?S3cret",
        "memory:?S3cret",
    ] {
        let shown = shown(url, false);
        assert!(!shown.contains("S3cret") && !shown.contains("hunter"), "{url} shows {shown}");
    }
}

#[test]
fn a_password_that_has_to_be_encoded_is_an_error_that_says_so() {
    for url in [
        "redis://user:12/S3cret@h",
        "redis://user:1234?S3cret@h",
        "redis+cluster://user:12/S3cret@h",
        "redis+sentinel://user:12/S3cret@host",
        "redis+sentinel://user:12/a/S3cret@host",
    ] {
        let error = Options::parse(url).expect_err("it leads to another host than was meant").to_string();
        assert!(error.contains("percent-encode"), "{error}");
    }
    // These have always worked as they stand.
    for (url, password) in [
        ("redis://user:a@b@127.0.0.1:1", "a@b"),
        ("redis://user:a:b@127.0.0.1:1", "a:b"),
        ("redis://user:a%2Fb%3Fc@127.0.0.1:1", "a/b?c"),
        ("redis://user:a#b&c=d@127.0.0.1:1", "a#b&c=d"),
    ] {
        let options = Options::parse(url).expect(url);
        assert!(!format!("{options:?}").contains(password), "{options:?}");
        assert_eq!(format!("{options:?}"), "Options(redis://127.0.0.1:1)");
    }
    // And so have sockets with an `@` in their names, which systemd's instances have.
    assert_eq!(
        format!("{:?}", Options::parse("redis+unix:///run/redis@1.sock")),
        "Ok(Options(redis+unix:///run/redis@1.sock))"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]

    /// Random passwords in every place of every kind of URL, encoded and not, right and wrong.
    #[test]
    fn no_secret_is_shown(
        secret in "[A-Z]{5}[!-~]{6}[A-Z]{5}",
        opens in proptest::bool::weighted(0.1),
    ) {
        let encoded = secret.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02X}"));
        for text in [&secret, &encoded] {
            // Without a host, what follows an `@` in the password is one, by the grammar of URLs.
            if !text.contains('@') {
                let shown = shown(&format!("redis://user:{text}"), false);
                prop_assert!(!shown.contains(&secret[..5]) && !shown.contains(&encoded[..12]), "{} shows {}", text, shown);
            }
            for url in [
                "redis://*@127.0.0.1:1",
                "redis://:*@127.0.0.1:1/2",
                "redis://user:*@127.0.0.1:1",
                "redis://*:*@127.0.0.1:1?protocol=resp3",
                "rediss://user:*@127.0.0.1:1?ca=/nowhere",
                "redis://user:*@127.0.0.1:x",
                "redis://user:*@127.0.0.1:1/99999999",
                "redis://user:*@127.0.0.1:1?nothing=1",
                "redis://127.0.0.1:1?pass=*",
                "redis://127.0.0.1:1?*",
                "redis://127.0.0.1:1/*",
                "redis:user:*@127.0.0.1:1",
                "http://user:*@127.0.0.1:1",
                "*://127.0.0.1:1",
                "redis+unix:///nowhere?user=u&pass=*",
                "redis+unix:///nowhere?user=*",
                "redis+unix://u:*@/nowhere",
                "redis+cluster://user:*@127.0.0.1:1,127.0.0.1:2",
                "redis+cluster://127.0.0.1:1/*",
                "rediss+cluster://*@127.0.0.1:1?ca=/nowhere",
                "redis+sentinel://user:*@127.0.0.1:1/mymaster",
                "redis+sentinel://user:*@127.0.0.1:1",
                "redis+sentinel://127.0.0.1:1/mymaster/*",
                "redis+sentinel://127.0.0.1:1/mymaster?sentinel_user=a&sentinel_pass=*",
                "file:/nowhere/x?*",
                "memory:?pass=*",
            ] {
                let shown = shown(&url.replace('*', text), opens);
                // Neither the whole nor a part of it that a wrong split could leave over.
                for part in [&secret[..5], &secret[11..], &encoded[..12]] {
                    prop_assert!(!shown.contains(part), "{} with {} shows {}", url, secret, shown);
                }
            }
        }
    }
}

/// The user of a connection.
fn whoami(con: &mut dyn ConnectionLike) -> redis::RedisResult<String> {
    redis::cmd("ACL").arg("WHOAMI").query(con)
}

/// redis-rs sends AUTH only where a password is set: these would all be the user `default`.
#[tokio::test]
async fn a_user_without_a_password_is_that_user() -> Test {
    let address = given("REDIS_ACL_ADDRESS");
    for url in [
        format!("redis://open@{address}"),
        format!("redis://open:@{address}"),
        format!("redis://open:anything@{address}"),
        format!("redis://open@{address}?protocol=resp3"),
    ] {
        assert_eq!(whoami(&mut open(&url)?)?, "open", "{url}");
        let user: String = redis::cmd("ACL").arg("WHOAMI").query_async(&mut open_async(&url).await?).await?;
        assert_eq!(user, "open", "{url}");
    }
    Ok(())
}

/// Where nobody is called so, it is an error on every kind of connection, and never another user.
#[tokio::test]
async fn an_unknown_user_is_refused_everywhere() {
    let (tls, certs) = (given("REDIS_TLS_ADDRESS"), given("REDIS_TLS_CERTS"));
    let files = format!("ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key");
    let main = redis_hashmap_tests::redis_url().replace("redis://", "");
    let (nodes, sentinel) = (given("REDIS_CLUSTER_NODES"), given("REDIS_SENTINEL"));
    for url in [
        format!("redis://bob@{main}"),
        format!("redis://bob:@{main}"),
        format!("redis://bob@{main}?protocol=resp3"),
        format!("rediss://bob@{tls}/?{files}"),
        format!("redis+unix://{}?user=bob", given("REDIS_SOCKET")),
        format!("redis+cluster://bob@{nodes}"),
        format!("redis+sentinel://bob@{sentinel}/mymaster"),
        format!("redis+sentinel://{sentinel}/mymaster?sentinel_user=bob"),
    ] {
        for error in [open(&url).map(drop), open_async(&url).await.map(drop)] {
            assert!(matches!(error, Err(Error::Connect { .. })), "{url} ends in {error:?}");
        }
    }
}

/// An empty password of nobody is none: URLs are put together from empty settings.
#[tokio::test]
async fn nobody_and_no_password_is_the_default_user() -> Test {
    let main = redis_hashmap_tests::redis_url().replace("redis://", "");
    for url in [format!("redis://:@{main}"), format!("redis://@{main}")] {
        assert_eq!(whoami(&mut open(&url)?)?, "default", "{url}");
        let user: String = redis::cmd("ACL").arg("WHOAMI").query_async(&mut open_async(&url).await?).await?;
        assert_eq!(user, "default", "{url}");
    }
    let socket = given("REDIS_SOCKET");
    assert_eq!(whoami(&mut open(&format!("redis+unix://{socket}?user=&pass="))?)?, "default");
    Ok(())
}
