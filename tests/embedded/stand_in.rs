//! The store in the place of a server: `memory:?as=redis-7.0` and its kin answer as that server.

use proptest::prelude::*;
use redis::{ConnectionLike, Value, cmd};
use redis_hashmap::{Durability, Embedded, Error, Options, RedisHash, Server, open, require};
use redis_hashmap_tests::{AnyError, key, newer_server, redis_url};

use crate::differential::{Arg, any_command, clean, cmd as of, normal};

type Test = Result<(), AnyError>;

fn url_of(server: Server) -> Option<String> {
    match server {
        Server::Redis70 => Some(redis_url()),
        Server::Redis80 => newer_server("REDIS_8_URL"),
        Server::Valkey81 => newer_server("VALKEY_8_URL"),
        _ => newer_server("VALKEY_9_URL"),
    }
}

/// Valkey words its refusals of options in its own way. What a program can tell apart by an error is its code, and whether the
/// command is unknown.
fn refusal(server: Server, value: Value) -> Value {
    match value {
        Value::ServerError(error) if matches!(server, Server::Valkey81 | Server::Valkey91) => {
            let is_unknown = error.details().is_some_and(|details| details.starts_with("unknown command"));
            if is_unknown { Value::ServerError(error) } else { Value::SimpleString(error.code().to_owned()) }
        }
        other => other,
    }
}

/// True if a command is one that Valkey answers differently in a way that nobody relies on: it takes an option that is given
/// twice, and times after the year 4199.
fn is_told_apart(server: Server, (_, args): &(String, Vec<Arg>)) -> bool {
    const OPTIONS: [&str; 9] = ["EX", "PX", "EXAT", "PXAT", "KEEPTTL", "PERSIST", "FNX", "FXX", "NX"];
    let options = args.iter().filter(
        |arg| matches!(arg, Arg::Literal(text) if OPTIONS.iter().any(|option| option.eq_ignore_ascii_case(text))),
    );
    let is_far = |arg: &Arg| {
        let number = match arg {
            Arg::Literal(text) => text.parse().unwrap_or(0),
            Arg::Key(_) => 0,
        };
        (70_368_744_178..=70_368_744_179_i64).contains(&number) || number >= 1 << 46
    };
    server == Server::Valkey91 && (options.count() > 1 || args.iter().any(is_far))
}

fn answers_as(
    server: Server,
    mut embedded: Embedded,
    commands: &[(String, Vec<Arg>)],
    resp3: bool,
) -> Result<(), TestCaseError> {
    let Some(url) = url_of(server) else { return Ok(()) };
    let key = key();
    let url = format!("{url}{}", if resp3 { "?protocol=resp3" } else { "" });
    let mut con = open(&url).unwrap();
    embedded = embedded.with_resp3(resp3).stand_in_for(server);
    for command in commands.iter().filter(|command| !is_told_apart(server, command)) {
        let cmd = of(&key, command);
        let expected = refusal(server, normal(&cmd, con.req_command(&cmd).unwrap()));
        let answered = refusal(server, normal(&cmd, embedded.req_command(&cmd).unwrap()));
        prop_assert_eq!(answered, expected, "{} {:?}", server, command);
    }
    clean(&mut con, &key);
    Ok(())
}

macro_rules! answers_as {
    ($($test:ident $server:ident;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..Default::default() })]
            $(
                #[test]
                fn $test(commands in proptest::collection::vec(any_command(), 1..60), resp3 in any::<bool>()) {
                    answers_as(Server::$server, Embedded::in_memory("").unwrap(), &commands, resp3)?;
                }
            )*
        }
    };
}

answers_as! {
    memory_answers_as_redis_7_0 Redis70;
    memory_answers_as_redis_8_0 Redis80;
    memory_answers_as_valkey_8_1 Valkey81;
    memory_answers_as_valkey_9_1 Valkey91;
}

