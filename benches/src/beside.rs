//! What others take for one durable write, for the reader.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use redis_hashmap::open;
use rusqlite::Connection;

use crate::Done;
use crate::records::{Profile, profile};
use crate::rounds::{interleaved, shown, times};

pub(crate) fn run() -> Done {
    let folder = std::env::temp_dir().join(format!("redis-hashmap-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = in_folder(&folder);
    fs::remove_dir_all(&folder)?;
    measured
}

fn in_folder(folder: &Path) -> Done {
    let sqlite = Connection::open(folder.join("settings.sqlite"))?;
    sqlite.pragma_update(None, "journal_mode", "WAL")?;
    sqlite.pragma_update(None, "synchronous", "FULL")?;
    sqlite.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID", ())?;
    let mut insert = sqlite.prepare("INSERT OR REPLACE INTO settings VALUES (?1, ?2)")?;
    let mut select = sqlite.prepare("SELECT value FROM settings WHERE name = ?1")?;

    let file = Profile::at("profile:1").on(open(&format!("file:{}", folder.join("settings.redb").display()))?);
    file.set_all(&profile(1))?;

    let mut settings: BTreeMap<String, String> = (0..20).map(|i| (format!("name {i}"), "dark".to_owned())).collect();
    let (place, beside) = (folder.join("settings.json"), folder.join("settings.json.new"));

    let [set, sqlite_set, json_set, get, sqlite_get] = interleaved([
        times(200, |i| file.theme().set(if i % 2 == 0 { "dark" } else { "light" }).map(drop)),
        times(200, |i| insert.execute(("theme", if i % 2 == 0 { "dark" } else { "light" })).map(drop)),
        times(200, |i| {
            settings.insert("theme".to_owned(), if i % 2 == 0 { "dark" } else { "light" }.to_owned());
            let mut new = fs::File::create(&beside)?;
            new.write_all(&serde_json::to_vec(&settings)?)?;
            new.sync_all()?;
            fs::rename(&beside, &place)
        }),
        times(2000, |_| file.theme().get().map(drop)),
        times(2000, |_| select.query_row(["theme"], |row| row.get::<_, String>(0)).map(drop)),
    ])?;
    shown("file: durable set of one field", set.micros(), "us");
    shown("SQLite (WAL, synchronous=FULL): durable set of one row", sqlite_set.micros(), "us");
    shown("a JSON file of 20 settings, rewritten with fsync", json_set.micros(), "us");
    shown("file: get of one field", get.micros(), "us");
    shown("SQLite: get of one row", sqlite_get.micros(), "us");
    Ok(())
}
