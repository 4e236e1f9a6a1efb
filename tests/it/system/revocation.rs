//! Revoking and rotating with the real kubectl, on one machine and on two, and with Ctrl-C.

use super::process::{Output, Running, wait_for};
use super::world::{World, words};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cce_sim::{ClusterSpec, Fault, IssuedCertificate};
use rustix::process::Signal;
use std::fs;
use std::time::Duration;

/// kubectl with a copy of a certificate, as the one has it into whose hands it fell.
fn with_a_copy(world: &World, copy: &IssuedCertificate) -> Output {
    let cluster = world.sim.cluster("prod");
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {{cluster: c, user: u}}\n\
         clusters:\n- name: c\n  cluster: {{server: '{}', tls-server-name: kubernetes, certificate-authority-data: {}}}\n\
         users:\n- name: u\n  user: {{client-certificate-data: {}, client-key-data: {}}}\n",
        cluster.external_url.unwrap(),
        BASE64.encode(&cluster.ca_pem),
        BASE64.encode(&copy.certificate),
        BASE64.encode(&copy.key),
    );
    // Somebody else's file: it lies outside of what is searched for leaks.
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("copy");
    fs::write(&file, kubeconfig).unwrap();
    world.kubectl(&format!("--kubeconfig {} get namespaces", file.display()))
}

#[test]
fn works_then_revoked_then_refused_then_works_with_a_new_certificate() {
    let world = World::new();
    world.login();
    let day = Duration::from_secs(86400);
    let copies = ["alice", "bob"].map(|user| world.sim.issue_certificate("prod", user, day));
    world.kubectl("get namespaces").succeeded();
    for copy in &copies {
        with_a_copy(&world, copy).succeeded();
    }
    let revoked = world.kubectl("cce-login revoke --yes").succeeded();
    assert!(
        revoked
            .stderr
            .contains("verified: the API server refuses the old certificate"),
        "{}",
        revoked.stderr
    );
    let refused = with_a_copy(&world, &copies[0]).failed(1);
    assert!(refused.stderr.contains("Unauthorized"), "{}", refused.stderr);
    with_a_copy(&world, &copies[1]).succeeded();
    let again = world.kubectl("get namespaces").succeeded();
    assert_eq!(again.stderr, "");
    assert_eq!(world.certificate_requests(), 2);
}

#[test]
fn a_second_machine_heals_by_itself_at_its_next_two_commands() {
    let mut world = World::new();
    // A cache in files, so that the two have nothing in common but the person.
    world.login_with("--cache file").succeeded();
    let first = ["HOME", "XDG_RUNTIME_DIR", "CCE_LOGIN_CACHE_DIR"].map(|name| {
        let value = world.variables().get(name).map(|value| (*value).clone());
        (name, value)
    });
    let second = ["home2", "run2", ".cache/cce-login/second"].map(|name| world.home().join(name));
    for directory in &second {
        fs::create_dir_all(directory).unwrap();
    }
    let become_second = |world: &mut World| {
        for ((name, _), path) in first.iter().zip(&second) {
            world.set(name, path);
        }
    };
    become_second(&mut world);
    world.login_with("--cache file").succeeded();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 2);
    for (name, value) in &first {
        match value {
            Some(value) => world.set(name, value),
            None => world.unset(name),
        }
    }
    world.kubectl("cce-login revoke --yes").succeeded();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 3);
    become_second(&mut world);
    let refused = world.kubectl("get namespaces").failed(1);
    assert!(refused.stderr.contains("Unauthorized"), "{}", refused.stderr);
    world.kubectl("get namespaces").succeeded();
    world.kubectl("get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 4);
}

#[test]
fn works_then_rotated_then_works_without_a_hand_on_the_kubeconfig() {
    let world = World::new();
    world.login();
    let copy = world.sim.issue_certificate("prod", "alice", Duration::from_secs(86400));
    world.kubectl("get namespaces").succeeded();
    let ca = world.sim.cluster("prod").ca_pem;
    let rotated = world.kubectl("cce-login rotate --component all --yes").succeeded();
    assert!(
        rotated.stderr.ends_with("must run: kubectl cce-login refresh\n"),
        "{}",
        rotated.stderr
    );
    assert_ne!(world.sim.cluster("prod").ca_pem, ca);
    assert_eq!(world.kubectl("get namespaces").succeeded().stderr, "");
    assert_eq!(world.certificate_requests(), 2);
    with_a_copy(&world, &copy).failed(1);
}

