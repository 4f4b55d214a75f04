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
            // The port may have been taken; then another process answers.
            if info.is_ok_and(|info| info.contains(&is_ours)) {
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

/// Waits until a server has no other connection than the one that asks: what was sent on others has been carried out.
///
/// # Errors
///
/// Fails if it does not answer, or others stay.
pub fn wait_until_alone(con: &mut redis::Connection) -> Result<(), AnyError> {
    let start = Instant::now();
    while cmd("CLIENT").arg("LIST").query::<String>(con)?.lines().count() > 1 {
        if start.elapsed() > Duration::from_secs(30) {
            return Err("others stay connected".into());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
