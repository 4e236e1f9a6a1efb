//! Kubernetes clients of every kind against a real API server: the first use, three renewals in a running process, a revocation.
//!
//! What is asserted here is what docs/clients.md says of each.

mod anew;
mod changes;
mod counting;
mod kube_rs;
mod kubectl;
mod running;

use super::cce_cluster::RealCluster;
use crate::system::process::{Output, Running};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

/// A life that ends while a test looks on.
const SHORT: Option<Duration> = Some(Duration::from_secs(40));
/// Time for three renewals of such a life, and more than two lives.
const THREE_RENEWALS: Duration = Duration::from_secs(110);

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
        let provided = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run tests/run --real"));
        let python = format!("{}/tests/real/clients/python/client.py", env!("CARGO_MANIFEST_DIR"));
        let mut words = match self {
            Self::Python => vec![provided("PYTHON_CLIENT"), python],
            Self::Node => vec!["node".to_owned(), provided("NODE_CLIENT")],
            Self::Java => ["java", "-XX:TieredStopAtLevel=1", "-cp", &provided("JAVA_CLIENT"), "Client"]
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
    /// Logged in.
    fn new(cluster: &RealCluster, library: Library) -> Self {
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
        let mut line = ["kubectl-cce_login", "login", "--region=cn-north-4", "--cluster=prod", "--cache=file"]
            .map(str::to_owned)
            .to_vec();
        line.push(format!("--access={}", library.access()));
        line.extend(cluster.world.cloud_flags());
        cluster.world.checked(machine.start(cluster, &line).finish()).succeeded();
        machine
    }

    fn all(cluster: &RealCluster) -> Vec<Self> {
        Library::ALL.map(|library| Self::new(cluster, library)).into_iter().collect()
    }

    fn start(&self, cluster: &RealCluster, words: &[String]) -> Running {
        let mut command: Command = cluster.world.command(words);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        Running::start(command, None)
    }

    /// The library's program, asking so many times.
    fn ask(&self, cluster: &RealCluster, times: u64) -> Running {
        self.start(cluster, &self.library.words(times))
    }
}

/// What a library's program got: one word for each request.
fn answers(output: Output) -> Vec<String> {
    let output = output.succeeded();
    output.stdout.lines().map(str::to_owned).collect()
}
