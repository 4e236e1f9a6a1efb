//! What an operation leaves when nothing happens, and whether what it left when something did is as good.

use super::operations::Operation;
use super::place::{Item, Place, is_lock, is_temporary};
use super::traced::{self, Fault, Point, Ran};
use crate::system::world::World;
use cce_login::cache::entry::CacheEntry;
use std::time::Duration;

/// What is there before an operation, after it, and after a second one.
pub(super) struct Reference {
    before: Place,
    after: Place,
    /// The same once more from the same state: what differs is different each time.
    other: Place,
    twice: Place,
}

impl Reference {
    pub(super) fn of(world: &World, operation: &Operation, start: &Place, words: &[String]) -> Self {
        let run = || {
            let ran = traced::run(world, operation, words, &[]);
            assert_eq!(ran.code, Some(operation.code), "{}: {}", operation.name, ran.stderr);
            Place::take(world)
        };
        start.restore(world);
        let after = run();
        let again = traced::run(world, operation, words, &[]);
        assert!(operation.allows_again(&again), "{}: {}", operation.name, again.stderr);
        let twice = Place::take(world);
        start.restore(world);
        let other = run();
        Self {
            before: start.clone(),
            after,
            other,
            twice,
        }
    }

    /// Looks at what a run with a fault left, runs the operation plainly, and looks again.
    pub(super) fn judge(
        &self,
        world: &World,
        operation: &Operation,
        words: &[String],
        point: &Point,
        fault: Fault,
        ran: &Ran,
    ) -> Result<(), String> {
        let left = Place::take(world).with_program_by_name();
        self.judge_end(operation, fault, ran, &left)?;
        self.judge_files(&left, point, fault)?;
        world.check_secrecy(&ran.stdout, &[("stderr".to_owned(), &ran.stderr)]);

        let is_half_done = left.0.keys().any(|name| is_temporary(name) || is_lock(name));
        if fault != Fault::Killed && !point.changes_something() && !is_half_done {
            return Ok(());
        }
        left.age_temporaries(world);
        let mut again = traced::run(world, operation, words, &[]);
        if let Some(lock) = left.0.keys().find(|name| is_lock(name)) {
            // kubectl's lock says nothing of who has it: we say which file it is.
            if again.code == Some(4) && again.stderr.contains(&world.path(lock)) && fault == Fault::Killed {
                std::fs::remove_file(world.home().join(lock)).unwrap();
                again = traced::run(world, operation, words, &[]);
            }
        }
        if !operation.allows_again(&again) {
            return Err(format!("the next run ends with {:?}: {}", again.code, again.stderr));
        }
        let now = Place::take(world).with_program_by_name();
        let may_stay = |name: &str| match fault {
            // Nobody takes the lock, and nobody cleans a directory up, where everything is done already.
            Fault::Killed => is_lock(name) || (is_temporary(name) && left.has_same_beside(&now, name)),
            Fault::Error(_) => point.is_removal() && stays_if_not_removed(name),
        };
        self.judge_end_state(&now, may_stay)
    }

    fn judge_end(&self, operation: &Operation, fault: Fault, ran: &Ran, left: &Place) -> Result<(), String> {
        let said = &ran.stderr;
        if ran.took > Duration::from_secs(50) {
            return Err(format!("it hangs: {said}"));
        }
        if said.contains("panicked") {
            return Err(format!("it panics: {said}"));
        }
        if fault == Fault::Killed {
            return Ok(());
        }
        match ran.code {
            Some(0) if operation.code == 0 => match self.first_undone(left) {
                Some(name) => Err(format!("it says that it is done, but `{name}` is not: {said}")),
                None => Ok(()),
            },
            Some(1..=4) if said.contains("kubectl cce-login: error: ") || said.contains("failed") => Ok(()),
            code => Err(format!("it ends with {code:?}: {said}")),
        }
    }

    /// What was promised and is not there.
    fn first_undone(&self, left: &Place) -> Option<&str> {
        let mut promised = self
            .after
            .0
            .iter()
            .filter(|(name, _)| is_promised(name) && !self.is_volatile(name));
        let missing = promised
            .find(|(name, item)| left.0.get(*name) != Some(item))
            .map(|(name, _)| name.as_str());
        let mut gone = self
            .before
            .0
            .keys()
            .filter(|name| is_promised(name) && !self.after.0.contains_key(*name));
        missing.or_else(|| gone.find(|name| left.0.contains_key(*name)).map(String::as_str))
    }

    fn is_volatile(&self, name: &str) -> bool {
        self.after.0.get(name) != self.other.0.get(name)
    }

