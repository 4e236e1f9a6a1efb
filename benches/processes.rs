//! What a call costs, as ratios of whole processes in one run: each pair takes turns, so that a machine whose speed drifts
//! slows both down alike. `benches/run` builds the program as `install.sh` does and gives this a session bus with a keyring.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "a benchmark that cannot run should stop, and its result is for people"
)]

#[path = "processes/many.rs"]
mod many;

use base64::Engine as _;
use cce_login::huaweicloud::signing::{SignableRequest, SigningKey, modern};
use cce_login::secret::Secret;
use cce_sim::{Fault, Sim};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Names the program under test, built as `install.sh` builds it.
const PROGRAM: &str = "BENCH_PROGRAM";
/// Names the same program of another revision, to be compared with; may be unset.
const BASELINE: &str = "BENCH_BASELINE";
/// Names a current kubectl.
const KUBECTL: &str = "KUBECTL";
/// How a call without an identity ends.
const EXIT_IDENTITY: i32 = 3;
/// Counted runs of each side of a pair.
const ROUNDS: usize = 300;
/// How often what a busy machine distorts is tried; the quietest is printed.
const TRIES: usize = 5;
/// Runs before counting.
const WARM_UP: usize = 20;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("peak-memory") => return peak_memory(),
        Some("one-login") => return many::one_login(),
        Some("many") => return many::logins(), // this part alone
        Some("against") => {
            let baseline = std::env::var_os(BASELINE).expect("names the other program");
            return against(Path::new(&baseline)); // this part alone
        }
        _ => {}
    }
    let world = World::new();
    println!(
        "{:<58} {:>9} {:>9} {:>7}",
        "whole processes, median of 300 pairs", "ms", "ms", "ratio"
    );

    time(world.get_credential("kernel"));
    compare(
        "cached, kernel keyring : /bin/true",
        || world.get_credential("kernel"),
        || Command::new("/bin/true"),
    );

    time(world.get_credential("keyring"));
    let account = account_in_secret_service();
    let secret_tool = || {
        let mut command = Command::new("secret-tool");
        command.args(["lookup", "service", cce_login::store::SERVICE, "username", &account]);
        command
    };
    compare(
        "cached, Secret Service : secret-tool lookup",
        || world.get_credential("keyring"),
        secret_tool,
    );
    assert_eq!(world.sim.count("clustercert"), 2, "the cached calls asked the cloud");

    let [url, headers, body] = world.signed_clustercert();
    let curl = || {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--fail", "--cacert"])
            .arg(&world.ca_file);
        command.args(["--header", &format!("@{headers}"), "--data-binary", &body, &url]);
        command
    };
    compare(
        "first fetch, nothing cached : curl --cacert, same POST",
        || world.get_credential("none"),
        curl,
    );

    let without_identity = || {
        let mut command = world.get_credential("none");
        command
            .env_remove("HUAWEICLOUD_SDK_AK")
            .env_remove("HUAWEICLOUD_SDK_SK");
        time_of(command, EXIT_IDENTITY)
    };
    compare_times("no identity anywhere : /bin/true", without_identity, || {
        time(Command::new("/bin/true"))
    });

    many::logins();
    a_hundred_at_the_end(&world);
    kubectl_over_two_lifetimes(&world);

    let memory = world
        .in_world(std::env::current_exe().unwrap(), &["peak-memory"])
        .output()
        .unwrap();
    println!(
        "{:<58} {:>9}",
        "peak memory of a cached call, MiB",
        String::from_utf8_lossy(&memory.stdout).trim()
    );
    let size = std::fs::metadata(program()).unwrap().len() as f64 / f64::from(1 << 20);
    println!("{:<58} {size:>9.2}", "size of the stripped program, MiB");

    if let Some(baseline) = std::env::var_os(BASELINE) {
        against(Path::new(&baseline));
    }
}

