//! A cluster of its own for a test that breaks it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use redis::{Connection, Value, cmd};

use crate::AnyError;
use crate::proxy::Proxy;

/// A cluster on loopback, stopped when it is dropped. Without proxies its servers keep what they acknowledge: `appendfsync
/// always`.
pub struct Cluster {
    /// The masters first.
    pub nodes: Vec<Node>,
    dir: PathBuf,
    /// The folder of the certificates, if clients come over TLS.
    certs: Option<String>,
}

/// A server of a cluster.
pub struct Node {
    process: Child,
    port: u16,
    /// What clients see instead of the server, if the cluster has proxies.
    pub proxy: Option<Proxy>,
}

/// Ports are tried one after the other, each process from another one on. They, and those of the bus, which are 10,000
/// higher, are below those that a system gives to clients.
#[doc(hidden)]
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 7919).unwrap_or(0);
    12_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000
}

/// Waits until a condition holds.
///
/// # Errors
///
/// Fails after 30 s.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), AnyError> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > Duration::from_secs(30) {
            return Err(format!("it does not come to pass: {what}").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

impl Cluster {
    /// Starts a cluster of three masters, each with so many replicas, and with proxies before them or without.
    ///
    /// # Errors
    ///
    /// Fails if no servers can be started.
    pub fn start(replicas: usize, with_proxies: bool) -> Result<Self, AnyError> {
        Self::start_with(replicas, with_proxies, None)
    }

    /// Starts a cluster of three masters with proxies before them, which clients reach over TLS with these certificates.
    ///
    /// # Errors
    ///
    /// Fails if no servers can be started.
    pub fn start_tls(certs: String) -> Result<Self, AnyError> {
        Self::start_with(0, true, Some(certs))
    }

    fn start_with(replicas: usize, with_proxies: bool, certs: Option<String>) -> Result<Self, AnyError> {
        const MASTERS: usize = 3;
        let dir = std::env::temp_dir().join(format!("redis-hashmap-cluster-{}-{}", std::process::id(), port()));
        let mut cluster = Self { nodes: Vec::new(), dir, certs };
        for _ in 0..MASTERS * (1 + replicas) {
            cluster.add(with_proxies)?;
        }
        let first = &cluster.nodes[0];
        for (index, node) in cluster.nodes.iter().enumerate() {
            let mut con = node.connect()?;
            cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(index + 1).exec(&mut con)?;
            if index < MASTERS {
                let (from, to) = (index * 16_384 / MASTERS, (index + 1) * 16_384 / MASTERS - 1);
                cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(from).arg(to).exec(&mut con)?;
            }
            cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(first.port).arg(first.port + 10_000).exec(&mut con)?;
        }
        cluster.wait_until_ok()?;
        for (index, node) in cluster.nodes.iter().enumerate().skip(MASTERS) {
            let master = cluster.nodes[index % MASTERS].id()?;
            let mut con = node.connect()?;
            cmd("CLUSTER").arg("REPLICATE").arg(master).exec(&mut con)?;
            wait_until("a replica follows its master", || {
                let info: Result<String, _> = cmd("INFO").arg("replication").query(&mut con);
                info.is_ok_and(|info| info.contains("master_link_status:up"))
            })?;
        }
        Ok(cluster)
    }

    fn add(&mut self, with_proxy: bool) -> Result<(), AnyError> {
        for _ in 0..50 {
            let port = port();
            // Whoever comes over TLS has a port of its own, which a node tells only over TLS.
            let for_clients = if self.certs.is_some() { self::port() } else { port };
            let proxy = with_proxy.then(|| Proxy::before(&format!("127.0.0.1:{for_clients}")));
            let dir = self.dir.join(port.to_string());
            std::fs::create_dir_all(&dir)?;
            let mut command = Command::new("redis-server");
            command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes"]);
            // Only what is not cut by the test has to be kept.
            command.args([
                "--appendfsync",
                if with_proxy { "no" } else { "always" },
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "1000",
            ]);
            command.args(["--repl-diskless-sync-delay", "0", "--repl-timeout", "10"]);
            if let Some(proxy) = &proxy {
                let announce = if self.certs.is_some() { "tls-port" } else { "port" };
                command.args([&format!("--cluster-announce-{announce}"), &proxy.address().port().to_string()]);
            }
            if let Some(certs) = &self.certs {
                // Without TLS between the nodes, they tell their other ports.
                command.args(["--tls-port", &for_clients.to_string(), "--tls-cluster", "yes"]);
                command.args(["--cluster-port", &(port + 10_000).to_string()]);
                let files = [
                    ("cert-file", "server.crt"),
                    ("key-file", "server.key"),
                    ("client-cert-file", "client.crt"),
                    ("client-key-file", "client.key"),
                    ("ca-cert-file", "ca.crt"),
                ];
                for (option, file) in files {
                    command.args([&format!("--tls-{option}"), &format!("{certs}/{file}")]);
                }
            }
            let process = command.current_dir(&dir).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            let mut node = Node { process, port, proxy };
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(10) && node.process.try_wait()?.is_none() {
                if node.is_up() {
                    self.nodes.push(node);
                    return Ok(());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Err("redis-server does not start".into())
    }

    /// Waits until all nodes that run agree that all slots are served.
    ///
    /// # Errors
    ///
    /// Fails after 30 s.
    pub fn wait_until_ok(&self) -> Result<(), AnyError> {
        let count = format!("cluster_known_nodes:{}\r", self.nodes.len());
        wait_until("the nodes agree", || {
            self.nodes.iter().all(|node| {
                let info = node.connect().and_then(|mut con| cmd("CLUSTER").arg("INFO").query::<String>(&mut con));
                info.is_ok_and(|info| info.contains("cluster_state:ok") && info.contains(&count))
            })
        })
    }

    /// The URL of the cluster, which names the first of its nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let nodes = self.nodes.iter().take(2).map(|node| match &node.proxy {
            Some(proxy) => proxy.address().to_string(),
            None => format!("127.0.0.1:{}", node.port),
        });
        let nodes = nodes.collect::<Vec<_>>().join(",");
        match &self.certs {
            None => format!("redis+cluster://{nodes}"),
            Some(certs) => {
                let own = format!("cert={certs}/client.crt&key={certs}/client.key");
                format!("rediss+cluster://{nodes}?ca={certs}/ca.crt&{own}")
            }
        }
    }

    /// Moves a slot with all its keys from one node to another, as `redis-cli --cluster reshard` does.
    ///
    /// # Errors
    ///
    /// Fails if a node refuses.
    pub fn migrate(&self, slot: u16, from: &Node, to: &Node) -> Result<(), AnyError> {
        let (from_id, to_id) = (from.id()?, to.id()?);
        let (mut source, mut target) = (from.connect()?, to.connect()?);
        let set = |slot: u16| cmd("CLUSTER").arg("SETSLOT").arg(slot).clone();
        set(slot).arg("IMPORTING").arg(&from_id).exec(&mut target)?;
        set(slot).arg("MIGRATING").arg(&to_id).exec(&mut source)?;
        loop {
            let keys: Vec<String> = cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(10).query(&mut source)?;
            if keys.is_empty() {
                break;
            }
            let mut migrate = cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(to.port).arg("").arg(0).arg(5000).arg("KEYS").arg(keys);
            migrate.exec(&mut source)?;
        }
        for node in [to, from].into_iter().chain(&self.nodes) {
            set(slot).arg("NODE").arg(&to_id).exec(&mut node.connect()?)?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            node.kill();
        }
        // Nobody minds a folder that stays.
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Node {
    /// A connection of redis-rs to the server itself, past the proxy.
    ///
    /// # Errors
    ///
    /// Fails if the server does not answer.
    pub fn connect(&self) -> redis::RedisResult<Connection> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        client.get_connection_with_timeout(Duration::from_secs(2))
    }

    /// True if it answers. The port may have been taken; then the server ends, and another one answers.
    fn is_up(&self) -> bool {
        let info = self.connect().and_then(|mut con| cmd("INFO").arg("server").query::<String>(&mut con));
        info.is_ok_and(|info| info.contains(&format!("process_id:{}\r", self.process.id())))
    }

    /// Where clients find it.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.proxy.as_ref().map_or(self.port, |proxy| proxy.address().port())
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        // It may have ended.
        let _ = (self.process.kill(), self.process.wait());
    }

    fn id(&self) -> Result<String, AnyError> {
        Ok(cmd("CLUSTER").arg("MYID").query(&mut self.connect()?)?)
    }

    /// The slot of a key, and whether this node serves it.
    ///
    /// # Errors
    ///
    /// Fails if the server does not answer.
    pub fn serves(&self, key: &str) -> Result<(u16, bool), AnyError> {
        let mut con = self.connect()?;
        let slot: u16 = cmd("CLUSTER").arg("KEYSLOT").arg(key).query(&mut con)?;
        let reply = cmd("HLEN").arg(key).query::<Value>(&mut con);
        Ok((slot, reply.is_ok()))
    }
}
