//! GNOME Keyring on a private bus with a private home, and buses that are absent, empty or silent.

#![expect(clippy::unwrap_used, reason = "a broken test world should stop the test")]

use super::support::{Run, set_mode, unique, wait_for};
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

/// What a cached `get-credential` may wait for a keyring that says no.
const AT_ONCE: Duration = Duration::from_millis(1500);

const UNLOCKED: &str = r#"printf %s pw | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>"$HOME/daemon.log"; exec "$@""#;
const LOCK: &str = "sh dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
                    org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null";
/// Logs every call that could open a dialog.
const MONITOR: &str = "sh dbus-monitor --session interface=org.freedesktop.Secret.Prompt member=Unlock >$HOME/monitor.log 2>&1 & \
                       for i in $(seq 500); do grep -qs NameAcquired $HOME/monitor.log && exit; sleep 0.01; done; echo no monitor";

/// A process on a private bus. Whatever was started there is gone when this is dropped.
struct Session(Run);

impl Session {
    fn new(front: &[&str]) -> Self {
        let mut run = Run::new();
        run.with_runtime_dir();
        run.under(&["dbus-run-session", "--"]);
        run.under(front);
        Self(run)
    }

    fn unlocked() -> Self {
        Self::new(&["sh", "-c", UNLOCKED, "_"])
    }

    /// What the monitor saw of dialogs: the calls `Unlock` and `Prompt`, the signal `Completed`.
    fn dialogs(&self) -> Vec<String> {
        let log = fs::read_to_string(self.0.directory.path().join("monitor.log")).unwrap();
        let members = log
            .lines()
            .filter_map(|line| line.split_once("; member=").map(|(_, member)| member.to_owned()));
        members
            .filter(|member| !member.starts_with("Name") && member != "Disconnected")
            .collect()
    }
}

impl Drop for Session {
    /// The daemon ends with its bus; that it does is part of the test.
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let home = format!("HOME={}", self.0.directory.path().display());
        wait_for("the keyring daemon to end with its bus", || !any_process_has(&home));
    }
}

fn any_process_has(variable: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut environments = processes.filter_map(|process| fs::read(process.path().join("environ")).ok());
    environments.any(|environment| {
        environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == variable.as_bytes())
    })
}

#[test]
fn an_entry_is_kept_seen_by_other_tools_and_deleted() {
    let session = Session::unlocked();
    let texts = session.0.texts(
        "keyring",
        &[
            "get account-1",
            "set account-1 certificate never",
            "get account-1",
            "set account-1 renewed never",
            "get account-1",
            "list",
            "sh secret-tool lookup service kubectl-cce_login username account-1",
            "sh secret-tool search --all service kubectl-cce_login 2>/dev/null | grep -c '^\\[/'",
            "sh secret-tool search --all service kubectl-cce_login 2>/dev/null | grep '^label'",
            "set account-2 bytes:40000 never",
            "get account-2",
            "delete account-1",
            "delete account-1",
            "get account-1",
            "list",
        ],
    );
    let held = "held by [secret-service]";
    assert_eq!(
        texts,
        [
            "none",
            held,
            "secret-service: certificate",
            held,
            "secret-service: renewed",
            "[account-1]",
            "renewed",
            "1|",
            "label = a test of kubectl cce-login|",
            held,
            "secret-service: bytes:40000",
            "deleted",
            "deleted",
            "none",
            "[account-2]",
        ]
    );
}

#[test]
fn what_secret_tool_stores_under_our_attributes_is_read() {
    let session = Session::unlocked();
    let texts = session.0.texts(
        "keyring",
        &[
            "sh printf %s by-hand | secret-tool store --label=x service kubectl-cce_login username account",
            "get account",
            "delete account",
            "get account",
        ],
    );
    assert_eq!(texts, ["", "secret-service: by-hand", "deleted", "none"]);
}

#[test]
fn a_locked_keyring_says_so_at_once_and_opens_no_dialog() {
    let session = Session::unlocked();
    let steps = [
        "set a value never",
        LOCK,
        MONITOR,
        "get a",
        "get other",
        "set a new never",
        "set other new never",
        "delete a",
        "delete other",
        "list",
    ];
    let answers = session.0.steps("keyring", &steps);
    let texts: Vec<_> = answers.iter().map(|answer| answer.text.as_str()).collect();
    let locked = "; the Secret Service is locked";
    assert_eq!(
        texts,
        [
            "held by [secret-service]",
            "",
            "",
            &format!("none{locked}"),
            "none",
            &format!("held by []{locked}"),
            &format!("held by []{locked}"),
            &format!("deleted{locked}"),
            "deleted",
            "[a]",
        ]
    );
    assert!(answers[3..].iter().all(|answer| answer.took < AT_ONCE), "{answers:?}");
    assert_eq!(session.dialogs(), [""; 0]);
}

