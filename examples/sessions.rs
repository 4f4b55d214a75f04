//! Sessions: a record for each, which the server removes half an hour after its last use.
//!
//! `cargo run --example sessions` needs no server: it uses a local file, or the store that `REDIS_URL` names.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use redis_hashmap::{Async, AsyncConnection, HashMap, RedisHash, batch};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The id in the client's cookie. Whoever knows it is logged in, so it has no `Display`, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
struct SessionId(String);

impl SessionId {
    /// Makes an id of 32 bytes from the system's random generator, which nobody can guess.
    fn new() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// The id itself, for the cookie and for nothing else.
    fn secret(&self) -> &str {
        &self.0
    }

    /// What is stored of the id. Keys show up in `MONITOR`, in dumps and in error messages, and nobody can find the id
    /// from its hash.
    fn hashed(&self) -> String {
        hex(&Sha256::digest(&self.0))
    }
}

/// Takes the cookie of a request, whatever it holds.
impl From<String> for SessionId {
    fn from(cookie: String) -> Self {
        Self(cookie)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(key = "{app}:session:{hashed_id}", ttl = "30m", sliding)]
struct Session {
    user: String,
    role: Role,
    #[redis_hash(default)]
    cart: Vec<String>,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
enum Role {
    Customer,
    Admin,
}

#[derive(thiserror::Error, Debug)]
enum Error {
    #[error("there is no such session, or it has ended")]
    NotFound,
    #[error("the system gives no random bytes")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Store(#[from] redis_hashmap::Error),
}

/// All sessions of an application. Its clones share one connection, and many tasks can call its methods at once.
///
/// Each user also has an index: the hashed ids of their sessions, and when each began. It has another key than the
/// sessions, in a cluster perhaps on another server, so no step changes both. Comments say where that matters.
#[derive(Clone)]
struct Sessions {
    con: AsyncConnection,
    app: String,
    /// The age at which a session ends even if it is in use.
    max_age: Duration,
}

/// How long a session may be in the index before it is stored: longer than any request takes.
const STARTING: Duration = Duration::from_secs(60);

impl Sessions {
    /// The keys begin with `app`.
    fn new(con: AsyncConnection, app: &str, max_age: Duration) -> Self {
        Self { con, app: app.to_owned(), max_age }
    }

    fn session(&self, hashed_id: &str) -> SessionHash<Async<AsyncConnection>> {
        Session::of(&self.app, hashed_id).on_async(self.con.clone())
    }

    fn index(&self, user: &str) -> HashMap<String, Timestamp, Async<AsyncConnection>> {
        HashMap::typed(format!("{}:sessions-of:{user}", self.app)).on_async(self.con.clone())
    }

    async fn create(&self, user: &str, role: Role) -> Result<SessionId, Error> {
        let id = SessionId::new()?;
        let created_at = Timestamp::now();
        // The index first: a crash in between leaves an entry that is cleaned up, never a session that is not found.
        let index = self.index(user);
        index.set(&id.hashed(), created_at).await?;
        index.expire_in(self.max_age + STARTING).await?;
        let session = Session { user: user.to_owned(), role, cart: Vec::new(), created_at };
        self.session(&id.hashed()).create(&session).await?;
        Ok(id)
    }

    /// Reads a session and lets it live for another half an hour, in one round trip.
    async fn get(&self, id: &SessionId) -> Result<Session, Error> {
        let session = self.session(&id.hashed()).get_all().await?.ok_or(Error::NotFound)?;
        if session.created_at + self.max_age <= Timestamp::now() {
            self.end(id).await?;
            return Err(Error::NotFound);
        }
        Ok(session)
    }

    /// Changes a session and writes what has changed, if it still exists: a late update does not bring it back. If
    /// several come at the same time, none is lost.
    async fn update(&self, id: &SessionId, change: impl FnMut(&mut Session) + Send) -> Result<Session, Error> {
        self.session(&id.hashed()).update(change).await?.ok_or(Error::NotFound)
    }

    /// Ends a session. Returns true if it existed.
    async fn end(&self, id: &SessionId) -> Result<bool, Error> {
        let session = self.session(&id.hashed());
        let user = session.user().get().await?;
        let ended = session.clear().await?;
        if let Some(user) = user {
            self.index(&user).delete(&id.hashed()).await?;
        }
        Ok(ended)
    }

    /// Ends all current sessions of the user, as after a change of the password. Returns how many there were.
    async fn end_all(&self, user: &str) -> Result<u64, Error> {
        let hashed_ids = self.index(user).get_fields().await?;
        // One round trip for all of them; in a cluster, one for each slot, at the same time.
        let commands: Vec<_> = hashed_ids.iter().map(|id| Session::of(&self.app, id).clear()).collect();
        let ended = batch(commands).query_async(&mut self.con.clone()).await?;
        // A session that is just being created stays in the index.
        let ended = hashed_ids.iter().zip(ended).filter(|(_, ended)| *ended).map(|(id, _)| id);
        Ok(self.index(user).delete_many(ended).await?)
    }

