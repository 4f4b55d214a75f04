//! Eight processes that work on every place at random while connections are broken and a server is killed: what they read is what
//! they have written, and memory, threads, open files and the sizes of files stay as they are. Some seconds in `tests/run`, an
//! hour in `tests/run --long`.

mod model;
mod worker;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use redis_hashmap_tests::cluster::{Cluster, port};
use redis_hashmap_tests::proxy::{Mode, Proxy};
use redis_hashmap_tests::server::{Sentinel, Server};
use redis_hashmap_tests::{AnyError, given, key};

use crate::worker::Worker;

type Test = Result<(), AnyError>;

fn duration() -> Duration {
    Duration::from_secs(if std::env::var_os("PROPTEST_CASES").is_some() { 3600 } else { 12 })
}

/// How often resources are looked at.
fn pause() -> Duration {
    duration() / 24
}

#[test]
#[ignore = "run by the test below, as a process of its own"]
fn worker() {
    let given = |name: &str| std::env::var(name).expect("run by another test");
    let seed = given("SOAK_SEED").parse().expect("a number");
    let worker = Worker::new(&given("SOAK_URL"), &given("SOAK_PREFIX"), seed).expect("it can be opened");
    // In an hour there is time enough, and the machine does other things too.
    let between = if duration() > Duration::from_secs(60) { Duration::from_millis(1) } else { Duration::ZERO };
    let counts = worker.run(Instant::now() + duration(), between, pause());
    let counts = counts.unwrap_or_else(|problem| panic!("{problem}"));
    let worker::Counts { acknowledged, in_doubt, not_carried_out, resolved } = counts;
    println!("counts {acknowledged} {in_doubt} {not_carried_out} {resolved}");
}

/// What a process has printed.
#[derive(Debug, Default)]
struct Report {
    /// Resident kilobytes, threads, open files and tasks, one after the other.
    samples: Vec<[u64; 4]>,
    counts: Option<[u64; 4]>,
    /// What its place takes on the disk, if it is a file.
    sizes: Vec<u64>,
    /// Everything else, which says why it has failed.
    rest: String,
}

/// Runs one process to its end.
fn run(place: &str, url: &str, seed: u64, file: Option<&Path>) -> std::io::Result<Report> {
    let mut process = Command::new(std::env::current_exe()?)
        .args(["--ignored", "--exact", "worker", "--nocapture"])
        .env("SOAK_URL", url)
        .env("SOAK_PREFIX", format!("soak:{place}:{}", std::process::id()))
        .env("SOAK_SEED", seed.to_string())
        .env("RUST_BACKTRACE", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut report = Report::default();
    let numbers = |line: &str| line.split(' ').filter_map(|word| word.parse().ok()).collect::<Vec<u64>>();
    if let Some(output) = process.stdout.take() {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The harness begins the line of a test before the test prints.
            if let Some((_, sample)) = line.split_once("sample ") {
                report.samples.extend(<[u64; 4]>::try_from(numbers(sample)));
                report.sizes.extend(file.and_then(|file| std::fs::metadata(file).ok()).map(|file| file.len()));
            } else if let Some((_, counts)) = line.split_once("counts ") {
                report.counts = numbers(counts).try_into().ok();
            } else {
                report.rest.extend([&*line, "\n"]);
            }
        }
    }
    let output = process.wait_with_output()?;
    report.rest += &String::from_utf8_lossy(&output.stderr);
    Ok(report)
}

/// Breaks the connections of a proxy at random. Nothing is held back to be handed on later: a process takes it for decided, some
/// time after it was in doubt, whether a write was carried out.
fn break_connections(proxy: &Proxy, seed: u64, has_ended: &AtomicBool, faults: &AtomicUsize) {
    let modes = [Mode::Swallow, Mode::KeepReplies, Mode::CloseInsteadOfReply, Mode::Refuse, Mode::Drip, Mode::Pass];
    let mut at = usize::try_from(seed % 6).unwrap_or(0);
    while !has_ended.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(300 + 37 * u64::try_from(at % 11).unwrap_or(0)));
        proxy.set(modes[at % modes.len()]);
        std::thread::sleep(Duration::from_millis(u64::try_from(at * 7 % 900).unwrap_or(0)));
        proxy.cut();
        proxy.set(Mode::Pass);
        faults.fetch_add(1, Ordering::Relaxed);
        at += 1;
    }
    proxy.set(Mode::Pass);
}

/// Fails if there is more in the last quarter than in the second, beyond some room.
#[track_caller]
fn stays(what: &str, values: &[u64], percent: u64, room: u64) {
    let quarter = values.len() / 4;
    assert!(quarter > 0, "{what}: {values:?}");
    let most = |values: &[u64]| values.iter().copied().max().unwrap_or(0);
    let (before, after) = (most(&values[quarter..2 * quarter]), most(&values[values.len() - quarter..]));
    assert!(after <= before * percent / 100 + room, "{what} grows: {values:?}");
}

