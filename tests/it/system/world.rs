//! The world in which real processes run: a PATH with the plugin first, kubectl, memory, the kernel's keyring.

use super::process::{Output, Running};
use crate::support::files_below;
use cce_sim::Sim;
use rustix::process::Pid;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// A kubectl that `tests/run` provides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kubectl {
    /// Speaks `v1`.
    Current,
    /// As Debian 12 ships it: 1.20, speaks `v1beta1`.
    Old,
}

/// Where a world without keyrings has a directory that lives in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// `XDG_RUNTIME_DIR` alone.
    Session,
    /// `/dev/shm` alone.
    Shared,
    /// Nowhere.
    None,
}

/// One user on one machine, before one cloud.
pub(crate) type World = crate::support::world::World<Processes>;

/// A machine of real processes.
pub(crate) struct Processes {
    home: PathBuf,
    front: Vec<String>,
    memory: Option<tempfile::TempDir>,
}

impl World {
    /// With alice's access key in the environment, no session bus, and the current kubectl.
    pub(crate) fn new() -> Self {
        let mut world = Self::without_kubectl();
        world.install_kubectl(Kubectl::Current);
        world
    }

    /// The same, with no kubectl of its own.
    pub(crate) fn without_kubectl() -> Self {
        let home = tempfile::tempdir().unwrap();
        let machine = Processes {
            home: home.path().to_owned(),
            front: Vec::new(),
            memory: None,
        };
        let mut world = Self::on(machine, home, Sim::start());
        let bin = world.home().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(program(), bin.join("kubectl-cce_login")).unwrap();
        let mut path = vec![bin];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        world.set("PATH", std::env::join_paths(path).unwrap());
        world.set("KUBERC", "off");
        // Nothing is signed for an endpoint that an argument alone names, and not every test begins with a login.
        world.set("CCE_LOGIN_CCE_ENDPOINT", world.sim.cce_endpoint());
        // What a user asks for by name; what lives in memory is outside the home directory.
        world.allow_secrets_below(".cache/cce-login");
        world
    }

    /// Lets every process see `/dev/shm`, and `XDG_RUNTIME_DIR` where that is asked for, as a world's own.
    pub(crate) fn give_memory(&mut self, memory: Memory) {
        let real = tempfile::tempdir_in("/dev/shm").unwrap();
        let script = match memory {
            Memory::Session => {
                "mount --bind \"$0\" \"$XDG_RUNTIME_DIR\" && mount --bind /proc/tty /dev/shm && exec \"$@\""
            }
            Memory::Shared => "mount --bind \"$0\" /dev/shm && exec \"$@\"",
            // procfs is neither memory nor a place to write to.
            Memory::None => "mount --bind /proc/tty /dev/shm && exec \"$@\"",
        };
        let mut front = vec!["unshare", "--mount"];
        if !rustix::process::geteuid().is_root() {
            front.push("--map-root-user");
        }
        let place = real.path().display().to_string();
        front.extend(["sh", "-c", script, &place]);
        self.machine.front = front.into_iter().map(str::to_owned).collect();
        self.machine.memory = Some(real);
    }

    /// Lets every process see a `/dev` with `null` in it and nothing else.
    pub(crate) fn give_bare_dev(&mut self) {
        self.give_mounts(": >\"$0/null\" && mount --bind /dev/null \"$0/null\" && mount --rbind \"$0\" /dev");
    }

    /// Runs every process in a mount namespace of its own, after this line of a shell; `$0` is an empty directory for it.
    pub(crate) fn give_mounts(&mut self, line: &str) {
        let script = format!("mkdir -p \"$0\" && {line} && exec \"$@\"");
        let mut front = vec!["unshare", "--mount"];
        if !rustix::process::geteuid().is_root() {
            front.push("--map-root-user");
        }
        let place = self.path("dev");
        front.extend(["sh", "-c", &script, &place]);
        self.machine.front = front.into_iter().map(str::to_owned).collect();
    }

    /// Puts one more command in front of every process, nearest to it.
    pub(crate) fn put_in_front(&mut self, command: &[&str]) {
        self.machine.front.extend(command.iter().map(|word| (*word).to_owned()));
    }

    /// The directory that stands in for memory, as seen from outside.
    pub(crate) fn memory(&self) -> &Path {
        self.machine.memory.as_ref().unwrap().path()
    }

