//! Ten thousand runners behind one identity, each a process of its own in a fresh container, against a real OpenBao: `tests/fleet/run`.
//!
//! Certificates live sixty seconds, so that a run of minutes sees what a day of eight-hour certificates sees; the cloud grants ten requests
//! a minute and user, and takes half a second for each.

use crate::real::faulty_engine::{Door, FaultyEngine};
use crate::real::openbao::OpenBao;
use crate::system::process::wait_for;
use cce_sim::{ClusterSpec, Fault, Sim};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const LEAST: &str = include_str!("../../docs/ci/vault-policy.hcl");
/// So many containers run at the same time.
const IN_FLIGHT: usize = 16;

/// The cloud, the engine, and what every runner is given.
struct Fleet {
    sim: Sim,
    bao: Arc<OpenBao>,
    token: String,
    directory: tempfile::TempDir,
}

/// What came of one runner.
struct Ran {
    is_served: bool,
    took: Duration,
    said: String,
}

fn is_full() -> bool {
    std::env::var_os("FLEET").is_some_and(|form| form == "full")
}

impl Fleet {
    fn new(latency: Duration, limit: u32) -> Self {
        let (sim, bao) = (Sim::start(), Arc::new(OpenBao::start()));
        sim.set_fault("clustercert", Fault::Latency(latency));
        sim.set_behaviour(|b| b.clustercert_limit = Some(limit));
        let fleet = Self {
            token: bao.token_with(LEAST),
            directory: tempfile::tempdir_in("/dev/shm").unwrap(),
            sim,
            bao,
        };
        std::fs::write(fleet.path("cloud-ca.pem"), fleet.sim.ca_pem()).unwrap();
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// One `get-credential` in a container of its own. `shared`: through which register.
    fn command(&self, number: usize, user: &str, cluster: &str, shared: &str, flags: &[&str]) -> Command {
        let at = self.sim.cluster(cluster);
        let mut command = self.container(number, user);
        command.args([
            "get-credential".to_owned(),
            format!("--region={}", self.sim.region()),
            format!("--project-id={}", at.project_id),
            format!("--cluster-id={}", at.uid),
            "--identity=env".to_owned(),
            format!("--cce-endpoint={}", self.sim.cce_endpoint()),
            format!("--iam-endpoint={}", self.sim.iam_endpoint()),
            format!("--ca-file={}", self.path("cloud-ca.pem").display()),
            format!("--shared-cache={shared}"),
        ]);
        command.args(flags);
        command
    }

    /// The program in a container of its own, with what every runner is given.
    fn container(&self, number: usize, user: &str) -> Command {
        let home = self.path(&format!("runner-{number}"));
        std::fs::create_dir_all(home.join("run")).unwrap();
        std::fs::set_permissions(home.join("run"), std::fs::Permissions::from_mode(0o700)).unwrap();
        let key = self.sim.access_key(user);
        let built = || env!("CARGO_BIN_EXE_kubectl-cce_login").into();
        let mut command = Command::new(std::env::var_os("FLEET_PROGRAM").unwrap_or_else(built));
        command.env_clear().envs([
            ("container", "ci"),
            ("VAULT_TOKEN", &self.token),
            ("VAULT_ADDR", &self.bao.url()),
        ]);
        command.env("VAULT_CACERT", self.bao.ca_file());
        command.env("HOME", &home).env("XDG_RUNTIME_DIR", home.join("run"));
        command
            .env("HUAWEICLOUD_SDK_AK", key.id)
            .env("HUAWEICLOUD_SDK_SK", key.secret);
        // The endpoints are named by the environment too, so that signatures go there.
        command.env("CCE_LOGIN_CCE_ENDPOINT", self.sim.cce_endpoint());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, number: usize, user: &str, cluster: &str, shared: &str, flags: &[&str]) -> Ran {
        let started = Instant::now();
        let output = self.command(number, user, cluster, shared, flags).output().unwrap();
        let took = started.elapsed();
        let _ = std::fs::remove_dir_all(self.path(&format!("runner-{number}")));
        Ran {
            is_served: output.status.success() && output.stdout.starts_with(b"{"),
            took,
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// So many runners, so many at a time, over these clusters.
    fn run_many(
        &self,
        count: usize,
        at_once: usize,
        user: &str,
        clusters: &[String],
        shared: &str,
        flags: &[&str],
    ) -> Vec<Ran> {
        let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(count)));
        std::thread::scope(|scope| {
            for _ in 0..at_once.min(count) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return;
                        }
                        let ran = self.run(number, user, &clusters[number % clusters.len()], shared, flags);
                        all.lock().unwrap().push(ran);
                    }
                });
            }
        });
        all.into_inner().unwrap()
    }

    fn requests(&self) -> usize {
        self.sim.count("clustercert")
    }

    fn throttled(&self) -> usize {
        let requests = self.sim.requests().into_iter();
        requests
            .filter(|request| request.operation == "clustercert" && request.status == 429)
            .count()
    }

    fn add_clusters(&self, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|number| format!("fleet-{number}")).collect();
        for name in &names {
            self.sim.add_cluster(ClusterSpec {
                name: name.clone(),
                ..ClusterSpec::default()
            });
        }
        names
    }
}

