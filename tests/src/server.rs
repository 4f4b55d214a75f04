//! A server of its own for a test that kills it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::cmd;

use crate::cluster::port;
use crate::{AnyError, key};

/// A server on loopback that keeps what it acknowledges (`appendfsync always`), also when it is killed. It is stopped when it is
/// dropped.
pub struct Server {
    process: Child,
    port: u16,
    args: Vec<String>,
    dir: PathBuf,
}

impl Server {
    /// Starts a server with these arguments besides its own.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub fn start(args: &[&str]) -> Result<Self, AnyError> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let dir = std::env::temp_dir().join(key().replace('/', "-"));
        std::fs::create_dir_all(&dir)?;
        for _ in 0..50 {
            let port = port();
            let mut server = Self { process: spawn(port, &args, &dir)?, port, args: args.clone(), dir: dir.clone() };
            if server.wait().is_ok() {
                return Ok(server);
            }
        }
        Err("redis-server does not start".into())
    }

    /// Kills it with SIGKILL, and starts it again with what it has kept.
    ///
    /// # Errors
    ///
    /// Fails if it does not start again.
    pub fn kill_and_restart(&mut self) -> Result<(), AnyError> {
        self.process.kill()?;
        self.process.wait()?;
        self.process = spawn(self.port, &self.args, &self.dir)?;
        self.wait()
    }

    fn wait(&mut self) -> Result<(), AnyError> {
        let start = Instant::now();
        let is_ours = format!("process_id:{}\r", self.process.id());
        while start.elapsed() < Duration::from_secs(20) && self.process.try_wait()?.is_none() {
            let info = self.connect().and_then(|mut con| cmd("INFO").arg("server").query::<String>(&mut con));
            // The port may have been taken; then another process answers. One that loads its data refuses all else.
            let is_ready = || self.connect().is_ok_and(|mut con| cmd("PING").exec(&mut con).is_ok());
            if info.is_ok_and(|info| info.contains(&is_ours)) && is_ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("redis-server does not start".into())
    }

    /// A connection of redis-rs.
    ///
    /// # Errors
    ///
    /// Fails if the server does not answer.
    pub fn connect(&self) -> redis::RedisResult<redis::Connection> {
        redis::Client::open(format!("redis://{}", self.address()))?.get_connection_with_timeout(Duration::from_secs(2))
    }

    /// Where it listens, such as `127.0.0.1:6379`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended; and nobody minds a folder that stays.
        let _ = (self.process.kill(), self.process.wait(), std::fs::remove_dir_all(&self.dir));
    }
}

fn spawn(port: u16, args: &[String], dir: &PathBuf) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
        .args(["--appendonly", "yes", "--appendfsync", "always"])
        .args(args)
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// A Sentinel that names one master, whatever becomes of that. It is stopped when it is dropped.
pub struct Sentinel {
    process: Child,
    port: u16,
    dir: PathBuf,
}

impl Sentinel {
    /// Starts a Sentinel for a master at this address, `mymaster`.
    ///
    /// # Errors
    ///
    /// Fails if it does not start.
    pub fn start(master: std::net::SocketAddr) -> Result<Self, AnyError> {
        let dir = std::env::temp_dir().join(key().replace('/', "-"));
        std::fs::create_dir_all(&dir)?;
        let config = dir.join("sentinel.conf");
        for _ in 0..50 {
            let port = port();
            std::fs::write(
                &config,
                format!(
                    "sentinel monitor mymaster {} {} 1\nsentinel down-after-milliseconds mymaster 3600000\n",
                    master.ip(),
                    master.port()
                ),
            )?;
            let process = Command::new("redis-server")
                .arg(&config)
                .args(["--sentinel", "--bind", "127.0.0.1", "--port", &port.to_string()])
                .current_dir(&dir)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            let mut sentinel = Self { process, port, dir: dir.clone() };
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(20) && sentinel.process.try_wait()?.is_none() {
                let con = redis::Client::open(format!("redis://{}", sentinel.address()))
                    .and_then(|client| client.get_connection_with_timeout(Duration::from_secs(2)));
                let info = con.and_then(|mut con| cmd("INFO").query::<String>(&mut con));
                let is_ours = format!("process_id:{}\r", sentinel.process.id());
                if info.is_ok_and(|info| info.contains(&is_ours) && info.contains("name=mymaster")) {
                    return Ok(sentinel);
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Err("the Sentinel does not start".into())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        // It may have ended; and nobody minds a folder that stays.
        let _ = (self.process.kill(), self.process.wait(), std::fs::remove_dir_all(&self.dir));
    }
}

/// Waits until a server has no other client than the one that asks: what was sent by others has been carried out. Sentinels only
/// look.
///
/// # Errors
///
/// Fails if it does not answer, or others stay.
pub fn wait_until_alone(con: &mut redis::Connection) -> Result<(), AnyError> {
    let start = Instant::now();
    let is_client = |line: &&str| !line.contains("name=sentinel-");
    while cmd("CLIENT").arg("LIST").query::<String>(con)?.lines().filter(is_client).count() > 1 {
        if start.elapsed() > Duration::from_secs(30) {
            return Err("others stay connected".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