    /// Puts this kubectl first on the PATH.
    pub(crate) fn install_kubectl(&mut self, kubectl: Kubectl) {
        let name = match kubectl {
            Kubectl::Current => "KUBECTL",
            Kubectl::Old => "KUBECTL_1_20",
        };
        let file = std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run tests/run"));
        let link = self.home().join("bin/kubectl");
        let _ = fs::remove_file(&link);
        symlink(file, link).unwrap();
    }

    /// A command in this world's environment, and nothing else's.
    pub(crate) fn command(&self, words: &[impl AsRef<str>]) -> Command {
        let mut all = self.machine.front.clone();
        // Ctrl-C ends it, also where a shell has started the tests in the background, which ignore it then, and so does the end of a session,
        // which `nohup` ignores. By its path: some of these worlds have no programs but a few.
        all.extend(["/usr/bin/env", "--default-signal=HUP,INT,QUIT"].map(str::to_owned));
        all.extend(words.iter().map(|word| word.as_ref().to_owned()));
        let (program, arguments) = all.split_first().unwrap();
        // `Command` looks a bare name up in the PATH of the environment it is given.
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.variables());
        command.current_dir(self.home());
        command
    }

    /// Starts a process.
    pub(crate) fn start(&self, words: &[impl AsRef<str>]) -> Running {
        Running::start(self.command(words), None)
    }

    /// Runs a process to its end, with the leak check.
    pub(crate) fn run(&self, words: &[impl AsRef<str>]) -> Output {
        self.checked(self.start(words).finish())
    }

    /// The same, with text on stdin.
    pub(crate) fn run_with_stdin(&self, words: &[impl AsRef<str>], stdin: &str) -> Output {
        self.checked(Running::start(self.command(words), Some(stdin)).finish())
    }

    /// The leak check on a run that ended.
    pub(crate) fn checked(&self, output: Output) -> Output {
        let mut said: Vec<(String, &str)> = vec![("stderr".into(), &output.stderr)];
        let lines = output.command_lines.iter();
        said.extend(lines.map(|line| (format!("the command line {line}"), line.as_str())));
        self.check_secrecy(&output.stdout, &said);
        output
    }

    /// A shell line that has to succeed; its stdout.
    pub(crate) fn shell(&self, line: &str) -> String {
        self.run(&["sh", "-c", line]).succeeded().stdout
    }

    /// kubectl.
    pub(crate) fn kubectl(&self, line: &str) -> Output {
        self.run(&words("kubectl", line))
    }

    /// The flags that lead to the simulated cloud.
    pub(crate) fn cloud_flags(&self) -> Vec<String> {
        vec![
            format!("--cce-endpoint={}", self.sim.cce_endpoint()),
            format!("--iam-endpoint={}", self.sim.iam_endpoint()),
            format!("--ca-file={}", self.home().join("cloud-ca.pem").display()),
        ]
    }

    /// `login` to the cluster `prod`, with more flags.
    pub(crate) fn login_with(&self, flags: &str) -> Output {
        let mut all = words("kubectl-cce_login", "login --region cn-north-4 --cluster prod");
        all.extend(self.cloud_flags());
        all.extend(flags.split_whitespace().map(str::to_owned));
        self.run(&all)
    }

    /// `login` to the cluster `prod`; it has to succeed.
    pub(crate) fn login(&self) -> Output {
        self.login_with("").succeeded()
    }

    /// `profile set NAME` with this user's access key.
    pub(crate) fn set_profile(&self, name: &str, user: &str) -> Output {
        let key = self.sim.access_key(user);
        let line = format!(
            "profile set {name} --access-key-id {} --region cn-north-4 --secret-stdin",
            key.id
        );
        let mut all = words("kubectl-cce_login", &line);
        all.extend(self.cloud_flags());
        self.run_with_stdin(&all, &key.secret)
    }

    /// The words of `get-credential` for the cluster `prod`, as an entry pinned to the environment has them.
    pub(crate) fn get_credential_words(&self) -> Vec<String> {
        let cluster = self.sim.cluster("prod");
        let line = format!(
            "get-credential --region=cn-north-4 --project-id={} --cluster-id={} --identity=env",
            cluster.project_id, cluster.uid
        );
        let mut all = words("kubectl-cce_login", &line);
        all.extend(self.cloud_flags());
        all
    }

    /// Runs `get-credential`, as a client without exec info does.
    pub(crate) fn get_credential(&self) -> Output {
        self.run(&self.get_credential_words())
    }

    /// The same, each time from a process of its own, as kubectl is one.
    pub(crate) fn get_credential_from_a_shell(&self) -> Output {
        self.run(&self.in_a_shell("", ""))
    }

    /// `get-credential` in a shell that does `before` first and `after` then.
    pub(crate) fn in_a_shell(&self, before: &str, after: &str) -> [String; 3] {
        let line = self.get_credential_words().join(" ");
        // With something to do afterwards the shell stays its parent.
        let script = format!("{before}\n{line}\nended=$?\n{after}\nexit $ended");
        ["sh", "-c", &script].map(str::to_owned)
    }

    /// The requests to the cloud of any kind.
    pub(crate) fn cloud_requests(&self) -> usize {
        self.sim.count("*")
    }

    /// The accounts under which certificates are kept.
    pub(crate) fn accounts(&self) -> Vec<String> {
        accounts_of(self.home())
    }

    /// The one account under which a certificate is kept.
    pub(crate) fn account(&self) -> String {
        let accounts = self.accounts();
        assert_eq!(accounts.len(), 1, "{accounts:?}");
        accounts[0].clone()
    }

    /// The kernel's answer about our key: its payload's length, or `None` without a key.
    pub(crate) fn kernel_key(&self) -> Option<usize> {
        kernel_key_of(&self.account())
    }

    /// Removes our key, and no other one, from the user's keyring, which all tests of this user share.
    pub(crate) fn remove_kernel_key(&self) {
        purge(&self.account());
    }

    /// The processes of this world, which have its cluster's id in their arguments.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let cluster = self.sim.cluster("prod").uid;
        let all = fs::read_dir("/proc").unwrap().flatten();
        let pid = |process: fs::DirEntry| {
            let line = fs::read(process.path().join("cmdline")).ok()?;
            let is_one = String::from_utf8_lossy(&line).contains(&cluster);
            Pid::from_raw(process.file_name().to_str()?.parse().ok().filter(|_| is_one)?)
        };
        all.filter_map(pid).collect()
    }

    /// Does something to our key: a line of a shell that ends where the key's name follows.
    pub(crate) fn change_kernel_key(&self, line: &str) {
        let done = keyctl(&format!("{line} %user:cce-login:{} && echo done", self.account()));
        assert!(done.ends_with("done\n"), "{line}: {done}");
    }

    /// Every file of the home and the runtime directory, with length and time.
    pub(crate) fn files(&self) -> Vec<(PathBuf, u64, SystemTime)> {
        let all = files_below(self.home()).into_iter();
        all.filter_map(|path| {
            let meta = path.metadata().ok()?;
            Some((path, meta.len(), meta.modified().ok()?))
        })
        .collect()
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for account in accounts_of(&self.home) {
            purge(&account);
        }
    }
}

