//! One cell: a world of its own, the cache in one state, one fault, one call. Then what it said, and what it left behind.

use super::door::{Behind, Door};
use super::names::{NameServer, Says};
use super::row::{Came, Fault, NO_ANSWER, State};
use crate::support::files_below;
use crate::system::process::{Output, Running, wait_for};
use crate::system::world::{World, program};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cce_login::cache::entry::CacheEntry;
use cce_login::certificate::ClientCert;
use cce_login::secret::Secret;
use cce_login::store::{CacheMode, LayeredStore, StoreEnvironment, Stores};
use rustix::process::Pid;
use std::any::Any;
use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// What a call is given that is expected to use it up.
pub(super) const SHORT: Duration = Duration::from_secs(3);
/// What any other call is given: it is over before.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer a call may take on a machine that does many things at once.
const MARGIN: Duration = Duration::from_secs(3);
/// More requests for a certificate than this are too many for one call and the process behind it.
const MOST_REQUESTS: usize = 3;
/// Longer than any line that a person reads.
const LONGEST_LINE: usize = 700;

/// One cell of the table.
pub(super) struct Cell {
    pub(super) world: World,
    pub(super) state: State,
    /// `--cache`.
    pub(super) cache: &'static str,
    /// Where CCE is.
    pub(super) endpoint: String,
    /// More flags of the call.
    pub(super) flags: Vec<String>,
    /// `--timeout`.
    pub(super) timeout: Duration,
    /// A line of the shell that calls, before the call.
    pub(super) before: &'static str,
    /// How the call is written in that shell; `@` is the program with its arguments.
    pub(super) form: &'static str,
    /// In front of the cloud, if a fault wants one there.
    pub(super) door: Option<Door>,
    /// Who resolves names, if a fault wants that.
    pub(super) names: Option<NameServer>,
    /// Who makes the call while something happens to it.
    pub(super) call: Box<dyn Fn(&Cell) -> Output>,
    /// Who calls; whose the files are.
    pub(super) uid: u32,
    /// What is kept is out of the test's reach, or nothing is kept.
    pub(super) keeps_nothing: bool,
    /// Once the fault is over, the same call of a person has to bring a certificate.
    pub(super) heals: bool,
    /// Locks that somebody else holds during the call.
    pub(super) locks: Vec<File>,
    /// Lives as long as the cell.
    pub(super) alive: Vec<Box<dyn Any>>,
    comes: Came,
    cached: Option<String>,
}

impl Cell {
    /// The machine, the cache in its state, and the fault.
    pub(super) fn arranged(fault: &Fault, state: State) -> Self {
        let mut world = World::without_kubectl();
        world.set("container", "docker"); // no kernel keyring, unless a fault is about it
        let mut cell = Self {
            endpoint: world.sim.cce_endpoint(),
            world,
            state,
            cache: "file",
            flags: Vec::new(),
            timeout: if fault.comes.contains(&NO_ANSWER) {
                SHORT
            } else {
                TIMEOUT
            },
            before: "",
            form: "@",
            door: None,
            names: None,
            call: Box::new(Self::called),
            uid: rustix::process::getuid().as_raw(),
            keeps_nothing: false,
            heals: true,
            locks: Vec::new(),
            alive: Vec::new(),
            comes: fault.comes[state as usize],
            cached: None,
        };
        (fault.given)(&mut cell);
        cell.world.set("CCE_LOGIN_CCE_ENDPOINT", &cell.endpoint);
        cell.fill();
        (fault.strikes)(&mut cell);
        cell.world.sim.clear_requests();
        cell
    }

    /// A door in front of the cloud: from now on CCE is behind it.
    pub(super) fn give_door(&mut self) {
        let door = Door::in_front_of(&self.world.sim);
        self.endpoint = door.url();
        self.door = Some(door);
    }

    pub(super) fn door(&self) -> &Door {
        self.door.as_ref().unwrap()
    }

    /// Who calls is a user of its own, to whom limits apply.
    pub(super) fn call_as_somebody(&mut self) {
        let port: u32 = self.endpoint.rsplit(':').next().unwrap().parse().unwrap();
        self.uid = 100_000 + port;
        // The program where that user can reach it; not in the home directory, which is looked through for secrets.
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let place = directory.path().display().to_string();
        self.world.shell(&format!(
            "cp -L \"$HOME/bin/kubectl-cce_login\" {place}/ && ln -sf {place}/kubectl-cce_login \"$HOME/bin/\""
        ));
        self.alive.push(Box::new(directory));
        self.world.shell(&format!("chown -R {0}:{0} \"$HOME\"", self.uid));
        let ids = [format!("--reuid={}", self.uid), format!("--regid={}", self.uid)];
        self.world
            .put_in_front(&["setpriv", &ids[0], &ids[1], "--clear-groups"]);
    }