#[test]
fn a_locked_keyring_asks_once_when_a_person_is_there() {
    let mut session = Session::unlocked();
    session.0.set("INTERACTIVE", "1");
    // There is no display, so the service dismisses its own dialog.
    let steps = ["set a value never", LOCK, MONITOR, "get a", "get a", "set a new never"];
    let texts = session.0.texts("keyring", &steps);
    let locked = "; the Secret Service is locked";
    assert_eq!(
        texts[3..],
        [
            format!("none{locked}"),
            format!("none{locked}"),
            format!("held by []{locked}")
        ]
    );
    assert_eq!(session.dialogs(), ["Unlock", "Prompt", "Completed"]);
}

/// Issue 13.14: client-go runs us five times for each command.
#[test]
fn a_dialog_that_was_dismissed_is_not_opened_for_a_clients_next_run_but_for_a_persons() {
    let mut session = Session::unlocked();
    session.0.set("INTERACTIVE", "1");
    session.0.set("CLIENT", "1");
    let marker = session.0.directory.path().join("marker");
    session.0.set("MARKER", marker.to_str().unwrap());
    let steps = ["set a value never", LOCK, MONITOR, "get a"];
    let once = ["Unlock", "Prompt", "Completed"];
    assert_eq!(
        session.0.texts("keyring", &steps)[3],
        "none; the Secret Service is locked"
    );
    assert_eq!(session.dialogs(), once);
    assert_eq!(
        session.0.texts("keyring", &steps)[3],
        "none; the Secret Service is locked"
    );
    assert_eq!(session.dialogs(), [""; 0]);
    let mut persons = Session::unlocked();
    persons.0.set("INTERACTIVE", "1");
    persons.0.set("MARKER", marker.to_str().unwrap());
    persons.0.texts("keyring", &steps);
    assert_eq!(persons.dialogs(), once);
}

#[test]
fn a_person_is_asked_to_unlock_before_something_is_written() {
    let mut session = Session::unlocked();
    session.0.set("INTERACTIVE", "1");
    let texts = session.0.texts("keyring", &[LOCK, MONITOR, "set a value never"]);
    assert_eq!(texts[2], "held by []; the Secret Service is locked");
    assert_eq!(session.dialogs(), ["Unlock", "Prompt", "Completed"]);
}

#[test]
fn a_daemon_that_was_never_unlocked_has_no_place_for_an_entry() {
    let session = Session::new(&[]);
    let answers = session
        .0
        .steps("keyring", &["get a", "set a value never", "delete a", "list"]);
    let texts: Vec<_> = answers.iter().map(|answer| answer.text.as_str()).collect();
    let none = "; the Secret Service is not available: it has no default collection";
    assert_eq!(texts, ["none", &format!("held by []{none}"), "deleted", "[]"]);
}

#[test]
fn a_bus_without_a_secret_service_is_unavailable() {
    let mut run = Run::new();
    let config = run.directory.path().join("bus.conf");
    let policy = r#"<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>"#;
    let text = format!("<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>{policy}</busconfig>");
    std::io::Write::write_all(&mut fs::File::create(&config).unwrap(), text.as_bytes()).unwrap();
    run.under(&["dbus-run-session", "--config-file", config.to_str().unwrap(), "--"]);
    let texts = run.texts("keyring", &["get a", "set a value never"]);
    let none = "; the Secret Service is not available: nothing on the session bus provides it";
    assert_eq!(texts, [format!("none{none}"), format!("held by []{none}")]);
}

/// Asks the keyring once, under a tracer that shows every program that is started. One is: the test itself.
fn ask_and_start_nothing(run: &Run) -> String {
    let answers = run.steps("keyring", &["get a"]);
    assert!(answers[0].took < AT_ONCE, "{answers:?}");
    let started = fs::read_to_string(run.directory.path().join("trace")).unwrap();
    assert_eq!(started.matches("execve(").count(), 1, "{started}");
    answers[0].text.clone()
}

