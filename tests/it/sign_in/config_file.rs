//! `config.toml` says where secrets go, so it is believed only where nobody else can write it.

use crate::support::World;
use cce_login::error::Exit;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

fn chmod(world: &World, name: &str, mode: u32) {
    std::fs::set_permissions(world.home().join(name), Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_config_file_that_others_can_write_is_refused() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    for (name, usual) in [(".config/cce-login/config.toml", 0o600), (".config/cce-login", 0o700)] {
        for mode in [0o666, 0o664, 0o622, 0o777, 0o720] {
            let mode = if usual == 0o700 { mode | 0o100 } else { mode };
            chmod(&world, name, mode);
            for args in [&["whoami"][..], &["profile", "list"]] {
                let outcome = world.run(args);
                outcome.fails(Exit::Usage, "others can write");
                assert!(outcome.stderr.contains("chmod go-w"), "{}", outcome.stderr);
            }
            world
                .get_credential(&["--profile=default"])
                .fails(Exit::Usage, "others can write");
            chmod(&world, name, usual);
        }
        for mode in [usual, usual | 0o055] {
            chmod(&world, name, mode);
            world.run(["whoami"]).is_done();
        }
    }
}

#[test]
fn a_profile_is_not_kept_where_others_can_write_it() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    chmod(&world, ".config/cce-login", 0o777);
    let key = world.sim.access_key("bob");
    world.pipe_in(&key.secret);
    world
        .run(["profile", "set", "other", "--access-key-id", &key.id, "--secret-stdin"])
        .fails(Exit::Usage, "others can write");
    assert!(!world.read(".config/cce-login/config.toml").contains("other"));
}

#[test]
fn a_link_is_as_good_as_the_file_it_leads_to() {
    let mut world = World::new();
    world.keep_profile("default", "alice");
    let text = world.read(".config/cce-login/config.toml");
    world.write("dotfiles/config.toml", text);
    let link = world.home().join(".config/cce-login/config.toml");
    std::fs::remove_file(&link).unwrap();
    symlink(world.home().join("dotfiles/config.toml"), &link).unwrap();
    chmod(&world, "dotfiles/config.toml", 0o644);
    world.run(["whoami"]).is_done();
    chmod(&world, "dotfiles/config.toml", 0o666);
    world.run(["whoami"]).fails(Exit::Usage, "others can write");
}

#[test]
fn secrets_in_a_directory_that_others_can_write_are_not_read() {
    let mut world = World::new();
    let key = world.sim.access_key("alice");
    world.use_no_key();
    world.pipe_in(&key.secret);
    world.allow_secrets_below(".config/cce-login/secrets");
    world
        .run([
            "profile",
            "set",
            "default",
            "--access-key-id",
            &key.id,
            "--secret-stdin",
            "--secret-store=file",
        ])
        .is_done();
    world.run(["whoami"]).is_done();
    chmod(&world, ".config/cce-login/secrets", 0o777);
    world.run(["whoami"]).fails(Exit::Identity, "others can write");
}
