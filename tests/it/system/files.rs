//! Issue 12, D: other people's files, and names under which there is no file, on real ones.

use super::world::{World, words};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

/// Somebody else: no user of this machine.
const STRANGER: u32 = 47_117;
/// A run of two seconds that has not ended after so long waits for something without an end.
const PATIENCE: Duration = Duration::from_secs(20);

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// `login` as a line of a shell.
fn login_line(world: &World, flags: &str) -> String {
    let flags = format!("{} {flags}", world.cloud_flags().join(" "));
    format!("kubectl-cce_login login --region cn-north-4 --cluster prod {flags}")
}

fn is_in_time<T>(work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    assert!(started.elapsed() < PATIENCE);
    result
}

/// Only root can make a device.
#[test]
fn the_null_device_takes_a_login_and_stays_a_device() {
    if !is_root() {
        return;
    }
    let mut world = World::new();
    world.give_mounts("mount -t tmpfs none \"$0\" && mknod -m 666 \"$0/null\" c 1 3 && mount --rbind \"$0\" /dev");
    for kubeconfig in ["KUBECONFIG=/dev/null", "KUBECONFIG=$HOME/link"] {
        let _ = symlink("/dev/null", world.home().join("link"));
        let line = format!(
            "export {kubeconfig}; {}; code=$?; test -c /dev/null && ls /dev && exit $code",
            login_line(&world, "")
        );
        let output = world.run(&["sh", "-c", &line]).succeeded();
        assert_eq!(output.stdout, "null\n", "{kubeconfig}");
    }
}