    /// Removes the sessions that no longer exist from a user's index, and returns how many there were. The server
    /// removes the sessions themselves; call this before a user's sessions are listed, or now and then.
    async fn clean_up(&self, user: &str) -> Result<u64, Error> {
        let index = self.index(user);
        let mut entries = index.get_all().await?;
        // A session that is just being created does not exist yet.
        entries.retain(|_, created_at| *created_at + STARTING <= Timestamp::now());
        let hashed_ids: Vec<String> = entries.into_keys().collect();
        // Unlike a read, `exists` does not renew a session.
        let commands: Vec<_> = hashed_ids.iter().map(|id| Session::of(&self.app, id).exists()).collect();
        let exist = batch(commands).query_async(&mut self.con.clone()).await?;
        let gone = hashed_ids.iter().zip(exist).filter(|(_, exists)| !exists).map(|(id, _)| id);
        Ok(index.delete_many(gone).await?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| local_file());
    let con = redis_hashmap::open_async(&url).await?;
    let sessions = Sessions::new(con, "example", Duration::from_secs(12 * 60 * 60));
    // Clears what an interrupted run has left.
    sessions.end_all("ann").await?;
    sessions.index("ann").clear().await?;

    let id = sessions.create("ann", Role::Customer).await?;
    let cookie = id.secret().to_owned();
    println!("create                           {id:?}, {} characters that are not shown", cookie.len());
    let id = SessionId::from(cookie);
    let Session { user, role, cart, .. } = sessions.get(&id).await?;
    println!("get                              {user}, {role:?}, {cart:?}");
    let ttl = sessions.session(&id.hashed()).ttl().await?;
    let minutes = ttl.remaining().unwrap_or_default().as_secs().div_ceil(60);
    println!("it ends unless it is used in     {minutes} minutes");

    let (apples, pears) = tokio::join!(
        sessions.update(&id, |session| session.cart.push("apples".to_owned())),
        sessions.update(&id, |session| session.cart.push("pears".to_owned())),
    );
    apples?;
    pears?;
    let mut cart = sessions.get(&id).await?.cart;
    cart.sort();
    println!("two updates at once              {cart:?}");

    println!("end, it was there                {}", sessions.end(&id).await?);
    match sessions.update(&id, |session| session.role = Role::Admin).await {
        Err(error @ Error::NotFound) => println!("a late update                    {error}"),
        other => println!("a late update                    {other:?}"),
    }

    let creating: Vec<_> = (0..1000)
        .map(|_| {
            let sessions = sessions.clone();
            tokio::spawn(async move { sessions.create("ann", Role::Customer).await })
        })
        .collect();
    for task in creating {
        task.await??;
    }
    println!("create 1000 at once              {} in the index", sessions.index("ann").size().await?);
    println!("end_all                          {}", sessions.end_all("ann").await?);

    // An entry of a session that the server has removed.
    let an_hour_ago = Timestamp::now() - Duration::from_secs(60 * 60);
    sessions.index("ann").set(&SessionId::new()?.hashed(), an_hour_ago).await?;
    println!("clean_up the index               {}", sessions.clean_up("ann").await?);
    Ok(())
}

/// The URL of a file, which the next run finds again.
fn local_file() -> String {
    let file = std::env::temp_dir().join("redis-hashmap-examples.redb");
    println!("REDIS_URL is not set, so no server is used but the file {}.", file.display());
    format!("file:{}", file.display())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    type Test = Result<(), Box<dyn std::error::Error + Send + Sync>>;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    /// Runs a test on the embedded store and on the available servers. No two tests share keys.
    async fn places(test: &str) -> Result<Vec<Sessions>, Error> {
        let app = format!("example-test-{}-{}-{test}", std::process::id(), Timestamp::now().as_nanosecond());
        let servers = ["REDIS_URL", "REDIS_8_URL"].into_iter().filter_map(|name| std::env::var(name).ok());
        let mut places = Vec::new();
        for url in servers.filter(|url| url != "left-out").chain(["memory:".to_owned()]) {
            places.push(Sessions::new(redis_hashmap::open_async(&url).await?, &app, HOUR));
        }
        Ok(places)
    }

    async fn is_gone(sessions: &Sessions, id: &SessionId) -> Test {
        let start = std::time::Instant::now();
        while sessions.session(&id.hashed()).exists().await? {
            assert!(start.elapsed() < Duration::from_secs(20), "it does not expire");
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_session_from_its_creation_to_its_end() -> Test {
        for sessions in places("life").await? {
            let id = sessions.create("ann", Role::Customer).await?;
            assert_eq!(sessions.get(&id).await?.user, "ann");
            let updated = sessions.update(&id, |session| session.role = Role::Admin).await?;
            assert_eq!((updated.role, sessions.get(&id).await?), (Role::Admin, updated));
            assert!(sessions.end(&id).await? && !sessions.end(&id).await?);
            assert!(matches!(sessions.get(&id).await, Err(Error::NotFound)));
            assert!(matches!(sessions.get(&SessionId::new()?).await, Err(Error::NotFound)));
            assert_eq!(sessions.index("ann").size().await?, 0);
        }
        Ok(())
    }

    #[test]
    fn an_id_is_long_new_and_not_shown() -> Test {
        let ids = (0..1000).map(|_| SessionId::new()).collect::<Result<Vec<_>, _>>()?;
        assert!(ids.iter().all(|id| id.0.len() == 64));
        assert_eq!(ids.iter().map(|id| &id.0).collect::<HashSet<_>>().len(), 1000);
        let session = Session::of("app", ids[0].hashed());
        let shown = format!("{:?} {session:?}", ids[0]);
        assert!(shown.contains(&ids[0].hashed()) && !shown.contains(&ids[0].0), "{shown}");
        Ok(())
    }

    #[tokio::test]
    async fn what_is_used_lives_on_and_what_is_not_ends() -> Test {
        for sessions in places("expiry").await? {
            let (used, unused) =
                (sessions.create("ann", Role::Admin).await?, sessions.create("ann", Role::Admin).await?);
            let session = sessions.session(&used.hashed());
            session.expire_in(Duration::from_secs(100)).await?;
            sessions.get(&used).await?;
            assert!(session.ttl().await?.remaining() > Some(Duration::from_secs(1000)));
            sessions.session(&unused.hashed()).expire_in(Duration::from_millis(1)).await?;
            is_gone(&sessions, &unused).await?;
            assert!(matches!(sessions.get(&unused).await, Err(Error::NotFound)));
            // It ends however much it is used.
            let sessions = Sessions { max_age: Duration::ZERO, ..sessions };
            assert!(matches!(sessions.get(&used).await, Err(Error::NotFound)));
            assert!(!session.exists().await?);
            sessions.index("ann").clear().await?;
        }
        Ok(())
    }

    #[tokio::test]
    async fn an_index_is_cleaned_of_what_is_gone() -> Test {
        for sessions in places("index").await? {
            let index = sessions.index("ann");
            let before = Timestamp::now() - 2 * STARTING;
            let (lives, gone) =
                (sessions.create("ann", Role::Admin).await?, sessions.create("ann", Role::Admin).await?);
            index.set_many([(&lives.hashed(), &before), (&gone.hashed(), &before)]).await?;
            // A session that is just being created, or was not because of a crash.
            index.set(&SessionId::new()?.hashed(), Timestamp::now()).await?;
            sessions.session(&gone.hashed()).expire_in(Duration::from_millis(1)).await?;
            is_gone(&sessions, &gone).await?;
            assert_eq!((sessions.clean_up("ann").await?, index.size().await?), (1, 2));
            assert!(index.exists(&lives.hashed()).await?);
            assert_eq!((sessions.end_all("ann").await?, sessions.end_all("ann").await?), (1, 0));
            assert!(matches!(sessions.get(&lives).await, Err(Error::NotFound)));
            assert!(index.ttl().await?.remaining().is_some());
            index.clear().await?;
        }
        Ok(())
    }

    /// 1,000 sessions on one connection, each with two updates at the same time, one of which comes while it ends.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_thousand_at_once() -> Test {
        for sessions in places("thousand").await? {
            let life = async |sessions: Sessions, user: String| {
                let id = sessions.create(&user, Role::Customer).await?;
                let add = |name: &str| {
                    let name = name.to_owned();
                    sessions.update(&id, move |session| session.cart.push(name.clone()))
                };
                let (one, two) = tokio::join!(add("one"), add("two"));
                one?;
                two?;
                let mut cart = sessions.get(&id).await?.cart;
                cart.sort();
                assert_eq!(cart, ["one", "two"]);
                let (ended, late) = tokio::join!(sessions.end(&id), add("three"));
                assert!(ended? && matches!(late, Ok(_) | Err(Error::NotFound)));
                // Whichever came first, the session has ended, and nothing of it has come back.
                assert!(!sessions.session(&id.hashed()).exists().await?);
                assert_eq!(sessions.index(&user).size().await?, 0);
                Ok::<_, Error>(id.0)
            };
            let tasks: Vec<_> = (0..1000).map(|i| tokio::spawn(life(sessions.clone(), format!("user {i}")))).collect();
            let mut ids = HashSet::new();
            for task in tasks {
                ids.insert(task.await??);
            }
            assert_eq!(ids.len(), 1000);
        }
        Ok(())
    }
}
