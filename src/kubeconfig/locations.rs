//! Which files make up the kubeconfig, by kubectl's rules (client-go `clientcmd/config.go`, `PathOptions`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::kubeconfig::error::KubeconfigError;

/// The kubeconfig files in kubectl's order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    files: Vec<PathBuf>,
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
            return Ok(Self { files: vec![file] });
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
            return Ok(Self { files });
        }
        let home = home
            .filter(|path| !path.as_os_str().is_empty())
            .ok_or(KubeconfigError::NoHome)?;
        Ok(Self {
            files: vec![home.join(".kube").join("config")],
        })
    }

    /// No files at all.
    pub(super) fn none() -> Self {
        Self { files: Vec::new() }
    }

    /// The files, highest precedence first; some may not exist.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Where kubectl puts what no file defines yet: the first file that exists, else the last of the list.
    pub fn default_file(&self) -> Option<&Path> {
        self.files
            .iter()
            .find(|path| path.metadata().is_ok())
            .or(self.files.last())
            .map(PathBuf::as_path)
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
