//! The world whose commands run in this process: its keyring, clock, terminal and parent are the test's own.

use super::machine::Machine;
use super::{Outcome, World, Written, elided};
use cce_login::host::{Clock, Directories, Env, Process, Terminal};
use cce_login::store::{MemoryStore, StoreKind};
use cce_sim::{Proxy, ProxyKind, Sim};
use chrono::{DateTime, Utc};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl World {
    /// A cloud with the cluster `prod`, and `alice`'s access key in the environment.
    pub(crate) fn new() -> Self {
        Self::with(Sim::start())
    }

    /// The same around a cloud of one's own.
    pub(crate) fn with(sim: Sim) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut world = Self::on(Machine::with(MemoryStore::new(StoreKind::SecretService)), home, sim);
        let variables = [
            ("CCE_LOGIN_CA_FILE", world.path("cloud-ca.pem")),
            ("CCE_LOGIN_CCE_ENDPOINT", world.sim.cce_endpoint()),
            ("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint()),
            ("CCE_LOGIN_REGION", world.sim.region().to_owned()),
            // Every run logs everything, where the leak check reads it.
            ("CCE_LOGIN_LOG", world.path("log")),
        ];
        for (name, value) in variables {
            world.set(name, value);
        }
        world
    }

    /// The OS keyring; the same one in every run.
    pub(crate) fn keyring(&self) -> &MemoryStore {
        &self.machine.keyring
    }

    /// A cloud whose hosts have the names of the real ones: no endpoint and no region is set, only a proxy that leads there.
    pub(crate) fn behind_a_proxy(kind: ProxyKind) -> (Self, Proxy) {
        let mut world = Self::new();
        let proxy = world.sim.start_proxy(kind);
        world.set("HTTPS_PROXY", proxy.url());
        for name in ["CCE_LOGIN_CCE_ENDPOINT", "CCE_LOGIN_IAM_ENDPOINT", "CCE_LOGIN_REGION"] {
            world.unset(name);
        }
        (world, proxy)
    }

    /// Where this machine keeps things.
    pub(crate) fn directories(&self) -> Directories {
        Directories::of(&Env::given(self.variables().clone()))
    }

    /// kubectl runs us from now on, started with the variables of this moment; those that are set later are of `exec.env`.
    pub(crate) fn run_by_kubectl(&mut self) {
        self.machine.parent_env = Some(self.variables().clone());
        let info = "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"spec\":{}}";
        self.set("KUBERNETES_EXEC_INFO", info);
    }

    pub(crate) fn terminal(&mut self, stdin: bool, stdout: bool, stderr: bool) {
        self.machine.terminal = Terminal { stdin, stdout, stderr };
    }

    /// What the next runs read from stdin; it counts as a secret.
    pub(crate) fn pipe_in(&mut self, secret: &str) {
        self.secrets.borrow_mut().add_text(secret.trim());
        self.machine.stdin = secret.as_bytes().to_vec();
    }

    /// What a person types at the terminal in the next run.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.machine.stdin = text.as_bytes().to_vec();
    }

    /// From now on everything runs on another machine: nothing of what the one before has kept, the same environment and the same cloud.
    pub(crate) fn move_to_another_machine(&mut self) {
        self.machine.number += 1;
        self.machine.keyring = MemoryStore::new(StoreKind::SecretService);
        let directory = format!("machine-{}", self.machine.number);
        std::fs::create_dir_all(self.home().join(&directory).join("run")).unwrap();
        self.set("XDG_RUNTIME_DIR", self.path(&format!("{directory}/run")));
        self.set("CCE_LOGIN_STATE_DIR", self.path(&format!("{directory}/state")));
    }

    /// The machine's own stores in place of the given keyring; only for settings that lead to none but files.
    pub(crate) fn use_system_stores(&mut self) {
        self.machine.has_system_stores = true;
    }

    pub(crate) fn executable(&mut self, path: PathBuf) {
        self.machine.executable = Some(path);
    }

    /// Time passes: here and in the cloud.
    pub(crate) fn let_pass(&mut self, seconds: i64) {
        self.at(self.sim.behaviour().clock_offset + seconds);
    }

    /// So many seconds have passed since the world began: here and in the cloud.
    pub(crate) fn at(&mut self, seconds: i64) {
        self.set_clock_off(seconds);
        self.sim.set_behaviour(|b| b.clock_offset = seconds);
    }

    /// This machine's clock stands still, so many seconds from the moment at which the world began.
    pub(crate) fn set_clock_off(&mut self, seconds: i64) {
        let began = self.machine.began.timestamp();
        let clock = self.machine.clock.get_or_insert_with(|| Clock::Fixed {
            now: Arc::default(),
            booted_at: Arc::new((began - 100_000).into()),
        });
        if let Clock::Fixed { now, .. } = clock {
            now.store(began + seconds, Ordering::SeqCst);
        }
    }

    /// Somebody sets this machine's clock forward by so many seconds; no time passes.
    pub(crate) fn move_clock(&mut self, seconds: i64) {
        let Some(Clock::Fixed { now, booted_at }) = &self.machine.clock else {
            panic!("the clock does not stand still");
        };
        now.fetch_add(seconds, Ordering::SeqCst);
        booted_at.fetch_add(seconds, Ordering::SeqCst);
    }

    /// When the world began, by the right clock.
    pub(crate) fn began(&self) -> DateTime<Utc> {
        self.machine.began
    }

    /// The time by this machine's clock.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.machine.clock().now()
    }

    /// The next runs are started by this process.
    pub(crate) fn parent(&mut self, pid: u32, started: u64) {
        self.machine.parent = Process { pid, started };
    }

    /// The next runs are started by a program of this name.
    pub(crate) fn run_by(&mut self, program: &str) {
        self.machine.parent_program = Some(program.to_owned());
    }

    /// How many processes were left behind that have not run yet.
    pub(crate) fn left_behind(&self) -> usize {
        self.machine.left_behind.lock().unwrap().len()
    }

    /// The processes that were left behind run now.
    pub(crate) fn run_left_behind(&self) -> Vec<Outcome> {
        let waiting: Vec<_> = std::mem::take(&mut *self.machine.left_behind.lock().unwrap());
        let text = |args: Vec<std::ffi::OsString>| args.into_iter().skip(1).map(|arg| arg.into_string().unwrap());
        waiting.into_iter().map(|args| self.run(text(args))).collect()
    }

    /// Forgets the processes that were left behind, as if they had been killed.
    pub(crate) fn kill_left_behind(&self) {
        self.machine.left_behind.lock().unwrap().clear();
    }

    /// Runs one command line, and checks that it leaked nothing.
    pub(crate) fn run<A: AsRef<str>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let outcome = self.machine.run(self.variables(), args);
        self.check_leaks(&outcome);
        outcome
    }

    /// Runs one command line beside a person, who gets the addresses that a browser opens, each once, until the run ends.
    pub(crate) fn run_beside(&self, args: &[&str], person: impl Fn(&Sim, &str) + Sync) -> Outcome {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let (machine, sim, variables) = (&self.machine, &self.sim, self.variables());
        machine.opened.lock().unwrap().clear();
        let outcome = std::thread::scope(|scope| {
            let run = scope.spawn(|| machine.run(variables, args));
            let mut seen = 0;
            while !run.is_finished() {
                let opened = machine.opened.lock().unwrap().get(seen).cloned();
                match opened {
                    Some(address) => {
                        seen += 1;
                        person(sim, &address);
                    }
                    None => std::thread::sleep(Duration::from_millis(5)),
                }
            }
            run.join().unwrap()
        });
        self.check_leaks(&outcome);
        outcome
    }

    /// Runs one command line so many times at once.
    pub(crate) fn run_at_once(&self, count: usize, args: &[&str]) -> Vec<Outcome> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let (machine, variables) = (&self.machine, self.variables());
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..count)
                .map(|_| scope.spawn(|| machine.run(variables, args.clone())))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for outcome in &outcomes {
            self.check_leaks(outcome);
        }
        outcomes
    }

    /// The addresses that a browser was to open.
    pub(crate) fn opened(&self) -> Vec<String> {
        self.machine.opened.lock().unwrap().clone()
    }

    /// [`Self::run`] under another name than the program's own.
    pub(crate) fn run_as(&self, program: &str, args: &[&str]) -> Outcome {
        let args = args.iter().map(ToString::to_string).collect();
        let outcome = self.machine.run_as(program, self.variables(), args);
        self.check_leaks(&outcome);
        outcome
    }

    /// Runs `get-credential` for `prod` so many times at once.
    pub(crate) fn get_credentials_at_once(&self, count: usize, flags: &[&str]) -> Vec<Outcome> {
        let args = self.get_credential_args("prod", flags);
        let (machine, variables) = (&self.machine, self.variables());
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..count)
                .map(|_| scope.spawn(|| machine.run(variables, args.clone())))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for outcome in &outcomes {
            self.check_leaks(outcome);
        }
        outcomes
    }

    /// Runs `get-credential` for `prod` and, once its request has come to the cloud, `meanwhile` beside it.
    pub(crate) fn get_credential_while(&self, flags: &[&str], meanwhile: impl FnOnce()) -> Outcome {
        let args = self.get_credential_args("prod", flags);
        let (machine, variables) = (&self.machine, self.variables());
        let before = self.sim.count("clustercert");
        let outcome = std::thread::scope(|scope| {
            let run = scope.spawn(|| machine.run(variables, args));
            while self.sim.count("clustercert") == before && !run.is_finished() {
                std::thread::sleep(Duration::from_millis(5));
            }
            meanwhile();
            run.join().unwrap()
        });
        self.check_leaks(&outcome);
        outcome
    }

    /// Fails if a secret of this world is where it must not be.
    pub(crate) fn check_leaks(&self, outcome: &Outcome) {
        self.secrets.borrow_mut().add_keys_of(self.keyring());
        let stderr = format!("stderr of `kubectl cce-login {}`", outcome.args.join(" "));
        self.check_secrecy(&outcome.stdout, &[(stderr, &outcome.stderr)]);
    }

    /// `get-credential` for this cluster, as kubectl runs it, with these flags added.
    pub(crate) fn get_credential_of(&self, cluster: &str, flags: &[&str]) -> Outcome {
        self.run(self.get_credential_args(cluster, flags))
    }

    fn get_credential_args(&self, cluster: &str, flags: &[&str]) -> Vec<String> {
        let cluster = self.sim.cluster(cluster);
        let args = [
            "get-credential".to_owned(),
            format!("--region={}", self.sim.region()),
            format!("--project-id={}", cluster.project_id),
            format!("--cluster-id={}", cluster.uid),
        ];
        args.into_iter()
            .chain(flags.iter().map(|flag| (*flag).to_owned()))
            .collect()
    }

    /// `get-credential` for `prod`.
    pub(crate) fn get_credential(&self, flags: &[&str]) -> Outcome {
        self.get_credential_of("prod", flags)
    }

    /// `login --cluster prod` with these flags added.
    pub(crate) fn login(&self, flags: &[&str]) -> Outcome {
        self.run(["--cluster", "prod"].iter().chain(flags))
    }

    /// Keeps `user`'s access key as a profile of this name, and takes the key out of the environment.
    pub(crate) fn keep_profile(&mut self, name: &str, user: &str) {
        let key = self.sim.access_key(user);
        self.use_no_key();
        self.pipe_in(&key.secret);
        let set = self.run(["profile", "set", name, "--access-key-id", &key.id, "--secret-stdin"]);
        set.is_done();
        self.machine.stdin.clear();
    }

    /// The kubeconfig at its usual place, as text.
    pub(crate) fn kubeconfig_text(&self) -> String {
        self.read(".kube/config")
    }

    /// The kubeconfig at its usual place.
    pub(crate) fn kubeconfig(&self) -> Written {
        Written::parse(&self.kubeconfig_text())
    }

    /// The text without what differs from run to run.
    pub(crate) fn elided(&self, text: &str) -> String {
        let mut known = vec![
            (self.sim.cce_endpoint(), "https://[CCE]".to_owned()),
            (self.sim.iam_endpoint(), "https://[IAM]".to_owned()),
            (without_scheme(&self.sim.cce_endpoint()), "[CCE]".to_owned()),
            (without_scheme(&self.sim.iam_endpoint()), "[IAM]".to_owned()),
            (without_scheme(&self.sim.sts_endpoint()), "[STS]".to_owned()),
            (without_scheme(&self.sim.metadata_endpoint()), "[METADATA]".to_owned()),
            (self.path(""), "[HOME]".to_owned()),
            (self.sim.region().to_owned(), self.sim.region().to_owned()),
        ];
        for user in ["alice", "bob", "carol"] {
            let id = self.sim.user_id(user);
            known.push((format!("{user} ({}…)", &id[..5]), format!("{user} (12345…)")));
            known.push((id, format!("[ID OF {user}]")));
        }
        for project in ["cn-north-4", "cn-north-4_team"] {
            known.push((self.sim.project_id(project), format!("[ID OF {project}]")));
        }
        for cluster in self.sim.clusters() {
            known.push((cluster.uid.clone(), format!("[ID OF {}]", cluster.name)));
            known.push((
                without_scheme(&cluster.internal_url),
                format!("[INTERNAL OF {}]", cluster.name),
            ));
            if let Some(url) = &cluster.external_url {
                known.push((without_scheme(url), format!("[EXTERNAL OF {}]", cluster.name)));
            }
        }
        for cluster in self.sim.clusters() {
            known.push((
                host_of(&cluster.internal_url),
                format!("[INTERNAL HOST OF {}]", cluster.name),
            ));
            if let Some(url) = cluster.external_url.filter(|url| !url.contains("//127.0.0.1")) {
                known.push((host_of(&url), format!("[EXTERNAL HOST OF {}]", cluster.name)));
            }
        }
        known.extend(self.access_keys.iter().cloned());
        elided(text, &known)
    }

    /// The outcome is the one in `tests/cmd/NAME.txt`.
    pub(crate) fn snapshot(&self, name: &str, outcome: &Outcome) {
        super::check_text(&format!("{name}.txt"), &self.elided(&outcome.to_string()));
    }
}

fn without_scheme(url: &str) -> String {
    url.split_once("://").unwrap().1.to_owned()
}

fn host_of(url: &str) -> String {
    let authority = without_scheme(url);
    authority.rsplit_once(':').unwrap().0.to_owned()
}
