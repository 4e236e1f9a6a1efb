//! The memory directory on real tmpfs, and files on a real disk.

#![expect(clippy::unwrap_used, reason = "a broken test world should stop the test")]

use super::support::{bare_world, now, set_mode};
use cce_login::secret::Secret;
use cce_login::store::{
    CacheMode, FileStore, MemoryDirectory, SecretStore, StoreEnvironment, StoreError, StoreKind, Stores,
};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use tempfile::TempDir;

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.into())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set(store: &dyn SecretStore, value: &str) -> Result<(), StoreError> {
    store.set("a", "label", &secret(value), None, now())
}

/// The causes of an error, too.
fn text(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{cause}")
}

fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap()
}

/// A directory on a disk, not in memory: beside the test program.
fn on_disk() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// A world with a session's runtime directory and the machine's shared memory, both ours.
fn memory_world() -> (TempDir, TempDir, StoreEnvironment) {
    let runtime = in_memory();
    let shared = in_memory();
    let world = StoreEnvironment {
        xdg_runtime_dir: Some(runtime.path().to_owned()),
        shared_memory_dir: shared.path().to_owned(),
        ..bare_world()
    };
    (runtime, shared, world)
}

#[test]
fn the_runtime_directory_comes_first() {
    let (runtime, shared, world) = memory_world();
    let store = MemoryDirectory::new(&world);
    assert_eq!(store.get("a").unwrap(), None);
    assert_eq!(
        fs::read_dir(runtime.path()).unwrap().count(),
        0,
        "reading made a directory"
    );
    set(&store, "value").unwrap();
    assert_eq!(store.get("a").unwrap(), Some(secret("value")));
    assert_eq!(store.list().unwrap(), ["a"]);
    let directory = runtime.path().join("cce-login");
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("entry-a")), 0o600);
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        1,
        "a temporary file was left"
    );
    assert_eq!(fs::read_dir(shared.path()).unwrap().count(), 0);
    store.delete("a").unwrap();
    store.delete("a").unwrap();
    assert_eq!(store.get("a").unwrap(), None);
}

#[test]
fn without_a_runtime_directory_in_memory_the_machines_shared_memory_is_used() {
    let (_runtime, shared, world) = memory_world();
    let disk = on_disk();
    for runtime in [
        None,
        Some(disk.path().to_owned()),
        Some("relative".into()),
        Some("/does/not/exist".into()),
    ] {
        let store = MemoryDirectory::new(&StoreEnvironment {
            xdg_runtime_dir: runtime.clone(),
            ..world.clone()
        });
        set(&store, "value").unwrap();
        let file = shared.path().join(format!("cce-login-{}", world.uid)).join("entry-a");
        assert_eq!(fs::read(&file).unwrap(), b"value", "{runtime:?}");
        assert_eq!(store.get("a").unwrap(), Some(secret("value")));
        store.delete("a").unwrap();
    }
    assert_eq!(
        fs::read_dir(disk.path()).unwrap().count(),
        0,
        "something was left on a disk"
    );
}

#[test]
fn what_another_session_put_into_shared_memory_is_found_replaced_and_deleted() {
    let (_runtime, _shared, world) = memory_world();
    let without_session = MemoryDirectory::new(&StoreEnvironment {
        xdg_runtime_dir: None,
        ..world.clone()
    });
    let store = MemoryDirectory::new(&world);
    set(&without_session, "old").unwrap();
    assert_eq!(store.get("a").unwrap(), Some(secret("old")));
    set(&store, "new").unwrap();
    assert_eq!(without_session.get("a").unwrap(), None);
    assert_eq!(store.get("a").unwrap(), Some(secret("new")));
    set(&without_session, "other").unwrap();
    store.delete("a").unwrap();
    assert_eq!(without_session.get("a").unwrap(), None);
}

/// Puts something in the directory's place.
type Plant<'a> = &'a dyn Fn(&Path);