    fn judge_files(&self, left: &Place, point: &Point, fault: Fault) -> Result<(), String> {
        let may_be_left = fault == Fault::Killed || point.is_removal();
        let names = left.0.keys().chain(self.before.0.keys()).chain(self.after.0.keys());
        for name in names {
            let (old, new) = (self.before.0.get(name), self.after.0.get(name));
            let now = left.0.get(name);
            if now == old || now == new || now == self.twice.0.get(name) || name.starts_with(".kube/cache") {
                continue; // the last is kubectl's own
            }
            let Some(now) = now else {
                // An old certificate does not stay where the new one could not be kept: that is a miss, and costs a request.
                if name.contains("/entry-cert-") || (name.contains("/entries/") && fault != Fault::Killed) {
                    continue;
                }
                return Err(format!("`{name}` is gone"));
            };
            if let Item::File(mode, _) = now
                && (is_temporary(name) || is_lock(name))
            {
                // The new file has the mode of the one that it is to replace.
                let target = name
                    .strip_suffix(".cce-login-new")
                    .and_then(|target| self.before.0.get(target));
                let has_mode = *mode == 0o600 || target.and_then(Item::mode) == Some(*mode);
                let is_fine = may_be_left && has_mode;
                if !is_fine {
                    return Err(format!("`{name}` is left behind, mode {mode:o}"));
                }
                continue;
            }
            let modes = [old, new].map(|item| item.and_then(Item::mode));
            if !modes.contains(&now.mode()) && modes != [None, None] {
                return Err(format!(
                    "`{name}` has another mode: {:o}",
                    now.mode().unwrap_or_default()
                ));
            }
            if let Item::File(mode, bytes) = now {
                let is_known = old.is_some() || new.is_some() || is_note(name);
                let is_whole = (self.is_volatile(name) || is_note(name)) && is_whole(name, bytes);
                if !is_known || !is_whole || (modes == [None, None] && *mode != 0o600) {
                    let start = String::from_utf8_lossy(bytes.get(..200.min(bytes.len())).unwrap_or_default());
                    return Err(format!("`{name}` is neither the old file nor the new one: {start}"));
                }
            } else if modes == [None, None] && now.mode() != Some(0o700) {
                return Err(format!("`{name}` is new"));
            }
        }
        Ok(())
    }

    /// After the plain run: what is there without any fault, and nothing else. `may_stay`: what nobody can tell from what
    /// others are at.
    fn judge_end_state(&self, now: &Place, may_stay: impl Fn(&str) -> bool) -> Result<(), String> {
        for (name, item) in &now.0 {
            let expected = [self.after.0.get(name), self.twice.0.get(name)];
            let has_mode = expected.iter().flatten().any(|other| other.mode() == item.mode());
            match expected {
                [None, None] if is_note(name) || may_stay(name) => {}
                [None, None] if matches!(item, Item::Directory(0o700)) => {}
                [None, None] => return Err(format!("`{name}` is left over after the next run")),
                _ if !has_mode => return Err(format!("`{name}` has another mode after the next run")),
                _ if self.is_volatile(name) || is_note(name) || is_backup(name) => {}
                _ if expected.contains(&Some(item)) => {}
                _ => return Err(format!("`{name}` is another one after the next run: {item:?}")),
            }
        }
        let mut promised = self
            .after
            .0
            .keys()
            .filter(|name| is_promised(name) && self.twice.0.contains_key(*name));
        let missing = promised.find(|name| !now.0.contains_key(*name));
        missing.map_or(Ok(()), |name| Err(format!("`{name}` is missing after the next run")))
    }
}

/// Kubeconfigs, and what the user configures. What is kept beside them may fail.
fn is_promised(name: &str) -> bool {
    (name.starts_with(".kube/") || name.starts_with(".config/")) && !is_backup(name)
}

/// What nobody looks for again once it could not be removed: a certificate is void by its tombstone, and was named.
fn stays_if_not_removed(name: &str) -> bool {
    is_temporary(name) || is_lock(name) || name.contains("/entry-cert-")
}

/// kubectl's files as they were before the last change.
fn is_backup(name: &str) -> bool {
    name.ends_with(".cce-login-backup")
}

/// What is noted for a while only, and by whom it concerns: failures, turns, who asked when, what lies in a store that could not be asked.
fn is_note(name: &str) -> bool {
    [
        "/failures/",
        "/throttles/",
        "/locks/",
        "/endpoints/",
        "/callers",
        "/tombstones/",
        "/entries/",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// Whether a file of its kind can be read: an entry, a note, a log.
fn is_whole(name: &str, bytes: &[u8]) -> bool {
    if name.contains("/entry-cert-") {
        return CacheEntry::from_bytes(&cce_login::secret::Secret::new(bytes.to_vec())).is_some();
    }
    if name.contains("/locks/") || name.ends_with("/callers") {
        return [0, 8, 16].contains(&bytes.len()) || name.ends_with("/callers");
    }
    // A machine's number and the end of a line; the number of a logout.
    if name.ends_with("/number") || name.contains("/tombstones/") {
        return bytes.trim_ascii().len() == 16 && bytes.trim_ascii().iter().all(u8::is_ascii_hexdigit);
    }
    if name.starts_with("handed/") {
        // Handed over: what it is, the certificate, the key.
        let text = String::from_utf8_lossy(bytes);
        return text.starts_with("cluster: ") && text.ends_with("-----END RSA PRIVATE KEY-----\n");
    }
    if name == "log" {
        return true; // appended to; who is killed in a line leaves a part of it
    }
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok()
}
