//! A user's settings, once with a struct and once with a dynamic map.
//!
//! `cargo run --example user_settings` needs no server: it uses a local file, or the store that `REDIS_URL` names:
//! `redis://…`, `rediss://…`, `redis+cluster://…`, `redis+sentinel://…`, `memory:` or another `file:…`.

use std::error::Error;

use redis_hashmap::{Connection, HashMap, RedisHash};
use serde::{Deserialize, Serialize};

#[derive(RedisHash, Debug, Clone, PartialEq)]
#[redis_hash(key = "example:user:{user_id}:settings")]
struct UserSettings {
    theme: Theme,
    #[redis_hash(default = "en".to_owned())]
    language: String,
    #[redis_hash(default)]
    notifications: bool,
    font_size: Option<u8>,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
enum Theme {
    Light,
    Dark,
}

fn main() -> Result<(), Box<dyn Error>> {
    // The only line that knows where the data lies.
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| local_file());
    let mut con = redis_hashmap::open(&url)?;
    println!("The data lies in {con:?}.");

    let visits = HashMap::<String, u64>::typed("example:visits").on(&mut con);
    let before = visits.get("user_settings")?.unwrap_or(0);
    visits.set("user_settings", before + 1)?;
    println!("This is run number {}: the runs before it have been counted there.", before + 1);

    with_a_struct(&mut con)?;
    with_a_map(&mut con)?;
    Ok(())
}

/// The URL of a file, which the next run finds again.
fn local_file() -> String {
    let file = std::env::temp_dir().join("redis-hashmap-examples.redb");
    println!("REDIS_URL is not set, so no server is used but the file {}.", file.display());
    format!("file:{}", file.display())
}

fn with_a_struct(con: &mut Connection) -> Result<(), redis_hashmap::Error> {
    let settings = UserSettings::of(42).on(con);
    println!("\n# A struct: {}", settings.key());
    settings.clear()?;

    println!("get_all, nothing is stored       {:?}", settings.get_all()?);
    println!("theme.set(Dark), is new          {}", settings.theme().set(Theme::Dark)?);
    println!("theme.set(Light), is new         {}", settings.theme().set(Theme::Light)?);
    println!("font_size.set(14), is new        {}", settings.font_size().set(14)?);
    println!("theme.get                        {:?}", settings.theme().get()?);
    println!("language.get, its default        {:?}", settings.language().get()?);
    println!("language.exists                  {}", settings.language().exists()?);
    println!("get_all                          {:?}", settings.get_all()?);
    println!("font_size.delete, was there      {}", settings.font_size().delete()?);
    println!("font_size.get                    {:?}", settings.font_size().get()?);

    let all = UserSettings { theme: Theme::Dark, language: "de".into(), notifications: true, font_size: None };
    settings.set_all(&all)?;
    println!("set_all, then get_all            {:?}", settings.get_all()?);
    let mut fields = settings.get_fields()?;
    fields.sort();
    println!("get_fields                       {fields:?}");
    println!("size                             {}", settings.size()?);
    println!("clear, there was something       {}", settings.clear()?);
    println!("exists                           {}", settings.exists()?);
    Ok(())
}

fn with_a_map(con: &mut Connection) -> Result<(), redis_hashmap::Error> {
    let settings = HashMap::new("example:user_settings").on(con);
    println!("\n# A dynamic map: {}", settings.key());
    settings.clear()?;

    println!("set theme, is new                {}", settings.set("theme", "dark")?);
    println!("set language, is new             {}", settings.set("language", "en")?);
    println!("set notifications, is new        {}", settings.set("notifications", true)?);
    println!("set font_size, is new            {}", settings.set("font_size", 14_u8)?);

    let theme: Option<String> = settings.get("theme")?;
    println!("get theme as a String            {theme:?}");
    println!("exists language                  {}", settings.exists("language")?);
    let mut everything: Vec<_> = settings.get_all()?.into_iter().collect();
    everything.sort_by(|(a, _), (b, _)| a.cmp(b));
    println!("get_all                          {everything:?}");
    match settings.get::<bool>("font_size") {
        Ok(value) => println!("get font_size as a bool          {value:?}"),
        Err(error) => println!("get font_size as a bool          {error}"),
    }
    println!("delete notifications, was there  {}", settings.delete("notifications")?);
    println!("size                             {}", settings.size()?);
    println!("clear, there was something       {}", settings.clear()?);
    println!("get theme                        {:?}", settings.get::<String>("theme")?);
    Ok(())
}
