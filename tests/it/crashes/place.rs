//! The user's directories as they are at one moment, to be compared and to be had back.

use crate::system::world::World;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Directory(u32),
    File(u32, Vec<u8>),
    Link(PathBuf),
}

impl Item {
    pub(super) fn mode(&self) -> Option<u32> {
        match self {
            Self::Directory(mode) | Self::File(mode, _) => Some(*mode),
            Self::Link(_) => None,
        }
    }
}

/// By paths relative to the home directory; what lives in memory is below `run`.
#[derive(Clone, Debug, Default)]
pub(super) struct Place(pub(super) BTreeMap<String, Item>);

/// Where a file of the place is, seen from outside of the world: its runtime directory is one in memory.
fn path_of(world: &World, name: &str) -> PathBuf {
    match name.strip_prefix("run/") {
        Some(below) => world.memory().join(below),
        None => world.home().join(name),
    }
}

impl Place {
    pub(super) fn take(world: &World) -> Self {
        let mut place = Self::default();
        let mut open = vec![String::new(), "run/".to_owned()];
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(path_of(world, &directory)).unwrap().flatten() {
                let path = entry.path();
                let name = format!("{directory}{}", entry.file_name().to_str().unwrap());
                if name == "run" {
                    continue;
                }
                let metadata = path.symlink_metadata().unwrap();
                let mode = metadata.mode() & 0o7777;
                let item = if metadata.is_dir() {
                    open.push(format!("{name}/"));
                    Item::Directory(mode)
                } else if metadata.is_symlink() {
                    Item::Link(fs::read_link(&path).unwrap())
                } else {
                    Item::File(mode, fs::read(&path).unwrap())
                };
                place.0.insert(name, item);
            }
        }
        place
    }

    /// With every entry of ours that names the program by its full path naming it by its name: the same entry. The path is written where
    /// PATH could not be searched.
    pub(super) fn with_program_by_name(mut self) -> Self {
        for (name, item) in &mut self.0 {
            if let Item::File(_, bytes) = item
                && name.starts_with(".kube/")
            {
                let text = String::from_utf8_lossy(bytes);
                let lines = text
                    .split_inclusive('\n')
                    .map(|line| match line.split_once("command: /") {
                        Some((indent, path)) if path.trim_end().ends_with("/kubectl-cce_login") => {
                            format!("{indent}command: kubectl-cce_login\n")
                        }
                        _ => line.to_owned(),
                    });
                *bytes = lines.collect::<String>().into_bytes();
            }
        }
        self
    }

    /// Whether the files beside this one are the same in the other place: nothing has been written there.
    pub(super) fn has_same_beside(&self, other: &Self, name: &str) -> bool {
        let directory = name.rsplit_once('/').map_or("", |(directory, _)| directory);
        let is_beside =
            |found: &str| found.rsplit_once('/').is_some_and(|(its, _)| its == directory) && !is_lock(found);
        let beside = |place: &Self| -> Vec<(String, Item)> {
            let all = place.0.iter().filter(|(found, _)| is_beside(found));
            all.map(|(found, item)| (found.clone(), item.clone())).collect()
        };
        beside(self) == beside(other)
    }

    /// Makes it so again.
    pub(super) fn restore(&self, world: &World) {
        for directory in [world.home(), world.memory()] {
            for entry in fs::read_dir(directory).unwrap().flatten() {
                // The runtime directory is mounted upon.
                if entry.file_name() == "run" {
                    continue;
                }
                if entry.file_type().unwrap().is_dir() {
                    fs::remove_dir_all(entry.path()).unwrap();
                } else {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
        }
        // In the order of their paths: a directory before what is in it.
        for (name, item) in &self.0 {
            let path = path_of(world, name);
            match item {
                Item::Directory(_) => fs::create_dir(&path).unwrap(),
                Item::File(_, bytes) => fs::write(&path, bytes).unwrap(),
                Item::Link(target) => symlink(target, &path).unwrap(),
            }
            if let Some(mode) = item.mode() {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
        }
    }

    /// What is under a temporary name is two hours old from now on: what is younger may be somebody's who is at it.
    pub(super) fn age_temporaries(&self, world: &World) {
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
        for name in self.0.keys().filter(|name| is_temporary(name)) {
            let file = fs::File::options().write(true).open(path_of(world, name)).unwrap();
            file.set_modified(old).unwrap();
        }
    }
}

/// A file under its temporary name.
pub(super) fn is_temporary(name: &str) -> bool {
    name.rsplit('/')
        .next()
        .is_some_and(|file| file.starts_with(".new-") || file.ends_with(".cce-login-new"))
}

/// kubectl's lock of a kubeconfig.
pub(super) fn is_lock(name: &str) -> bool {
    name.ends_with("config.lock")
}
