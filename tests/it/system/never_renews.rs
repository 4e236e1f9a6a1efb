//! A real Python as the process that runs us (issue 13.13).

use super::world::World;
use std::time::Duration;

/// Half of it is longer than a login and a call take.
const LIFE: Duration = Duration::from_secs(30);

/// A program that runs the plugin once, as the Python client does when a configuration is loaded.
const PYTHON: &str = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))";

impl World {
    fn certificate_by(&self, words: &[&str]) -> String {
        let cluster = self.sim.cluster("prod");
        let mut all: Vec<String> = words.iter().map(ToString::to_string).collect();
        let flags = [
            "kubectl-cce_login".to_owned(),
            "get-credential".to_owned(),
            "--region=cn-north-4".to_owned(),
            format!("--project-id={}", cluster.project_id),
            format!("--cluster-id={}", cluster.uid),
            "--identity=env".to_owned(),
        ];
        all.extend(flags);
        all.extend(self.cloud_flags());
        let output = self.run(&all).succeeded();
        assert_eq!(output.stderr, "");
        let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        document["status"]["clientCertificateData"].as_str().unwrap().to_owned()
    }
}

#[test]
fn python_starts_with_at_least_half_of_a_life() {
    let world = World::new();
    world
        .sim
        .set_behaviour(|behaviour| behaviour.certificate_lifetime = Some(LIFE));
    world.login();
    let python = ["python3", "-c", PYTHON];
    let first = world.certificate_by(&python);
    assert_eq!(world.certificate_by(&["env"]), first, "by whoever");
    assert_eq!(world.certificate_requests(), 1, "half is left");
    std::thread::sleep(LIFE / 2);
    let second = world.certificate_by(&python);
    assert_ne!(second, first);
    assert_eq!(world.certificate_requests(), 2);
}
