//! The code of docs/recipes.md as it stands there, the programs around it, and a connection on which something can happen
//! at any moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use redis::{ConnectionLike, RedisResult, Value};
use redis_hashmap::{Blocking, Error, HashMap, RedisHash, batch, key, open};
use redis_hashmap_tests::AnyError;
use serde::{Deserialize, Serialize};

pub(super) type Test = Result<(), AnyError>;

// --- what the page has, but for the connection, on which something can happen between any two calls -----------------

#[derive(RedisHash)]
#[redis_hash(key = "user:{user_id}")]
pub(super) struct User {
    pub(super) name: String,
}

#[derive(RedisHash)]
#[redis_hash(key = "{{user:{user_id}}}:settings")]
pub(super) struct Settings {
    pub(super) theme: String,
    pub(super) font_size: Option<u64>,
}

#[derive(RedisHash, Serialize, Deserialize, PartialEq)]
#[redis_hash(key = "profile:{user_id}")]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) visits: u64,
}

fn split(user_id: u64, con: &mut Connection) -> Result<(), Box<dyn std::error::Error>> {
    let (old, new) = (Settings::at(User::of(user_id).key()), Settings::of(user_id));
    redis::cmd("WATCH").arg(old.key()).exec(con)?;
    let found = old.on(&mut *con).get_partial()?;
    let found = SettingsPatch { theme: found.theme, font_size: found.font_size.map(Some) };
    match batch((new.patch(&found), old.theme().delete(), old.font_size().delete())).atomic().query(con) {
        Err(Error::WatchedKeyChanged) => split(user_id, con),
        moved => Ok(moved.map(drop)?),
    }
}

fn rename(old: &str, new: &str, con: &mut Connection) -> redis::RedisResult<bool> {
    match redis::cmd("RENAMENX").arg(old).arg(new).query(con) {
        Err(_) if !redis::cmd("EXISTS").arg(old).query(con)? => Ok(false),
        moved => moved,
    }
}

fn unpack(user_id: u64, blobs: &str, con: &mut Connection) -> Result<(), Box<dyn std::error::Error>> {
    let blobs = HashMap::<u64, Profile>::typed(blobs);
    redis::cmd("WATCH").arg(blobs.key()).exec(con)?;
    let found = blobs.on(&mut *con).get(&user_id)?;
    let Some(profile) = found else { return Ok(redis::cmd("UNWATCH").exec(con)?) };
    match batch((Profile::of(user_id).set_all(&profile), blobs.delete(&user_id))).atomic().query(con) {
        Err(Error::WatchedKeyChanged) => unpack(user_id, blobs.key(), con),
        moved => Ok(moved.map(drop)?),
    }
}

fn unpack_json(user_id: u64, blobs: &str, con: &mut Connection) -> Result<(), Box<dyn std::error::Error>> {
    redis::cmd("WATCH").arg(blobs).exec(con)?;
    let found: Option<String> = redis::cmd("HGET").arg(blobs).arg(user_id).query(con)?;
    let Some(json) = found else { return Ok(redis::cmd("UNWATCH").exec(con)?) };
    let set = Profile::of(user_id).set_all(&serde_json::from_str(&json)?);
    match batch((set, HashMap::<u64, Profile>::typed(blobs).delete(&user_id))).atomic().query(con) {
        Err(Error::WatchedKeyChanged) => unpack_json(user_id, blobs, con),
        moved => Ok(moved.map(drop)?),
    }
}

fn copy(user_id: u64, blobs: &Blobs, con: &mut Connection) -> Result<(), Error> {
    let mut copied = Ok(());
    blobs.delete_if(&user_id, |profile| {
        copied = Profile::of(user_id).on(&mut *con).set_all(profile);
        copied.is_ok()
    })?;
    copied
}

type Blobs = HashMap<u64, Profile, Blocking<Connection>>;

// --- the attacks ----------------------------------------------------------------------------------------------------

/// What happens before a call is sent, and once it is answered. Its error stands for the end of the program.
pub(super) type Happens = Box<dyn FnMut() -> RedisResult<()> + Send>;

pub(super) struct Connection {
    pub(super) place: String,
    inner: redis_hashmap::Connection,
    happens: Arc<Mutex<Option<Happens>>>,
}