#[test]
fn a_directory_that_is_not_private_ours_in_memory_and_real_is_refused() {
    let disk = on_disk();
    let elsewhere = in_memory();
    set_mode(elsewhere.path(), 0o700);
    let refusals: [(Plant<'_>, &str); 5] = [
        (
            &|path| symlink(elsewhere.path(), path).unwrap(),
            "it is not a directory",
        ),
        (&|path| drop(fs::File::create(path).unwrap()), "it is not a directory"),
        (
            &|path| {
                fs::create_dir(path).unwrap();
                set_mode(path, 0o750);
            },
            "others may enter it",
        ),
        (&|path| symlink(disk.path(), path).unwrap(), "it is not a directory"),
        (
            &|path| symlink("/does/not/exist", path).unwrap(),
            "it is not a directory",
        ),
    ];
    for (plant, reason) in refusals {
        let (_runtime, shared, world) = memory_world();
        let world = StoreEnvironment {
            xdg_runtime_dir: None,
            ..world
        };
        let path = shared.path().join(format!("cce-login-{}", world.uid));
        plant(&path);
        let store = MemoryDirectory::new(&world);
        let expected = format!("the memory directory is not available: `{}`: {reason}", path.display());
        assert_eq!(text(&set(&store, "value").unwrap_err()), expected);
        assert_eq!(text(&store.get("a").unwrap_err()), expected);
        assert_eq!(text(&store.delete("a").unwrap_err()), expected);
    }
    assert_eq!(
        fs::read_dir(elsewhere.path()).unwrap().count() + fs::read_dir(disk.path()).unwrap().count(),
        0
    );
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let (_runtime, shared, world) = memory_world();
    // The other way round, so that the test need not be root: we are somebody else than the directory's owner.
    let somebody = world.uid + 1;
    let world = StoreEnvironment {
        xdg_runtime_dir: None,
        uid: somebody,
        ..world
    };
    let path = shared.path().join(format!("cce-login-{somebody}"));
    fs::create_dir(&path).unwrap();
    set_mode(&path, 0o700);
    let error = set(&MemoryDirectory::new(&world), "value").unwrap_err();
    assert!(
        text(&error).ends_with("it belongs to somebody else"),
        "{}",
        text(&error)
    );

    let store = FileStore::new(path, somebody);
    let error = set(&store, "value").unwrap_err();
    assert!(
        text(&error).ends_with("it belongs to somebody else"),
        "{}",
        text(&error)
    );
}

#[test]
fn without_any_memory_the_reason_names_every_place_that_was_tried() {
    let disk = on_disk();
    let shared = disk.path().join("shm");
    fs::create_dir(&shared).unwrap();
    let world = StoreEnvironment {
        xdg_runtime_dir: Some(disk.path().to_owned()),
        shared_memory_dir: shared.clone(),
        ..bare_world()
    };
    let error = set(&MemoryDirectory::new(&world), "value").unwrap_err();
    assert!(matches!(
        error,
        StoreError::Unavailable {
            kind: StoreKind::MemoryDirectory,
            ..
        }
    ));
    let (first, second) = (
        disk.path().join("cce-login"),
        shared.join(format!("cce-login-{}", world.uid)),
    );
    assert_eq!(
        text(&error),
        format!(
            "the memory directory is not available: `{}`: it is not in memory (tmpfs); `{}`: it is not in memory (tmpfs)",
            first.display(),
            second.display()
        )
    );
    assert!(!first.exists() && !second.exists());
}

#[test]
fn an_entry_that_is_not_a_plain_file_of_ours_is_refused() {
    let (runtime, _shared, world) = memory_world();
    let store = MemoryDirectory::new(&world);
    set(&store, "value").unwrap();
    let entry = runtime.path().join("cce-login/entry-a");
    fs::remove_file(&entry).unwrap();
    symlink("/etc/hostname", &entry).unwrap();
    // The other place may still have it, so this is a miss; the file store has one place and says so.
    assert_eq!(store.get("a").unwrap(), None);
    let files = FileStore::new(runtime.path().join("cce-login"), world.uid);
    assert_eq!(
        text(&files.get("a").unwrap_err()),
        format!(
            "the file store failed to read an entry: `{}`: the entry is a symbolic link",
            runtime.path().join("cce-login").display()
        )
    );

    fs::remove_file(&entry).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&entry)
            .status()
            .unwrap()
            .success()
    );
    assert!(text(&files.get("a").unwrap_err()).ends_with("the entry is not a file of ours"));
    set(&files, "new").unwrap();
    assert_eq!(files.get("a").unwrap(), Some(secret("new")));
}

