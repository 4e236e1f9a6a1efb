//! What the tests share: a private world with a simulated cloud, its runs and their outcomes, the leak check, texts as files.

mod in_process;
mod leaks;
mod machine;
mod outcome;
mod snapshot;
pub(crate) mod spoiled;
pub(crate) mod world;
mod written;

pub(crate) use leaks::{Secrets, files_below};
pub(crate) use outcome::Outcome;
pub(crate) use snapshot::{check_text, check_text_at, elided};

pub(crate) use written::Written;

use std::path::{Path, PathBuf};

/// The world in this process; the one of real processes is in `system`.
pub(crate) type World = world::World<machine::Machine>;

/// A file or directory of this repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
