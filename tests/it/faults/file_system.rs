//! What is wrong with the file system, and with files that the call reads.

use super::cell::{Cell, SHORT};
use super::kept::STRANGER;
use super::row::{Came, Fault, LOST, UNNOTICED, fault, unnoticed_but};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

/// Where nobody can say that it is renewing, nobody does behind a call; in the last minute somebody does.
const UNCLAIMED: [Came; 4] = [Came::Kept, Came::Kept, Came::New, Came::New];

/// Copies what is kept onto a small file system, fills it with `$fill`, and mounts it in place.
const SMALL: &str = "mount -t tmpfs -o SIZE none \"$0\" && for d in .cache .local run; do mkdir -p \"$HOME/$d\" \"$0/$d\"; cp -a \"$HOME/$d/.\" \"$0/$d/\"; \
                     chmod 700 \"$0/$d\"; done && { FILL; true; } 2>/dev/null && for d in .cache .local run; do mount --bind \"$0/$d\" \"$HOME/$d\"; done";

fn small(name: &'static str, size: &'static str, fill: &'static str) -> Fault {
    let strikes = move |cell: &mut Cell| {
        cell.world
            .give_mounts(&SMALL.replace("SIZE", size).replace("FILL", fill));
        cell.keeps_nothing = true; // what is new is gone with the mount
    };
    fault(name, strikes, [Came::Kept, Came::Kept, Came::New, Came::New])
}

/// The home directory is this one, where nothing is kept yet.
fn home(name: &'static str, strikes: fn(&mut Cell)) -> Fault {
    let strikes = move |cell: &mut Cell| {
        strikes(cell);
        cell.keeps_nothing = true;
    };
    fault(name, strikes, LOST)
}

/// The file of the cloud's authorities is spoiled.
fn authorities(name: &'static str, strikes: fn(&Cell, &str), words: &'static str) -> Fault {
    let strikes = move |cell: &mut Cell| {
        let path = cell.world.path("cloud-ca.pem");
        fs::remove_file(&path).unwrap();
        strikes(cell, &path);
        cell.timeout = SHORT;
        cell.heals = false;
    };
    fault(name, strikes, unnoticed_but(Came::Fails(2, words)))
}

fn mode(path: impl AsRef<std::path::Path>, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Replaces a directory of ours by a file.
fn file_in_place_of(cell: &Cell, name: &str) {
    let path = cell.world.home().join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        small(
            "the disk is full",
            "size=512k",
            "dd if=/dev/zero of=\"$0/filler\" bs=4k",
        ),
        small(
            "there are no inodes left",
            "nr_inodes=300",
            "seq -f \"$0/%g\" 400 | xargs touch",
        ),
        fault(
            "everything is read-only",
            |cell| {
                cell.world
                    .give_mounts("mount --bind \"$HOME\" \"$HOME\" && mount -o remount,bind,ro \"$HOME\"");
            },
            [Came::Kept, Came::Kept, Came::New, Came::New],
        ),
        home("HOME is not set", |cell| cell.world.unset("HOME")),
        home("HOME is not there", |cell| {
            let nowhere = cell.world.path("nowhere");
            cell.world.set("HOME", nowhere);
            cell.world.allow_secrets_below("nowhere");
        }),
        home("HOME is a file", |cell| {
            let file = cell.world.write("file", "");
            cell.world.set("HOME", file);
        }),
        home("HOME is no absolute path", |cell| cell.world.set("HOME", "somewhere")),
        home("HOME is somebody else's", |cell| {
            chown(cell.world.home(), Some(STRANGER), Some(STRANGER)).unwrap();
        }),
        fault(
            "the runtime directory is not there",
            |cell| cell.world.set("XDG_RUNTIME_DIR", "/nonexistent"),
            UNNOTICED,
        ),
        fault(
            "the runtime directory is somebody else's",
            |cell| {
                chown(cell.world.home().join("run"), Some(STRANGER), None).unwrap();
            },
            UNNOTICED,
        ),
        fault(
            "others may write the runtime directory",
            |cell| mode(cell.world.home().join("run"), 0o777),
            UNNOTICED,
        ),
        fault(
            "a file in place of the runtime directory",
            |cell| file_in_place_of(cell, "run/cce-login"),
            UNCLAIMED,
        ),
        fault(
            "a file in place of the state",
            |cell| {
                file_in_place_of(cell, ".local/state/cce-login");
                cell.keeps_nothing = true;
            },
            [Came::Kept, Came::Kept, Came::New, Came::New],
        ),
        fault(
            "no locks: a file in place of their directory",
            |cell| file_in_place_of(cell, "run/cce-login/locks"),
            UNCLAIMED,
        ),
        fault(
            "the lock is held by somebody who hangs",
            |cell| {
                let account = cell.learn_account();
                let locks = cell.world.home().join("run/cce-login/locks");
                fs::create_dir_all(&locks).unwrap();
                mode(&locks, 0o700);
                mode(locks.parent().unwrap(), 0o700);
                let file = fs::File::create(locks.join(format!("{account}.fetch"))).unwrap();
                file.lock().unwrap();
                cell.locks.push(file);
                cell.timeout = SHORT;
            },
            [
                // The process behind the call gets it when the call is over.
                Came::Kept,
                Came::KeptThenNew,
                Came::Kept,
                Came::Fails(4, "another process is fetching the certificate"),
            ],
        ),
        authorities("the authorities' file is gone", |_, _| {}, "cannot use the CA file"),
        authorities(
            "the authorities' file is empty",
            |_, path| fs::write(path, "").unwrap(),
            "it holds no PEM certificate",
        ),
        authorities(
            "the authorities' file is garbage",
            |_, path| fs::write(path, [0xff; 1000]).unwrap(),
            "cannot use the CA file",
        ),
        authorities(
            "the authorities' file is a directory",
            |_, path| fs::create_dir(path).unwrap(),
            "cannot use the CA file",
        ),
        authorities(
            "the authorities' file is a pipe",
            |cell, path| drop(cell.world.shell(&format!("mkfifo '{path}'"))),
            "cannot use the CA file",
        ),
        authorities(
            "the authorities' file has no end",
            |_, path| symlink("/dev/zero", path).unwrap(),
            "cannot use the CA file",
        ),
        fault(
            "the cloud is down, and the kubeconfig is a pipe",
            |cell| {
                cell.world.shell("mkdir \"$HOME/.kube\"; mkfifo \"$HOME/.kube/config\"");
                cell.timeout = SHORT;
                cell.world.sim.set_behaviour(|b| b.cloud_down = true);
            },
            unnoticed_but(Came::Fails(4, "Connection refused")),
        ),
        fault(
            "the cloud is down, and the kubeconfig is garbage",
            |cell| {
                cell.world.write(".kube/config", [0xff; 1000]);
                cell.world.sim.set_behaviour(|b| b.cloud_down = true);
            },
            unnoticed_but(Came::Fails(4, "Connection refused")),
        ),
        fault(
            "the working directory is gone",
            |cell| {
                cell.before = "mkdir \"$HOME/gone\"; cd \"$HOME/gone\"; rmdir \"$HOME/gone\"";
            },
            UNNOTICED,
        ),
    ]
}
