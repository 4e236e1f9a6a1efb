//! Everything that is written, cut off and refused at each system call: `tests/crash/run`.
//!
//! An operation runs once under strace, which tells the calls that it makes on the user's directories. Then it runs again from the same
//! state for each of them: once the kernel refuses it, once the process is killed at it. Afterwards each file is the old one or the new
//! one, whole, with its mode; and the same operation, run plainly, ends as if nothing had happened and leaves nothing over.
//!
//! Writes that end short are left out: strace can tell a program so, but not write the part.

mod judge;
mod operations;
mod place;
mod traced;

use crate::support::{check_text_at, in_repository};
use judge::Reference;
use operations::Operation;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Instant;
use traced::{Fault, Point};

/// So many operations at the same time.
const AT_ONCE: usize = 2;

/// What came of one operation.
struct Row {
    name: &'static str,
    files: &'static str,
    points: usize,
    refused: usize,
    killed: usize,
    problems: Vec<String>,
}

fn is_full() -> bool {
    std::env::var_os("CRASH").is_some_and(|form| form == "full")
}

#[test]
#[ignore = "takes minutes: tests/crash/run"]
fn every_file_is_the_old_one_or_the_new_one_wherever_it_is_cut_off() {
    let began = Instant::now();
    let only = std::env::var("CRASH_ONLY").unwrap_or_default();
    let all: Vec<Operation> = operations::all()
        .into_iter()
        .filter(|one| one.name.contains(&only))
        .collect();
    let (next, rows) = (Mutex::new(all.iter().enumerate()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some((number, operation)) = next.lock().unwrap().next() else {
                        return;
                    };
                    let row = try_everywhere(operation);
                    for problem in &row.problems {
                        println!("{problem}\n");
                    }
                    rows.lock().unwrap().push((number, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|(number, _)| *number);
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    for Row {
        name,
        points,
        refused,
        killed,
        ..
    } in &rows
    {
        println!("{name:48} {points:4} calls, refused at {refused:4}, killed at {killed:4}");
    }
    let [points, refused, killed] = [|row: &Row| row.points, |row: &Row| row.refused, |row: &Row| row.killed]
        .map(|of| rows.iter().map(of).sum::<usize>());
    println!(
        "{points} system calls, refused {refused} times, killed {killed} times, {} s",
        began.elapsed().as_secs()
    );
    let problems: Vec<&String> = rows.iter().flat_map(|row| &row.problems).collect();
    assert!(problems.is_empty(), "{} problems", problems.len());
    assert!(rows.iter().all(|row| row.refused > 0 && row.killed > 0));
    if only.is_empty() {
        check_text_at(&in_repository("docs/crashes.md"), &page(&rows));
    }
}

const ABOUT: &str = "\
# Cut off at any moment

Written by `tests/crash/run`. Each operation is run again for each system call that it makes on the user's directories: refused there by the
kernel (`EIO`, and where they fit `ENOSPC`, `EDQUOT`, `EINTR`), and killed there. Afterwards every file is the old one or the new one, whole
and with its mode; an error ends with a documented exit code and says what failed; and the next run ends as if nothing had happened, with
nothing left over. The numbers are printed by the run.

- Who is killed while a kubeconfig is written leaves kubectl's lock (`config.lock`), which says nothing of its owner: the next run names the
  file that is to be removed, as kubectl does.
- A temporary file of who was killed (0600) goes with the first write to its directory an hour later.
- A kept certificate that cannot be replaced is taken away: that costs a request. So does a logout that may have been: where tombstones cannot be
  read, what is kept counts as void.
- An entry names the program by its full path where PATH could not be searched.
- What a logout could not delete is named, and stays noted.

| Operation | Files | Refused at each call | Killed at each call |
|---|---|---|---|
";

/// The page for people: what was tried and what came of it, without the numbers, which one more system call changes.
fn page(rows: &[Row]) -> String {
    let mut page = ABOUT.to_owned();
    for row in rows {
        let outcome = if row.problems.is_empty() {
            "all old or new"
        } else {
            "BROKEN"
        };
        writeln!(page, "| {} | {} | {outcome} | {outcome} |", row.name, row.files).unwrap();
    }
    page
}

fn try_everywhere(operation: &Operation) -> Row {
    let mut world = operations::world();
    (operation.prepare)(&mut world);
    let start = place::Place::take(&world);
    let words = (operation.words)(&world);
    let reference = Reference::of(&world, operation, &start, &words);
    let points = traced::points(&world, operation, &start, &words);
    let mut row = Row {
        name: operation.name,
        files: operation.files,
        points: points.len(),
        refused: 0,
        killed: 0,
        problems: Vec::new(),
    };
    for (point, fault) in chosen(&points) {
        let ran = traced::run_with(&world, operation, &start, &words, point, fault);
        if !ran.is_injected {
            continue; // it took another way this time
        }
        match fault {
            Fault::Error(_) => row.refused += 1,
            Fault::Killed => row.killed += 1,
        }
        let found = reference.judge(&world, operation, &words, point, fault, &ran);
        row.problems.extend(
            found
                .err()
                .map(|what| format!("{}: {point} {fault:?}: {what}", operation.name)),
        );
    }
    row
}

/// Everything, or in CI one error and one death at each third call that changes something.
fn chosen(points: &[Point]) -> Vec<(&Point, Fault)> {
    if is_full() {
        return points
            .iter()
            .flat_map(|point| point.faults().into_iter().map(move |fault| (point, fault)))
            .collect();
    }
    let changing = points.iter().filter(|point| point.changes_something()).step_by(3);
    changing
        .flat_map(|point| [(point, Fault::Error("EIO")), (point, Fault::Killed)])
        .collect()
}
