//! Finds the kubeconfig, reads it, and changes our entries in it without disturbing anything else.
//!
//! Reading is strict (`meaning`), writing is a splice (`splice`, `flow`): the tree of `document` says at which byte every node lies, only the
//! ranges that are ours are replaced, and the result is read strictly again before anyone sees it: our entries as meant, everything else as
//! before, else an error. Files, environment and home come in as values; nothing here asks the process.

mod change;
mod conversion;
pub(crate) mod edit;
mod entries;
mod error;
mod locations;
mod meaning;
mod ownership;
mod removal;
pub(crate) mod text;
mod upsert;
mod view;

use crate::host::{Input, Inputs};
use std::io;
use std::path::{Path, PathBuf};

pub use change::Change;
pub(crate) use change::lock::lock_file;
pub(crate) use change::write::backup_file;
pub use conversion::Conversion;
pub(crate) use edit::kind::Kind;
pub(crate) use edit::operation::Loss;
pub(crate) use entries::INTERACTIVE_MODES;
pub use entries::{ClusterEntry, Current, ExecEntry, Login, render};
pub use error::KubeconfigError;

pub use locations::Locations;
pub(crate) use ownership::OurContext;
pub(crate) use ownership::cluster_id;
pub(crate) use view::UserView;
pub(crate) use view::decode as decoded;

use meaning::Meaning;
use text::Text;

/// All files of a [`Locations`], read and checked, seen as kubectl merges them: the first file that defines an entry wins.
#[derive(Debug)]
pub struct Kubeconfig {
    locations: Locations,
    files: Vec<File>,
    default_file: usize,
}

/// One file as it was when we read it.
#[derive(Debug)]
struct File {
    path: PathBuf,
    /// `None`: there was no such file.
    text: Option<Text>,
    meaning: Meaning,
}

impl File {
    fn load(path: &Path, inputs: &Inputs) -> Result<Self, KubeconfigError> {
        let text = read(path, inputs)?;
        let meaning = Meaning::parse(path, text.as_ref().map_or("", |text| &text.text))?;
        Ok(Self {
            path: path.to_owned(),
            text,
            meaning,
        })
    }
}

/// The text of a file, `None` if there is no such file.
fn read(path: &Path, inputs: &Inputs) -> Result<Option<Text>, KubeconfigError> {
    match inputs.read(path, Input::Kubeconfig) {
        Ok(bytes) => Text::decode(path, bytes).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KubeconfigError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

impl Kubeconfig {
    /// Reads all files; one that does not exist is empty, one that cannot be read or understood is an error that names it and the line.
    pub fn load(locations: &Locations) -> Result<Self, KubeconfigError> {
        let locations = locations.distinct();
        let files = locations
            .files()
            .iter()
            .map(|path| File::load(path, locations.inputs()));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let default = locations.default_file();
        let default_file = files.iter().position(|file| Some(file.path.as_path()) == default);
        Ok(Self {
            locations: locations.clone(),
            files,
            default_file: default_file.unwrap_or_default(),
        })
    }

    /// The first of its files that is not there.
    pub(crate) fn missing_file(&self) -> Option<&Path> {
        let missing = self.files.iter().find(|file| file.text.is_none());
        missing.map(|file| file.path.as_path())
    }

    /// That none of the files is there which `KUBECONFIG` names.
    pub(crate) fn nowhere(&self) -> Option<KubeconfigError> {
        let is_there = self.files.iter().any(|file| file.text.is_some());
        let first = self
            .files
            .first()
            .filter(|_| !is_there && !self.locations.is_default())?;
        Some(KubeconfigError::Missing {
            path: first.path.clone(),
            is_of_environment: true,
        })
    }

    /// A kubeconfig that came in another way than by its file; `path` is what errors name.
    pub(crate) fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, KubeconfigError> {
        let text = Text::decode(path, bytes)?;
        let meaning = Meaning::parse(path, &text.text)?;
        Ok(Self {
            files: vec![File {
                path: path.to_owned(),
                text: Some(text),
                meaning,
            }],
            ..Self::empty()
        })
    }

    /// A kubeconfig of no files: everything in it would be new.
    pub(crate) fn empty() -> Self {
        Self {
            locations: Locations::none(),
            files: Vec::new(),
            default_file: 0,
        }
    }

    /// The file that defines an entry, and the entry's contents.
    fn find(&self, kind: Kind, name: &str) -> Option<(usize, &File, &serde_json::Value)> {
        self.files
            .iter()
            .enumerate()
            .find_map(|(number, file)| Some((number, file, file.meaning.body(kind, name)?)))
    }
}
