//! A computed change: looked at with `diff`, carried out with `write`.

pub(crate) mod diff;
pub(crate) mod lock;
pub(crate) mod replace;
pub(crate) mod write;

use std::path::{Path, PathBuf};

use crate::kubeconfig::edit::operation::Loss;
use crate::kubeconfig::edit::splice::Splice;
use crate::kubeconfig::text::Text;
use crate::kubeconfig::{ClusterEntry, Conversion, Kubeconfig, KubeconfigError, Locations, Login};

/// New texts for some files, checked against the old ones; nothing is written until [`Change::write`].
#[derive(Debug)]
pub struct Change {
    locations: Locations,
    intent: Intent,
    files: Vec<FileChange>,
    losses: Vec<Loss>,
}

/// What the change is for, so that it can be computed again when a file has changed meanwhile.
#[derive(Debug)]
pub(crate) enum Intent {
    Upsert(Vec<Login>),
    UpdateClusters(Vec<(String, ClusterEntry)>),
    Remove(Vec<String>),
    Convert(Conversion),
}

/// One file's old and new text.
#[derive(Debug)]
pub(crate) struct FileChange {
    pub(crate) path: PathBuf,
    /// `None`: there is no such file yet.
    pub(crate) before: Option<Text>,
    pub(crate) after: Text,
    /// What the backup holds in place of `before`.
    pub(crate) backup: Option<Text>,
    /// The difference, as ranges of `before`.
    pub(crate) splices: Vec<Splice>,
}

/// How often a change is computed anew when somebody else changes the file at the same time.
const ATTEMPTS: usize = 3;

impl Change {
    pub(crate) fn new(locations: Locations, intent: Intent, files: Vec<FileChange>) -> Self {
        Self {
            locations,
            intent,
            files,
            losses: Vec::new(),
        }
    }

    /// Notes what users lose by the change.
    pub(crate) fn with_losses(self, losses: Vec<Loss>) -> Self {
        Self { losses, ..self }
    }

    /// What users lose by it, for people.
    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// What the backup of this file, if it changes, is to hold in place of its old text.
    pub(crate) fn set_backup(&mut self, path: &Path, backup: Option<Text>) {
        if let Some(file) = self.files.iter_mut().find(|file| file.path == path) {
            file.backup = backup;
        }
    }

    /// Whether everything is as it should be already.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The files that change, in kubectl's order of precedence.
    pub fn files(&self) -> Vec<&Path> {
        self.files.iter().map(|file| file.path.as_path()).collect()
    }

    /// The new text of each file that changes.
    pub fn texts(&self) -> Vec<(&Path, &str)> {
        self.files
            .iter()
            .map(|file| (file.path.as_path(), file.after.text.as_str()))
            .collect()
    }

    /// The change as a unified diff with three lines of context, for `--dry-run`.
    pub fn diff(&self) -> String {
        self.files.iter().map(diff::unified).collect()
    }

    /// Writes all files under kubectl's lock, each of them whole or not at all.
    ///
    /// A file that somebody else has changed since it was read is read again and the change computed anew. A new file gets mode 0600, its
    /// directory 0700; an existing one keeps mode and owner, symbolic links are followed, and the old text is kept in
    /// `<file>.cce-login-backup` (0600).
    pub fn write(&self) -> Result<(), KubeconfigError> {
        let mut result = write::write(&self.files, &self.locations);
        for _ in 1..ATTEMPTS {
            if !matches!(result, Err(KubeconfigError::ChangedMeanwhile { .. })) {
                break;
            }
            result = write::write(&self.again()?.files, &self.locations);
        }
        result
    }

    fn again(&self) -> Result<Self, KubeconfigError> {
        let kubeconfig = Kubeconfig::load(&self.locations)?;
        match &self.intent {
            Intent::Upsert(logins) => kubeconfig.upsert(logins),
            Intent::UpdateClusters(clusters) => kubeconfig.update_clusters(clusters),
            Intent::Convert(conversion) => kubeconfig.convert(conversion),
            Intent::Remove(contexts) => kubeconfig.remove(&contexts.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }
}
