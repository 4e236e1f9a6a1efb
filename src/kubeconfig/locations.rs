//! Which files make up the kubeconfig, by kubectl's rules (client-go `clientcmd/config.go`, `PathOptions`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::host::Inputs;
use crate::kubeconfig::error::KubeconfigError;
use std::io;

/// As many links in a row as Linux follows.
const MAX_LINKS: usize = 40;

/// The kubeconfig files in kubectl's order of precedence.
#[derive(Debug, Clone)]
pub struct Locations {
    files: Vec<PathBuf>,
    /// Nobody has named a file: it is the one in the home directory.
    is_default: bool,
    inputs: Inputs,
}

impl Locations {
    /// Finds the files as kubectl does: `--kubeconfig`, else the `KUBECONFIG` list, else `.kube/config` in the home directory.
    ///
    /// Empty values count as absent, empty parts of the list are skipped, a path named twice counts once.
    pub fn new(
        explicit: Option<PathBuf>,
        kubeconfig_env: Option<&OsStr>,
        home: Option<&Path>,
    ) -> Result<Self, KubeconfigError> {
        if let Some(file) = explicit.filter(|path| !path.as_os_str().is_empty()) {
            return Ok(Self::named(vec![file]));
        }
        if let Some(list) = kubeconfig_env.filter(|list| !list.is_empty()) {
            let mut files: Vec<PathBuf> = Vec::new();
            for path in std::env::split_paths(list) {
                if !path.as_os_str().is_empty() && !files.contains(&path) {
                    files.push(path);
                }
            }
            if files.is_empty() {
                return Err(KubeconfigError::EmptyList);
            }
            return Ok(Self::named(files));
        }
        let home = home
            .filter(|path| !path.as_os_str().is_empty())
            .ok_or(KubeconfigError::NoHome)?;
        Ok(Self {
            is_default: true,
            ..Self::named(vec![home.join(".kube").join("config")])
        })
    }

    /// No files at all.
    pub(crate) fn none() -> Self {
        Self::named(Vec::new())
    }

    fn named(files: Vec<PathBuf>) -> Self {
        Self {
            files,
            is_default: false,
            inputs: Inputs::default(),
        }
    }

    /// The same files, among the inputs of a run.
    #[must_use]
    pub(crate) fn among(self, inputs: &Inputs) -> Self {
        Self {
            inputs: inputs.clone(),
            ..self
        }
    }

    /// The same files, each once: two names of one file (a link, `./`, a hard link) count as the first of them.
    pub(crate) fn distinct(&self) -> Self {
        let mut seen = Vec::new();
        let mut files = Vec::new();
        for path in &self.files {
            let identity = FileIdentity::of(path);
            if !seen.contains(&identity) {
                seen.push(identity);
                files.push(path.clone());
            }
        }
        Self { files, ..self.clone() }
    }

    pub(crate) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Nobody has named a file: it is the one in the home directory.
    pub(crate) fn is_default(&self) -> bool {
        self.is_default
    }

    /// The files, highest precedence first; some may not exist.
    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Where kubectl puts what no file defines yet: the first file that exists, else the last of the list.
    pub(crate) fn default_file(&self) -> Option<&Path> {
        self.files
            .iter()
            .find(|path| path.metadata().is_ok())
            .or(self.files.last())
            .map(PathBuf::as_path)
    }
}

/// What makes a file the same one under another name.
#[derive(PartialEq)]
enum FileIdentity {
    /// It is there: its device and number.
    #[cfg(unix)]
    File(u64, u64),
    /// It is not there yet, or has no number: its path, links resolved.
    Path(PathBuf),
}

impl FileIdentity {
    fn of(path: &Path) -> Self {
        #[cfg(unix)]
        if let Ok(metadata) = path.metadata() {
            use std::os::unix::fs::MetadataExt as _;
            return Self::File(metadata.dev(), metadata.ino());
        }
        let real = real_file(path).unwrap_or_else(|_| path.to_owned());
        let directory = parent(&real)
            .canonicalize()
            .unwrap_or_else(|_| parent(&real).to_owned());
        Self::Path(real.file_name().map_or(directory.clone(), |name| directory.join(name)))
    }
}

/// The file behind any symbolic links; it may not exist yet.
pub(crate) fn real_file(path: &Path) -> io::Result<PathBuf> {
    let mut file = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&file) {
            Ok(link) => file = parent(&file).join(link),
            // Not a link, or not there: anything else shows when it is opened.
            Err(_) => return Ok(file),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(explicit: Option<&str>, list: Option<&str>, home: Option<&str>) -> Result<Vec<PathBuf>, KubeconfigError> {
        Locations::new(explicit.map(PathBuf::from), list.map(OsStr::new), home.map(Path::new)).map(|l| l.files)
    }

    #[test]
    fn the_flag_overrides_the_list_overrides_home() {
        let home = Some("/home/me");
        assert_eq!(files(Some("x"), Some("a:b"), home).unwrap(), [PathBuf::from("x")]);
        assert_eq!(
            files(None, None, home).unwrap(),
            [PathBuf::from("/home/me/.kube/config")]
        );
        assert_eq!(
            files(Some(""), Some(""), home).unwrap(),
            [PathBuf::from("/home/me/.kube/config")]
        );
    }

    #[cfg(unix)]
    #[test]
    fn empty_and_repeated_parts_of_the_list_are_skipped() {
        let list = files(None, Some("a::b:a:"), None).unwrap();
        assert_eq!(list, [PathBuf::from("a"), PathBuf::from("b")]);
    }

    #[test]
    fn no_place_at_all_is_an_error_with_a_cure() {
        for error in [
            files(None, Some(":"), Some("/h")).unwrap_err(),
            files(None, None, None).unwrap_err(),
        ] {
            assert!(error.hint().is_some());
        }
    }
}
