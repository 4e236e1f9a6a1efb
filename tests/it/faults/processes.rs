//! What happens to the process: signals in each phase, streams that are closed, limits, an odd environment, clocks that jump.

use super::cell::{Cell, REQUESTED_AT, SKEW, add};
use super::door::{Behind, Does, End};
use super::row::{Came, Fault, LOST, NO_ANSWER, State, UNNOTICED, fault};
use crate::system::process::{Output, wait_for};
use cce_sim::Fault as Cloud;
use rustix::process::{Signal, kill_process};
use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::Duration;

const DAY: i64 = 86_400;

/// Where a call is when something happens to it. A call that needs nobody is over before that.
#[derive(Clone, Copy)]
enum Phase {
    /// It waits for the turn of another process.
    Waits,
    /// It has connected, and greets.
    Greets,
    /// The cloud has its request.
    Asked,
    /// It reads the answer.
    Reads,
}

impl Phase {
    fn arrange(self, cell: &mut Cell) {
        match self {
            Self::Waits => {
                let account = cell.learn_account();
                let locks = cell.world.home().join("run/cce-login/locks");
                cell.world
                    .shell("mkdir -p -m 700 \"$HOME/run/cce-login\" \"$HOME/run/cce-login/locks\"");
                let file = fs::File::create(locks.join(format!("{account}.fetch"))).unwrap();
                file.lock().unwrap();
                cell.locks.push(file);
            }
            Self::Greets => cell.door().set(Behind::Accepted(End::Never)),
            Self::Asked => cell.world.sim.set_fault("clustercert", Cloud::Hang),
            Self::Reads => {
                let half = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{\"kind\":".to_vec();
                cell.door()
                    .answer(&cell.world.sim, vec![Does::Says(half), Does::Ends(End::Never)]);
            }
        }
    }

    fn is_reached(self, cell: &Cell) -> bool {
        match self {
            Self::Waits => cell.programs().into_iter().any(|pid| {
                let files = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
                let mut links = files
                    .into_iter()
                    .flatten()
                    .flatten()
                    .flat_map(|file| fs::read_link(file.path()));
                links.any(|path| path.extension().is_some_and(|end| end == "fetch"))
            }),
            Self::Asked => cell.world.certificate_requests() > 0,
            Self::Greets | Self::Reads => cell.door().accepted() > 0,
        }
    }
}

/// This signal in this phase, whoever is in it: the call, or the process behind it.
fn signal(name: &'static str, signal: Signal, phase: Phase) -> Fault {
    let strikes = move |cell: &mut Cell| {
        phase.arrange(cell);
        cell.call = Box::new(move |cell| struck(cell, signal, phase));
    };
    let ended = Came::Killed(signal.as_raw());
    fault(name, strikes, [Came::Kept, Came::Kept, ended, ended]).given(Cell::give_door)
}

fn struck(cell: &Cell, signal: Signal, phase: Phase) -> Output {
    let running = cell.start();
    let strike = || {
        wait_for("the phase", || phase.is_reached(cell));
        for program in cell.programs() {
            let _gone_already = kill_process(program, signal);
        }
    };
    match cell.state {
        State::Valid => running.finish(),
        // It is the process behind the call that comes so far.
        State::Window => {
            let output = running.finish();
            strike();
            output
        }
        State::LastMoments | State::Empty => {
            strike();
            running.finish()
        }
    }
}

/// The call in another form than usual; `@` is its line.
fn form(name: &'static str, form: &'static str, comes: [Came; 4]) -> Fault {
    let strikes = move |cell: &mut Cell| cell.form = form;
    fault(name, strikes, comes)
}

/// The call after a line that limits or changes what it finds.
fn after(name: &'static str, line: &'static str, comes: [Came; 4]) -> Fault {
    let strikes = move |cell: &mut Cell| cell.before = line;
    fault(name, strikes, comes)
}

/// The variable has this value.
fn variable(name: &'static str, variable: &'static str, value: String, comes: [Came; 4]) -> Fault {
    let strikes = move |cell: &mut Cell| {
        cell.world.set(variable, &value);
        cell.heals = variable != "KUBERNETES_EXEC_INFO"; // it stays
    };
    fault(name, strikes, comes)
}

/// Our clock is set by so many seconds after the certificate was fetched; the cloud's is right. (What was noted before is moved, not the clock.)
fn jump(name: &'static str, seconds: i64, comes: [Came; 4]) -> Fault {
    let strikes = move |cell: &mut Cell| {
        cell.world.sim.set_behaviour(move |b| b.clock_offset = -seconds);
        if cell.state != State::Empty {
            cell.change_entry(|entry| {
                add(entry, REQUESTED_AT, -seconds);
                entry[SKEW].fill(0);
            });
        }
        // Against the boot clock it has moved: what was known of the cloud's clock is void.
        cell.world
            .put_in_front(&["unshare", "--time", "--boottime=100000", "--fork"]);
        cell.heals = false;
    };
    let mut fault = fault(name, strikes, comes);
    fault.given = match seconds {
        DAY => |cell| cell.world.sim.set_behaviour(|b| b.clock_offset = -DAY),
        _ => |cell| cell.world.sim.set_behaviour(|b| b.clock_offset = DAY),
    };
    fault
}

/// The reader of stdout goes away before the answer is printed.
fn reader_goes(cell: &mut Cell) {
    cell.world.shell("mkfifo \"$HOME/out\"; : >\"$HOME/wait\"");
    cell.form = "exec 3>\"$HOME/out\"; : >\"$HOME/open\"; while [ -e \"$HOME/wait\" ]; do sleep 0.02; done; @ >&3";
    cell.call = Box::new(|cell| {
        let home = cell.world.home();
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap();
        let reader = fs::File::options()
            .read(true)
            .custom_flags(nonblocking)
            .open(home.join("out"))
            .unwrap();
        let running = cell.start();
        wait_for("the writer", || home.join("open").exists());
        drop(reader);
        fs::remove_file(home.join("wait")).unwrap();
        running.finish()
    });
    cell.heals = false;
}

pub(super) fn faults() -> Vec<Fault> {
    const BAD_INFO: [Came; 4] = [Came::Fails(2, "KUBERNETES_EXEC_INFO"); 4];
    const UNHEARD: [Came; 4] = [Came::Unheard(0); 4];
    vec![
        signal("SIGKILL while it waits for its turn", Signal::KILL, Phase::Waits),
        signal("SIGKILL while it connects", Signal::KILL, Phase::Greets),
        signal("SIGKILL while the cloud works", Signal::KILL, Phase::Asked),
        signal("SIGKILL while it reads", Signal::KILL, Phase::Reads),
        signal("SIGTERM while it waits for its turn", Signal::TERM, Phase::Waits),
        signal("SIGTERM while it connects", Signal::TERM, Phase::Greets),
        signal("SIGTERM while the cloud works", Signal::TERM, Phase::Asked),
        signal("SIGTERM while it reads", Signal::TERM, Phase::Reads),
        signal("SIGHUP while the cloud works", Signal::HUP, Phase::Asked),
        fault("nobody reads stdout any more (SIGPIPE)", reader_goes, UNHEARD),
        form("stdin is closed", "@ <&-", UNNOTICED),
        form("stdout is closed", "@ >&-", UNHEARD),
        form("stderr is closed", "@ 2>&-", UNNOTICED),
        form("all three are closed", "@ <&- >&- 2>&-", UNHEARD),
        form("stdout is full", "@ >/dev/full", [Came::Fails(1, "No space left"); 4]),
        form("stdin is a directory", "@ </", UNNOTICED),
        fault(
            "the cloud is down, and stderr is closed",
            |cell| {
                cell.world.sim.set_behaviour(|b| b.cloud_down = true);
                cell.form = "@ 2>&-";
            },
            [Came::Kept, Came::Kept, Came::Kept, Came::Unheard(4)],
        ),
        form(
            "no process may be started",
            "exec prlimit --nproc=1:1 @",
            [Came::Kept, Came::New, Came::New, Came::New],
        )
        .given(Cell::call_as_somebody),
        after(
            "no file may be written (ulimit -f)",
            "ulimit -f 0",
            [Came::Kept, Came::Kept, Came::New, Came::New],
        ),
        after(
            "eight files may be open",
            "ulimit -n 8",
            [
                Came::Kept,
                Came::KeptThenNew,
                Came::Kept,
                Came::Fails(4, "Too many open files"),
            ],
        ),
        after("a small stack", "ulimit -s 256", UNNOTICED),
        after("64 MB of address space", "ulimit -v 65536", UNNOTICED),
        after("umask 777", "umask 777", UNNOTICED),
        after("umask 0", "umask 0", UNNOTICED),
        variable("a variable of 64 KB", "SOMETHING", "x".repeat(64 << 10), UNNOTICED),
        variable("a PATH of 64 KB", "LONG_PATH", "/nowhere:".repeat(7000), UNNOTICED),
        fault(
            "a thousand variables",
            |cell| {
                for number in 0..1000 {
                    cell.world.set(&format!("VARIABLE_{number}"), "x".repeat(64));
                }
            },
            UNNOTICED,
        ),
        after(
            "a variable that is not UTF-8",
            "export ODD=$(printf '\\377\\376')",
            UNNOTICED,
        ),
        variable(
            "exec info that is garbage",
            "KUBERNETES_EXEC_INFO",
            "garbage".to_owned(),
            BAD_INFO,
        ),
        variable(
            "exec info of 64 KB of garbage",
            "KUBERNETES_EXEC_INFO",
            "x".repeat(64 << 10),
            BAD_INFO,
        ),
        variable(
            "exec info of an unknown version",
            "KUBERNETES_EXEC_INFO",
            "{\"apiVersion\":\"client.authentication.k8s.io/v9\",\"kind\":\"ExecCredential\"}".to_owned(),
            BAD_INFO,
        ),
        jump("the clock is set a day ahead", DAY, LOST),
        jump(
            "the clock is set a day back",
            -DAY,
            [Came::Kept, Came::Kept, Came::Kept, Came::New],
        ),
        fault(
            "it is stopped for 4 s",
            |cell| {
                cell.world.sim.set_fault("clustercert", Cloud::Hang);
                cell.call = Box::new(|cell| {
                    let running = cell.start();
                    if matches!(cell.state, State::LastMoments | State::Empty) {
                        wait_for("the request", || cell.world.certificate_requests() > 0);
                        for (signal, pause) in [(Signal::STOP, 4), (Signal::CONT, 0)] {
                            for program in cell.programs() {
                                let _gone_already = kill_process(program, signal);
                            }
                            std::thread::sleep(Duration::from_secs(pause));
                        }
                    }
                    running.finish()
                });
            },
            [Came::Kept, Came::Kept, Came::Kept, NO_ANSWER],
        ),
    ]
}
