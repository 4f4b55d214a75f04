//! Parses the URL that says where the data lies. No part of it that can be a secret gets into an error.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::error::Error;
use crate::open::options::{Host, Options, Target};

const SCHEMES: &str = "memory:, file:PATH, redis://, rediss://, redis+unix:///PATH, redis+cluster://, rediss+cluster://, \
                       redis+sentinel:// or rediss+sentinel://";

impl Options {
    /// Parses a URL. No I/O. [`open`](crate::open) lists the URLs.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Url`], which says what part of the URL is wrong, without a password.
    pub fn parse(url: &str) -> Result<Self, Error> {
        parse(url)
    }
}

fn wrong(part: &'static str, problem: impl Into<String>) -> Error {
    Error::Url { part, problem: problem.into() }
}

fn parse(url: &str) -> Result<Options, Error> {
    let (scheme, rest) =
        url.split_once(':').ok_or_else(|| wrong("scheme", format!("is missing; write one of {SCHEMES}")))?;
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let (place, mut options) = match scheme {
        "memory" => (Place::Embedded, Options::new(Target::Memory(decode("name", rest.trim_start_matches('/'))?))),
        "file" => (Place::File, Options::new(Target::File(file_path(rest)?))),
        "redis+unix" | "unix" => (Place::Unix, Options::new(Target::Unix(file_path(rest)?))),
        _ => {
            let (plain, tls) = match scheme.strip_prefix("rediss") {
                Some(kind) => (kind, true),
                None => (scheme.strip_prefix("redis").unwrap_or("unknown"), false),
            };
            refuse_split_password(rest, query)?;
            let server = server(plain, rest)?;
            (if tls { Place::Tls } else { Place::Server }, Options { tls, ..server })
        }
    };
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        set(&mut options, place, name, value)?;
    }
    Ok(options.with_passwords_of_users())
}

/// Refuses a URL in whose path or parameters an `@` stands: `/` or `?` in a password ends what precedes the host, and the
/// rest of the password would be taken for something that is shown. Where nothing is ambiguous, a password needs no
/// encoding.
fn refuse_split_password(rest: &str, query: &str) -> Result<(), Error> {
    let path = rest.trim_start_matches('/').split_once('/').map_or("", |(_, path)| path);
    let mut names = query.split('&').map(|parameter| parameter.split_once('=').map_or(parameter, |(name, _)| name));
    if path.contains('@') || names.any(|name| name.contains('@')) {
        let problem = "has an `@` behind a `/` or a `?`: percent-encode the user and the password (`/` is `%2F`, `?` is \
                       `%3F`), or the `@` (`%40`) if it belongs to neither";
        return Err(wrong("address", problem));
    }
    Ok(())
}

/// The kind of place, which decides what parameters a URL can have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Embedded,
    File,
    Unix,
    Server,
    Tls,
}

fn set(options: &mut Options, place: Place, name: &str, value: &str) -> Result<(), Error> {
    let is_server = matches!(place, Place::Unix | Place::Server | Place::Tls);
    match name {
        "protocol" => {
            options.resp3 = match value {
                "resp2" | "2" => false,
                "resp3" | "3" => true,
                _ => return Err(wrong("parameter `protocol`", "is neither `resp2` nor `resp3`")),
            }
        }
        #[cfg(feature = "embedded")]
        "as" if matches!(place, Place::Embedded | Place::File) => {
            let server = crate::embedded::Server::by_name(value);
            let names = || crate::embedded::Server::ALL.map(|server| format!("`{server}`")).join(", ");
            options.stand_in_for = Some(server.ok_or_else(|| {
                wrong(
                    "parameter `as`",
                    format!("names a server that the store cannot stand in for; write one of {}", names()),
                )
            })?);
        }
        "durability" if place == Place::File => {
            options.eventual = match value {
                "immediate" => false,
                "eventual" => true,
                _ => return Err(wrong("parameter `durability`", "is neither `immediate` nor `eventual`")),
            }
        }
        "connect_timeout" if is_server => options.connect_timeout = duration("parameter `connect_timeout`", value)?,
        "response_timeout" if is_server => options.response_timeout = duration("parameter `response_timeout`", value)?,
        "db" if place == Place::Unix => options.database = database(value)?,
        "user" if place == Place::Unix => options.username = some(decode("parameter `user`", value)?),
        "pass" if place == Place::Unix => options.password = some(decode("parameter `pass`", value)?),
        "ca" if place == Place::Tls => options.ca = Some(decode("parameter `ca`", value)?.into()),
        "cert" if place == Place::Tls => options.cert = Some(decode("parameter `cert`", value)?.into()),
        "key" if place == Place::Tls => options.key = Some(decode("parameter `key`", value)?.into()),
        "sentinel_user" if is_sentinel(options) => {
            options.sentinel_username = some(decode("parameter `sentinel_user`", value)?);
        }
        "sentinel_pass" if is_sentinel(options) => {
            options.sentinel_password = some(decode("parameter `sentinel_pass`", value)?);
        }
        _ => {
            let known = match place {
                Place::Embedded => "`protocol`, `as`",
                Place::File => "`protocol`, `as`, `durability`",
                Place::Unix => "`protocol`, `connect_timeout`, `response_timeout`, `db`, `user`, `pass`",
                Place::Server if is_sentinel(options) => {
                    "`protocol`, `connect_timeout`, `response_timeout`, `sentinel_user`, `sentinel_pass`"
                }
                Place::Server => "`protocol`, `connect_timeout`, `response_timeout`",
                Place::Tls if is_sentinel(options) => {
                    "`protocol`, `connect_timeout`, `response_timeout`, `ca`, `cert`, `key`, `sentinel_user`, \
                     `sentinel_pass`"
                }
                Place::Tls => "`protocol`, `connect_timeout`, `response_timeout`, `ca`, `cert`, `key`",
            };
            // It is not quoted: it could be what follows a `?` or an `&` in a password.
            let problem = format!(
                "include one that is unknown here; known are {known} (in a password, percent-encode `?` as `%3F` and `&` \
                 as `%26`)"
            );
            return Err(wrong("parameters", problem));
        }
    }
    Ok(())
}

