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

/// As Windows' Notepad and PowerShell save a file.
fn saved_as(text: &str) -> [(&'static str, Vec<u8>); 3] {
    let marked = format!("\u{feff}{text}");
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| marked.encode_utf16().flat_map(bytes).collect();
    [
        ("UTF-8 with a byte order mark", marked.as_bytes().to_vec()),
        ("UTF-16", utf_16(u16::to_le_bytes)),
        ("UTF-16, the other way round", utf_16(u16::to_be_bytes)),
    ]
}

#[test]
fn files_that_windows_has_saved_are_read() {
    let mut world = World::new();
    world.use_no_key();
    world.set("OS_CLOUD", "mine");
    let key = world.sim.access_key("alice");
    let (id, secret) = (key.id, key.secret);
    for (source, file, text) in [
        (
            "hcloud",
            ".hcloud/config.json",
            format!(
                "{{\"current\":\"a\",\"profiles\":[{{\"name\":\"a\",\"mode\":\"AKSK\",\"accessKeyId\":\"{id}\",\"secretAccessKey\":\"{secret}\"}}]}}\r\n"
            ),
        ),
        (
            "sdk-file",
            ".huaweicloud/credentials",
            format!("[basic]\r\nak = {id}\r\nsk = {secret}\r\n"),
        ),
        (
            "clouds",
            ".config/openstack/clouds.yaml",
            format!("clouds:\r\n  mine:\r\n    auth:\r\n      ak: {id}\r\n      sk: {secret}\r\n"),
        ),
    ] {
        world.allow_secrets_below(file);
        for (form, bytes) in saved_as(&text) {
            world.write(file, bytes);
            let outcome = world.get_credential(&[&format!("--identity={source}"), "--force-refresh"]);
            assert_eq!(outcome.exit.code(), 0, "{source}, {form}: {}", outcome.stderr);
        }
    }
}