    /// The words of the call.
    fn words(&self) -> Vec<String> {
        let cluster = self.world.sim.cluster("prod");
        let mut words = [
            "kubectl-cce_login",
            "get-credential",
            "--region=cn-north-4",
            "--identity=env",
        ]
        .map(str::to_owned)
        .to_vec();
        words.extend([
            format!("--project-id={}", cluster.project_id),
            format!("--cluster-id={}", cluster.uid),
            format!("--cce-endpoint={}", self.endpoint),
            format!("--iam-endpoint={}", self.world.sim.iam_endpoint()),
            format!("--ca-file={}", self.world.path("cloud-ca.pem")),
            format!("--cache={}", self.cache),
            format!("--principal={}", self.world.sim.user_id("alice")),
        ]);
        words.extend(self.flags.iter().cloned());
        words
    }

    /// Each call comes from a shell of its own, as kubectl is a process of its own.
    fn shell(&self, before: &str, form: &str, timeout: Duration) -> [String; 3] {
        let words = self.words().join(" ");
        let line = form.replace('@', &format!("{words} --timeout={}s", timeout.as_secs()));
        ["sh", "-c", &format!("{before}\n{line}\nended=$?\nexit $ended")].map(str::to_owned)
    }

    /// Starts the call.
    pub(super) fn start(&self) -> Running {
        self.world.start(&self.shell(self.before, self.form, self.timeout))
    }

    /// The usual call.
    pub(super) fn called(&self) -> Output {
        self.start().finish_within(self.timeout * 10)
    }

    /// Brings the cache into its state, while all is well.
    fn fill(&mut self) {
        let (life, age) = match self.state {
            State::Empty => return,
            State::Valid => (None, 0),
            // A life of 150 s, of which 40 are left: its window are the last 50 s, its last moment the last 15 s.
            State::Window => (Some(40), 110),
            // A life of 600 s, of which 45 are left: its last moment are the last 60 s.
            State::LastMoments => (Some(45), 555),
        };
        let lifetime = life.map(Duration::from_secs);
        self.world.sim.set_behaviour(|b| b.certificate_lifetime = lifetime);
        let output = self.world.run(&self.shell("", "@", TIMEOUT));
        self.cached = Some(output.certificate());
        self.world.sim.set_behaviour(|b| b.certificate_lifetime = None);
        if age > 0 && !self.keeps_nothing {
            self.change_entry(|entry| add(entry, FETCHED_AT, -age));
        }
    }

    /// The stores that the call uses, for the test to change what they hold.
    fn stores(&self) -> LayeredStore {
        let set = |name| Some(self.world.variable(name)).filter(|value| !value.is_empty());
        let now = chrono::DateTime::from(SystemTime::now());
        let mode = match self.cache {
            "file" => CacheMode::File,
            "keyring" => CacheMode::Keyring,
            "kernel" => CacheMode::Kernel,
            _ => CacheMode::Auto,
        };
        Stores::new(StoreEnvironment {
            dbus_session_bus_address: set("DBUS_SESSION_BUS_ADDRESS").map(Into::into),
            xdg_runtime_dir: set("XDG_RUNTIME_DIR").map(Into::into),
            container: set("container").map(Into::into),
            kubernetes_service_host: None,
            cache_dir: Some(self.world.home().join(".cache/cce-login")),
            shared_memory_dir: "/dev/shm".into(),
            time_out_marker: None,
            uid: self.uid,
            interactive: false,
            is_for_client: true,
            keyring_deadline: TIMEOUT,
            now,
        })
        .of(mode)
    }

    /// Puts other bytes in the place of the kept ones, in every store.
    pub(super) fn replace_entry(&self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        if self.cache == "kernel" {
            return self.replace_kernel_key(change);
        }
        let (stores, account) = (self.stores(), self.world.account());
        let (_, bytes) = stores.get(&account).found.unwrap_or_else(|| panic!("nothing is kept"));
        let bytes = Secret::new(change(bytes.expose().clone()));
        let now = chrono::DateTime::from(SystemTime::now());
        let ends = now + chrono::TimeDelta::hours(1);
        let troubles = stores.set(&account, "of the test", &bytes, Some(ends), now).troubles;
        assert!(troubles.is_empty(), "{troubles:?}");
        if self.cache == "file" {
            std::os::unix::fs::chown(self.entry(), Some(self.uid), Some(self.uid)).unwrap();
        }
    }