/// What is mounted on the file stands in the way of a rename.
#[test]
fn a_kubeconfig_that_is_mounted_as_a_file_is_written_in_place() {
    let mut world = World::new();
    world.write(".kube/config", "");
    world.write("host", "apiVersion: v1\nkind: Config\n# theirs\n");
    let before = world.home().join("host").metadata().unwrap().ino();
    world.give_mounts("mount --bind \"$HOME/host\" \"$HOME/.kube/config\"");
    world.login();
    world.kubectl("get namespaces").succeeded();
    let text = world.read("host");
    assert!(text.contains("# theirs") && text.contains("name: prod"), "{text}");
    assert_eq!(world.home().join("host").metadata().unwrap().ino(), before);
    assert_eq!(world.read(".kube/config"), "", "below the mount");
    assert!(world.login().stderr.contains("was up to date"));
    let left: Vec<_> = std::fs::read_dir(world.home().join(".kube"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "cache")
        .collect();
    assert_eq!(left.len(), 2, "the file and its backup: {left:?}");
}

#[test]
fn a_pipe_in_place_of_a_kubeconfig_hangs_nobody_and_stays_a_pipe() {
    let world = World::new();
    world.shell("mkdir -p \"$HOME/.kube\" && mkfifo \"$HOME/.kube/config\"");
    for line in [
        "status --timeout 2s",
        "doctor --timeout 2s",
        "logout --all --timeout 2s",
        "refresh --all --timeout 2s",
    ] {
        let ended = is_in_time(|| world.run(&words("kubectl-cce_login", line)));
        assert_ne!(ended.code, Some(0), "{line}");
    }
    let login = is_in_time(|| world.login_with("--timeout 2s"));
    assert!(
        login.stderr.contains("nobody has written and closed it in time"),
        "{}",
        login.stderr
    );
    let kind = world.home().join(".kube/config").metadata().unwrap().file_type();
    assert!(kind.is_fifo());
    // While somebody waits for the shell, an even shorter time.
    let asked = Instant::now();
    let offered = world.shell(
        "_CCE_LOGIN_COMPLETE=zsh _CLAP_COMPLETE_INDEX=3 kubectl-cce_login -- kubectl-cce_login status --context p",
    );
    assert!(asked.elapsed() < Duration::from_secs(5), "{offered}");
}

#[test]
fn what_a_program_writes_into_a_pipe_is_a_kubeconfig() {
    let world = World::new();
    world.login();
    for command in ["status", "status --check", "doctor"] {
        let line = format!("kubectl-cce_login {command} --kubeconfig <(cat \"$HOME/.kube/config\")");
        let output = world.run(&["bash", "-c", &line]).succeeded();
        assert!(output.stdout.contains("prod"), "{command}: {}", output.stdout);
    }
    let line = "exec 3< <(cat \"$HOME/cloud-ca.pem\"); kubectl-cce_login whoami --region cn-north-4 --ca-file /dev/fd/3 --timeout 20s";
    let line = format!(
        "{line} --iam-endpoint {} --cce-endpoint {}",
        world.sim.iam_endpoint(),
        world.sim.cce_endpoint()
    );
    world.run(&["bash", "-c", &line]).succeeded();
}

/// As `kubectl` runs us, and whatever lies under the log's name.
#[test]
fn a_log_is_written_to_nothing_but_a_log() {
    let mut world = World::new();
    world.shell("mkfifo \"$HOME/pipe\"; mkdir \"$HOME/directory\"; : >\"$HOME/theirs\"");
    let bashrc = world.write(".bashrc", "alias k=kubectl\n");
    symlink(&bashrc, world.home().join("link")).unwrap();
    symlink(world.home().join("nowhere"), world.home().join("dangling")).unwrap();
    let mut names = vec!["pipe", "directory", "link", "dangling", ".bashrc"];
    if is_root() {
        std::os::unix::fs::chown(world.home().join("theirs"), Some(STRANGER), None).unwrap();
        names.push("theirs");
    }
    let paths: Vec<String> = names.iter().map(|name| world.path(name)).collect();
    for path in paths
        .into_iter()
        .chain(["/dev/null".to_owned(), "/dev/full".to_owned(), "log".to_owned()])
    {
        world.set("CCE_LOGIN_LOG", &path);
        let credential = is_in_time(|| world.get_credential());
        assert_eq!(
            credential.stderr.matches("nothing is logged").count(),
            1,
            "{path}: {}",
            credential.stderr
        );
        credential.succeeded();
    }
    assert_eq!(world.read(".bashrc"), "alias k=kubectl\n");
    assert_eq!(world.read("theirs"), "");
    assert!(!world.has("nowhere"));
    world.set("CCE_LOGIN_LOG", world.path("new-log"));
    assert_eq!(world.get_credential().stderr, "");
    assert!(world.read("new-log").starts_with("# log of kubectl cce-login\n"));
}

/// A file of root's was written over through a link in a directory of ours.
#[test]
fn what_we_keep_follows_no_link_and_waits_for_no_pipe() {
    let world = World::new();
    world.login();
    let victim = world.write("victim", "theirs\n");
    for directory in ["run/cce-login", ".local/state/cce-login"] {
        let files: Vec<_> = crate::support::files_below(&world.home().join(directory));
        assert!(!files.is_empty(), "{directory}");
        for (number, file) in files.iter().enumerate() {
            std::fs::remove_file(file).unwrap();
            if number % 2 == 0 {
                symlink(&victim, file).unwrap();
            } else {
                world.shell(&format!("mkfifo '{}'", file.display()));
            }
        }
    }
    is_in_time(|| world.get_credential()).certificate();
    is_in_time(|| world.run(&words("kubectl-cce_login", "status"))).succeeded();
    is_in_time(|| world.run(&words("kubectl-cce_login", "refresh --all")));
    assert_eq!(world.read("victim"), "theirs\n");
}

/// `sudo` leaves `HOME` as it was.
#[test]
fn in_the_home_of_somebody_else_nothing_is_kept_and_that_is_said_once() {
    if !is_root() {
        return;
    }
    let mut world = World::new();
    world.unset("XDG_RUNTIME_DIR");
    let theirs = |path: &Path| std::os::unix::fs::chown(path, Some(STRANGER), Some(STRANGER)).unwrap();
    theirs(world.home());
    let before = files_and_directories(&world);
    for line in ["clusters", "whoami"] {
        let mut all = words("kubectl-cce_login", &format!("{line} --region cn-north-4"));
        all.extend(world.cloud_flags());
        let output = world.run(&all).succeeded();
        assert_eq!(
            output.stderr.matches("somebody else").count(),
            1,
            "{line}: {}",
            output.stderr
        );
    }
    let login = world.login_with("").failed(2);
    assert_eq!(login.stderr.matches("somebody else").count(), 1, "{}", login.stderr);
    let credential = world.get_credential();
    assert_eq!(credential.stderr, "");
    credential.certificate();
    // Their runtime directory is not ours either.
    let run = world.home().join("run");
    theirs(&run);
    world.set("XDG_RUNTIME_DIR", &run);
    world.set("container", "docker");
    world.get_credential().certificate();
    assert_eq!(files_and_directories(&world), before);
    // Nor where it is in memory, as usual.
    world.give_mounts("mount -t tmpfs none \"$0\" && chown 47117 \"$0\" && mount --bind /proc/tty /dev/shm");
    world.set("XDG_RUNTIME_DIR", world.path("dev"));
    let line = format!(
        "{} >/dev/null && ls -A \"$HOME/dev\"",
        world.get_credential_words().join(" ")
    );
    assert_eq!(world.run(&["sh", "-c", &line]).succeeded().stdout, "");
}

fn files_and_directories(world: &World) -> String {
    world.shell("find \"$HOME\" ! -path \"$HOME/.cache/*\" | sort")
}