/// What the same calls cost another revision's program, in a world of its own.
fn against(baseline: &Path) {
    let world = World::new();
    // Another lifetime: the two may keep their certificates in different forms.
    let theirs = |cache| {
        let mut command = world.run_program(baseline.to_owned(), cache);
        command.args(["--duration", "9h"]);
        command
    };
    println!(
        "\n{:<58} {:>9} {:>9} {:>7}",
        "this revision : the other one", "ms", "ms", "ratio"
    );
    for (name, cache) in [
        ("cached, kernel keyring", "kernel"),
        ("cached, Secret Service", "keyring"),
    ] {
        time(world.get_credential(cache));
        time(theirs(cache));
        compare(name, || world.get_credential(cache), || theirs(cache));
    }
    compare(
        "first fetch, nothing cached",
        || world.get_credential("none"),
        || theirs("none"),
    );
    many::against(baseline);
    let size = |program: &Path| std::fs::metadata(program).unwrap().len() as f64 / f64::from(1 << 20);
    let (ours, other) = (size(&program()), size(baseline));
    println!(
        "{:<58} {ours:>9.2} {other:>9.2} {:>7.2}",
        "size of the stripped program, MiB",
        ours / other
    );
}

/// A simulated cloud, and a private home for the program.
struct World {
    sim: Sim,
    home: tempfile::TempDir,
    ca_file: String,
}

impl World {
    fn new() -> Self {
        let sim = Sim::start();
        let home = tempfile::tempdir().unwrap();
        let ca_file = home.path().join("ca.pem").display().to_string();
        std::fs::write(&ca_file, sim.ca_pem()).unwrap();
        Self { sim, home, ca_file }
    }

    fn get_credential(&self, cache: &str) -> Command {
        self.run_program(program(), cache)
    }

    fn run_program(&self, program: PathBuf, cache: &str) -> Command {
        let cluster = self.sim.cluster("prod");
        let project = self.sim.project_id(self.sim.region());
        let args = [
            "get-credential",
            "--region",
            self.sim.region(),
            "--project-id",
            &project,
            "--cluster-id",
            &cluster.uid,
            "--cache",
            cache,
        ];
        self.in_world(program, &args)
    }

    fn in_world(&self, program: PathBuf, args: &[&str]) -> Command {
        let key = self.sim.access_key("alice");
        let mut command = Command::new(program);
        command.args(args).env_clear().env("HOME", self.home.path());
        for name in ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "PATH", PROGRAM] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
            .env("HUAWEICLOUD_SDK_AK", key.id)
            .env("HUAWEICLOUD_SDK_SK", key.secret);
        command
            .env("CCE_LOGIN_CCE_ENDPOINT", self.sim.cce_endpoint())
            .env("CCE_LOGIN_CA_FILE", &self.ca_file);
        command
            .env("BENCH_CLUSTER", self.sim.cluster("prod").uid)
            .env("BENCH_PROJECT", self.sim.project_id(self.sim.region()));
        command
    }

    /// URL, file of headers and body of a signed request for a certificate; the signature is good for 15 minutes.
    fn signed_clustercert(&self) -> [String; 3] {
        let key = self.sim.access_key("alice");
        let project = self.sim.project_id(self.sim.region());
        let path = format!(
            "/api/v3/projects/{project}/clusters/{}/clustercert",
            self.sim.cluster("prod").uid
        );
        let endpoint = self.sim.cce_endpoint();
        let body = r#"{"duration":1}"#;
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        let request = SignableRequest {
            method: "POST",
            host: endpoint.trim_start_matches("https://"),
            path: &path,
            query: &[],
            headers: &headers,
            body: body.as_bytes(),
        };
        let secret = Secret::new(key.secret.clone());
        let signature = modern::sign(
            &request,
            &SigningKey {
                id: &key.id,
                secret: &secret,
            },
            std::time::SystemTime::now().into(),
        );
        let lines = headers
            .iter()
            .chain(&signature.headers)
            .map(|(name, value)| format!("{name}: {value}\n"));
        let file = self.home.path().join("headers");
        std::fs::write(&file, lines.collect::<String>()).unwrap();
        [format!("{endpoint}{path}"), file.display().to_string(), body.to_owned()]
    }
}