    /// The key in the keyring of whoever calls, which may be out of this process's reach.
    fn replace_kernel_key(&self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let name = format!("%user:cce-login:{}", self.world.account());
        let session = |line: String, stdin: &str| {
            let script = format!("keyctl link @u @s && {line}");
            let words = ["keyctl", "session", "-", "sh", "-c", &script];
            // Not what anybody would say: the entry itself.
            let running = Running::start(self.world.command(&words), Some(stdin));
            running.finish().succeeded().stdout
        };
        let bytes = STANDARD
            .decode(session(format!("keyctl pipe {name} | base64 -w0"), ""))
            .unwrap();
        let bytes = STANDARD.encode(change(bytes));
        session(format!("base64 -d | keyctl pupdate {name}"), &bytes);
    }

    /// Changes the kept entry, where there is one, and makes it whole again.
    pub(super) fn change_entry(&self, change: impl FnOnce(&mut Vec<u8>)) {
        self.replace_entry(|mut bytes| {
            bytes.truncate(bytes.len() - CHECKSUM);
            change(&mut bytes);
            let sum = ring::digest::digest(&ring::digest::SHA256, &bytes);
            bytes.extend(&sum.as_ref()[..CHECKSUM]);
            bytes
        });
    }

    /// The file of the kept entry, in the file cache.
    pub(super) fn entry(&self) -> PathBuf {
        self.world
            .home()
            .join(format!(".cache/cce-login/entry-{}", self.world.account()))
    }

    /// The account under which the call keeps its certificate, also before there is one.
    pub(super) fn learn_account(&self) -> String {
        if self.state == State::Empty {
            self.world.run(&self.shell("", "@", TIMEOUT)).certificate();
        }
        let account = self.world.account();
        if self.state == State::Empty {
            for directory in [".cache", ".local", "run/cce-login"] {
                std::fs::remove_dir_all(self.world.home().join(directory)).unwrap();
            }
        }
        account
    }

    /// Forgets what is kept, as a person does.
    pub(super) fn log_out(&self) {
        self.world.login_with("--cache=file --no-check").succeeded();
        self.world.run(&["kubectl-cce_login", "logout", "--all"]).succeeded();
    }

    /// The running processes that are the program, and not a shell in front of it.
    pub(super) fn programs(&self) -> Vec<Pid> {
        let program = program().canonicalize().unwrap();
        let is_one = |pid: &Pid| {
            let link = format!("/proc/{}/exe", pid.as_raw_nonzero());
            std::fs::read_link(link).is_ok_and(|exe| exe == program)
        };
        self.world.processes().into_iter().filter(is_one).collect()
    }

    /// The call, and everything that has to be true of it.
    pub(super) fn run(mut self) -> Came {
        let output = (self.call)(&self);
        let took = output.took;
        let output = self.world.checked(output);
        assert!(took <= self.timeout + MARGIN, "it took {took:?}; {}", output.stderr);
        let came = self.came_of(&output);
        self.look_for_remains();
        let came = self.with_what_came_behind(came);
        assert_eq!(came, self.comes, "{}", output.stderr);
        if self.heals {
            self.heal();
        }
        came
    }

    /// The process behind a call in the renewal window has ended: with a new certificate in the cache?
    fn with_what_came_behind(&self, came: Came) -> Came {
        if self.state != State::Window || came != Came::Kept || self.keeps_nothing {
            return came;
        }
        let kept = self.stores().get(&self.world.account()).found;
        let entry = kept.and_then(|(_, bytes)| CacheEntry::from_bytes(&bytes));
        match entry {
            Some(entry) if Some(entry.cert.certificates_pem()) != self.cached => Came::KeptThenNew,
            _ => Came::Kept,
        }
    }

    /// The cloud and the network are well again; a person asks.
    fn heal(&mut self) {
        self.world.sim.clear_faults();
        self.world.sim.set_behaviour(|b| *b = cce_sim::Behaviour::default());
        if let Some(door) = &self.door {
            door.set(Behind::Cloud);
        }
        if let Some(names) = &self.names {
            names.set(Says::Here);
        }
        self.flags.push("--force-refresh".to_owned());
        self.form = "@";
        self.timeout = TIMEOUT;
        self.before = "";
        let output = self.world.checked(self.called());
        assert_eq!(self.came_of(&output), Came::New, "once the fault is over");
    }

