//! Writing: locks, links, modes, backups, other writers, a full stop in the middle.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cce_login::kubeconfig::{Change, Current, KubeconfigError};

use super::support::{home, load, login, put, upserted, variable};

const FOREIGN: &str = "# mine\nclusters:\n- {name: f, cluster: {server: \"https://f\"}}\n";

fn change(file: &Path) -> Change {
    load(file).unwrap().upsert(&[login("prod")]).unwrap()
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_second_run_changes_nothing() {
    let (home, file) = home();
    change(&file).write().unwrap();
    let first = fs::read(&file).unwrap();
    let second = change(&file);
    assert!(second.is_empty() && second.diff().is_empty() && second.files().is_empty());
    second.write().unwrap();
    assert_eq!(fs::read(&file).unwrap(), first);
    assert_eq!(names_in(home.path()), ["config"]);
}

#[test]
fn rendering_is_what_an_empty_file_becomes() {
    let (_home, file) = home();
    let logins = [login("prod"), login("two")];
    let text = upserted(&file, &logins).unwrap().unwrap();
    assert_eq!(cce_login::kubeconfig::render(&logins), text);
}

#[cfg(unix)]
#[test]
fn modes_are_kept_and_new_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let (home, _) = home();
    let new = home.path().join("a/b/config");
    change(&new).write().unwrap();
    assert_eq!(
        (mode(&new), mode(&home.path().join("a/b")), mode(&home.path().join("a"))),
        (0o600, 0o700, 0o700)
    );
    let old = home.path().join("old");
    put(&old, FOREIGN);
    fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
    change(&old).write().unwrap();
    assert_eq!(mode(&old), 0o640);
    let backup = home.path().join("old.cce-login-backup");
    assert_eq!(
        (mode(&backup), fs::read_to_string(&backup).unwrap().as_str()),
        (0o600, FOREIGN)
    );
    assert_eq!(names_in(home.path()), ["a", "old", "old.cce-login-backup"]);
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_followed_and_stay() {
    let (home, file) = home();
    fs::create_dir(home.path().join("dotfiles")).unwrap();
    std::os::unix::fs::symlink("dotfiles/link", &file).unwrap();
    let second = home.path().join("dotfiles/link");
    std::os::unix::fs::symlink("real", &second).unwrap();
    // First a link to nothing, then one to a file.
    for _ in 0..2 {
        let mut login = login("prod");
        login.cluster.proxy_url = fs::exists(&file).unwrap().then(|| "http://p".to_owned());
        load(&file).unwrap().upsert(&[login]).unwrap().write().unwrap();
        assert!(file.is_symlink() && second.is_symlink());
        assert!(
            fs::read_to_string(home.path().join("dotfiles/real"))
                .unwrap()
                .contains("prod.example")
        );
    }
    assert_eq!(names_in(home.path()), ["config", "config.cce-login-backup", "dotfiles"]);
    assert_eq!(names_in(&home.path().join("dotfiles")), ["link", "real"]);
}

#[test]
fn a_held_lock_is_waited_for_then_named() {
    let (home, file) = home();
    put(&file, FOREIGN);
    let lock = home.path().join("config.lock");
    put(&lock, "");
    let began = Instant::now();
    let error = change(&file).write().unwrap_err();
    assert!((Duration::from_secs(2)..Duration::from_secs(10)).contains(&began.elapsed()));
    let hint = error.hint().unwrap();
    assert!(
        matches!(&error, KubeconfigError::Locked { age: Some(age), .. } if age.as_secs() < 60),
        "{error}"
    );
    assert!(error.to_string().contains("config.lock`, "), "{error}");
    assert!(hint.contains(&format!("`rm {}`", lock.display())), "{hint}");
    assert_eq!(fs::read_to_string(&file).unwrap(), FOREIGN);
    assert_eq!(names_in(home.path()), ["config", "config.lock"]);

    // One that goes away in time does no harm.
    let unlock = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        fs::remove_file(lock).unwrap();
    });
    change(&file).write().unwrap();
    unlock.join().unwrap();
    assert_eq!(names_in(home.path()), ["config", "config.cce-login-backup"]);
}