/// Starts a rotation whose job does not come to an end, and returns when it is being followed.
fn rotating(world: &World) -> Running {
    world.login();
    world.sim.set_behaviour(|behaviour| behaviour.job_running_polls = 1000);
    let running = world.start(&words("kubectl-cce_login", "rotate --component all --yes"));
    wait_for("a few polls", || world.sim.count("job") >= 3);
    running
}

#[test]
fn ctrl_c_stops_the_waiting_and_not_the_job() {
    let world = World::new();
    let running = rotating(&world);
    running.signal(Signal::INT);
    let stopped = world.checked(running.finish());
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    let (_, resume) = stopped.stderr.rsplit_once("wait for it with `kubectl ").unwrap();
    let resume = resume.trim_end().trim_end_matches('`').to_owned();
    world.sim.set_behaviour(|behaviour| behaviour.job_running_polls = 1);
    // This job goes on for long: another one stands for its end.
    let job = world.sim.start_rotation("prod");
    let (_, id) = resume.split_once("--job ").unwrap();
    let id = id.split(' ').next().unwrap();
    world.kubectl(&resume.replace(id, &job)).succeeded();
    world.kubectl("get namespaces").succeeded();
}

#[test]
fn ctrl_c_is_heard_also_while_the_cloud_hangs() {
    let world = World::new();
    world.login();
    world.sim.set_fault("job", Fault::Hang);
    let running = world.start(&words("kubectl-cce_login", "rotate --component all --yes"));
    wait_for("a poll", || world.sim.count("job") == 1);
    let began = std::time::Instant::now();
    running.signal(Signal::INT);
    let stopped = world.checked(running.finish());
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(stopped.stderr.contains("--job "), "{}", stopped.stderr);
}

#[test]
fn ctrl_c_between_clusters_names_those_that_are_left() {
    let world = World::new();
    world.login();
    let staging = world.sim.add_cluster(ClusterSpec::named("staging"));
    world
        .sim
        .add_fault("clustercertrevoke", Fault::Latency(Duration::ZERO), 1);
    world.sim.add_fault("clustercertrevoke", Fault::Hang, 1);
    let mut line = words(
        "kubectl-cce_login",
        "revoke --yes --no-verify --cluster prod --cluster staging --region cn-north-4",
    );
    line.extend(world.cloud_flags());
    let running = world.start(&line);
    wait_for("the second request", || world.sim.count("clustercertrevoke") == 2);
    running.signal(Signal::INT);
    let stopped = world.checked(running.finish());
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    let last = stopped.stderr.lines().last().unwrap();
    assert!(
        last.ends_with(&format!("--region cn-north-4 --cluster {staging}`")),
        "{last}"
    );
}

#[test]
fn a_key_of_ones_own_is_seen_nowhere() {
    let mut world = World::without_kubectl();
    world.sim.add_cluster(ClusterSpec {
        authentication_mode: "authenticating_proxy".to_owned(),
        ..ClusterSpec::named("proxied")
    });
    let own = world.sim.issue_certificate("prod", "bob", Duration::from_secs(86400));
    fs::write(world.home().join("ca.pem"), world.sim.cluster("prod").ca_pem).unwrap();
    fs::write(world.home().join("certificate.pem"), &own.certificate).unwrap();
    world.set("CCE_LOGIN_LOG", world.home().join("log"));
    let line = format!(
        "rotate --component custom --custom-ca {} --custom-cert {} --custom-key - --yes -vv --cluster proxied",
        world.home().join("ca.pem").display(),
        world.home().join("certificate.pem").display()
    );
    let mut line = words("kubectl-cce_login", &line);
    line.extend(["--region".to_owned(), "cn-north-4".to_owned()]);
    line.extend(world.cloud_flags());
    // The leak check of each run knows every private key by its beginning, and looks at command lines, files, logs and messages.
    world.run_with_stdin(&line, &own.key).succeeded();
    assert_eq!(world.sim.count("rotatecredentials"), 1);
    world.sim.set_fault("rotatecredentials", Fault::Html);
    world.run_with_stdin(&line, &own.key).failed(4);
    let (half, _) = own.key.split_at(own.key.len() / 2);
    world.run_with_stdin(&line, half).failed(2);
    assert!(world.home().join("log").exists());
}