/// Median, 99th percentile and maximum.
fn times(ran: &[Ran]) -> String {
    let mut all: Vec<Duration> = ran.iter().map(|ran| ran.took).collect();
    all.sort();
    let at = |part: usize| all[(all.len() - 1) * part / 100].as_millis();
    format!("p50 {} ms, p99 {} ms, max {} ms", at(50), at(99), at(100))
}

fn failed(ran: &[Ran]) -> usize {
    ran.iter().filter(|ran| !ran.is_served).count()
}

fn first_words(ran: &[Ran]) -> String {
    ran.iter()
        .find(|ran| !ran.is_served)
        .map_or_else(String::new, |ran| ran.said.clone())
}

#[test]
#[ignore = "takes a minute, or many: tests/fleet/run"]
fn a_fleet_asks_once_a_window_and_cluster() {
    let fleet = Fleet::new(Duration::from_millis(500), 10);
    fleet
        .sim
        .set_behaviour(|b| b.certificate_lifetime = Some(Duration::from_secs(60)));
    let clusters = fleet.add_clusters(3);
    let count = if is_full() { 10_000 } else { 600 };
    let mut report = String::new();

    let baseline = if is_full() { 600 } else { 100 };
    let started = Instant::now();
    let ran = fleet.run_many(baseline, IN_FLIGHT, "bob", &clusters, "none", &[]);
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    let served = ran.len() - failed(&ran);
    writeln!(
        report,
        "without: {baseline} runs in {minutes:.1} min, {served} served, {} refused by the cloud",
        fleet.throttled()
    )
    .unwrap();
    assert!(failed(&ran) > baseline / 2, "the cloud limits nobody");

    let (before, throttled) = (fleet.requests(), fleet.throttled());
    let started = Instant::now();
    let ran = fleet.run_many(count, IN_FLIGHT, "alice", &clusters, "vault:kv/cce", &[]);
    let took = started.elapsed();
    let requests = fleet.requests() - before;
    // A certificate of sixty seconds is renewed after forty, at the earliest.
    let windows = took.as_secs().div_ceil(40);
    let seconds = took.as_secs_f64();
    writeln!(report, "shared: {count} runs in {seconds:.0} s, {} failed; {requests} requests for 3 clusters in {windows} windows; {} refused", failed(&ran), fleet.throttled() - throttled).unwrap();
    writeln!(report, "a run, start to end: {}", times(&ran)).unwrap();
    let writes: u64 = fleet
        .bao
        .names("cce")
        .iter()
        .map(|name| fleet.bao.version("cce", name))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "some thousand")]
    let share = writes as f64 / count as f64;
    writeln!(
        report,
        "writes to the engine: {writes}, {share:.4} a run; reads: one a run, more while somebody is fetching"
    )
    .unwrap();
    writeln!(
        report,
        "with certificates of eight hours: a request in 6 h and cluster, whatever the number of runs"
    )
    .unwrap();
    println!("{report}");
    assert_eq!(failed(&ran), 0, "{}", first_words(&ran));
    assert_eq!(fleet.throttled(), throttled, "{report}");
    assert!(requests as u64 <= 3 * (windows + 1), "{report}");
}

#[test]
#[ignore = "takes a minute, or many: tests/fleet/run"]
fn a_cold_herd_asks_once() {
    let fleet = Fleet::new(Duration::from_millis(500), 10);
    let clusters = fleet.add_clusters(1);
    // All of them start on this one machine: a program that is not optimised would not get to its first read in time.
    let count = if is_full() { 500 } else { 100 };
    let ran = fleet.run_many(count, count, "alice", &clusters, "vault:kv/cce", &[]);
    println!(
        "cold herd of {count}: {} requests; a run: {}",
        fleet.requests(),
        times(&ran)
    );
    assert_eq!(failed(&ran), 0, "{}", first_words(&ran));
    assert_eq!(fleet.requests(), 1);
}