fn is_sentinel(options: &Options) -> bool {
    matches!(options.target, Target::Sentinel { .. })
}

/// `//[user[:password]@]host[:port][,…][/…]`
fn server(kind: &str, rest: &str) -> Result<Options, Error> {
    if !matches!(kind, "" | "+cluster" | "+sentinel") {
        return Err(wrong("scheme", format!("is unknown; write one of {SCHEMES}")));
    }
    let rest = rest.strip_prefix("//").ok_or_else(|| wrong("scheme", "is not followed by `//` and a host"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (Some(user), hosts),
        None => (None, authority),
    };
    let default_port = if kind == "+sentinel" { 26_379 } else { 6379 };
    let mut hosts = hosts.split(',').map(|text| host(text, default_port)).collect::<Result<Vec<_>, _>>()?;
    let (target, database_text) = match kind {
        "" => {
            let only = hosts.pop().filter(|_| hosts.is_empty());
            let only = only.ok_or_else(|| wrong("host", "is a list; write redis+cluster:// or redis+sentinel://"))?;
            (Target::Server(only), path)
        }
        "+cluster" => (Target::Cluster(hosts), path),
        _ => {
            let (master, database) = path.split_once('/').unwrap_or((path, ""));
            if master.is_empty() {
                return Err(wrong("path", "does not name a master; write redis+sentinel://host:port/mastername"));
            }
            (Target::Sentinel { sentinels: hosts, master: decode("path", master)? }, database)
        }
    };
    let mut options = Options::new(target);
    options.database = database(database_text)?;
    if matches!(options.target, Target::Cluster(_)) && options.database != 0 {
        return Err(wrong("path", "names a database, but a cluster has only number 0"));
    }
    if let Some(user) = user {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        options.username = some(decode("user", name)?);
        options.password = some(decode("password", password)?);
    }
    Ok(options)
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn host(text: &str, default_port: u16) -> Result<Host, Error> {
    // An IPv6 address is written in brackets.
    let (name, port, more) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':'), ":%"),
        None => text.split_once(':').map_or((text, None, ""), |(name, port)| (name, Some(port), "")),
    };
    let name = decode("host", name)?;
    if name.is_empty() {
        return Err(wrong("host", "is empty; write one such as `localhost`"));
    }
    // A host is shown. What cannot be one could be a password in the wrong place.
    if !name.chars().all(|char| char.is_alphanumeric() || "-._".contains(char) || more.contains(char)) {
        return Err(wrong("host", "holds a character that no host has; a user and a password stand before an `@`"));
    }
    let port = match port {
        Some(port) => port.parse().map_err(|_| wrong("port", "is not a number up to 65535"))?,
        None => default_port,
    };
    Ok(Host { name, port })
}

fn database(text: &str) -> Result<i64, Error> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse::<u16>().map(i64::from).map_err(|_| wrong("database", "is not a number up to 65535"))
}

/// `file:relative`, `file:/absolute` or `file:///absolute`
fn file_path(rest: &str) -> Result<PathBuf, Error> {
    let path = match rest.strip_prefix("//") {
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) => {
            return Err(wrong("path", "begins with `//` and a host; write `file:name` or `file:///folder/name`"));
        }
        None => rest,
    };
    if path.is_empty() {
        return Err(wrong("path", "is empty; write one such as `file:settings.redb`"));
    }
    Ok(decode("path", path)?.into())
}

fn decode(part: &'static str, text: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| wrong(part, "is percent-encoded, but does not decode as UTF-8"))
}

/// `500ms`, `5s` or `1m`
fn duration(part: &'static str, text: &str) -> Result<Duration, Error> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => 0,
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(millis)) {
        Some(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(wrong(part, "is not a duration such as `500ms`, `5s` or `1m`")),
    }
}