#[test]
fn what_others_wrote_meanwhile_is_kept() {
    let (_home, file) = home();
    put(&file, FOREIGN);
    let stale = change(&file);
    let newer = format!("{FOREIGN}- {{name: g, cluster: {{server: \"https://g\"}}}}\n");
    put(&file, &newer);
    stale.write().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&newer) && text.contains("prod.example"), "{text}");
}

#[test]
fn side_by_side_writers_lose_nothing() {
    let (_home, file) = home();
    put(&file, FOREIGN);
    let file = &file;
    std::thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || {
                let login = login(&format!("c{number}"));
                // Under contention a writer may give up; it says so, and running again helps.
                for _ in 0..20 {
                    match load(file)
                        .unwrap()
                        .upsert(std::slice::from_ref(&login))
                        .unwrap()
                        .write()
                    {
                        Ok(()) => return,
                        Err(KubeconfigError::ChangedMeanwhile { .. } | KubeconfigError::Locked { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                panic!("never got its turn");
            });
        }
    });
    let names: Vec<String> = load(file)
        .unwrap()
        .ours()
        .iter()
        .map(|ours| ours.name.to_owned())
        .collect();
    assert_eq!(names.len(), 6, "{names:?}");
}

#[test]
fn a_directory_that_cannot_be_written_is_a_clear_error() {
    let (home, file) = home();
    // A parent that is a file, as root or not.
    put(&home.path().join("plain"), "");
    let error = load(&home.path().join("plain/config")).unwrap_err();
    assert!(matches!(error, KubeconfigError::Read { .. }), "{error}");
    put(&file, FOREIGN);
    // A temporary name that is taken by a directory.
    fs::create_dir(home.path().join("config.cce-login-new")).unwrap();
    let error = change(&file).write().unwrap_err();
    assert!(error.to_string().starts_with("cannot create `"), "{error}");
    assert!(error.hint().unwrap().contains("--kubeconfig"));
    assert_eq!(fs::read_to_string(&file).unwrap(), FOREIGN);
    assert_eq!(names_in(home.path()), ["config", "config.cce-login-new", "plain"]);
}

/// A directory in which nobody, not even root, creates files: its own file system says no.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_file_system_is_a_clear_error() {
    let file = Path::new("/proc/self/cce-login-test-config");
    let error = change(file).write().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot create the lock file `/proc/self/cce-login-test-config.lock`"),
        "{error}"
    );
    assert!(error.hint().is_some());
}

/// The same as an ordinary user in a directory without write permission.
#[cfg(unix)]
#[test]
fn a_read_only_directory_is_a_clear_error() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let (home, file) = home();
    put(&file, FOREIGN);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = helper(&file, "write once");
    if fs::metadata(home.path()).unwrap().uid() == 0 {
        // Permissions do not bind root: become nobody.
        let test = command;
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
        // The test binary itself may lie where nobody cannot go.
        let reachable = home.path().join("helper");
        fs::copy(test.get_program(), &reachable).unwrap();
        fs::set_permissions(&reachable, fs::Permissions::from_mode(0o755)).unwrap();
        command.arg(reachable).args(test.get_args());
        command.envs(test.get_envs().filter_map(|(key, value)| Some((key, value?))));
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("cannot create the lock file `"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), FOREIGN);
    assert!(!home.path().join("config.lock").exists());
}

const HELPER_FILE: &str = "CCE_LOGIN_TEST_KUBECONFIG";
const HELPER_WORK: &str = "CCE_LOGIN_TEST_WORK";
const AT_WORK: &str = "the writer is at work";

/// This test binary again, as a writer of the file.
fn helper(file: &Path, work: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let name = format!("{}::the_helper_process", module_path!().split_once("::").unwrap().1);
    command.args(["--exact", &name, "--nocapture"]);
    command.env(HELPER_FILE, file).env(HELPER_WORK, work);
    command
}

