//! User profiles: one map, a field per user, updates that merge.
//!
//! `cargo run --example user_profiles` needs no server: it uses a local file, or the store that `REDIS_URL` names.

use jiff::Timestamp;
use redis_hashmap::{Blocking, Connection, HashMap};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Profile {
    name: String,
    email: String,
    preferences: Preferences,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Preferences {
    theme: Theme,
    notifications: bool,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Theme {
    Light,
    Dark,
}

/// The changes to a profile, as in the body of a PATCH request. What is missing stays as it is.
#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default, deny_unknown_fields)]
struct ProfilePatch {
    name: Option<String>,
    email: Option<String>,
    preferences: PreferencesPatch,
}

#[derive(Deserialize, Debug, Clone, Default)]
#[serde(default, deny_unknown_fields)]
struct PreferencesPatch {
    theme: Option<Theme>,
    notifications: Option<bool>,
}

impl ProfilePatch {
    fn apply(&self, profile: &mut Profile) {
        replace(&mut profile.name, self.name.as_ref());
        replace(&mut profile.email, self.email.as_ref());
        replace(&mut profile.preferences.theme, self.preferences.theme.as_ref());
        replace(&mut profile.preferences.notifications, self.preferences.notifications.as_ref());
    }
}

fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}

#[derive(thiserror::Error, Debug)]
enum Error {
    #[error("user {0:?} has a profile already")]
    Exists(String),
    #[error("user {0:?} has no profile")]
    NotFound(String),
    #[error(transparent)]
    Store(#[from] redis_hashmap::Error),
}

/// The profiles of all users, in one hash. Each thread makes one, with a connection of its own.
struct Profiles {
    map: HashMap<String, Profile, Blocking<Connection>>,
}

impl Profiles {
    fn new(con: Connection, key: &str) -> Self {
        Self { map: HashMap::typed(key).on(con) }
    }

    /// `HSETNX`: if two create a profile for one user at the same time, one succeeds.
    fn create(&self, user: &str, name: &str, email: &str, preferences: Preferences) -> Result<Profile, Error> {
        let now = Timestamp::now();
        let (name, email) = (name.to_owned(), email.to_owned());
        let profile = Profile { name, email, preferences, created_at: now, updated_at: now };
        if self.map.set_if_absent(user, &profile)? { Ok(profile) } else { Err(Error::Exists(user.to_owned())) }
    }

    fn get(&self, user: &str) -> Result<Profile, Error> {
        self.map.get(user)?.ok_or_else(|| Error::NotFound(user.to_owned()))
    }

    /// Merges the patch into what is stored. If somebody else has written meanwhile, that is read and merged again, so
    /// neither change is lost, and a profile that is deleted meanwhile stays deleted.
    fn update(&self, user: &str, patch: &ProfilePatch) -> Result<Profile, Error> {
        let updated = self.map.update(user, |profile| {
            patch.apply(profile);
            // The clocks of two writers can differ. This keeps the time from running backwards.
            profile.updated_at = Timestamp::now().max(profile.updated_at);
        })?;
        updated.ok_or_else(|| Error::NotFound(user.to_owned()))
    }

    /// All profiles, in the order of their users. For very many, `self.map.iter()` reads them page by page.
    fn list(&self) -> Result<Vec<(String, Profile)>, Error> {
        let mut profiles: Vec<_> = self.map.get_all()?.into_iter().collect();
        profiles.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(profiles)
    }

    /// Deletes a profile and returns it.
    fn delete(&self, user: &str) -> Result<Profile, Error> {
        self.map.take(user)?.ok_or_else(|| Error::NotFound(user.to_owned()))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| local_file());
    let profiles = Profiles::new(redis_hashmap::open(&url)?, "example:user_profiles");
    // Clears what an interrupted run has left.
    profiles.map.clear()?;

    let dark = Preferences { theme: Theme::Dark, notifications: true };
    let ann = profiles.create("ann", "Ann", "ann@example.com", dark.clone())?;
    println!("create ann                       {:?}", ann.preferences);
    match profiles.create("ann", "Another Ann", "ann@example.org", dark.clone()) {
        Err(error @ Error::Exists(_)) => println!("create ann again                 {error}"),
        other => println!("create ann again                 {other:?}"),
    }
    profiles.create("bob", "Bob", "bob@example.com", dark)?;

    let body = r#"{"preferences": {"theme": "light"}}"#;
    let ann = profiles.update("ann", &serde_json::from_str(body)?)?;
    println!("update ann {body}");
    println!("    the theme is new             {:?}", ann.preferences);
    println!("    the rest is as it was        {} <{}>", ann.name, ann.email);
    println!("    it is a later time           {}", ann.updated_at > ann.created_at);

    // Two writers at the same time, which share the connection: the second merges into what the first has written.
    let bodies = [r#"{"preferences": {"theme": "dark"}}"#, r#"{"preferences": {"notifications": false}}"#];
    let write = |body| -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        profiles.update("ann", &serde_json::from_str(body)?)?;
        Ok(())
    };
    std::thread::scope(|scope| {
        let writers = bodies.map(|body| scope.spawn(move || write(body)));
        writers.into_iter().try_for_each(|writer| writer.join().map_err(|_| "a writer has panicked")?)
    })?;
    println!("two updates of ann at once       {:?}", profiles.get("ann")?.preferences);

    println!("list                             {}", names(&profiles.list()?));
    println!("delete bob                       {}", profiles.delete("bob")?.name);
    match profiles.get("bob") {
        Err(error @ Error::NotFound(_)) => println!("get bob                          {error}"),
        other => println!("get bob                          {other:?}"),
    }
    println!("list                             {}", names(&profiles.list()?));
    profiles.map.clear()?;
    Ok(())
}

fn names(profiles: &[(String, Profile)]) -> String {
    let users: Vec<_> = profiles.iter().map(|(user, profile)| format!("{user}: {}", profile.name)).collect();
    users.join(", ")
}

/// The URL of a file, which the next run finds again.
fn local_file() -> String {
    let file = std::env::temp_dir().join("redis-hashmap-examples.redb");
    println!("REDIS_URL is not set, so no server is used but the file {}.", file.display());
    format!("file:{}", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens one store again and again, with a key that no other test has.
    struct Place(String);

    impl Place {
        fn new(test: &str) -> (Self, Profiles) {
            let place = Self(format!("example-test:{}:{}:{test}", std::process::id(), Timestamp::now()));
            let profiles = place.open();
            (place, profiles)
        }

        fn open(&self) -> Profiles {
            let url = std::env::var("REDIS_URL").unwrap_or_else(|_| format!("memory:{}", self.0));
            Profiles::new(redis_hashmap::open(&url).unwrap(), &self.0)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            self.open().map.clear().unwrap();
        }
    }

    fn light() -> Preferences {
        Preferences { theme: Theme::Light, notifications: true }
    }

    fn patch(body: &str) -> ProfilePatch {
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn a_profile_from_its_creation_to_its_end() -> Result<(), Error> {
        let (_place, profiles) = Place::new("life");
        let created = profiles.create("ann", "Ann", "ann@example.com", light())?;
        assert_eq!(profiles.get("ann")?, created);
        assert!(matches!(profiles.create("ann", "X", "x", light()), Err(Error::Exists(user)) if user == "ann"));
        let updated =
            profiles.update("ann", &patch(r#"{"email": "a@example.com", "preferences": {"theme": "dark"}}"#))?;
        assert!(updated.updated_at >= created.updated_at);
        let preferences = Preferences { theme: Theme::Dark, notifications: true };
        let expected =
            Profile { email: "a@example.com".to_owned(), preferences, updated_at: updated.updated_at, ..created };
        assert_eq!(updated, expected);
        assert_eq!(profiles.list()?, [("ann".to_owned(), expected.clone())]);
        assert_eq!(profiles.delete("ann")?, expected);
        assert_eq!(profiles.list()?, []);
        Ok(())
    }

    #[test]
    fn what_is_not_there_is_not_made_by_an_update() {
        let (_place, profiles) = Place::new("absent");
        assert!(matches!(profiles.update("ann", &patch(r#"{"name": "Ann"}"#)), Err(Error::NotFound(_))));
        assert!(matches!(profiles.get("ann"), Err(Error::NotFound(_))));
        assert!(matches!(profiles.delete("ann"), Err(Error::NotFound(_))));
    }

    #[test]
    fn a_patch_with_an_unknown_name_is_refused() {
        assert!(serde_json::from_str::<ProfilePatch>(r#"{"preferences": {"colour": "red"}}"#).is_err());
    }

    #[test]
    fn of_many_who_create_one_profile_one_succeeds() {
        let (place, _profiles) = Place::new("create");
        let create = || place.open().create("ann", "Ann", "ann@example.com", light());
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(results.iter().all(|result| matches!(result, Ok(_) | Err(Error::Exists(_)))));
    }

    /// Two writers change different preferences, in many rounds: both changes survive in each.
    #[test]
    fn two_writers_lose_nothing() -> Result<(), Error> {
        let (place, profiles) = Place::new("merge");
        profiles.create("ann", "Ann", "ann@example.com", light())?;
        for round in 0..50 {
            let (theme, notifications) = if round % 2 == 0 { ("dark", false) } else { ("light", true) };
            let bodies = [
                format!(r#"{{"preferences": {{"theme": "{theme}"}}}}"#),
                format!(r#"{{"preferences": {{"notifications": {notifications}}}}}"#),
            ];
            std::thread::scope(|scope| {
                let writers = bodies.each_ref().map(|body| scope.spawn(|| place.open().update("ann", &patch(body))));
                writers.into_iter().try_for_each(|writer| writer.join().unwrap().map(drop))
            })?;
            let found = profiles.get("ann")?.preferences;
            assert_eq!(format!("{:?}", found.theme).to_lowercase(), theme);
            assert_eq!(found.notifications, notifications);
        }
        Ok(())
    }
}