fn traced(run: &mut Run) {
    let trace = run.directory.path().join("trace");
    run.under(&[
        "strace",
        "--follow-forks",
        "--trace=execve",
        "--output",
        trace.to_str().unwrap(),
    ]);
}

#[test]
fn without_a_session_bus_none_is_started() {
    let mut run = Run::new();
    let runtime = run.with_runtime_dir();
    traced(&mut run);
    let none = "none; the Secret Service is not available: there is no session bus";
    assert_eq!(ask_and_start_nothing(&run), none);
    run.set("DBUS_SESSION_BUS_ADDRESS", "");
    assert_eq!(ask_and_start_nothing(&run), none);
    // A plain file in the bus's place is no bus.
    fs::File::create(runtime.join("bus")).unwrap();
    assert_eq!(ask_and_start_nothing(&run), none);
}

/// Issue 12, A1: the address comes with the environment, and the environment may come with a kubeconfig.
#[test]
fn an_address_that_is_no_sockets_path_starts_no_program_and_connects_to_nothing() {
    let mut run = Run::new();
    // A bus at the usual place is no reason to try it: the address means another one.
    let runtime = run.with_runtime_dir();
    let _listener = silent_bus(&runtime.join("bus"));
    traced(&mut run);
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    let port = tcp.local_addr().unwrap().port();
    let socket = run.directory.path().join("elsewhere");
    let elsewhere = silent_bus(&socket);
    elsewhere.set_nonblocking(true).unwrap();
    let path = socket.display();
    let escaped = path.to_string().replace("elsewhere", "%65lsewhere");
    for address in [
        "autolaunch:".to_owned(),
        "unixexec:path=/bin/sh,argv1=-c,argv2=true".to_owned(),
        format!("tcp:host=127.0.0.1,port={port}"),
        format!("nonce-tcp:host=127.0.0.1,port={port},noncefile=/dev/null"),
        format!("unix:path={path};autolaunch:"),
        format!("unix:path=/nowhere;unix:path={path}"),
        format!("unix:path=/nowhere,path={path}"),
        format!("unix:path={escaped}"),
        format!("unix:abstract={path}"),
        "unix:runtime=yes".to_owned(),
    ] {
        run.set("DBUS_SESSION_BUS_ADDRESS", &address);
        let text = ask_and_start_nothing(&run);
        let refused = "none; the Secret Service is not available: `DBUS_SESSION_BUS_ADDRESS` ";
        assert!(text.starts_with(refused), "{address}: {text}");
    }
    assert!(tcp.accept().is_err() && elsewhere.accept().is_err());
}

