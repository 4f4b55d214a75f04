//! The recipes of docs/recipes.md: stopped at each moment, written between each two steps, and run by many programs at once.

mod code;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Barrier;
use std::thread;

use redis_hashmap::{HashMap, key};
use redis_hashmap_tests::{given, key, redis_url};

use code::{
    COPY, Connection, Data, RECIPES, RENAME, Recipe, SPLIT, Settings, Test, UNPACK, User, data, rename_key, settings,
};

/// A user of one test, as `key` is a key of one.
fn user() -> u64 {
    RandomState::new().hash_one(&*key())
}

/// Runs a test of each recipe on a store in memory and on a server, each with a record of its own.
fn on_each_place(test: impl Fn(&Recipe, u64, &mut Connection) -> Test) -> Test {
    for recipe in &RECIPES {
        let id = user();
        for place in [format!("memory:recipes-{id}"), redis_url()] {
            let mut con = Connection::open(&place)?;
            test(recipe, id, &mut con).map_err(|error| format!("{} on {place}: {error}", recipe.name))?;
            (recipe.clear)(id, &mut con)?;
        }
    }
    Ok(())
}

/// What is there when `first` was stored, and was counted on up to `now`.
fn stored(first: u64, now: u64) -> (String, u64) {
    (data(first).name, now)
}

fn function<'t>(text: &'t str, name: &str) -> &'t str {
    let start = text.find(&format!("\nfn {name}(")).unwrap_or_else(|| panic!("there is no fn {name}"));
    let text = &text[start + 1..];
    &text[..text.find("\n}\n").expect("its end") + 2]
}

#[test]
fn the_code_is_that_of_the_page_and_has_ten_lines() {
    let (page, here) = (include_str!("../../docs/recipes.md"), include_str!("recipes/code.rs"));
    for recipe in &RECIPES {
        let code = function(here, recipe.name);
        assert_eq!(function(page, recipe.name), code);
        assert!(code.lines().count() <= 10, "{code}");
    }
}

#[test]
fn what_was_there_is_moved_and_a_second_run_changes_nothing() -> Test {
    on_each_place(|recipe, id, con| {
        (recipe.run)(id, con)?;
        assert_eq!((recipe.read)(id, con)?, (None, None), "{}", recipe.name);
        (recipe.store)(id, 7, con)?;
        assert_eq!((recipe.read)(id, con)?, (Some(stored(7, 7)), None), "{}", recipe.name);
        for _ in 0..2 {
            (recipe.run)(id, con)?;
            assert_eq!((recipe.read)(id, con)?, (None, Some(stored(7, 7))), "{}", recipe.name);
        }
        assert!((recipe.add_to_new)(id, con)?);
        (recipe.run)(id, con)?;
        assert_eq!((recipe.read)(id, con)?, (None, Some(stored(7, 8))), "{}", recipe.name);
        Ok(())
    })
}

/// The fields that stay are those of before, and a field that was never stored is not there afterwards.
#[test]
fn a_split_leaves_what_stays() -> Test {
    let mut con = Connection::open("memory:")?;
    let old = Settings::at(User::of(1).key());
    (SPLIT.store)(1, 7, &mut con)?;
    assert!(old.on(&mut con).font_size().delete()?);
    (SPLIT.run)(1, &mut con)?;
    assert_eq!(User::of(1).on(&mut con).get_fields()?, ["name"]);
    assert_eq!(User::of(1).on(&mut con).name().get()?.as_deref(), Some("Ann"));
    assert_eq!(Settings::of(1).on(&mut con).get_fields()?, ["theme"]);
    // What version 1 has stored meanwhile, where nothing was, stays.
    Settings::of(1).on(&mut con).font_size().set(9)?;
    old.on(&mut con).theme().set("dark")?;
    (SPLIT.run)(1, &mut con)?;
    let settings = Settings::of(1).on(&mut con).get_all()?.ok_or("nothing")?;
    assert_eq!((settings.theme.as_str(), settings.font_size), ("dark", Some(9)));
    Ok(())
}

