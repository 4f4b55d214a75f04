//! An HTTP service whose handlers share accessors in axum's `State`.
//!
//! `cargo run --example axum_service` listens on 127.0.0.1:3000, or on `ADDRESS`, and keeps its data in memory, or
//! where `REDIS_URL` says. Then, in another shell:
//!
//! ```sh
//! curl -X PUT localhost:3000/site/theme -H 'content-type: application/json' -d '"dark"'
//! curl localhost:3000/site
//! curl -X PUT localhost:3000/users/42 -H 'content-type: application/json' -d '{"name": "Ann", "language": "de"}'
//! curl localhost:3000/users/42
//! curl -X PATCH localhost:3000/users/42 -H 'content-type: application/json' -d '{"language": null}'
//! curl -X PATCH localhost:3000/users/42 -H 'content-type: application/json' -d '{"preferences": {"newsletter": true}}'
//! curl 'localhost:3000/users?ids=41,42'
//! curl -X POST localhost:3000/sessions -H 'content-type: application/json' -d '{"user": 42, "minutes": 10}'
//! ```

use std::error::Error;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use redis_hashmap::{Async, AsyncConnection, Batch, Counter, HashMap, RedisHash};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The settings of the whole service: one record.
#[derive(RedisHash, Serialize, Debug, PartialEq)]
#[redis_hash(key = "example:site")]
struct Site {
    #[redis_hash(default)]
    theme: Theme,
    #[redis_hash(default = "Welcome!".to_owned())]
    greeting: String,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Default)]
#[serde(rename_all = "lowercase")]
enum Theme {
    #[default]
    Light,
    Dark,
}

/// A record for each user.
#[derive(RedisHash, Serialize, Deserialize, Debug, PartialEq)]
#[redis_hash(key = "example:user:{user_id}")]
struct User {
    name: String,
    language: Option<String>,
    /// A PATCH changes parts of it.
    #[redis_hash(merge, default)]
    #[serde(default)]
    preferences: Preferences,
}

#[derive(Serialize, Deserialize, Debug, PartialEq, Default)]
#[serde(default)]
struct Preferences {
    font_size: Option<u8>,
    newsletter: bool,
}

/// A session. Whoever starts it says how long it lives.
#[derive(RedisHash, Serialize, Debug, PartialEq)]
#[redis_hash(key = "example:session:{id}")]
struct Session {
    user: u64,
}

/// What all handlers share. Cloning it only counts references.
#[derive(Clone)]
struct App {
    con: AsyncConnection,
    site: SiteHash<Async<AsyncConnection>>,
    visits: HashMap<String, Counter, Async<AsyncConnection>>,
}

impl App {
    async fn open(url: &str) -> Result<Self, redis_hashmap::Error> {
        let con = redis_hashmap::open_async(url).await?;
        let visits = HashMap::typed("example:visits");
        Ok(Self { site: Site::of().on_async(con.clone()), visits: visits.on_async(con.clone()), con })
    }

    /// The record of one user. No I/O.
    fn user(&self, id: u64) -> UserHash<Async<AsyncConnection>> {
        User::of(id).on_async(self.con.clone())
    }
}

fn router(app: App) -> Router {
    Router::new()
        .route("/site", get(site))
        .route("/site/theme", get(theme).put(set_theme))
        .route("/users", get(users))
        .route("/users/{id}", get(user).put(set_user).patch(change_user).delete(forget_user))
        .route("/users/{id}/language", put(set_language))
        .route("/sessions", post(start_session))
        .route("/sessions/{id}", get(session))
        .with_state(app)
}

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    site: Site,
    visits: i64,
}

/// HINCRBY and HMGET, two round trips at the same time.
async fn site(State(app): State<App>) -> Result<Json<Page>, Failure> {
    let (visits, site) = tokio::join!(app.visits.increment("site", 1), app.site.get_or_default());
    Ok(Json(Page { site: site?, visits: visits? }))
}

async fn theme(State(app): State<App>) -> Result<Json<Theme>, Failure> {
    Ok(Json(app.site.theme().get().await?))
}