/// A socket that somebody else has bound since, and one that is ours by name only.
#[test]
fn a_socket_of_somebody_else_gets_no_byte() {
    let mut run = Run::new();
    run.for_every_user();
    let directory = run.directory.path().join("left-behind");
    fs::create_dir(&directory).unwrap();
    set_mode(&directory, 0o755);
    let socket = directory.join("bus");
    let listener = silent_bus(&socket);
    listener.set_nonblocking(true).unwrap();
    set_mode(&socket, 0o666);
    run.set("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    run.under(&["setpriv", "--reuid=47117", "--regid=47117", "--clear-groups"]);
    let not_believed = "none; the Secret Service is not available: the session bus is not believed: ";
    assert_eq!(
        run.texts("keyring", &["get a"]),
        [format!("{not_believed}its socket belongs to another user")]
    );
    assert!(listener.accept().is_err(), "connected to a stranger's socket");
    std::os::unix::fs::chown(&socket, Some(47117), None).unwrap();
    assert_eq!(
        run.texts("keyring", &["get a"]),
        [format!("{not_believed}another user listens there")]
    );
    let (mut connection, _) = listener.accept().unwrap();
    let mut sent = Vec::new();
    std::io::Read::read_to_end(&mut connection, &mut sent).unwrap();
    assert_eq!(sent, b"");
}

#[test]
fn a_bus_that_is_gone_is_unavailable_at_once() {
    let mut run = Run::new();
    run.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/does/not/exist");
    let answers = run.steps("keyring", &["get a"]);
    assert_eq!(
        answers[0].text,
        "none; the Secret Service is not available: the session bus cannot be reached"
    );
    assert!(answers[0].took < AT_ONCE);
}

/// A socket that takes connections and never answers.
fn silent_bus(at: &Path) -> UnixListener {
    // The kernel completes connections up to the listener's backlog; nobody needs to accept them.
    UnixListener::bind(at).unwrap()
}

#[test]
fn a_service_that_never_answers_costs_two_seconds_once() {
    let mut run = Run::new();
    let runtime = run.with_runtime_dir();
    // The bus at its usual place, without a variable.
    let _listener = silent_bus(&runtime.join("bus"));
    run.set("MARKER", run.directory.path().join("state").join("keyring-time-out"));
    let first = run.steps("keyring", &["get a", "set a value never", "get a"]);
    assert_eq!(first[0].text, "none; the Secret Service did not answer within 2000 ms");
    assert!(
        first[0].took >= Duration::from_secs(2) && first[0].took < Duration::from_secs(3),
        "{first:?}"
    );
    let skipped = "the Secret Service is skipped because it did not answer at ";
    assert!(
        first[1].text.starts_with(&format!("held by []; {skipped}")),
        "{first:?}"
    );
    let second = run.steps("keyring", &["get a"]);
    assert!(second[0].text.starts_with(&format!("none; {skipped}")), "{second:?}");
    for answer in first[1..].iter().chain(&second) {
        assert!(answer.took < Duration::from_millis(200), "{answer:?}");
    }
    fs::remove_file(run.directory.path().join("state").join("keyring-time-out")).unwrap();
    assert_eq!(
        run.texts("keyring", &["get a"]),
        ["none; the Secret Service did not answer within 2000 ms"]
    );
}

#[test]
fn a_daemon_that_hangs_is_given_up_within_seconds_though_a_person_is_there() {
    let mut session = Session::unlocked();
    session.0.set("INTERACTIVE", "1");
    let stop = "sh dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetConnectionUnixProcessID \
                string:org.freedesktop.secrets | sed -n 's/.*uint32 //p' >$HOME/pid; kill -STOP $(cat $HOME/pid)";
    let answers = session.0.steps(
        "keyring",
        &["get a", stop, "get a", "get a", "sh kill -CONT $(cat $HOME/pid)"],
    );
    assert_eq!(answers[0].text, "none");
    let answers = &answers[1..];
    assert_eq!(
        answers[1].text,
        "none; the Secret Service did not answer within 2000 ms"
    );
    assert!(
        answers[1].took >= Duration::from_secs(2) && answers[1].took < Duration::from_secs(4),
        "{answers:?}"
    );
    assert!(
        answers[2].text.starts_with("none; the Secret Service is skipped"),
        "{answers:?}"
    );
}

#[test]
fn the_layers_stand_in_for_each_other() {
    let session = Session::unlocked();
    let account = unique("layers");
    let steps = [
        format!("set {account} value 600"),
        format!("get {account}"),
        format!("sh keyctl link @u @s; keyctl purge user cce-login:{account} >/dev/null"),
        format!("get {account}"),
        format!("sh secret-tool clear service kubectl-cce_login username {account}"),
        format!("get {account}"),
        format!("set {account} again 600"),
        format!("delete {account}"),
        format!("get {account}"),
    ];
    let held = "held by [kernel-keyring secret-service]";
    assert_eq!(
        session.0.texts("auto", &steps),
        [
            held,
            "kernel-keyring: value",
            "",
            "secret-service: value",
            "",
            "none",
            held,
            "deleted",
            "none"
        ]
    );
}

#[test]
fn headless_the_kernel_keyring_stands_alone_and_in_a_container_the_memory_directory() {
    let account = unique("headless");
    let steps = [
        format!("set {account} value 600"),
        format!("get {account}"),
        format!("delete {account}"),
    ];
    let no_bus = "; the Secret Service is not available: there is no session bus";
    let mut run = Run::new();
    assert_eq!(
        run.texts("auto", &steps),
        [
            format!("held by [kernel-keyring]{no_bus}"),
            "kernel-keyring: value".into(),
            "deleted".into()
        ]
    );
    let shared_memory = tempfile::tempdir_in("/dev/shm").unwrap();
    run.set("SHARED_MEMORY", shared_memory.path());
    run.set("container", "docker");
    let texts = run.texts("auto", &steps);
    assert!(texts[0].starts_with("held by [memory-directory]"), "{texts:?}");
    assert_eq!(texts[1..], ["memory-directory: value", "deleted"]);
}