/// How long after the end of one fetch the last of a hundred callers is answered that met at the end of a certificate: the quietest of
/// [`TRIES`], for a busy machine only adds to it.
fn a_hundred_at_the_end(world: &World) {
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(2)));
    let (all, limit) = quietest((0..TRIES).map(|hours| a_hundred_once(world, hours)));
    world.sim.clear_faults();
    println!(
        "{:<58} {all:>9.1} {limit:>9.1} {:>7.2}",
        "last of 100 callers : one fetch + 250 ms",
        all / limit
    );
}

fn a_hundred_once(world: &World, hours: usize) -> (f64, f64) {
    let one = time(world.get_credential("none"));
    let before = world.sim.count("clustercert");
    let lifetime = format!("{}h", 10 + hours); // each time nothing is cached
    let started = Instant::now();
    let mut callers: Vec<_> = (0..100)
        .map(|_| {
            let mut command = world.get_credential("kernel");
            command.args(["--duration", &lifetime]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        })
        .collect();
    assert!(callers.iter_mut().all(|caller| caller.wait().unwrap().success()));
    let all = started.elapsed();
    assert_eq!(world.sim.count("clustercert"), before + 1, "one request for all");
    let limit = one + Duration::from_millis(250);
    (all.as_secs_f64() * 1000.0, limit.as_secs_f64() * 1000.0)
}

/// The try in which what we measure took least of what it is held against.
fn quietest(tries: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    tries.min_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1))).unwrap()
}

/// How long the calls of one loop took: with us, and with a static certificate.
type Times = (Vec<f64>, Vec<f64>);

/// kubectl in a loop while certificates come to their end and are renewed, in turns with a kubectl that has a certificate of its own.
fn kubectl_over_two_lifetimes(world: &World) {
    // Short loops, and many: the fewer calls one has, the likelier it is that nothing else disturbed one of them.
    const LIFETIME: Duration = Duration::from_secs(5);
    const LOOPS: usize = 20;
    const FEWEST_CALLS: usize = 10;
    world.sim.set_behaviour(|b| b.certificate_lifetime = Some(LIFETIME));
    let [with_us, with_static] = ["with-us", "with-static"].map(|name| world.home.path().join(name));
    let file = with_us.display().to_string();
    let login = [
        "login",
        "--cluster",
        "prod",
        "--region",
        world.sim.region(),
        "--kubeconfig",
        &file,
        "--absolute-path",
        "--duration",
        "20h",
    ];
    let iam = world.sim.iam_endpoint();
    time({
        let mut command = world.in_world(program(), &login);
        command.env("CCE_LOGIN_IAM_ENDPOINT", iam);
        command
    });
    let issued = world.sim.issue_certificate("prod", "alice", Duration::from_secs(3600));
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let text = std::fs::read_to_string(&with_us).unwrap();
    let users = text.find("users:").unwrap();
    let name = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("user: "))
        .unwrap();
    let user = format!(
        "users:\n- name: {name}\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n",
        base64(&issued.certificate),
        base64(&issued.key)
    );
    let current = text.lines().find(|line| line.starts_with("current-context:")).unwrap();
    let before = text[..users].replace(current, "");
    std::fs::write(&with_static, format!("{before}{current}\n{user}")).unwrap();
    let kubectl = |kubeconfig: &Path| {
        let kubectl = std::env::var_os(KUBECTL).expect("run `benches/run`, which names a kubectl");
        let mut command = world.in_world(kubectl.into(), &["get", "namespaces"]);
        command.env("KUBECONFIG", kubeconfig);
        time(command)
    };
    for _ in 0..5 {
        kubectl(&with_us);
        kubectl(&with_static);
    }
    let (mut calls, before) = (0, world.sim.count("clustercert"));
    let mut loops = Vec::new();
    for _ in 0..LOOPS {
        let began = Instant::now();
        let (mut ours, mut statics) = (Vec::new(), Vec::new());
        while began.elapsed() < LIFETIME * 2 {
            ours.push(kubectl(&with_us).as_secs_f64() * 1000.0);
            statics.push(kubectl(&with_static).as_secs_f64() * 1000.0);
        }
        calls += ours.len();
        // Where the machine stood still there is nothing to compare.
        if ours.len() >= FEWEST_CALLS {
            loops.push((ours, statics));
        }
    }
    let renewals = world.sim.count("clustercert") - before;
    let line = |name: &str, (time, median): (f64, f64)| {
        println!("{name:<58} {time:>9.1} {median:>9.1} {:>7.2}", time / median);
    };
    let all = |side: fn(&Times) -> &[f64]| median(loops.iter().flat_map(|times| side(times).iter().copied()));
    line(
        "kubectl, median with us : median, static certificate",
        (all(|(ours, _)| ours), all(|(_, statics)| statics)),
    );
    // A busy machine only adds to the slowest call, ours or not: the loop in which it added least tells most.
    let slowest = |side: fn(&Times) -> &[f64]| {
        let against_static = |times: &Times| {
            (
                side(times).iter().copied().fold(0.0, f64::max),
                median(times.1.iter().copied()),
            )
        };
        quietest(loops.iter().map(against_static))
    };
    line(
        "kubectl, slowest with us : median, static certificate",
        slowest(|(ours, _)| ours),
    );
    line(
        "kubectl, slowest, static : median, static certificate",
        slowest(|(_, statics)| statics),
    );
    println!(
        "{:<58} {renewals:>9}",
        format!(
            "renewals in these {calls} calls, {LOOPS} loops, lifetime {} s",
            LIFETIME.as_secs()
        )
    );
}