fn accounts_of(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home.join(".local/state/cce-login/entries"));
    let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
    names
        .map(|name| name.to_string_lossy().trim_end_matches(".json").to_owned())
        .collect()
}

/// The program: the one that install.sh has built, where `tests/run` names it, else cargo's build for the tests.
pub(crate) fn program() -> PathBuf {
    let installed = std::env::var_os("INSTALLED_PROGRAM").map(PathBuf::from);
    installed.unwrap_or_else(|| env!("CARGO_BIN_EXE_kubectl-cce_login").into())
}

/// The kernel's answer about this account's key: its payload's length, or `None` without a key.
pub(crate) fn kernel_key_of(account: &str) -> Option<usize> {
    let output = keyctl(&format!("keyctl pipe %user:cce-login:{account} | wc -c"));
    output.trim().parse().ok().filter(|length| *length > 0)
}

fn purge(account: &str) {
    keyctl(&format!("keyctl purge user cce-login:{account}"));
}

/// In a session of its own that holds the user's keyring.
fn keyctl(line: &str) -> String {
    let script = format!("keyctl link @u @s && {line}");
    let mut command = Command::new("keyctl");
    command.args(["session", "-", "sh", "-c", &script]);
    Running::start(command, None).finish().stdout
}

/// `first`, and the words of a line.
pub(crate) fn words(first: &str, line: &str) -> Vec<String> {
    std::iter::once(first)
        .chain(line.split_whitespace())
        .map(str::to_owned)
        .collect()
}

impl Output {
    /// It has to have succeeded.
    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// It has to have failed with this exit code.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// The certificate of an `ExecCredential` that came silently.
    #[track_caller]
    pub(crate) fn certificate(self) -> String {
        let output = self.succeeded();
        assert_eq!(output.stderr, "");
        let document: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(document["kind"], "ExecCredential");
        document["status"]["clientCertificateData"].as_str().unwrap().to_owned()
    }
}
