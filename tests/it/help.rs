//! Every `--help`, as it is read.

#[path = "../../examples/man.rs"]
#[expect(dead_code, reason = "the example has a main of its own")]
mod man;

use crate::support::{World, check_text};

const COMMANDS: [(&str, &[&str]); 23] = [
    ("top", &[]),
    ("login", &["login"]),
    ("get-credential", &["get-credential"]),
    ("clusters", &["clusters"]),
    ("refresh", &["refresh"]),
    ("status", &["status"]),
    ("logout", &["logout"]),
    ("revoke", &["revoke"]),
    ("rotate", &["rotate"]),
    ("profile", &["profile"]),
    ("profile-set", &["profile", "set"]),
    ("profile-list", &["profile", "list"]),
    ("profile-show", &["profile", "show"]),
    ("profile-remove", &["profile", "remove"]),
    ("whoami", &["whoami"]),
    ("convert", &["convert"]),
    ("doctor", &["doctor"]),
    ("completion", &["completion"]),
    ("completion-install", &["completion", "install"]),
    ("completion-bash", &["completion", "bash"]),
    ("completion-zsh", &["completion", "zsh"]),
    ("completion-fish", &["completion", "fish"]),
    ("completion-powershell", &["completion", "powershell"]),
];

#[test]
fn every_help_text_is_the_one_in_its_file() {
    let world = World::new();
    for (name, command) in COMMANDS.into_iter().chain([("version", &["version"][..])]) {
        let outcome = world.run(command.iter().chain(&["--help"]));
        outcome.is_done();
        assert_eq!(outcome.stderr, "");
        check_text(&format!("help/{name}.txt"), &outcome.stdout);

        let usage = format!("Usage: kubectl cce-login {}", command.join(" "));
        assert!(outcome.stdout.contains(usage.trim_end()), "{outcome}");
        assert!(!outcome.stdout.contains("kubectl-cce_login"), "{outcome}");
        assert!(outcome.stdout.contains("Examples:\n"), "{outcome}");
        let longest = outcome.stdout.lines().map(|line| line.chars().count()).max();
        assert!(longest <= Some(122), "{longest:?} in {outcome}");
    }
}

#[test]
fn the_top_help_lists_the_exit_codes() {
    let outcome = World::new().run(["--help"]);
    for line in [
        "0    done",
        "1    failed",
        "2    usage",
        "3    identity",
        "4    temporary",
        "130  interrupted",
    ] {
        assert!(outcome.stdout.contains(&format!("\n  {line}")), "{line}");
    }
}

#[test]
fn the_version_is_shown_for_people_and_programs() {
    let world = World::new();
    let version = env!("CARGO_PKG_VERSION");
    let text = world.run(["version"]);
    assert!(
        text.is_done()
            .stdout
            .starts_with(&format!("kubectl cce-login {version} ")),
        "{text}"
    );
    let json: serde_json::Value = serde_json::from_str(&world.run(["version", "-o", "json"]).stdout).unwrap();
    assert_eq!(json["version"], version);
    // Issue 13.19: with the commit, where the build knew it, and always the same.
    for also in ["--version", "-V"] {
        assert_eq!(world.run([also]).is_done().stdout, text.stdout);
    }
    match json["commit"].as_str() {
        Some(commit) => assert!(
            commit.len() == 12 && text.stdout.contains(&format!("commit {commit}")),
            "{text}"
        ),
        None => assert!(text.stdout.contains("no commit is known"), "{text}"),
    }
}

#[test]
fn every_text_in_the_directory_belongs_to_a_test() {
    let mut sources = String::new();
    let mut directories = vec![crate::support::in_repository("tests/it")];
    while let Some(directory) = directories.pop() {
        for file in std::fs::read_dir(directory).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    for directory in std::fs::read_dir(crate::support::in_repository("tests/cmd")).unwrap() {
        for file in std::fs::read_dir(directory.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap();
            let is_told = sources.contains(stem) || stem.starts_with("phase-");
            assert!(is_told, "no test writes {}", path.display());
        }
    }
}

#[test]
fn every_command_has_a_man_page_with_its_flags() {
    // Issue 13.23: the directory need not be there.
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("share/man1");
    man::write_into(&dir).unwrap();
    for (_, words) in COMMANDS {
        let name = [&["kubectl-cce_login"], words].concat().join("-");
        let page = std::fs::read_to_string(dir.join(format!("{name}.1"))).unwrap();
        for part in [".SH SYNOPSIS", ".SH OPTIONS", "Examples:", "\\-\\-no\\-input"] {
            assert!(page.contains(part), "{part} in {name}: {page}");
        }
    }
}