fn compare(name: &str, a: impl Fn() -> Command, b: impl Fn() -> Command) {
    compare_times(name, || time(a()), || time(b()));
}

/// Runs both in turns, prints medians and the ratio pair by pair.
fn compare_times(name: &str, a: impl Fn() -> Duration, b: impl Fn() -> Duration) {
    let mut pairs = Vec::with_capacity(ROUNDS);
    for round in 0..WARM_UP + ROUNDS {
        let pair = (a(), b());
        if round >= WARM_UP {
            pairs.push(pair);
        }
    }
    let milliseconds =
        |side: fn(&(Duration, Duration)) -> Duration| median(pairs.iter().map(|p| side(p).as_secs_f64() * 1000.0));
    let ratio = median(pairs.iter().map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()));
    println!(
        "{name:<58} {:>9.3} {:>9.3} {ratio:>7.2}",
        milliseconds(|p| p.0),
        milliseconds(|p| p.1)
    );
}

/// The one certificate account in the Secret Service.
fn account_in_secret_service() -> String {
    let output = Command::new("secret-tool")
        .args(["search", "--all", "service", cce_login::store::SERVICE])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let account = text.lines().find_map(|line| line.strip_prefix("attribute.username = "));
    account.expect("the certificate is in the Secret Service").to_owned()
}

fn program() -> PathBuf {
    std::env::var_os(PROGRAM)
        .expect("run `benches/run`, which builds the program and names it")
        .into()
}

fn time(command: Command) -> Duration {
    time_of(command, 0)
}

/// How long it takes to end in this way.
fn time_of(mut command: Command, exit: i32) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().unwrap();
    let elapsed = start.elapsed();
    assert_eq!(status.code(), Some(exit), "{command:?}");
    elapsed
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// In a process of its own, whose only child is a cached call: prints that child's largest resident size.
fn peak_memory() {
    let var = |name| std::env::var(name).unwrap();
    let (cluster, project) = (var("BENCH_CLUSTER"), var("BENCH_PROJECT"));
    let args = [
        "get-credential",
        "--region",
        "cn-north-4",
        "--project-id",
        &project,
        "--cluster-id",
        &cluster,
        "--identity",
        "env",
        "--cache",
        "kernel",
    ];
    let output = Command::new(program())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    println!("{:.2}", usage.max_rss() as f64 / 1024.0);
}