    /// How it ended. Words are compared with the expected ones, so that what is written down is what the source has.
    fn came_of(&self, output: &Output) -> Came {
        if let Some(signal) = output.signal {
            return Came::Killed(signal);
        }
        let code = output.code.unwrap_or_default();
        match code {
            // As the shell tells it.
            129 | 131..160 => Came::Killed(code - 128),
            _ if output.stdout.is_empty() && output.stderr.is_empty() => Came::Unheard(code),
            0 => self.credential(output),
            _ => self.failure(code, output),
        }
    }

    fn credential(&self, output: &Output) -> Came {
        assert_eq!(output.stderr, "", "a credential comes silently");
        let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(document["kind"], "ExecCredential");
        let text = |name: &str| document["status"][name].as_str().unwrap();
        let certificate = text("clientCertificateData");
        // The key belongs to it, too, or this is an error.
        let pair = ClientCert::from_pem(certificate.as_bytes(), text("clientKeyData").as_bytes()).unwrap();
        assert_eq!(pair.common_name, self.world.sim.user_id("alice"));
        let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
        let now = now + chrono::TimeDelta::seconds(self.world.sim.behaviour().clock_offset);
        let (_, pem) = x509_parser::pem::parse_x509_pem(certificate.as_bytes()).unwrap();
        let validity = pem.parse_x509().unwrap().validity().clone();
        let valid = validity.not_before.timestamp()..validity.not_after.timestamp();
        assert!(valid.contains(&now.timestamp()), "it is not valid now");
        if self.cached.as_deref() == Some(certificate) {
            Came::Kept
        } else {
            Came::New
        }
    }

    /// One line that says what failed, and perhaps a hint.
    fn failure(&self, code: i32, output: &Output) -> Came {
        assert_eq!(output.stdout, "", "a failure says nothing on stdout");
        let lines: Vec<&str> = output.stderr.lines().collect();
        assert!(
            lines.len() == 1 || lines.len() == 2 && lines[1].starts_with("hint: "),
            "exit {code}, not one line and a hint: {}",
            output.stderr
        );
        assert!(
            lines[0].starts_with("kubectl cce-login: error: "),
            "exit {code}: {}",
            lines[0]
        );
        let is_readable = |line: &&str| line.len() <= LONGEST_LINE && !line.chars().any(char::is_control);
        assert!(lines.iter().all(is_readable), "{}", output.stderr);
        match self.comes {
            Came::Fails(expected, words) if lines[0].contains(words) => {
                assert_eq!(code, expected, "{}", lines[0]);
                Came::Fails(code, words)
            }
            _ => panic!("exit {code}: {}", output.stderr),
        }
    }

    /// No process, no lock, no half-written file, and not too many requests.
    fn look_for_remains(&mut self) {
        self.locks.clear();
        wait_for("the end of every process", || self.world.processes().is_empty());
        for path in files_below(self.world.home()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            assert!(!name.starts_with(".new-"), "a half-written file: {}", path.display());
            if path.parent().is_some_and(|parent| parent.ends_with("locks")) {
                let lock = File::open(&path).unwrap();
                // What another thread starts has all our files open for a moment.
                wait_for("the lock", || lock.try_lock().is_ok());
            }
        }
        let requests = self.world.certificate_requests();
        assert!(requests <= MOST_REQUESTS, "{requests} requests");
    }
}

/// Where an entry has its numbers (src/cache/entry.rs).
const CHECKSUM: usize = 8;
pub(super) const REQUESTED_AT: usize = 1;
const FETCHED_AT: usize = 9;
/// How the cloud's clock was known to stand, and when the machine was booted by ours then: an `i32` and an `i64`.
pub(super) const SKEW: std::ops::Range<usize> = 25..37;
/// Where its key begins.
pub(super) const KEY: usize = 37;

/// Adds to a number of eight bytes.
pub(super) fn add(entry: &mut [u8], at: usize, seconds: i64) {
    let field = &mut entry[at..at + 8];
    let value = i64::from_le_bytes(field.try_into().unwrap());
    field.copy_from_slice(&(value + seconds).to_le_bytes());
}
