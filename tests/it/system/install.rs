//! install.sh, with this checkout's own release build (which `tests/run` has made before), and with a cargo that fails.

use super::process::Output;
use super::terminal::Terminal;
use super::world::{World, words};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh");
/// Where no release build has been made before, it is made now.
const BUILD_LIMIT: Duration = Duration::from_secs(30 * 60);
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Issue 13.19: which commit `build.rs` finds, in a checkout, in one with changes, and where there is none.
#[test]
fn the_commit_is_that_of_the_sources_or_none() {
    let home = tempfile::tempdir().unwrap();
    let script = home.path().join("build-script");
    let run = |program: &str, directory: &Path, words: &[&str]| {
        let output = std::process::Command::new(program)
            .args(words)
            .current_dir(directory)
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/build.rs");
    run(
        "rustc",
        home.path(),
        &["--edition=2024", source, "-o", script.to_str().unwrap()],
    );
    let told = |directory: &Path| {
        let said = run(script.to_str().unwrap(), directory, &[]);
        let value = |name: &str| {
            let line = said
                .lines()
                .find_map(|line| line.strip_prefix(&format!("cargo::rustc-env=CCE_LOGIN_BUILT_{name}=")));
            line.unwrap().to_owned()
        };
        (value("FROM"), value("MODIFIED"))
    };
    let git = |directory: &Path, line: &str| {
        let fixed = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        run(
            "git",
            directory,
            &[&fixed[..], &line.split(' ').collect::<Vec<_>>()].concat(),
        )
    };

    let outer = home.path().join("packaging");
    let sources = outer.join("sources");
    fs::create_dir_all(sources.join("src")).unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "build.rs", "src/main.rs"] {
        fs::write(sources.join(file), "").unwrap();
    }
    let nothing = (String::new(), "false".to_owned());
    assert_eq!(told(&sources), nothing);
    // Somebody else's repository around it tells nothing of it.
    git(&outer, "init -q");
    git(&outer, "commit -q --allow-empty -m outer");
    assert_eq!(told(&sources), nothing);
    fs::write(
        sources.join(".cargo_vcs_info.json"),
        r#"{"git":{"sha1":"0123456789abcdef0123456789abcdef01234567"}}"#,
    )
    .unwrap();
    assert_eq!(told(&sources), ("0123456789ab".to_owned(), "false".to_owned()));

    git(&sources, "init -q");
    git(&sources, "add .");
    git(&sources, "commit -q -m inner");
    let commit = git(&sources, "rev-parse HEAD")[..12].to_owned();
    assert_eq!(told(&sources), (commit.clone(), "false".to_owned()));
    fs::write(sources.join("notes.txt"), "not a part of the program").unwrap();
    assert_eq!(told(&sources), (commit.clone(), "false".to_owned()));
    fs::write(sources.join("src/main.rs"), "// changed").unwrap();
    assert_eq!(told(&sources), (commit, "true".to_owned()));
}

fn install(world: &World, arguments: &str) -> Output {
    let running = world.start(&words(SCRIPT, arguments));
    world.checked(running.finish_within(BUILD_LIMIT))
}

/// A world in which the real cargo finds its things, and builds where these tests were built.
fn building() -> World {
    let mut world = World::new();
    let home = |name: &str, custom: &str| {
        let at_home = || Path::new(&std::env::var_os("HOME").unwrap()).join(custom);
        std::env::var_os(name).unwrap_or_else(|| at_home().into())
    };
    world.set("CARGO_HOME", home("CARGO_HOME", ".cargo"));
    world.set("RUSTUP_HOME", home("RUSTUP_HOME", ".rustup"));
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        world.set("RUSTUP_TOOLCHAIN", toolchain);
    }
    let target = Path::new(env!("CARGO_BIN_EXE_kubectl-cce_login"))
        .ancestors()
        .nth(2)
        .unwrap();
    world.set("CARGO_TARGET_DIR", target);
    world.set("CARGO_NET_OFFLINE", "true");
    // The program knows how PEM begins.
    for program in [".local/bin/kubectl-cce_login", "some where/kubectl-cce_login"] {
        world.allow_secrets_below(program);
    }
    world
}

/// A world in which `cargo` is this script.
fn with_cargo(script: &str) -> World {
    let world = World::new();
    put_program(&world.home().join("bin/cargo"), script);
    world
}

