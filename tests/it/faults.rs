//! The fault table: everything that goes wrong, with every state of the cache, against the installed program. `tests/faults/run`.
//!
//! ```text
//! network, tls, http, …   one row per fault: what is arranged, what strikes, what comes of it in each state
//!          │
//!        cell             one world, the cache in one state, the fault, one call; then what it left behind
//!          │
//!        table            docs/faults.md, written from what came of it
//! ```
//!
//! [`door`] and [`names`] are what the network does: a faulty server in front of the simulated cloud, and a name server.
#![expect(clippy::too_many_lines, reason = "a table is as long as it has rows")]

mod cell;
mod certificates;
mod door;
mod file_system;
mod http;
mod kept;
mod keyrings;
mod names;
mod network;
mod processes;
mod row;
mod table;

use cell::Cell;
use row::{Came, Fault, State};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// So many cells run at the same time: most of them wait for a deadline.
const AT_ONCE: usize = 20;

/// The groups, in the order of the document.
fn groups() -> Vec<(&'static str, Vec<Fault>)> {
    vec![
        ("The network", network::faults()),
        ("HTTP", http::faults()),
        ("The certificate in the answer", certificates::faults()),
        ("The kept certificate", kept::faults()),
        ("Keyrings", keyrings::faults()),
        ("The file system", file_system::faults()),
        ("The process", processes::faults()),
    ]
}

/// One cell of the table: which fault, in which state, and what came of it.
struct Ran {
    fault: usize,
    state: State,
    came: Result<Came, String>,
    took: Duration,
}

#[test]
#[ignore = "takes minutes, as root, with the installed program: tests/faults/run"]
fn every_fault_ends_as_the_table_says() {
    assert!(
        rustix::process::geteuid().is_root(),
        "mounts, a name server's port and other users' files need root"
    );
    let only = std::env::var("FAULT").unwrap_or_default();
    let groups = groups();
    let faults: Vec<&Fault> = groups.iter().flat_map(|(_, faults)| faults).collect();
    let cells: Vec<(usize, State)> = (0..faults.len())
        .filter(|fault| faults[*fault].name.contains(&only))
        .flat_map(|fault| State::ALL.map(|state| (fault, state)))
        .collect();
    let (next, ran) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((fault, state)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let came = run(faults[*fault], *state);
                    ran.lock().unwrap().push(Ran {
                        fault: *fault,
                        state: *state,
                        came,
                        took: began.elapsed(),
                    });
                }
            });
        }
    });
    let mut ran = ran.into_inner().unwrap();
    ran.sort_by_key(|ran| (ran.fault, ran.state));
    println!(
        "{} faults, {} cells in {:.0} s",
        faults.len(),
        ran.len(),
        started.elapsed().as_secs_f64()
    );
    let mut slowest: Vec<&Ran> = ran.iter().collect();
    slowest.sort_by_key(|ran| std::cmp::Reverse(ran.took));
    for ran in slowest.iter().take(5) {
        println!(
            "  {:.1} s: {}, {}",
            ran.took.as_secs_f64(),
            faults[ran.fault].name,
            ran.state
        );
    }
    let wrong: Vec<String> = ran
        .iter()
        .filter_map(|ran| Some((ran, ran.came.as_ref().err()?)))
        .map(|(ran, why)| format!("{}, {}: {why}", faults[ran.fault].name, ran.state))
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cells:\n{}",
        wrong.len(),
        ran.len(),
        wrong.join("\n")
    );
    if only.is_empty() {
        assert!(faults.len() >= 60, "{}", faults.len());
        table::check(&groups, &ran);
    }
}

/// What came of it; else what is wrong with that.
fn run(fault: &Fault, state: State) -> Result<Came, String> {
    let run = || Cell::arranged(fault, state).run();
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}
