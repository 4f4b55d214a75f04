//! What a connection was told, such as its database, is never lost in silence; and no reply is taken for another one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use redis::{Cmd, ConnectionLike, RedisResult, Value, cmd};
use redis_hashmap::{Connection, Error, HashMap, batch, open, open_async};
use redis_hashmap_tests::{AnyError, connection, key, redis_url};

type Test = Result<(), AnyError>;

/// A transaction whose `WATCH` went with its connection is refused, and the next one is carried out.
#[test]
fn a_lost_watch_refuses_the_transaction() -> Test {
    let (mut con, mut other, key) = (open(&redis_url())?, connection()?, key());
    let transaction = |con: &mut Connection, meanwhile: &mut dyn FnMut() -> Test| {
        cmd("WATCH").arg(&*key).exec(con)?;
        let count: Option<i64> = cmd("HGET").arg(&*key).arg("n").query(con)?;
        meanwhile()?;
        let mut pipe = redis::pipe();
        pipe.atomic().hset(&*key, "n", count.unwrap_or(0) + 1);
        Ok::<Option<Vec<i64>>, AnyError>(pipe.query(con)?)
    };
    assert!(transaction(&mut con, &mut || Ok(()))?.is_some());
    let id: i64 = cmd("CLIENT").arg("ID").query(&mut con)?;
    let error = transaction(&mut con, &mut || {
        cmd("HSET").arg(&*key).arg("n").arg(50).exec(&mut other)?;
        assert_eq!(cmd("CLIENT").arg("KILL").arg("ID").arg(id).query::<i64>(&mut other)?, 1);
        // After this long it is looked at before it is used.
        std::thread::sleep(Duration::from_millis(20));
        Ok(())
    });
    let error = error.expect_err("what was watched has changed").to_string();
    assert!(error.contains("the connection that has watched keys was lost"), "{error}");
    assert_eq!(cmd("HGET").arg(&*key).arg("n").query::<i64>(&mut con)?, 50);
    assert!(transaction(&mut con, &mut || Ok(()))?.is_some());
    assert_eq!(cmd("HGET").arg(&*key).arg("n").query::<i64>(&mut con)?, 51);
    // A WATCH that finds its connection closed is sent on the next one, and holds there.
    let id: i64 = cmd("CLIENT").arg("ID").query(&mut con)?;
    cmd("CLIENT").arg("KILL").arg("ID").arg(id).exec(&mut other)?;
    std::thread::sleep(Duration::from_millis(20));
    assert!(transaction(&mut con, &mut || Ok(()))?.is_some());
    HashMap::new(&*key).clear().query(&mut con)?;
    Ok(())
}

/// What would be lost with a connection is refused, with what to do instead.
#[tokio::test]
async fn what_would_be_lost_is_refused() -> Test {
    let (mut con, key) = (open(&redis_url())?, key());
    let mut con_async = open_async(&redis_url()).await?;
    for (command, instead) in [
        (&["SELECT", "1"][..], "put the database into the URL"),
        (&["select", "1"], "put the database into the URL"),
        (&["AUTH", "x"], "put user, password and protocol into the URL"),
        (&["HELLO", "3"], "put user, password and protocol into the URL"),
        (&["MULTI"], "`redis::pipe().atomic()`"),
        (&["RESET"], "drop the connection"),
        (&["QUIT"], "when it is dropped"),
        (&["MONITOR"], "a connection of redis-rs"),
        (&["SUBSCRIBE", "x"], "a connection of redis-rs"),
        (&["PSUBSCRIBE", "x"], "a connection of redis-rs"),
        (&["SSUBSCRIBE", "x"], "a connection of redis-rs"),
        (&["UNSUBSCRIBE", "x", "y"], "a connection of redis-rs"),
        (&["PUNSUBSCRIBE"], "a connection of redis-rs"),
        (&["SUNSUBSCRIBE"], "a connection of redis-rs"),
        (&["PSYNC", "?", "-1"], "a connection of redis-rs"),
        (&["CLIENT", "REPLY", "OFF"], "replies that do not come"),
    ] {
        let cmd = cmd(command[0]).arg(&command[1..]).clone();
        let mut pipeline = redis::pipe();
        pipeline.hlen(&*key).add_command(cmd.clone());
        for error in [
            cmd.exec(&mut con),
            cmd.exec_async(&mut con_async).await,
            pipeline.exec(&mut con),
            pipeline.exec_async(&mut con_async).await,
        ] {
            let error = error.expect_err("it would be lost").to_string();
            assert!(error.contains(instead), "{command:?}: {error}");
        }
    }
    // Behind another command it would not be followed.
    let mut watching = redis::pipe();
    watching.hlen(&*key).cmd("WATCH").arg(&*key);
    assert!(watching.exec(&mut con).is_err_and(|error| error.to_string().contains("by itself")));
    assert!(watching.exec_async(&mut con_async).await.is_err_and(|error| error.to_string().contains("by itself")));
    cmd("CLIENT").arg("SETNAME").arg("x").exec(&mut con)?;
    let mut transaction = redis::pipe();
    transaction.atomic().hset(&*key, "a", 1).hlen(&*key);
    assert_eq!(transaction.query::<(i64, i64)>(&mut con)?, (1, 1));
    assert_eq!(transaction.query_async::<(i64, i64)>(&mut con_async).await?, (0, 1));
    Ok(())
}