/// Where a machine dies that has the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dies {
    /// Before it has asked the cloud.
    Claimed,
    /// While the cloud answers.
    Asked,
    /// With the certificate, before the others have it.
    Answered,
}

#[test]
#[ignore = "takes a minute, or many: tests/fleet/run"]
fn a_machine_that_dies_in_its_turn_costs_the_others_one_turn() {
    for dies in [Dies::Claimed, Dies::Asked, Dies::Answered] {
        let latency = if dies == Dies::Asked { 4_000 } else { 500 };
        let fleet = Fleet::new(Duration::from_millis(latency), 10);
        let clusters = fleet.add_clusters(1);
        let engine = FaultyEngine::in_front_of(&fleet.bao);
        let (number, is_acted_upon) = if dies == Dies::Claimed { (1, true) } else { (2, false) };
        engine.set(Door::HangsAtWrite { number, is_acted_upon });
        let mut dying = fleet.command(1_000, "alice", &clusters[0], "vault:kv/cce", &[]);
        dying.env("VAULT_ADDR", engine.url());
        let mut dying = dying.spawn().unwrap();
        wait_for("the moment of death", || match dies {
            Dies::Claimed | Dies::Answered => engine.writes() == number,
            Dies::Asked => fleet.requests() == 1,
        });
        dying.kill().unwrap();
        dying.wait().unwrap();
        let ran = fleet.run_many(20, 20, "alice", &clusters, "vault:kv/cce", &[]);
        println!(
            "killed in its turn ({dies:?}): {} requests; the others: {}",
            fleet.requests(),
            times(&ran)
        );
        assert_eq!(failed(&ran), 0, "{}", first_words(&ran));
        assert_eq!(fleet.requests(), if dies == Dies::Claimed { 1 } else { 2 });
    }
}

#[test]
#[ignore = "takes a minute, or many: tests/fleet/run"]
fn who_is_cut_off_in_the_middle_of_a_run_is_replaced_by_one_request_a_cluster() {
    let fleet = Fleet::new(Duration::from_millis(500), 10);
    let clusters = fleet.add_clusters(3);
    let ran = fleet.run_many(60, IN_FLIGHT, "alice", &clusters, "vault:kv/cce", &[]);
    assert_eq!((failed(&ran), fleet.requests()), (0, 3), "{}", first_words(&ran));
    let mut revoke = fleet.container(2_000, "alice");
    revoke.args(["revoke", "--all", "--identity=env", "--yes"]);
    revoke
        .env("CCE_LOGIN_SHARED_CACHE", "vault:kv/cce")
        .env("CCE_LOGIN_REGION", fleet.sim.region())
        .env("CCE_LOGIN_IAM_ENDPOINT", fleet.sim.iam_endpoint())
        .env("CCE_LOGIN_CA_FILE", fleet.path("cloud-ca.pem"));
    let output = revoke.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let voided = said
        .matches("the certificate that other machines share is void")
        .count();
    assert!(voided >= 3, "{said}");
    let before = fleet.requests();
    let ran = fleet.run_many(120, IN_FLIGHT, "alice", &clusters, "vault:kv/cce", &[]);
    println!(
        "revoked in the middle: {} more requests for 3 clusters; a run: {}",
        fleet.requests() - before,
        times(&ran)
    );
    assert_eq!(failed(&ran), 0, "{}", first_words(&ran));
    assert_eq!(fleet.requests() - before, 3);
}

#[test]
#[ignore = "takes a minute, or many: tests/fleet/run"]
fn many_cold_clusters_are_taken_at_the_cloud_s_pace() {
    let fleet = Fleet::new(Duration::from_millis(200), 10);
    let count = if is_full() { 60 } else { 13 };
    let clusters = fleet.add_clusters(count);
    let ran = fleet.run_many(count, count, "alice", &clusters, "vault:kv/cce", &["--timeout=15m"]);
    println!(
        "{count} cold clusters: {} requests, {} refused; a run: {}",
        fleet.requests(),
        fleet.throttled(),
        times(&ran)
    );
    assert_eq!(failed(&ran), 0, "{}", first_words(&ran));
    assert_eq!(fleet.throttled(), 0);
    assert_eq!(fleet.requests(), count);
}