/// Two records are never made one.
#[test]
fn a_rename_replaces_nothing() -> Test {
    let mut con = Connection::open("memory:")?;
    let (old, new) = settings(1);
    (RENAME.store)(1, 7, &mut con)?;
    assert!(rename_key(&old, &new, &mut con)?);
    assert!(!rename_key(&old, &new, &mut con)?);
    (RENAME.store)(1, 8, &mut con)?;
    assert!(!rename_key(&old, &new, &mut con)?);
    assert_eq!((RENAME.read)(1, &mut con)?, (Some(stored(8, 8)), Some(stored(7, 7))));
    // All that lies at the key is moved, and its time to live.
    Settings::at(&*new).on(&mut con).clear()?;
    HashMap::new(&*old).on(&mut con).set("of another program", 1)?;
    Settings::at(&*old).on(&mut con).expire_in(std::time::Duration::from_secs(1000))?;
    assert!(rename_key(&old, &new, &mut con)?);
    assert_eq!(Settings::at(&*new).on(&mut con).size()?, 3);
    assert!(Settings::at(new).on(&mut con).ttl()?.remaining().is_some());
    Ok(())
}

/// At each moment, with the call not sent or its reply lost.
#[test]
fn stopped_at_any_moment_and_run_again_it_ends_the_same() -> Test {
    on_each_place(|recipe, id, con| {
        for moment in 0.. {
            (recipe.clear)(id, con)?;
            (recipe.store)(id, 3, con)?;
            let stop = || Err(io::Error::other("stopped").into());
            let stopped = con.at_moment(moment, Box::new(stop), |con| (recipe.run)(id, con));
            let (old, new) = (recipe.read)(id, con)?;
            assert!(!recipe.is_atomic || old.is_none() || new.is_none(), "{} at {moment}", recipe.name);
            assert_eq!(old.or(new), Some(stored(3, 3)), "{} at {moment}", recipe.name);
            assert!((recipe.add)(id, con)?);
            (recipe.run)(id, con)?;
            assert_eq!((recipe.read)(id, con)?, (None, Some(stored(3, 4))), "{} at {moment}", recipe.name);
            if stopped.is_none() {
                assert!(moment >= 2, "it was never stopped");
                break;
            }
        }
        Ok(())
    })
}

/// Does something on another connection at each moment of a recipe. `then` is told what is there when it has run again.
fn at_each_moment(
    what: impl Fn(&Recipe) -> Option<fn(&Recipe, u64, &mut Connection) -> Test>,
    then: impl Fn(&Recipe, Data, Data),
) -> Test {
    on_each_place(|recipe, id, con| {
        let Some(what) = what(recipe) else { return Ok(()) };
        for moment in 0.. {
            (recipe.clear)(id, con)?;
            (recipe.store)(id, 1, con)?;
            let (mut other, all) = (Connection::open(&con.place)?, RECIPES);
            let recipe_again = all.into_iter().find(|other| other.name == recipe.name).ok_or("no recipe")?;
            let happens =
                move || what(&recipe_again, id, &mut other).map_err(|error| io::Error::other(error.to_string()).into());
            let Some(done) = con.at_moment(moment, Box::new(happens), |con| (recipe.run)(id, con)) else { break };
            done?;
            (recipe.run)(id, con)?;
            let (old, new) = (recipe.read)(id, con)?;
            then(recipe, old, new);
        }
        Ok(())
    })
}

#[test]
fn what_version_1_writes_meanwhile_is_not_lost() -> Test {
    let add = |recipe: &Recipe, id, con: &mut Connection| {
        assert!((recipe.add)(id, con)?, "it was in neither place");
        Ok(())
    };
    at_each_moment(
        |_| Some(add),
        |recipe, old, new| assert_eq!((old, new), (None, Some(stored(1, 2))), "{}", recipe.name),
    )
}

#[test]
fn what_the_program_of_before_stores_meanwhile_is_not_lost() -> Test {
    let store = |recipe: &Recipe, id, con: &mut Connection| (recipe.store)(id, 2, con);
    at_each_moment(
        |_| Some(store),
        |recipe, old, new| match (recipe.old_counts, old) {
            // It came after the move, and is left where it lies.
            (false, Some(old)) => {
                assert_eq!((Some(old), new), (Some(stored(2, 2)), Some(stored(1, 1))), "{}", recipe.name);
            }
            (_, old) => assert_eq!((old, new), (None, Some(stored(2, 2))), "{}", recipe.name),
        },
    )
}

/// That is not promised of `copy`.
#[test]
fn what_is_removed_meanwhile_does_not_come_back() -> Test {
    let clear = |recipe: &Recipe, id, con: &mut Connection| (recipe.clear)(id, con);
    at_each_moment(
        |recipe| recipe.is_atomic.then_some(clear as _),
        |recipe, old, new| assert_eq!((old, new), (None, None), "{}", recipe.name),
    )
}