async fn set_theme(State(app): State<App>, Json(theme): Json<Theme>) -> Result<StatusCode, Failure> {
    app.site.theme().set(theme).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn user(State(app): State<App>, Path(id): Path<u64>) -> Result<Json<User>, Failure> {
    app.user(id).get_all().await?.map(Json).ok_or(Failure::NotFound)
}

async fn set_user(State(app): State<App>, Path(id): Path<u64>, Json(user): Json<User>) -> Result<StatusCode, Failure> {
    app.user(id).set_all(&user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the fields and the preferences that the body names, and no other.
async fn change_user(
    State(app): State<App>,
    Path(id): Path<u64>,
    Json(patch): Json<UserPatch>,
) -> Result<StatusCode, Failure> {
    if app.user(id).merge_if_present(&patch).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::NotFound) }
}

#[derive(Deserialize)]
struct Ids {
    ids: String,
}

#[derive(Serialize)]
struct Listed {
    id: u64,
    user: Option<User>,
    /// Why the user cannot be read.
    problem: Option<String>,
}

/// Reads all users in one round trip. One damaged record does not hide the others.
async fn users(State(mut app): State<App>, Query(Ids { ids }): Query<Ids>) -> Result<Json<Vec<Listed>>, Failure> {
    let ids: Vec<u64> = ids.split(',').filter_map(|id| id.parse().ok()).collect();
    let gets = ids.iter().map(|id| User::of(id).get_all()).collect::<Batch<_>>();
    let each = gets.query_each_async(&mut app.con).await?;
    let listed = |(id, user): (&u64, Result<_, redis_hashmap::Error>)| match user {
        Ok(user) => Listed { id: *id, user, problem: None },
        Err(error) => Listed { id: *id, user: None, problem: Some(error.to_string()) },
    };
    Ok(Json(ids.iter().zip(each).map(listed).collect()))
}

#[derive(Deserialize)]
struct Start {
    user: u64,
    minutes: u64,
}

/// Creates the session and sets its time to live in one step.
async fn start_session(State(app): State<App>, Json(start): Json<Start>) -> Result<Json<String>, Failure> {
    let id = format!("{:032x}", u128::from_le_bytes(random()));
    let ttl = Duration::from_secs(start.minutes.saturating_mul(60));
    Session::of(&id).with_ttl(ttl).on_async(app.con).create(&Session { user: start.user }).await?;
    Ok(Json(id))
}

/// An id that nobody can guess.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}

async fn session(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Session>, Failure> {
    Session::of(id).on_async(app.con).get_all().await?.map(Json).ok_or(Failure::NotFound)
}

/// Updates the record instead of setting the field, so that a user who was deleted does not come back in parts.
async fn set_language(
    State(app): State<App>,
    Path(id): Path<u64>,
    Json(language): Json<String>,
) -> Result<Json<User>, Failure> {
    let updated = app.user(id).update(|user| user.language = Some(language.clone())).await?;
    updated.map(Json).ok_or(Failure::NotFound)
}

async fn forget_user(State(app): State<App>, Path(id): Path<u64>) -> Result<StatusCode, Failure> {
    if app.user(id).clear().await? { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::NotFound) }
}

/// Why a handler failed.
enum Failure {
    NotFound,
    Store(redis_hashmap::Error),
}

impl From<redis_hashmap::Error> for Failure {
    fn from(error: redis_hashmap::Error) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self::Store(error) = self else { return StatusCode::NOT_FOUND.into_response() };
        // It names the key and the field, and no value.
        eprintln!("{error}");
        let status = match error {
            error if error.is_rejected_input() => StatusCode::BAD_REQUEST,
            error if error.is_transient() || error.may_have_been_applied() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        status.into_response()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "memory:".to_owned());
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let app = App::open(&url).await?;
    let listener = TcpListener::bind(&address).await?;
    println!("The data lies in {:?}.", app.con);
    println!("Listening on http://{}/site", listener.local_addr()?);
    axum::serve(listener, router(app)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use serde_json::{Value, json};

    use super::*;

    type Test = Result<(), Box<dyn Error + Send + Sync>>;

    /// A client of a service on a port of its own.
    struct Client {
        base: String,
    }

    impl Client {
        async fn of(app: App) -> Result<Self, Box<dyn Error + Send + Sync>> {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let base = format!("http://{}", listener.local_addr()?);
            tokio::spawn(async move { axum::serve(listener, router(app)).await });
            Ok(Self { base })
        }

        /// The status and the body of a response.
        async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Result<(u16, Value), ureq::Error> {
            let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
            let request = request.header("content-type", "application/json");
            let request = request.body(body.map_or_else(String::new, |body| body.to_string()))?;
            let config = ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
            let agent: ureq::Agent = config.build().into();
            let sending = tokio::task::spawn_blocking(move || {
                let mut response = agent.run(request)?;
                let body = response.body_mut().read_to_string()?;
                Ok((response.status().as_u16(), serde_json::from_str(&body).unwrap_or_default()))
            });
            sending.await.expect("sending does not panic")
        }
    }

    /// Runs a test in memory and at `REDIS_URL`, with users and a site that no other test has.
    async fn services() -> Result<Vec<(App, Client)>, Box<dyn Error + Send + Sync>> {
        let mut urls = vec!["memory:".to_owned()];
        urls.extend(std::env::var("REDIS_URL"));
        let mut services = Vec::new();
        for url in urls {
            let mut app = App::open(&url).await?;
            let key = format!("example:test:{}:{:?}", std::process::id(), std::thread::current().id());
            app.site = Site::at(format!("{key}:site")).on_async(app.con.clone());
            app.visits = HashMap::typed(format!("{key}:visits")).on_async(app.con.clone());
            services.push((app.clone(), Client::of(app).await?));
        }
        Ok(services)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_site_is_set_and_visits_are_counted() -> Test {
        for (app, client) in services().await? {
            let first = json!({"theme": "light", "greeting": "Welcome!", "visits": 1});
            assert_eq!(client.send("GET", "/site", None).await?, (200, first));
            assert_eq!(client.send("PUT", "/site/theme", Some(json!("dark"))).await?.0, 204);
            assert_eq!(client.send("GET", "/site/theme", None).await?, (200, json!("dark")));
            assert_eq!(client.send("PUT", "/site/theme", Some(json!("blue"))).await?.0, 422);
            let second = json!({"theme": "dark", "greeting": "Welcome!", "visits": 2});
            assert_eq!(client.send("GET", "/site", None).await?, (200, second));
            assert!(app.site.clear().await? && app.visits.clear().await?);
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_user_is_kept_changed_and_forgotten() -> Test {
        for (_, client) in services().await? {
            let path = format!("/users/{}", u64::from(std::process::id()) << 32);
            assert_eq!(client.send("GET", &path, None).await?.0, 404);
            let preferences = json!({"font_size": 14, "newsletter": false});
            let ann = json!({"name": "Ann", "language": null, "preferences": preferences});
            assert_eq!(client.send("PUT", &path, Some(ann.clone())).await?.0, 204);
            assert_eq!(client.send("GET", &path, None).await?, (200, ann));
            let german = json!({"name": "Ann", "language": "de", "preferences": preferences});
            let language = format!("{path}/language");
            assert_eq!(client.send("PUT", &language, Some(json!("de"))).await?, (200, german));
            assert_eq!(client.send("DELETE", &path, None).await?.0, 204);
            assert_eq!(client.send("PUT", &language, Some(json!("fr"))).await?.0, 404);
            assert_eq!(client.send("DELETE", &path, None).await?.0, 404);
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_patch_changes_what_it_names() -> Test {
        for (app, client) in services().await? {
            let id = (u64::from(std::process::id()) << 32) + 1;
            let path = format!("/users/{id}");
            assert_eq!(client.send("PATCH", &path, Some(json!({"name": "Ann"}))).await?.0, 404);
            client.send("PUT", &path, Some(json!({"name": "Ann", "language": "de"}))).await?;
            assert_eq!(client.send("PATCH", &path, Some(json!({"language": null}))).await?.0, 204);
            let larger = json!({"preferences": {"font_size": 20}});
            assert_eq!(client.send("PATCH", &path, Some(larger)).await?.0, 204);
            let subscribed = json!({"preferences": {"newsletter": true}});
            assert_eq!(client.send("PATCH", &path, Some(subscribed)).await?.0, 204);
            let preferences = json!({"font_size": 20, "newsletter": true});
            let ann = json!({"name": "Ann", "language": null, "preferences": preferences});
            assert_eq!(client.send("GET", &path, None).await?, (200, ann.clone()));
            // What the body says is wrong: serde refuses the one, and the other does not make preferences.
            assert_eq!(client.send("PATCH", &path, Some(json!({"name": 1}))).await?.0, 422);
            let wrong = json!({"name": "Bob", "preferences": {"font_size": "large"}});
            assert_eq!(client.send("PATCH", &path, Some(wrong)).await?.0, 400);
            assert_eq!(client.send("GET", &path, None).await?, (200, ann));
            app.user(id).clear().await?;
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_damaged_user_does_not_hide_the_others() -> Test {
        for (mut app, client) in services().await? {
            let first = (u64::from(std::process::id()) << 32) + 10;
            for id in first..first + 3 {
                client.send("PUT", &format!("/users/{id}"), Some(json!({"name": "Ann", "language": null}))).await?;
            }
            let damaged = app.user(first + 1).key().to_owned();
            redis::cmd("HSET").arg(damaged).arg("name").arg("secret").exec_async(&mut app.con).await?;
            let path = format!("/users?ids={},{},{},{}", first, first + 1, first + 2, first + 3);
            let (status, listed) = client.send("GET", &path, None).await?;
            assert_eq!((status, listed.as_array().map(Vec::len)), (200, Some(4)));
            for present in [0, 2] {
                assert_eq!(listed[present]["user"]["name"], "Ann");
                assert!(listed[present]["problem"].is_null());
            }
            let problem = listed[1]["problem"].as_str().unwrap_or_default();
            assert!(problem.contains("field \"name\"") && !problem.contains("secret"), "{problem}");
            assert!(listed[3]["user"].is_null() && listed[3]["problem"].is_null());
            for id in first..first + 3 {
                app.user(id).clear().await?;
            }
        }
        Ok(())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_lives_as_long_as_it_was_asked_to() -> Test {
        for (app, client) in services().await? {
            let (status, id) = client.send("POST", "/sessions", Some(json!({"user": 42, "minutes": 10}))).await?;
            let id = id.as_str().unwrap_or_default();
            assert_eq!((status, id.len()), (200, 32));
            assert_eq!(client.send("GET", &format!("/sessions/{id}"), None).await?, (200, json!({"user": 42})));
            let session = Session::of(id).on_async(app.con);
            let left = session.ttl().await?.remaining().unwrap_or_default();
            assert!(left > Duration::from_secs(500) && left <= Duration::from_secs(600), "{left:?}");
            session.clear().await?;
            // What the caller gave is the caller's fault.
            assert_eq!(client.send("POST", "/sessions", Some(json!({"user": 42, "minutes": 0}))).await?.0, 400);
            assert_eq!(client.send("GET", "/sessions/0", None).await?.0, 404);
        }
        Ok(())
    }

    /// A hundred requests at once, on one connection.
    #[tokio::test(flavor = "multi_thread")]
    async fn no_visit_is_lost() -> Test {
        for (app, client) in services().await? {
            let requests = (0..100).map(|_| client.send("GET", "/site", None));
            for response in futures_util::future::join_all(requests).await {
                assert_eq!(response?.0, 200);
            }
            assert_eq!(app.visits.get("site").await?, Some(100));
            app.visits.clear().await?;
        }
        Ok(())
    }

    /// Another program has stored something else: the client learns that the request failed, but not what is stored.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_read_is_an_error_without_the_value() -> Test {
        for (mut app, client) in services().await? {
            let key = app.site.key().to_owned();
            redis::cmd("HSET").arg(key).arg("theme").arg("secret").exec_async(&mut app.con).await?;
            assert_eq!(client.send("GET", "/site", None).await?, (500, Value::Null));
            assert_eq!(client.send("PUT", "/site/theme", Some(json!("light"))).await?.0, 204);
            assert_eq!(client.send("GET", "/site", None).await?.0, 200);
            app.site.clear().await?;
            app.visits.clear().await?;
        }
        Ok(())
    }
}