impl Connection {
    pub(super) fn open(place: &str) -> Result<Self, Error> {
        Ok(Self { place: place.to_owned(), inner: open(place)?, happens: Arc::default() })
    }

    /// Another connection of the same program.
    fn again(&self) -> Result<Self, Error> {
        Ok(Self { happens: Arc::clone(&self.happens), ..Self::open(&self.place)? })
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut redis_hashmap::Connection) -> RedisResult<T>) -> RedisResult<T> {
        let happens = || self.happens.lock().unwrap().as_mut().map_or(Ok(()), |happens| happens());
        happens()?;
        let reply = call(&mut self.inner);
        happens()?;
        reply
    }

    /// Does something, in the middle of which something happens. None: it came to its end before that moment.
    pub(super) fn at_moment<T>(
        &mut self,
        moment: usize,
        mut happens: Happens,
        does: impl FnOnce(&mut Self) -> Result<T, AnyError>,
    ) -> Option<Result<T, AnyError>> {
        let mut now = 0..;
        let has_happened = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&has_happened);
        *self.happens.lock().unwrap() = Some(Box::new(move || {
            if now.next() != Some(moment) {
                return Ok(());
            }
            noted.store(true, Ordering::Relaxed);
            happens()
        }));
        let done = does(self);
        *self.happens.lock().unwrap() = None;
        has_happened.load(Ordering::Relaxed).then_some(done)
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        self.call(|con| con.req_packed_command(cmd))
    }

    fn req_packed_commands(&mut self, cmd: &[u8], offset: usize, count: usize) -> RedisResult<Vec<Value>> {
        self.call(|con| con.req_packed_commands(cmd, offset, count))
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }

    fn check_connection(&mut self) -> bool {
        self.inner.check_connection()
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

/// A text and a number, which each recipe moves.
pub(super) type Data = Option<(String, u64)>;

/// What lies in the old place, and what in the new one.
pub(super) type Places = (Data, Data);

/// A recipe, and the programs around it.
pub(super) struct Recipe {
    pub(super) name: &'static str,
    pub(super) run: fn(u64, &mut Connection) -> Test,
    /// The program of before, which knows the old place alone.
    pub(super) store: fn(u64, u64, &mut Connection) -> Test,
    pub(super) read: fn(u64, &mut Connection) -> Result<Places, AnyError>,
    /// Adds 1 as version 1 does, in the old place if it lies there, else in the new one. False: it lies in neither.
    pub(super) add: fn(u64, &mut Connection) -> Result<bool, AnyError>,
    /// Adds 1 in the new place.
    pub(super) add_to_new: fn(u64, &mut Connection) -> Result<bool, AnyError>,
    pub(super) clear: fn(u64, &mut Connection) -> Test,
    /// It moves in one step, so that several may run at once, and version 2 may run.
    pub(super) is_atomic: bool,
    /// What a program stores in the old place again is moved over what lies in the new one.
    pub(super) old_counts: bool,
}

fn blobs(id: u64) -> String {
    key!("profiles:{}", id)
}

pub(super) fn settings(id: u64) -> (String, String) {
    (key!("settings:{}", id), key!("user:{}:settings", id))
}

pub(super) fn rename_key(old: &str, new: &str, con: &mut Connection) -> RedisResult<bool> {
    rename(old, new, con)
}

pub(super) fn data(number: u64) -> Profile {
    Profile { name: format!("number {number}"), visits: number }
}

fn of_partial(found: SettingsPartial) -> Data {
    found.theme.zip(found.font_size)
}

fn of_profile(found: Option<Profile>) -> Data {
    found.map(|profile| (profile.name, profile.visits))
}

fn add(settings: &mut Settings) {
    settings.font_size = settings.font_size.map(|number| number + 1);
}

fn plus_one(profile: &mut Profile) {
    profile.visits += 1;
}

pub(super) const SPLIT: Recipe = Recipe {
    name: "split",
    run: |id, con| split(id, con).map_err(|error| error.to_string().into()),
    store: |id, number, con| {
        User::of(id).on(&mut *con).name().set("Ann")?;
        let record = Settings { theme: data(number).name, font_size: Some(number) };
        Ok(Settings::at(User::of(id).key()).on(con).set_all(&record)?)
    },
    read: |id, con| {
        let old = Settings::at(User::of(id).key()).on(&mut *con).get_partial()?;
        Ok((of_partial(old), of_partial(Settings::of(id).on(con).get_partial()?)))
    },
    add: |id, con| {
        let old = Settings::at(User::of(id).key()).on(&mut *con).font_size().update(|number| *number += 1)?;
        Ok(old.is_some() || Settings::of(id).on(con).font_size().update(|number| *number += 1)?.is_some())
    },
    add_to_new: |id, con| Ok(Settings::of(id).on(con).update(add)?.is_some()),
    clear: |id, con| {
        User::of(id).on(&mut *con).clear()?;
        Settings::of(id).on(con).clear()?;
        Ok(())
    },
    is_atomic: true,
    old_counts: true,
};

pub(super) const RENAME: Recipe = Recipe {
    name: "rename",
    run: |id, con| {
        let (old, new) = settings(id);
        rename(&old, &new, con)?;
        Ok(())
    },
    store: |id, number, con| {
        let record = Settings { theme: data(number).name, font_size: Some(number) };
        Ok(Settings::at(settings(id).0).on(con).set_all(&record)?)
    },
    read: |id, con| {
        let (old, new) = settings(id);
        let old = Settings::at(old).on(&mut *con).get_partial()?;
        Ok((of_partial(old), of_partial(Settings::at(new).on(con).get_partial()?)))
    },
    add: |id, con| {
        let (old, new) = settings(id);
        let added = Settings::at(old).on(&mut *con).update(add)?.is_some();
        Ok(added || Settings::at(new).on(con).update(add)?.is_some())
    },
    add_to_new: |id, con| Ok(Settings::at(settings(id).1).on(con).update(add)?.is_some()),
    clear: |id, con| {
        let (old, new) = settings(id);
        Settings::at(old).on(&mut *con).clear()?;
        Settings::at(new).on(con).clear()?;
        Ok(())
    },
    is_atomic: true,
    old_counts: false,
};

pub(super) const UNPACK: Recipe = Recipe {
    name: "unpack",
    run: |id, con| unpack(id, &blobs(id), con).map_err(|error| error.to_string().into()),
    store: |id, number, con| {
        HashMap::<u64, Profile>::typed(blobs(id)).on(con).set(&id, data(number))?;
        Ok(())
    },
    read: |id, con| {
        let old = HashMap::<u64, Profile>::typed(blobs(id)).on(&mut *con).get(&id)?;
        Ok((of_profile(old), of_profile(Profile::of(id).on(con).get_all()?)))
    },
    add: |id, con| {
        let old = HashMap::<u64, Profile>::typed(blobs(id)).on(&mut *con).update(&id, plus_one)?;
        Ok(old.is_some() || Profile::of(id).on(con).update(plus_one)?.is_some())
    },
    add_to_new: |id, con| Ok(Profile::of(id).on(con).update(plus_one)?.is_some()),
    clear: |id, con| {
        HashMap::new(blobs(id)).on(&mut *con).clear()?;
        Profile::of(id).on(con).clear()?;
        Ok(())
    },
    is_atomic: true,
    old_counts: true,
};

pub(super) const UNPACK_JSON: Recipe = Recipe {
    name: "unpack_json",
    run: |id, con| unpack_json(id, &blobs(id), con).map_err(|error| error.to_string().into()),
    store: |id, number, con| {
        Ok(redis::cmd("HSET").arg(blobs(id)).arg(id).arg(serde_json::to_string(&data(number))?).exec(con)?)
    },
    read: |id, con| {
        let old: Option<String> = redis::cmd("HGET").arg(blobs(id)).arg(id).query(con)?;
        let old = old.map(|json| serde_json::from_str(&json)).transpose()?;
        Ok((of_profile(old), of_profile(Profile::of(id).on(con).get_all()?)))
    },
    // The other program only ever stores: there is no version 1 of it.
    add: |id, con| {
        unpack_json(id, &blobs(id), con).map_err(|error| error.to_string())?;
        (UNPACK_JSON.add_to_new)(id, con)
    },
    ..UNPACK
};

pub(super) const COPY: Recipe = Recipe {
    name: "copy",
    run: |id, con| Ok(copy(id, &HashMap::typed(blobs(id)).on(con.again()?), con)?),
    is_atomic: false,
    ..UNPACK
};

pub(super) const RECIPES: [Recipe; 5] = [SPLIT, RENAME, UNPACK, UNPACK_JSON, COPY];
