//! Command lines that mean nothing, in the voice of all errors; and those that mean something other than they look like.

use crate::support::World;
use cce_login::error::Exit;

/// Issue 13.19.
#[test]
fn every_usage_error_has_one_form_and_says_how_to_go_on() {
    let world = World::new();
    for (name, line) in [
        ("a-cluster-by-itself", "prod"),
        ("a-cluster-for-login-by-itself", "login prod"),
        ("a-context-by-itself", "status prod"),
        ("a-context-for-revoke-by-itself", "revoke prod"),
        ("a-mistyped-command", "lgoin"),
        ("a-mistyped-profile-command", "profile lst"),
        ("a-mistyped-flag", "login --regoin=eu-de"),
        ("an-unknown-flag", "status --zzz"),
        ("two-flags-that-exclude-each-other", "refresh --all --context prod"),
        ("a-flag-given-twice", "login --profile a --profile b"),
        ("a-flag-without-its-value", "login --cluster"),
        ("a-switch-with-a-value", "login --print=yes"),
        ("a-missing-flag", "rotate"),
        ("a-missing-name", "profile show"),
        ("a-word-that-is-not-possible", "refresh --to d --format xml"),
        ("a-word-that-the-plan-does-not-know", "status -o xml"),
    ] {
        let outcome = world.run(line.split(' '));
        assert_eq!(outcome.exit, Exit::Usage, "{outcome}");
        assert_eq!(outcome.stdout, "", "{outcome}");
        let lines: Vec<&str> = outcome.stderr.lines().collect();
        let has_form = matches!(lines[..], [error, hint] if error.starts_with("kubectl cce-login: error: ") && hint.starts_with("hint: "));
        assert!(has_form, "{outcome}");
        assert!(!lines[0].ends_with('.') && !lines[0].contains('\''), "{outcome}");
        world.snapshot(&format!("usage/{name}"), &outcome);
    }
}

/// Issue 13.19.
#[test]
fn help_is_a_word_too() {
    let world = World::new();
    for (word, flag) in [
        ("help", "--help"),
        ("help login", "login --help"),
        ("help profile set", "profile set --help"),
    ] {
        let (by_word, by_flag) = (world.run(word.split(' ')), world.run(flag.split(' ')));
        assert_eq!(by_word.is_done().stdout, by_flag.is_done().stdout);
    }
    world
        .run(["help", "nonsense"])
        .fails(Exit::Usage, "there is no command `nonsense`");
}