#[test]
fn a_file_answers_as_a_server() -> Test {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-stand-in-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases: 16, ..Default::default() });
    for server in Server::ALL {
        let file = folder.join(format!("{server}.redb"));
        let con = Embedded::in_file(&file, Durability::Eventual)?;
        runner.run(&proptest::collection::vec(any_command(), 1..60), |commands| {
            answers_as(server, con.clone(), &commands, false)
        })?;
    }
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[derive(RedisHash, Debug, PartialEq)]
struct Login {
    user: Option<String>,
    #[redis_hash(ttl = "5m")]
    code: Option<String>,
    #[redis_hash(counter, ttl = "1m")]
    tries: i64,
}

/// What fails on the server fails on its stand-in, with the same error.
#[test]
fn a_record_fails_as_on_the_server() -> Test {
    let key = key();
    let mut errors = Vec::new();
    for url in [redis_url(), "memory:?as=redis-7.0".to_owned(), "memory:?as=valkey-8.1&protocol=resp3".to_owned()] {
        let mut con = open(&url)?;
        let unmet = require::<Login>(&mut con).expect_err("fields do not expire").to_string();
        let login = Login::at(&*key).on(&mut con);
        let failed = [
            login.code().set("1").err(),
            login.code().get_or_insert_with(String::new).err(),
            login.tries().increment(1).err(),
            login.code().ttl().map(drop).err(),
            login.set_all(&Login { user: None, code: Some("1".to_owned()), tries: 0 }).err(),
            login.create(&Login { user: Some("Ann".to_owned()), code: Some("1".to_owned()), tries: 0 }).map(drop).err(),
        ];
        assert!(failed.iter().all(|error| matches!(error, Some(Error::Unsupported { .. }))), "{failed:?}");
        assert!(!login.exists()?, "nothing was written");
        login.user().set("Ann")?;
        assert_eq!(login.update(|login| login.user = None)?, Some(Login { user: None, code: None, tries: 0 }));
        errors.push((unmet, failed.map(|error| error.map(|error| error.to_string()))));
    }
    assert!(errors.windows(2).all(|two| two[0] == two[1]), "{errors:#?}");
    Ok(())
}

#[test]
fn it_is_chosen_by_url_for_each_connection() -> Test {
    let name = key();
    let mut plain = open(&format!("memory:{}", &*name))?;
    let mut as_old = open(&format!("memory:{}?as=redis-7.0", &*name))?;
    let set = |con: &mut redis_hashmap::Connection| -> redis::RedisResult<Value> {
        cmd("HSETEX").arg("k").arg("PX").arg(60_000).arg("FIELDS").arg(1).arg("f").arg("v").query(con)
    };
    assert_eq!(
        set(&mut as_old).expect_err("it is old").kind(),
        redis::ErrorKind::Server(redis::ServerErrorKind::ResponseError)
    );
    set(&mut plain)?;
    // What expires already still does, and lies in the same store.
    assert_eq!(cmd("HGET").arg("k").arg("f").query::<String>(&mut as_old)?, "v");
    let mut short = cmd("HPEXPIRE");
    short.arg("k").arg(1).arg("FIELDS").arg(1).arg("f").exec(&mut plain)?;
    let start = std::time::Instant::now();
    while cmd("EXISTS").arg("k").query::<bool>(&mut as_old)? {
        assert!(start.elapsed().as_secs() < 20, "it does not expire");
    }
    for (url, problem) in [
        (
            "memory:?as=redis-6.0",
            "the parameter `as` of the URL names a server that the store cannot stand in for; write one of `redis-7.0`, `redis-8.0`, `valkey-8.1`, `valkey-9.1`",
        ),
        ("redis://localhost?as=redis-7.0", "the parameters of the URL include one that is unknown here"),
    ] {
        let error = open(url).expect_err("it is wrong").to_string();
        assert!(error.starts_with(problem), "{error}");
    }
    let mut con = Options::parse("memory:")?.stand_in_for(Server::Redis70).open()?;
    assert!(set(&mut con).is_err());
    Ok(())
}
