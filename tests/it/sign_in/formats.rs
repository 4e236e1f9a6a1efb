//! Files that other programs own, read as their owners read them. `tests/system` puts the same files to those programs.

use crate::support::{World, in_repository};

/// The files of `tests/vectors/sdk_credentials.txt`: what it is, who reads it, the text.
fn credentials_files() -> Vec<(String, String, String)> {
    let all = std::fs::read_to_string(in_repository("tests/vectors/sdk_credentials.txt")).unwrap();
    let (_, all) = all.split_once("\n## ").unwrap();
    let split = |file: &str| {
        let (head, text) = file.split_once('\n').unwrap();
        let (what, who) = head.split_once(" | ").unwrap();
        (what.to_owned(), who.to_owned(), format!("{text}\n"))
    };
    all.split("\n## ").map(split).collect()
}

#[test]
fn the_sdks_file_is_read_as_the_sdks_read_it() {
    let mut world = World::new();
    world.use_no_key();
    let key = world.sim.access_key("alice");
    world.allow_secrets_below(".huaweicloud");
    let files = credentials_files();
    assert!(files.len() > 20);
    for (what, _, text) in &files {
        let text = text.replace("{ak}", &key.id).replace("{sk}", &key.secret);
        world.write(".huaweicloud/credentials", text);
        let outcome = world.get_credential(&["--identity=sdk-file", "--force-refresh"]);
        assert_eq!(outcome.exit.code(), 0, "{what}: {}", outcome.stderr);
    }
}
