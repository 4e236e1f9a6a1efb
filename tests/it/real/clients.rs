//! Kubernetes clients of every kind against a real API server: the first use, three renewals in a running process, a revocation.
//!
//! What is asserted here is what docs/clients.md says of each.

mod anew;
mod changes;
mod counting;
mod helm;
mod kube_rs;
mod kubectl;
mod running;

use super::cce_cluster::RealCluster;
use crate::system::process::Running;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A life that ends while a test looks on.
const SHORT: Option<Duration> = Some(Duration::from_secs(40));
/// Time for three renewals of such a life, and more than two lives.
const THREE_RENEWALS: Duration = Duration::from_secs(110);
/// Longer than a program asks, also on a busy machine.
const LONGEST: Duration = Duration::from_secs(600);

/// Libraries that run the plugin themselves, each in a small program of `tests/real/clients`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Library {
    Python,
    Node,
    Java,
}

impl Library {
    const ALL: [Self; 3] = [Self::Python, Self::Node, Self::Java];

    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Java => "java",
        }
    }

    /// fabric8's client does not know `tls-server-name`, and can use an address only that the server's certificate names.
    fn access(self) -> &'static str {
        match self {
            Self::Java => "internal",
            Self::Python | Self::Node => "external",
        }
    }

    /// The program, which asks so many times.
    fn words(self, times: u64) -> Vec<String> {
        let provided =
            |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/run --real"));
        let python = format!("{}/tests/real/clients/python/client.py", env!("CARGO_MANIFEST_DIR"));
        let mut words = match self {
            Self::Python => vec![provided("PYTHON_CLIENT"), python],
            Self::Node => vec!["node".to_owned(), provided("NODE_CLIENT")],
            Self::Java => [
                "java",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                &provided("JAVA_CLIENT"),
                "Client",
            ]
            .map(str::to_owned)
            .to_vec(),
        };
        words.push(times.to_string());
        words
    }
}

/// A machine of the same person's for each library: they have nothing in common but the cluster.
struct Machine {
    library: Library,
    variables: Vec<(&'static str, String)>,
}

impl Machine {
    /// Logged in through the address that the library can use.
    fn new(cluster: &RealCluster, library: Library) -> Self {
        Self::through(cluster, library, library.access())
    }

    /// Logged in through this address.
    fn through(cluster: &RealCluster, library: Library, access: &str) -> Self {
        let directory = |name: &str| {
            let path = cluster.world.home().join(name).join(library.name());
            std::fs::create_dir_all(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
            path.display().to_string()
        };
        let machine = Self {
            library,
            variables: vec![
                ("HOME", directory("machines")),
                ("XDG_RUNTIME_DIR", directory("runs")),
                ("CCE_LOGIN_CACHE_DIR", directory(".cache/cce-login")),
            ],
        };
        let mut line = [
            "kubectl-cce_login",
            "login",
            "--region=cn-north-4",
            "--cluster=prod",
            "--cache=file",
        ]
        .map(str::to_owned)
        .to_vec();
        line.push(format!("--access={access}"));
        line.extend(cluster.world.cloud_flags());
        cluster
            .world
            .checked(machine.start(cluster, &line).finish())
            .succeeded();
        machine
    }

    fn all(cluster: &RealCluster) -> Vec<Self> {
        Library::ALL
            .map(|library| Self::new(cluster, library))
            .into_iter()
            .collect()
    }

    fn start(&self, cluster: &RealCluster, words: &[String]) -> Running {
        let mut command: Command = cluster.world.command(words);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Running::start(command, None)
    }

    /// The library's program, asking so many times, with more arguments.
    fn ask(&self, cluster: &RealCluster, times: u64, more: &[&str]) -> Asking<'_> {
        let mut words = ["sh", "-c", "exec \"$0\" \"$@\" >\"$HOME/answers\""]
            .map(str::to_owned)
            .to_vec();
        words.extend(self.library.words(times));
        words.extend(more.iter().map(|word| (*word).to_owned()));
        let _ = std::fs::remove_file(self.answers());
        Asking {
            machine: self,
            running: self.start(cluster, &words),
        }
    }

    /// The file with one word for each answer.
    fn answers(&self) -> PathBuf {
        let home = self.variables.iter().find(|(name, _)| *name == "HOME");
        Path::new(&home.unwrap().1).join("answers")
    }
}

/// A library's program that runs.
struct Asking<'a> {
    machine: &'a Machine,
    running: Running,
}

impl Asking<'_> {
    /// What it got until now.
    fn so_far(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.machine.answers()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What it got, when it has come to its end.
    fn answers(self, cluster: &RealCluster) -> Vec<String> {
        let path = self.machine.answers();
        cluster.world.checked(self.running.finish_within(LONGEST)).succeeded();
        std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}
