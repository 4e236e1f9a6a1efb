//! What is left: files, keys, processes, cores, and any secret in any of them.

use super::session_bus::SessionBus;
use crate::system::process::wait_for;
use crate::system::world::World;
use cce_sim::Fault;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What there is between two calls.
pub(super) struct Census {
    pub(super) files: BTreeSet<PathBuf>,
    pub(super) bytes: u64,
    /// What killed processes were writing: whoever writes there an hour later takes it away.
    pub(super) temporary: Vec<PathBuf>,
    pub(super) kernel_keys: usize,
    pub(super) keyring_items: usize,
}

/// What a run may leave that was not there before: a note of a failure and three turns a key, a note of
/// throttling an identity, of its clock an endpoint.
const NOTES: [&str; 4] = ["/failures/", "/throttles/", "/endpoints/", "/locks/"];
const NOTES_AT_MOST: usize = 12;

impl Census {
    pub(super) fn take(world: &World, _bus: &SessionBus) -> Self {
        // A keyring daemon that is killed while it writes leaves files of its own.
        let is_of_the_keyring = |path: &PathBuf| path.to_string_lossy().contains("/.local/share/keyrings/");
        let is_temporary = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(".new-");
        let (temporary, files): (Vec<_>, Vec<_>) = world
            .files()
            .into_iter()
            .filter(|(path, ..)| !is_of_the_keyring(path))
            .partition(|(path, ..)| is_temporary(path));
        let bytes = files.iter().map(|(_, size, _)| size).sum();
        let keys = std::fs::read_to_string("/proc/keys").unwrap();
        let accounts = world.accounts();
        let is_ours = |line: &&str| accounts.iter().any(|account| line.contains(&account[..20]));
        let items = world.run(&[
            "sh",
            "-c",
            "secret-tool search --all service kubectl-cce_login 2>/dev/null | grep -ac '^label'; true",
        ]);
        Self {
            files: files.into_iter().map(|(path, ..)| path).collect(),
            bytes,
            temporary: temporary.into_iter().map(|(path, ..)| path).collect(),
            kernel_keys: keys.lines().filter(is_ours).count(),
            keyring_items: items.stdout.trim().parse().unwrap(),
        }
    }

    /// Nothing has grown but a bounded number of notes, and what was in the hands of so many killed processes.
    pub(super) fn check_against(&self, before: &Self, killed: usize) {
        assert!(self.temporary.len() <= killed, "{:?}", self.temporary);
        let new: Vec<_> = self.files.difference(&before.files).collect();
        let is_note = |path: &PathBuf| NOTES.iter().any(|note| path.to_string_lossy().contains(note));
        assert!(
            new.iter().all(|path| is_note(path)) && new.len() <= NOTES_AT_MOST,
            "left behind: {new:?}"
        );
        assert_eq!(self.kernel_keys, before.kernel_keys, "kernel keys");
        assert_eq!(self.keyring_items, before.keyring_items, "items in the keyring");
    }
}

/// A process that is in the middle of a fetch is aborted with no limit on cores: none is left, where another program leaves one.
pub(super) fn check_core(world: &World) {
    let other = world
        .start(&["sh", "-c", "ulimit -c unlimited; kill -ABRT $$"])
        .finish();
    assert!(
        other.has_left_a_core,
        "this machine takes no cores at all, so that nothing is shown: {other:?}"
    );
    let is_core = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("core");
    for (path, ..) in world.files() {
        if is_core(&path) {
            std::fs::remove_file(path).unwrap();
        }
    }
    world.sim.set_fault("clustercert", Fault::Hang);
    let requests = world.certificate_requests();
    let line = world.get_credential_words().join(" ");
    let running = world.start(&["sh", "-c", &format!("ulimit -c unlimited; exec {line} --force-refresh")]);
    wait_for("the request", || world.certificate_requests() > requests);
    running.signal(Signal::ABORT);
    let output = running.finish();
    assert_eq!((output.signal, output.has_left_a_core), (Some(6), false), "{output:?}");
    assert!(world.files().iter().all(|(path, ..)| !is_core(path)), "a core was left");
}

/// Every secret that was used, in every file, in all that was said, and in what the processes that are left were started with.
pub(super) fn check_secrets(world: &World, bus: &SessionBus, said: &BTreeSet<&str>) {
    let mut all: Vec<(String, String)> = said
        .iter()
        .map(|text| ("a call".to_owned(), (*text).to_owned()))
        .collect();
    for (name, id) in bus.processes() {
        for file in ["cmdline", "environ"] {
            let text = std::fs::read(format!("/proc/{id}/{file}")).unwrap();
            all.push((
                format!("{file} of the {name}"),
                String::from_utf8_lossy(&text).into_owned(),
            ));
        }
    }
    let all: Vec<(String, &str)> = all.iter().map(|(place, text)| (place.clone(), text.as_str())).collect();
    world.check_secrecy("", &all);
}