/// The same, async: a connection that is used by one task alone can watch.
#[tokio::test]
async fn a_lost_watch_refuses_the_transaction_async() -> Test {
    let (mut con, mut other, key) = (open_async(&redis_url()).await?, connection()?, key());
    for is_cut in [false, true, false] {
        cmd("WATCH").arg(&*key).exec_async(&mut con).await?;
        let count: Option<i64> = cmd("HGET").arg(&*key).arg("n").query_async(&mut con).await?;
        if is_cut {
            let id: i64 = cmd("CLIENT").arg("ID").query_async(&mut con).await?;
            cmd("CLIENT").arg("KILL").arg("ID").arg(id).exec(&mut other)?;
            cmd("HSET").arg(&*key).arg("n").arg(50).exec(&mut other)?;
            tokio::time::sleep(Duration::from_millis(20)).await; // the connection hears of it
        }
        let mut pipe = redis::pipe();
        pipe.atomic().hset(&*key, "n", count.unwrap_or(0) + 1);
        let result = pipe.query_async::<Option<Vec<i64>>>(&mut con).await;
        if is_cut {
            let error = result.expect_err("what was watched has changed").to_string();
            assert!(error.contains("the connection that has watched keys was lost"), "{error}");
        } else {
            assert!(result?.is_some());
        }
    }
    assert_eq!(cmd("HGET").arg(&*key).arg("n").query::<i64>(&mut other)?, 51);
    Ok(())
}

/// Whoever does not get its database gets no connection: it would write to another one.
#[test]
fn a_refused_database_is_an_error() -> Test {
    let (mut con, user) = (connection()?, name());
    cmd("ACL")
        .arg("SETUSER")
        .arg(&user)
        .arg("on")
        .arg(">secret")
        .arg("~*")
        .arg("+@all")
        .arg("-select")
        .exec(&mut con)?;
    let url = redis_url().replacen("redis://", &format!("redis://{user}:secret@"), 1);
    let url = format!("{}/3", url.trim_end_matches('/'));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for error in [open(&url).map(drop), runtime.block_on(open_async(&url)).map(drop)] {
        let error = error.expect_err("the user may not SELECT");
        assert!(matches!(error, Error::Connect { .. }) && error.to_string().contains("NOPERM"), "{error}");
    }
    cmd("ACL").arg("DELUSER").arg(&user).exec(&mut con)?;
    Ok(())
}

/// A server that quotes what it does not know does not get the password into an error, nor a part of it.
#[test]
fn a_login_that_is_quoted_shows_no_password() -> Test {
    let secret = "s3cr3t".repeat(40);
    // Redis cuts what it quotes.
    let quoted = secret[..128].to_owned();
    let quoting = fake(move |connection| {
        let refused = format!("-ERR unknown command 'AUTH', with args beginning with: '{quoted}' \r\n+OK\r\n+OK\r\n");
        connection.write_all(refused.as_bytes())?;
        connection.read(&mut [0; 4096]).map(drop)
    })?;
    let url = format!("redis://:{secret}@{quoting}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for error in [open(&url).map(drop), runtime.block_on(open_async(&url)).map(drop)] {
        let error = error.expect_err("it refuses the login");
        let everything = format!("{error} {error:?} {:?}", error.redis().map(redis_hashmap::RedisFault::redis_error));
        assert!(!everything.contains("s3cr3t") && everything.contains("(ERR)"), "{everything}");
    }
    Ok(())
}

/// The name of something that only this test has.
fn name() -> String {
    key().chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '-' }).collect()
}

/// A server on a free port, which does this with each connection after it has read something.
fn fake(serve: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> Result<String, AnyError> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    std::thread::spawn(move || {
        while let Ok((mut connection, _)) = listener.accept() {
            // A client that goes away ends its connection.
            let _ = connection.read(&mut [0; 4096]).and_then(|_| serve(&mut connection));
        }
    });
    Ok(address)
}