/// Between two steps of an operation of version 1, the whole recipe runs.
#[test]
fn version_1_finds_what_is_moved_meanwhile() -> Test {
    on_each_place(|recipe, id, con| {
        for moment in 0.. {
            (recipe.clear)(id, con)?;
            (recipe.store)(id, 1, con)?;
            let (mut other, run) = (Connection::open(&con.place)?, recipe.run);
            let moves = move || run(id, &mut other).map_err(|error| io::Error::other(error.to_string()).into());
            let Some(added) = con.at_moment(moment, Box::new(moves), |con| (recipe.add)(id, con)) else { break };
            assert!(added?, "{} at {moment}", recipe.name);
            assert_eq!((recipe.read)(id, con)?, (None, Some(stored(1, 2))), "{} at {moment}", recipe.name);
        }
        Ok(())
    })
}

/// Programs of version 1, and of version 2 where it may run, count while others move the record: each count is there.
#[test]
fn programs_of_both_versions_lose_no_count() -> Test {
    const PROGRAMS: u64 = 4;
    const COUNTS: u64 = 5;
    on_each_place(|recipe, id, con| {
        let programs: Result<Vec<_>, _> = (0..=PROGRAMS).map(|_| Connection::open(&con.place)).collect();
        let mut programs = programs?;
        for _ in 0..20 {
            (recipe.clear)(id, con)?;
            (recipe.store)(id, 0, con)?;
            let start = Barrier::new(programs.len());
            let work = |number: u64, con: &mut Connection| -> Test {
                start.wait();
                for _ in 0..COUNTS {
                    let added = if number == PROGRAMS {
                        (recipe.run)(id, con).map(|()| true)?
                    } else if number.is_multiple_of(2) && recipe.is_atomic {
                        (recipe.run)(id, con)?;
                        (recipe.add_to_new)(id, con)?
                    } else {
                        (recipe.add)(id, con)?
                    };
                    assert!(added, "{}: it was in neither place", recipe.name);
                }
                Ok(())
            };
            thread::scope(|scope| {
                let spawn = |(number, con)| scope.spawn(move || work(number, con));
                let threads: Vec<_> = (0..).zip(&mut programs).map(spawn).collect();
                threads.into_iter().try_for_each(|thread| thread.join().expect("it does not panic"))
            })?;
            assert_eq!((recipe.read)(id, con)?, (None, Some(stored(0, PROGRAMS * COUNTS))), "{}", recipe.name);
        }
        Ok(())
    })
}

/// What needs one slot is refused where there are two, and changes nothing.
#[test]
fn in_a_cluster() -> Test {
    let nodes = given("REDIS_CLUSTER_NODES");
    let mut con = Connection::open(&format!("redis+cluster://{nodes}/"))?;
    let id = user();

    for recipe in [SPLIT, RENAME, UNPACK] {
        (recipe.store)(id, 1, &mut con)?;
        assert!((recipe.run)(id, &mut con).is_err(), "{}", recipe.name);
        assert_eq!((recipe.read)(id, &mut con)?, (Some(stored(1, 1)), None), "{}", recipe.name);
        (recipe.clear)(id, &mut con)?;
    }

    // On a connection to the master of the slot, in which both keys lie.
    (SPLIT.store)(id, 1, &mut con)?;
    let moved = nodes.split(',').any(|node| {
        let con = Connection::open(&format!("redis://{node}/"));
        (SPLIT.run)(id, &mut con.expect("a node")).is_ok()
    });
    assert!(moved);
    assert_eq!((SPLIT.read)(id, &mut con)?, (None, Some(stored(1, 1))));
    (SPLIT.clear)(id, &mut con)?;

    (RENAME.store)(id, 1, &mut con)?;
    let new = key!("{{settings:{}}}:of:user", id);
    assert!(rename_key(&settings(id).0, &new, &mut con)?);
    assert!(Settings::at(new).on(&mut con).clear()?);

    (COPY.store)(id, 1, &mut con)?;
    (COPY.run)(id, &mut con)?;
    assert_eq!((COPY.read)(id, &mut con)?, (None, Some(stored(1, 1))));
    (COPY.clear)(id, &mut con)
}
