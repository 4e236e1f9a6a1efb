//! What is done to the loops: faults of the cloud, processes killed, the bus restarted, clocks moved.

use super::scene::{Event, Scene};
use super::session_bus::SessionBus;
use crate::system::endurance::Numbers;
use cce_sim::Fault;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::time::Duration;

/// Seconds that the `Retry-After` of the simulated cloud names.
pub(super) const RETRY_AFTER: i64 = 4;

/// More than are asked for in any run.
fn answers_ordered(scene: &Scene<'_>) -> u64 {
    scene.length.as_secs() * 4
}

/// A third of the answers to certificate requests is none, or late.
pub(super) fn order_faults(scene: &Scene<'_>, seed: u64) {
    let mut numbers = Numbers::new(seed);
    for _ in 0..answers_ordered(scene) {
        let fault = if numbers.below(3) == 0 {
            one_of_all(&mut numbers)
        } else {
            Fault::Latency(Duration::from_millis(numbers.below(200)))
        };
        scene.sim.add_fault("clustercert", fault, 1);
    }
}

fn one_of_all(numbers: &mut Numbers) -> Fault {
    let status = |code: u16| Fault::Status {
        code,
        body: "{}".to_owned(),
        headers: Vec::new(),
    };
    match numbers.below(9) {
        0 => Fault::Throttle {
            retry_after: Some(RETRY_AFTER.to_string()),
        },
        1 => status(500),
        2 => status(502),
        3 => status(503),
        4 => Fault::ResetBeforeAnswer,
        5 => Fault::ResetAfterActing,
        6 => Fault::Truncate { at: 700 },
        7 => Fault::Html,
        _ => Fault::Latency(Duration::from_millis(3_000 + numbers.below(4_000))),
    }
}

/// Kills processes of ours at random: those that fetch and renew live long enough to be met, and now and then one that serves.
pub(super) fn kill(scene: &Scene<'_>, seed: u64) {
    let mut numbers = Numbers::new(seed + 1);
    while scene.pause(Duration::from_millis(500 + numbers.below(3_000))) {
        let found = scene.processes();
        let Some(victim) = found.get(usize::try_from(numbers.below(found.len().max(1) as u64)).unwrap()) else {
            continue;
        };
        // By a descriptor, so that it is the process that was looked at.
        let Some(handle) = Pid::from_raw(victim.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
            continue;
        };
        if !scene.processes().iter().any(|process| process.pid == victim.pid) {
            continue;
        }
        // One that has just begun is not more than its environment, like kubectl: it cannot have protected itself yet.
        let wants_core = numbers.below(5) == 0 && has_begun(victim.pid);
        let signal = if wants_core { Signal::ABORT } else { Signal::KILL };
        if pidfd_send_signal(&handle, signal).is_ok() {
            scene.note(Event::Killed {
                user: victim.user,
                is_renewal: victim.is_renewal,
            });
        }
    }
}

/// Whether a process of ours has come to its first line, which takes the core from it that every call here may leave.
fn has_begun(pid: i32) -> bool {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    core.is_some_and(|line| line.split_whitespace().nth(4) == Some("0"))
}

/// Restarts the keyring daemon, and now and then the bus with it.
pub(super) fn restart_bus(scene: &Scene<'_>, mut bus: SessionBus, seed: u64) -> SessionBus {
    let mut numbers = Numbers::new(seed + 2);
    let mut restarts = 0;
    while scene.pause(Duration::from_millis(8_000 + numbers.below(20_000))) {
        let away = Duration::from_millis(numbers.below(4_000));
        restarts += 1;
        if restarts % 2 == 0 {
            bus.restart(away);
            scene.note(Event::BusRestarted);
        } else {
            bus.restart_keyring(away);
            scene.note(Event::KeyringRestarted);
        }
    }
    bus
}

/// In turn, in seconds; after the last one the clocks are where they were. They never differ by less than the 30 s that count as none: a
/// certificate of twenty seconds would be over unnoticed.
const JUMPS: [Event; 8] = [
    Event::CloudJumped(3600),
    Event::MachineJumped(45),
    Event::CloudJumped(-45),
    Event::MachineJumped(-3600),
    Event::CloudJumped(-3600),
    Event::MachineJumped(-45),
    Event::CloudJumped(45),
    Event::MachineJumped(3600),
];

/// The clock of the cloud goes ahead and back; this machine's is set.
pub(super) fn move_clocks(scene: &Scene<'_>, seed: u64) {
    let mut numbers = Numbers::new(seed + 3);
    let between = u64::try_from(scene.length.as_millis().min(120_000) / 4).unwrap();
    let mut jumps = 0;
    while scene.pause(Duration::from_millis(between + numbers.below(between))) {
        match JUMPS[jumps % JUMPS.len()] {
            Event::CloudJumped(seconds) => scene.move_cloud_clock(seconds),
            Event::MachineJumped(seconds) => scene.move_machine_clock(seconds),
            _ => {}
        }
        jumps += 1;
    }
}
