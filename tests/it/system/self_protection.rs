//! Limits and signals that end other programs, with their memory on disk: issue 12, F24.

use super::process::wait_for;
use super::world::World;
use cce_sim::Fault;
use rustix::process::Signal;

/// Every process and thread that is to be made fails, as where a limit on processes has been reached.
const NO_MORE_PROCESSES: [&str; 5] = [
    "strace",
    "--follow-forks",
    "--output=/dev/null",
    "--trace=clone,clone3,fork,vfork",
    "--inject=clone,clone3,fork,vfork:error=EAGAIN",
];

#[test]
fn a_process_that_is_killed_with_secrets_in_its_memory_leaves_no_core() {
    let world = World::new();
    world.sim.add_fault("clustercert", Fault::Hang, 1);
    let line = world.get_credential_words().join(" ");
    let running = world.start(&["sh", "-c", &format!("ulimit -c unlimited; exec {line}")]);
    wait_for("the request", || world.certificate_requests() == 1);
    running.signal(Signal::QUIT);
    let output = world.checked(running.finish());
    assert_eq!(output.signal, Some(3), "{output:?}");
    assert!(!output.has_left_a_core);
    let left = world.files().into_iter().map(|(path, ..)| path);
    let cores: Vec<_> = left.filter(|path| path.to_string_lossy().contains("/core")).collect();
    assert!(cores.is_empty(), "{cores:?}");
}

#[test]
fn a_limit_on_the_size_of_files_costs_what_is_written_to_files_and_nothing_else() {
    let world = World::new();
    let line = world.get_credential_words().join(" ");
    let limited = |line: &str| world.run(&["sh", "-c", &format!("ulimit -f 0; exec {line}")]);
    limited(&line).certificate();
    let login = limited(&format!(
        "kubectl-cce_login login --region cn-north-4 --cluster prod {}",
        world.cloud_flags().join(" ")
    ));
    assert!(
        login.signal.is_none() && login.code.is_some_and(|code| code > 0),
        "{login:?}"
    );
    assert!(login.stderr.contains("File too large"), "{login:?}");
}

#[test]
fn where_no_thread_and_no_process_can_be_made_a_certificate_comes_all_the_same() {
    let mut world = World::new();
    world.put_in_front(&NO_MORE_PROCESSES);
    let fetched = world.get_credential().certificate();
    assert_eq!(world.get_credential().certificate(), fetched);
    let login = world.login();
    assert!(login.stderr.contains("prod"), "{}", login.stderr);
    for line in ["status --check", "doctor", "refresh", "clusters --region cn-north-4"] {
        let mut words = super::world::words("kubectl-cce_login", line);
        if line.starts_with("clusters") {
            words.extend(world.cloud_flags());
        }
        let output = world.run(&words);
        assert_eq!(output.signal, None, "{line}: {output:?}");
    }
}