fn put_program(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A world whose PATH has these programs and no others.
fn with_programs_only(programs: &[&str]) -> World {
    let mut world = World::new();
    for program in programs {
        let found = world.shell(&format!("command -v {program}"));
        symlink(found.trim(), world.home().join("run").join(program)).unwrap();
    }
    world.set("PATH", world.home().join("run"));
    world
}

const BASICS: [&str; 9] = ["sh", "dirname", "sed", "head", "grep", "mktemp", "mkdir", "rm", "cat"];

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn it_installs_installs_again_upgrades_and_uninstalls() {
    let world = building();
    let directory = world.home().join(".local/bin");
    let program = directory.join("kubectl-cce_login");

    let first = install(&world, "").succeeded().stdout;
    assert!(
        first.contains(&format!(
            "Installed kubectl-cce_login {VERSION} to {}\n",
            program.display()
        )),
        "{first}"
    );
    assert!(
        first.contains("    export PATH=\"$HOME/.local/bin:$PATH\"\n"),
        "{first}"
    );
    assert!(first.contains("kubectl finds it."), "{first}");
    assert_eq!(program.metadata().unwrap().permissions().mode() & 0o7777, 0o755);
    let version = world.run(&[program.to_str().unwrap(), "version"]).succeeded().stdout;
    assert!(
        version.starts_with(&format!("kubectl cce-login {VERSION} ")),
        "{version}"
    );

    let again = install(&world, "").succeeded().stdout;
    assert!(
        again.contains(&format!(
            "Installed kubectl-cce_login {VERSION} to {} again\n",
            program.display()
        )),
        "{again}"
    );
    put_program(&program, "echo kubectl cce-login 0.0.9 linux/any");
    let upgraded = install(&world, "").succeeded().stdout;
    let expected = format!(
        "Upgraded kubectl-cce_login in {} from 0.0.9 to {VERSION}\n",
        directory.display()
    );
    assert!(upgraded.contains(&expected), "{upgraded}");
    assert_eq!(names_in(&directory), ["kubectl-cce_login"], "nothing temporary is left");

    world.login();
    let removed = install(&world, "--uninstall").succeeded().stdout;
    assert!(
        removed.contains(&format!("Removed {}\n", program.display())),
        "{removed}"
    );
    assert!(
        removed.contains("These contexts still use it and no longer work without it:\n    prod\n"),
        "{removed}"
    );
    assert!(!program.exists());
    let gone = install(&world, "--uninstall").failed(1);
    assert!(gone.stderr.contains("there is no"), "{}", gone.stderr);
}

#[test]
fn a_directory_on_the_path_is_used_as_it_is() {
    let mut world = building();
    let directory = world.home().join("some where");
    let path = std::env::join_paths(
        [&directory]
            .into_iter()
            .cloned()
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    world.set("PATH", path.unwrap());
    world.set("KUBECONFIG", world.home().join("none"));
    let running = world.start(&[SCRIPT, "--to", "./some where"]);
    let output = world.checked(running.finish_within(BUILD_LIMIT)).succeeded();
    assert!(directory.join("kubectl-cce_login").exists());
    assert!(!output.stdout.contains("PATH="), "{}", output.stdout);
    let removed = world
        .run(&[SCRIPT, "--uninstall", "--to", directory.to_str().unwrap()])
        .succeeded();
    assert!(!removed.stdout.contains("still use it"), "{}", removed.stdout);
}

#[test]
fn without_kubectl_uninstall_names_the_files_that_mention_the_plugin() {
    let world = World::new();
    world.login();
    let mut bare = with_programs_only(&BASICS);
    put_program(&bare.home().join(".local/bin/kubectl-cce_login"), "exit 1");
    let theirs = world.home().join(".kube/config");
    bare.set("KUBECONFIG", format!("/does/not/exist:{}", theirs.display()));
    let removed = install(&bare, "--uninstall").succeeded().stdout;
    let expected = format!(
        "These kubeconfig files still use it and no longer work without it:\n    {}\n",
        theirs.display()
    );
    assert!(removed.contains(&expected), "{removed}");
}

/// Issue 13.4: what lies in clear in a file is not called the keyring's.
#[test]
fn uninstall_says_of_each_profile_where_its_secret_lies() {
    let world = World::new();
    let directory = world.home().join("bin").display().to_string();
    world.write(
        ".config/cce-login/config.toml",
        "[profiles.ci]\nkind = \"access-key\"\naccess_key_id = \"AK\"\nsecret_store = \"file\"\n\n[profiles.ecs]\nkind = \"metadata\"\n\n\
         [profiles.work]\nkind = \"password\"\nusername = \"u\"\ndomain = \"d\"\n",
    );
    world.write(".cache/cce-login/cert-1", "");
    let removed = install(&world, &format!("--uninstall --to {directory}"))
        .succeeded()
        .stdout;
    let home = world.home().display();
    let expected = format!(
        "These profiles stay, and so do their secrets:\n    ci: in clear, in a file that only you can read, in {home}/.config/cce-login/secrets\n    \
         ecs: no secret\n    work: in the keyring\n"
    );
    assert!(removed.contains(&expected), "{removed}");
    assert!(
        removed.contains(&format!(
            "in clear, in files that only you can read: {home}/.cache/cce-login\n"
        )),
        "{removed}"
    );
}

#[test]
fn uninstall_offers_to_forget_everything_first() {
    let world = World::new();
    world.login();
    let directory = world.home().join("bin").display().to_string();
    assert!(world.home().join(".local/state/cce-login").exists());
    let terminal = Terminal::start(&world, 100, 30, &format!("{SCRIPT} --uninstall --to '{directory}'"));
    terminal.shows("[y/N]");
    terminal.types("y");
    terminal.ended(0);
    let screen = terminal.screen();
    assert!(
        screen.contains("contexts removed") && !screen.contains("still use it"),
        "{screen}"
    );
    assert!(!world.home().join(".local/state/cce-login").exists());
    assert!(!world.home().join("bin/kubectl-cce_login").exists());
}

#[test]
fn help_and_version_build_nothing() {
    let world = with_cargo("echo built >&2; exit 1");
    let help = install(&world, "--help").succeeded();
    assert!(
        help.stdout.contains("Usage: ./install.sh [--to DIR] [--uninstall]"),
        "{}",
        help.stdout
    );
    let version = install(&world, "--version").succeeded();
    assert_eq!(
        (version.stdout, version.stderr + &help.stderr),
        (format!("{VERSION}\n"), String::new())
    );
}

#[test]
fn a_wrong_call_is_told_before_anything_is_built() {
    let mut world = with_cargo("echo built >&2; exit 1");
    fs::write(world.home().join("file"), "").unwrap();
    let unknown = install(&world, "--prefix /x").failed(2);
    assert_eq!(
        unknown.stderr,
        "install.sh: error: unknown argument `--prefix`\nhint: ./install.sh --help shows what can be given\n"
    );
    assert!(
        install(&world, "--to")
            .failed(2)
            .stderr
            .contains("--to needs a directory")
    );
    let file = install(&world, "--to file/bin").failed(1);
    assert!(file.stderr.contains("cannot make the directory"), "{}", file.stderr);
    world.unset("HOME");
    let homeless = install(&world, "").failed(1);
    assert_eq!(homeless.stderr, "install.sh: error: HOME is not set\n");
}

#[test]
fn what_is_missing_is_named() {
    let world = with_programs_only(&BASICS);
    let cargo = install(&world, "").failed(1);
    assert!(
        cargo.stderr.contains("cargo is missing") && cargo.stderr.contains("https://rustup.rs"),
        "{}",
        cargo.stderr
    );
    put_program(&world.home().join("run/cargo"), "exit 1");
    let compiler = install(&world, "").failed(1);
    assert!(
        compiler.stderr.contains("a C compiler is missing"),
        "{}",
        compiler.stderr
    );
}

#[test]
fn a_build_that_fails_or_does_not_run_leaves_the_old_program_alone() {
    let failing = "echo no >&2; exit 101";
    let broken = r#"echo '{"reason":"compiler-artifact","executable":"/bin/false"}'"#;
    for (cargo, told) in [(failing, "the build failed"), (broken, "the new program does not run")] {
        let world = with_cargo(cargo);
        let program = world.home().join(".local/bin/kubectl-cce_login");
        put_program(&program, "echo kubectl cce-login 0.0.9 linux/any");
        let output = install(&world, "").failed(1);
        assert!(output.stderr.contains(told), "{}", output.stderr);
        assert!(fs::read_to_string(&program).unwrap().contains("0.0.9"));
        assert_eq!(names_in(program.parent().unwrap()), ["kubectl-cce_login"]);
    }
}

#[test]
fn a_cut_download_does_nothing() {
    let world = with_cargo("echo built; exit 1");
    let script = fs::read_to_string(SCRIPT).unwrap();
    assert!(script.ends_with("\nmain \"$@\"\n"));
    let lines: Vec<&str> = script.lines().collect();
    for end in 0..lines.len() {
        let output = world.run_with_stdin(&["sh"], &lines[..end].join("\n"));
        assert_eq!(output.stdout, "", "cut after line {end}");
    }
    assert!(!world.home().join(".local").exists());
}