/// Nothing by itself; as a process of its own, a writer that switches one entry between two states.
#[test]
fn the_helper_process() {
    let Some(file) = variable(HELPER_FILE) else { return };
    let file = Path::new(&file);
    if variable(HELPER_WORK).unwrap() == "write once" {
        change(file).write().unwrap_or_else(|error| panic!("{error}"));
        return;
    }
    // Computed once, so that the process spends its time writing.
    let change_to = |proxy| load(file).unwrap().upsert(&[switched(proxy)]).unwrap();
    change_to("http://one").write().unwrap();
    let there = change_to("http://two");
    there.write().unwrap();
    let back = change_to("http://one");
    println!("{AT_WORK}");
    loop {
        back.write().unwrap();
        there.write().unwrap();
    }
}

fn switched(proxy: &str) -> cce_login::kubeconfig::Login {
    let mut login = login("prod");
    login.current = Current::Keep;
    login.cluster.proxy_url = Some(proxy.to_owned());
    login
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new_file() {
    let (home, file) = home();
    put(
        &file,
        FOREIGN.to_owned() + &"# padding, so that a write takes a while\n".repeat(500),
    );
    load(&file)
        .unwrap()
        .upsert(&[switched("http://one")])
        .unwrap()
        .write()
        .unwrap();
    let one = fs::read(&file).unwrap();
    load(&file)
        .unwrap()
        .upsert(&[switched("http://two")])
        .unwrap()
        .write()
        .unwrap();
    let two = fs::read(&file).unwrap();
    assert_ne!(one, two);
    let (mut left_locks, mut delay) = (0, 1_u64);
    for round in 0..120 {
        let _ = fs::remove_file(home.path().join("config.lock"));
        let mut writer = helper(&file, "write on")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = BufReader::new(writer.stdout.take().unwrap());
        assert!(
            said.lines().any(|line| line.unwrap().contains(AT_WORK)),
            "round {round}: it never began"
        );
        // Somewhere in its first writes; a fixed sequence, so that a failure can be had again.
        delay = (delay * 48_271) % 2_147_483_647;
        std::thread::sleep(Duration::from_micros(delay % 10_000));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let now = fs::read(&file).unwrap();
        assert!(now == one || now == two, "round {round}: a broken file");
        left_locks += u32::from(home.path().join("config.lock").exists());
    }
    assert!(
        left_locks > 10,
        "hardly a kill hit a writer at work: the test shows nothing"
    );
    let left_over: Vec<_> = names_in(home.path());
    assert!(left_over.len() <= 5, "{left_over:?}");
}

#[test]
fn two_thousand_entries_and_five_megabytes() {
    use std::fmt::Write as _;
    let (_home, file) = home();
    let mut text = String::from("apiVersion: v1\nkind: Config\n");
    let filler = "QUJD".repeat(580);
    for (list, body) in [
        (
            "clusters",
            format!("cluster:\n    server: https://x\n    certificate-authority-data: {filler}"),
        ),
        ("contexts", "context: {cluster: clusters1, user: users1}".to_owned()),
        ("users", "user:\n    token: abc".to_owned()),
    ] {
        writeln!(text, "{list}:").unwrap();
        for number in 0..2_000 {
            writeln!(text, "# entry {number}\n- name: {list}{number}\n  {body}").unwrap();
        }
    }
    assert!(text.len() > 5_000_000, "{}", text.len());
    put(&file, &text);
    let began = Instant::now();
    let logins: Vec<_> = (0..1_000).map(|number| login(&format!("p{number}"))).collect();
    let change = load(&file).unwrap().upsert(&logins).unwrap();
    change.write().unwrap();
    assert!(
        change.diff().lines().filter(|line| line.starts_with('-')).count() == 1,
        "only additions"
    );
    let kubeconfig = load(&file).unwrap();
    assert_eq!((kubeconfig.contexts().len(), kubeconfig.ours().len()), (3_000, 1_000));
    assert!(kubeconfig.upsert(&logins).unwrap().is_empty());
    // A second is the goal of the released program; this one is not optimised and the machine may be busy.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
