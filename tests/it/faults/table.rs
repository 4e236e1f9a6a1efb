//! The document: what came of every fault. `BLESS=1` writes it.

use super::Ran;
use super::row::{Fault, State};
use crate::support::{check_text_at, in_repository};
use std::fmt::Write as _;

const HEAD: &str = "\
# What comes of every fault

`tests/faults/run` makes each of these faults happen to the installed program, once with each state of its cache, and compares what comes of
it with this page (`BLESS=1 tests/faults/run` writes it). The states: **valid**, a certificate of eight hours; **near expiry**, one inside its
renewal window, which a process renews behind the caller; **last minute**, one that is renewed while the caller waits; **none**.

A cell has the exit code, and what it means: `0: kept` is the certificate of the cache and `0: new` another one, each of the right identity
and valid, with nothing on stderr; with any other code there is nothing on stdout and one line on stderr, which has these words, and perhaps
a hint. Each call ends within its deadline. Nothing stays behind: no process, no lock, no half-written file, no secret.
";

/// Compares the document with what came of the faults.
pub(super) fn check(groups: &[(&'static str, Vec<Fault>)], ran: &[Ran]) {
    let mut text = HEAD.to_owned();
    let states = State::ALL.map(|state| state.to_string()).join(" | ");
    let mut number = 0;
    for (title, faults) in groups {
        write!(text, "\n## {title}\n\n| fault | {states} |\n|---|---|---|---|---|\n").unwrap();
        for fault in faults {
            let cells: Vec<String> = ran
                .iter()
                .filter(|ran| ran.fault == number)
                .filter_map(|ran| Some(ran.came.as_ref().ok()?.to_string()))
                .collect();
            writeln!(text, "| {} | {} |", fault.name, cells.join(" | ")).unwrap();
            number += 1;
        }
    }
    write!(text, "\n{number} faults, {} cells.\n", ran.len()).unwrap();
    check_text_at(&in_repository("docs/faults.md"), &text);
}