/// Half a reply that nobody has asked for ends the connection: its rest would be taken for the next reply.
#[test]
fn half_a_reply_too_many_is_not_taken_for_the_next() -> Test {
    let begun = std::sync::atomic::AtomicBool::new(false);
    let address = fake(move |connection| {
        connection.write_all(b"+PONG\r\n+OK\r\n+OK\r\n")?;
        if !begun.swap(true, std::sync::atomic::Ordering::SeqCst) {
            connection.write_all(b"$7\r\nsur")?;
        }
        let mut asked = [0; 4096];
        while connection.read(&mut asked)? > 0 {
            connection.write_all(b"$4\r\ntrue\r\n")?;
        }
        Ok(())
    })?;
    let mut con = open(&format!("redis://{address}"))?;
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(cmd("GET").arg("k").query::<String>(&mut con)?, "true");
    Ok(())
}

/// On a runtime of one thread nobody sees between two calls that the server closes the connection; the next call does.
#[test]
fn what_was_closed_while_nothing_ran_is_noticed() -> Test {
    let (mut other, key) = (connection()?, key());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut con = runtime.block_on(open_async(&redis_url()))?;
    for round in 0..10 {
        let id: i64 = runtime.block_on(cmd("CLIENT").arg("ID").query_async(&mut con))?;
        assert_eq!(cmd("CLIENT").arg("KILL").arg("ID").arg(id).query::<i64>(&mut other)?, 1);
        // Before that, a connection is not looked at.
        std::thread::sleep(Duration::from_millis(20));
        runtime.block_on(HashMap::new(&*key).set("round", round).query_async(&mut con))?;
    }
    HashMap::new(&*key).clear().query(&mut other)?;
    Ok(())
}

/// A server that takes no more connections on its Unix socket costs no more than the time-out.
#[cfg(unix)]
#[test]
fn a_full_unix_socket_is_not_waited_for() -> Test {
    let path = std::env::temp_dir().join(format!("redis-hashmap-{}.sock", name()));
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    let mut waiting = Vec::new();
    // Nobody accepts them.
    let url = format!("redis+unix://{}?connect_timeout=200ms", path.display());
    let started = std::time::Instant::now();
    for _ in 0..3 {
        let error = open(&url).expect_err("nobody answers");
        assert!(matches!(error, Error::Connect { .. }), "{error}");
        if waiting.is_empty() {
            // The default backlog of the standard library is 128, and the system's own may be larger.
            let full = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
            let (filling, to) = (std::sync::Arc::clone(&full), path.clone());
            std::thread::spawn(move || {
                while let Ok(stream) = std::os::unix::net::UnixStream::connect(&to) {
                    filling.lock().expect("nothing panics").push(stream);
                }
            });
            let mut count = 0;
            loop {
                std::thread::sleep(Duration::from_millis(50));
                let now = full.lock().expect("nothing panics").len();
                if now == count {
                    break;
                }
                count = now;
            }
            waiting.push(full);
        }
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    drop(listener);
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Sends all to two servers, and returns what one of them answers.
struct Both {
    cons: [Connection; 2],
    counts: usize,
}

impl Both {
    fn each<T>(&mut self, mut send: impl FnMut(&mut Connection) -> RedisResult<T>) -> RedisResult<T> {
        let [first, second] = &mut self.cons;
        let answers = [send(first)?, send(second)?];
        Ok(answers.into_iter().nth(self.counts).expect("there are two"))
    }
}

impl ConnectionLike for Both {
    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        self.each(|con| con.req_command(cmd))
    }

    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.each(|con| con.req_packed_command(cmd))
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        self.each(|con| con.req_packed_commands(cmd, offset, count))
    }

    fn get_db(&self) -> i64 {
        0
    }

    fn check_connection(&mut self) -> bool {
        true
    }

    fn is_open(&self) -> bool {
        true
    }
}

/// A type of the user's between an accessor and a connection decides what is answered, in a batch too.
#[test]
fn what_lies_between_decides_what_is_answered() -> Test {
    let key = key();
    let url = redis_url();
    let urls = ["1", "2"].map(|database| format!("{}/{database}", url.trim_end_matches('/')));
    for counts in [0, 1] {
        let mut cons = [open(&urls[0])?, open(&urls[1])?];
        let map = HashMap::new(&*key);
        for (con, value) in cons.iter_mut().zip(["first", "second"]) {
            map.set("field", value).query(con)?;
        }
        let mut both = Both { cons, counts };
        let expected = ["first", "second"][counts];
        let value = |value: Option<String>| assert_eq!(value.as_deref(), Some(expected));
        let (one, many, size) =
            batch((map.get::<String>("field"), map.get_many::<String, _>(["field", "absent"]), map.size()))
                .query(&mut both)?;
        value(one);
        assert_eq!((many, size), (vec![Some(expected.to_owned()), None], 1));
        value(batch((map.get::<String>("field"),)).query(&mut both)?.0);
        value(map.get::<String>("field").query(&mut both)?);
        for con in &mut both.cons {
            map.clear().query(con)?;
        }
    }
    Ok(())
}