#[test]
fn nothing_is_lost_and_nothing_grows() -> Test {
    let certs = given("REDIS_TLS_CERTS");
    let tls_port = port().to_string();
    let files = ["server.crt", "server.key", "ca.crt"].map(|file| format!("{certs}/{file}"));
    let [cert, own_key, ca] = &files;
    let mut server = Server::start(&[
        "--tls-port",
        &tls_port,
        "--tls-cert-file",
        cert,
        "--tls-key-file",
        own_key,
        "--tls-ca-cert-file",
        ca,
    ])?;
    let (cluster, master) = (Cluster::start(0, true)?, Server::start(&[])?);
    let before_master = Proxy::before(&master.address());
    let sentinel = Sentinel::start(before_master.address())?;
    let [plain, local, encrypted] =
        [server.address(), server.address(), format!("127.0.0.1:{tls_port}")].map(|server| Proxy::before(&server));
    let folder = std::env::temp_dir().join(key().replace('/', "-"));
    std::fs::create_dir_all(&folder)?;
    let (immediate, eventual) = (folder.join("immediate.redb"), folder.join("eventual.redb"));
    let parameters = format!("ca={certs}/ca.crt&cert={certs}/client.crt&key={certs}/client.key");
    let places = [
        ("memory", "memory:soak".to_owned(), None),
        ("file", format!("file://{}", immediate.display()), Some(&*immediate)),
        ("eventual", format!("file://{}?durability=eventual", eventual.display()), Some(&*eventual)),
        ("server", format!("redis://{}/?protocol=resp3", plain.address()), None),
        ("unix", format!("redis+unix://{}", local.unix().display()), None),
        ("tls", format!("rediss://{}/?{parameters}", encrypted.address()), None),
        ("cluster", cluster.url(), None),
        ("sentinel", format!("redis+sentinel://{}/mymaster", sentinel.address()), None),
    ];
    let (has_ended, faults, kills) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let seed = u64::from(std::process::id());
    let reports = std::thread::scope(|scope| -> Result<Vec<Report>, AnyError> {
        let proxies = cluster.nodes.iter().filter_map(|node| node.proxy.as_ref()).chain([
            &plain,
            &local,
            &encrypted,
            &before_master,
        ]);
        for (number, proxy) in (0..).zip(proxies) {
            let (has_ended, faults) = (&has_ended, &faults);
            scope.spawn(move || break_connections(proxy, seed + number, has_ended, faults));
        }
        scope.spawn(|| {
            let mut since = Instant::now();
            while !has_ended.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
                if since.elapsed() > Duration::from_secs(4) {
                    server.kill_and_restart().expect("it starts again");
                    kills.fetch_add(1, Ordering::Relaxed);
                    since = Instant::now();
                }
            }
        });
        let running: Vec<_> = places
            .iter()
            .map(|(place, url, file)| (place, scope.spawn(move || run(place, url, seed, *file))))
            .collect();
        let reports: Vec<_> = running.into_iter().map(|(_, worker)| worker.join()).collect();
        has_ended.store(true, Ordering::Relaxed);
        reports.into_iter().map(|report| Ok(report.map_err(|_| "a thread has panicked")??)).collect()
    })?;
    for ((place, ..), report) in places.iter().zip(&reports) {
        let Some([acknowledged, in_doubt, not_carried_out, resolved]) = report.counts else {
            panic!("{place}, seed {seed}:\n{}", report.rest);
        };
        let column = |index: usize| report.samples.iter().map(|sample| sample[index]).collect::<Vec<_>>();
        let last = report.samples.last().copied().unwrap_or_default();
        println!(
            "soak: {place}: {acknowledged} operations acknowledged, {not_carried_out} not carried out, {in_doubt} in doubt (of \
             {resolved} fields it was read later), {} KB, {} threads, {} open files{}",
            last[0],
            last[1],
            last[2],
            report.sizes.last().map(|size| format!(", a file of {} KB", size / 1024)).unwrap_or_default()
        );
        assert!(acknowledged > 100, "{place}: {acknowledged}");
        stays(&format!("{place}: memory"), &column(0), 115, 8192);
        stays(&format!("{place}: threads"), &column(1), 100, 6);
        stays(&format!("{place}: open files"), &column(2), 100, 6);
        stays(&format!("{place}: tasks"), &column(3), 100, 6);
        if !report.sizes.is_empty() {
            stays(&format!("{place}: its file"), &report.sizes, 150, 1 << 20);
        }
    }
    println!("soak: {} broken connections, {} kills of a server", faults.into_inner(), kills.into_inner());
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
