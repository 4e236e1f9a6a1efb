//! Many clusters in one login: whether the time grows with their number and no faster, and how much memory it takes.

use super::{PROGRAM, World, median, program};
use cce_sim::ClusterSpec;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// So many clusters, each time.
const COUNTS: [u32; 3] = [10, 100, 1000];
/// Counted runs.
const RUNS: usize = 5;
/// Names the kubeconfig of the process that measures.
const FILE: &str = "BENCH_KUBECONFIG";

/// Prints time and memory of a first login of all clusters, for each count.
pub(super) fn logins() {
    println!(
        "{:<58} {:>9} {:>9} {:>7}",
        "login --all, first time", "ms", "ms each", "MiB"
    );
    for count in COUNTS {
        let world = world_of(count);
        let runs: Vec<(f64, f64)> = (0..RUNS).map(|run| login(&world, &program(), run)).collect();
        let time = median(runs.iter().map(|(time, _)| *time));
        let memory = runs.iter().map(|(_, memory)| *memory).fold(0.0, f64::max);
        println!(
            "{:<58} {time:>9.1} {:>9.3} {memory:>7.1}",
            format!("{count} clusters"),
            time / f64::from(count)
        );
    }
}

/// The largest count, in turns with another revision's program.
pub(super) fn against(baseline: &Path) {
    let [.., count] = COUNTS;
    let world = world_of(count);
    let runs = (0..RUNS).map(|run| {
        let (ours, _) = login(&world, &program(), 2 * run);
        let (theirs, _) = login(&world, baseline, 2 * run + 1);
        (ours, theirs)
    });
    let runs: Vec<(f64, f64)> = runs.collect();
    println!(
        "{:<58} {:>9.1} {:>9.1} {:>7.2}",
        format!("login --all, {count} clusters"),
        median(runs.iter().map(|(ours, _)| *ours)),
        median(runs.iter().map(|(_, theirs)| *theirs)),
        median(runs.iter().map(|(ours, theirs)| ours / theirs))
    );
}

/// A cloud with so many clusters.
fn world_of(count: u32) -> World {
    let world = World::new();
    for number in 1..count {
        world.sim.add_cluster(ClusterSpec {
            eip: false,
            ..ClusterSpec::named(&format!("team-{number:04}"))
        });
    }
    world
}

/// Milliseconds and MiB of one login into a new file.
fn login(world: &World, program: &Path, run: usize) -> (f64, f64) {
    let file = world.home.path().join(format!("kubeconfig-{run}"));
    let mut command = world.in_world(std::env::current_exe().unwrap(), &["one-login"]);
    command
        .env("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint())
        .env(PROGRAM, program)
        .env(FILE, &file);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|number| number.parse::<f64>().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// In a process of its own, whose only child is the login: prints that child's time and largest resident size.
pub(super) fn one_login() {
    let file = std::env::var(FILE).unwrap();
    let started = Instant::now();
    let output = Command::new(program())
        .args([
            "login",
            "--all",
            "--region",
            "cn-north-4",
            "--cache",
            "kernel",
            "--kubeconfig",
            &file,
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let time = started.elapsed().as_secs_f64() * 1000.0;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    println!("{time:.3} {:.3}", usage.max_rss() as f64 / 1024.0);
}