#[test]
fn files_are_private_and_made_so() {
    let disk = on_disk();
    let directory = disk.path().join("cache").join("cce-login");
    let store = FileStore::new(directory.clone(), bare_world().uid);
    assert_eq!(store.get("a").unwrap(), None);
    store.delete("a").unwrap();
    assert_eq!(store.list().unwrap(), Vec::<String>::new());
    assert!(!directory.exists());

    set(&store, "first").unwrap();
    let file = directory.join("entry-a");
    assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
    set_mode(&directory, 0o755);
    set_mode(&file, 0o644);
    let inode = fs::metadata(&file).unwrap().ino();
    set(&store, "second").unwrap();
    assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
    assert_ne!(fs::metadata(&file).unwrap().ino(), inode, "written in place");
    assert_eq!(store.get("a").unwrap(), Some(secret("second")));
    fs::File::create(directory.join("notes.txt")).unwrap();
    assert_eq!(store.list().unwrap(), ["a"]);
    store.delete("a").unwrap();
    assert_eq!(store.get("a").unwrap(), None);
}

#[test]
fn a_file_store_behind_a_symbolic_link_is_refused() {
    let disk = on_disk();
    let real = disk.path().join("real");
    fs::create_dir(&real).unwrap();
    let link = disk.path().join("link");
    symlink(&real, &link).unwrap();
    let store = FileStore::new(link, bare_world().uid);
    assert!(text(&set(&store, "value").unwrap_err()).ends_with("it is not a directory"));
    assert_eq!(fs::read_dir(&real).unwrap().count(), 0);
}

#[test]
fn a_write_that_fails_leaves_the_older_value_and_no_temporary_file() {
    let disk = on_disk();
    let directory = disk.path().join("cache");
    let store = FileStore::new(directory.clone(), bare_world().uid);
    set(&store, "old").unwrap();
    // A directory in place of the entry cannot be replaced by a file.
    let file = directory.join("entry-b");
    fs::create_dir(&file).unwrap();
    store.set("b", "label", &secret("new"), None, now()).unwrap_err();
    let mut names: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["entry-a", "entry-b"]);
    assert_eq!(store.get("a").unwrap(), Some(secret("old")));
}

#[test]
fn the_modes_open_what_they_name() {
    let disk = on_disk();
    let world = StoreEnvironment {
        cache_dir: Some(disk.path().join("cache")),
        ..bare_world()
    };
    let kinds = |mode| {
        Stores::new(world.clone())
            .of(mode)
            .stores()
            .map(|store| store.kind())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(CacheMode::Auto),
        [
            StoreKind::KernelKeyring,
            StoreKind::SecretService,
            StoreKind::MemoryDirectory
        ]
    );
    assert_eq!(kinds(CacheMode::Keyring), [StoreKind::SecretService]);
    assert_eq!(kinds(CacheMode::Kernel), [StoreKind::KernelKeyring]);
    assert_eq!(kinds(CacheMode::File), [StoreKind::File]);
    assert_eq!(kinds(CacheMode::None), []);
    assert_eq!(
        Stores::new(world.clone()).secrets().stores().next().unwrap().kind(),
        StoreKind::SecretService
    );

    let stored = Stores::new(world.clone())
        .of(CacheMode::File)
        .set("a", "label", &secret("value"), None, now());
    assert_eq!(stored.held_by, [StoreKind::File]);
    let nowhere = Stores::new(bare_world())
        .of(CacheMode::File)
        .set("a", "label", &secret("value"), None, now());
    assert_eq!(
        nowhere.troubles[0].error.to_string(),
        "the file store is not available: there is no cache directory"
    );
}
