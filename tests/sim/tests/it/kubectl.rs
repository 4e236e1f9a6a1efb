//! The real kubectl (`$KUBECTL`, else the first on `PATH`) with a kubeconfig straight from a `clustercert` answer. Without one these tests pass and say so.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use cce_sim::{SelfSubjectReviews, Sim};

use crate::client::Kubeconfig;

/// A kubectl with a home of its own.
struct Kubectl {
    program: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    #[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
    #[expect(
        clippy::disallowed_methods,
        reason = "kubectl is found by the environment, and its file is a throw-away"
    )]
    fn new(sim: &Sim) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let on_path = || {
            std::env::split_paths(&path)
                .map(|dir| dir.join("kubectl"))
                .find(|file| file.is_file())
        };
        let Some(program) = std::env::var_os("KUBECTL").map(PathBuf::from).or_else(on_path) else {
            println!("skipped: no kubectl");
            return None;
        };
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("cce-sim-kubectl-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let kubeconfig = Kubeconfig::fetch(sim, "prod").json.to_string();
        std::fs::write(home.join("kubeconfig"), kubeconfig).unwrap();
        Some(Self { program, home })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(args)
            .stdin(Stdio::null())
            .env_clear()
            .env("HOME", &self.home);
        command.env("KUBECONFIG", self.home.join("kubeconfig"));
        command
    }

    /// What it prints, on either stream.
    fn run(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let both = [output.stdout, output.stderr].concat();
        String::from_utf8(both).unwrap()
    }

    /// The first lines of a command that goes on, which is then ended.
    fn first_lines(&self, args: &[&str], count: usize) -> Vec<String> {
        let mut child = self.command(args).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(count);
        let lines = lines.map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        lines
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

#[test]
fn kubectl_reads_lists_and_streams() {
    let sim = Sim::start();
    sim.set_behaviour(|behaviour| behaviour.stream_interval_ms = 20);
    let Some(kubectl) = Kubectl::new(&sim) else { return };
    let namespaces = kubectl.run(&["get", "namespaces"]);
    assert!(
        namespaces.contains("kube-system") && namespaces.starts_with("NAME"),
        "{namespaces}"
    );
    assert!(kubectl.run(&["version"]).contains("v1.29.6-r0"));
    assert_eq!(kubectl.run(&["auth", "can-i", "list", "pods"]), "yes\n");
    assert_eq!(kubectl.run(&["get", "pods", "-o", "name"]), "pod/web-0\npod/web-1\n");
    assert!(
        kubectl
            .run(&["get", "pod", "nope"])
            .contains("(NotFound): pods \"nope\" not found")
    );
    let watched = kubectl.first_lines(&["get", "pods", "-w"], 8);
    assert!(watched[7].starts_with("web-0"), "{watched:?}");
    let logged = kubectl.first_lines(&["logs", "-f", "web-0"], 6);
    assert_eq!(logged[5], "web-0 line 6");
}

#[test]
fn kubectl_knows_who_it_is_where_the_server_does() {
    let sim = Sim::start();
    let Some(kubectl) = Kubectl::new(&sim) else { return };
    let whoami = || kubectl.run(&["auth", "whoami"]);
    if whoami().contains("unknown command") {
        return;
    }
    assert!(whoami().contains(&sim.user_id("alice")));
    sim.set_behaviour(|behaviour| behaviour.self_subject_reviews = SelfSubjectReviews::V1beta1Only);
    assert!(whoami().contains(&sim.user_id("alice")));
    sim.set_behaviour(|behaviour| behaviour.self_subject_reviews = SelfSubjectReviews::Absent);
    assert!(whoami().contains("error"));
}

#[test]
fn kubectl_is_refused_after_a_revocation_and_by_default_does_not_trust_the_external_address() {
    let sim = Sim::start();
    let Some(kubectl) = Kubectl::new(&sim) else { return };
    let mistrusts = kubectl.run(&["--context", "externalTLSVerify", "get", "ns"]);
    assert!(mistrusts.contains("certificate is valid for"), "{mistrusts}");
    sim.revoke("prod", "alice");
    let refused = kubectl.run(&["get", "ns"]);
    assert!(refused.contains("You must be logged in to the server"), "{refused}");
}
