//! What can go wrong with a kubeconfig, and the command that cures it.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use crate::kubeconfig::edit::kind::Kind;
use crate::sanitize::shell_word;
use crate::words::names::did_you_mean;

/// Why a kubeconfig could not be read or changed; nothing was written, unless [`KubeconfigError::Write`] says so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KubeconfigError {
    /// Neither `--kubeconfig` nor `KUBECONFIG` nor a home directory is there.
    #[error("`HOME` is not set, so there is no place where the kubeconfig could be")]
    NoHome,
    /// `KUBECONFIG` is set to separators only.
    #[error("`KUBECONFIG` names no file")]
    EmptyList,
    /// The file that was named is not there.
    #[error("there is no kubeconfig `{}`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// `KUBECONFIG` names it.
        is_of_environment: bool,
    },
    /// The file is there and cannot be read.
    #[error("cannot read kubeconfig `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not UTF-8 text.
    #[error("kubeconfig `{}` is not UTF-8 text (line {line})", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line with the first bad byte, from 1.
        line: usize,
    },
    /// The file is not the YAML or JSON that kubectl and we can both rely on.
    #[error("kubeconfig `{}` is not valid{}", path.display(), AtLine(*line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: Option<usize>,
        /// What the parser said; never quotes the file's values.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file is YAML, but not a kubeconfig.
    #[error("kubeconfig `{}`: {what}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// What is not as it has to be.
        what: String,
    },
    /// An entry of this name belongs to somebody else.
    #[error("{kind} `{}` in `{}` {owner}", name.escape_debug(), path.display())]
    Taken {
        /// Which list.
        kind: Kind,
        /// The entry.
        name: String,
        /// Where it is defined.
        path: PathBuf,
        /// Whose it is.
        owner: Owner,
    },
    /// Two of the logins asked for give different contents to one entry.
    #[error("{kind} `{}` is asked for twice with different contents", name.escape_debug())]
    Contradiction {
        /// Which list.
        kind: Kind,
        /// The entry.
        name: String,
    },
    /// There is no context of this name.
    #[error("there is no context `{}`", name.escape_debug())]
    NoSuchContext {
        /// The name asked for.
        name: String,
        /// What it may mean.
        meant: Option<String>,
    },
    /// The context exists and does not use us.
    #[error("context `{}` in `{}` does not use `kubectl cce-login`", name.escape_debug(), path.display())]
    NotOurs {
        /// The context.
        name: String,
        /// Where it is defined.
        path: PathBuf,
    },
    /// The change cannot be made without touching what is not ours (aliases, merge keys, unusual notation).
    #[error("cannot change kubeconfig `{}` without disturbing the rest of it: {what}", path.display())]
    CannotEdit {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        what: String,
    },
    /// New entries cannot be kept in a device, a pipe or a directory.
    #[error("kubeconfig `{}` is {what}, not a file: no entry can be kept there", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file would be made by root in a home that is not root's.
    #[error("the kubeconfig would be `{}`, in the home directory of somebody else", path.display())]
    HomeOfSomebodyElse {
        /// The file that is not there.
        path: PathBuf,
    },
    /// Somebody keeps changing the file.
    #[error("kubeconfig `{}` changed while it was being edited", path.display())]
    ChangedMeanwhile {
        /// The file.
        path: PathBuf,
    },
    /// Another program holds kubectl's lock, or left it behind.
    #[error("`{}` is locked by `{}`{}", path.display(), lock.display(), Since(*age))]
    Locked {
        /// The kubeconfig.
        path: PathBuf,
        /// The lock file.
        lock: PathBuf,
        /// How old the lock file is, where the system tells.
        age: Option<Duration>,
    },
    /// A step of writing failed; the file named is as it was, files written before it in the same run are complete.
    #[error("cannot {step} `{}`", path.display())]
    Write {
        /// What we tried.
        step: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Whose an entry is that we must not overwrite.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owner {
    /// It was not made by `kubectl cce-login`.
    Somebody,
    /// It is ours, for this other cluster id.
    OtherCluster(String),
    /// A cluster entry with this other server, used by others or by nobody.
    OtherServer(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Somebody => f.write_str("was not made by `kubectl cce-login`"),
            Self::OtherCluster(id) => write!(f, "belongs to another cluster, `{}`", id.escape_debug()),
            Self::OtherServer(server) => write!(f, "belongs to another server, `{}`", server.escape_debug()),
        }
    }
}

struct AtLine(Option<usize>);

impl fmt::Display for AtLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

struct Since(Option<Duration>);

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |age| write!(f, ", {} s old", age.as_secs()))
    }
}

impl KubeconfigError {
    /// There is no context of this name among those that could be meant.
    pub(crate) fn no_such_context<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        Self::NoSuchContext {
            name: name.to_owned(),
            meant: did_you_mean(name, known),
        }
    }

    /// The exact command or setting that cures it, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHome => Some("set `HOME` to an absolute path, or name the file with `--kubeconfig PATH`".to_owned()),
            Self::Missing { is_of_environment, .. } => {
                let what = if *is_of_environment { "`KUBECONFIG`" } else { "the name" };
                Some(format!("check {what}; `kubectl cce-login` makes a kubeconfig where there is none"))
            }
            Self::EmptyList => Some("unset `KUBECONFIG`, or set it to a file".to_owned()),
            Self::Read { path, source } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some(format!("make it yours: `chmod u+rw {}`", shell_word(&path.to_string_lossy())))
            }
            Self::Read { .. } => Some("check `KUBECONFIG`, or name the file with `--kubeconfig PATH`".to_owned()),
            Self::ChangedMeanwhile { .. } => Some("run the command again".to_owned()),
            Self::NotUtf8 { path, .. } | Self::Malformed { path, .. } | Self::Shape { path, .. } => Some(format!(
                "repair it by hand (`kubectl config view --kubeconfig {}` shows what kubectl thinks of it), or use another file with `--kubeconfig PATH`",
                shell_word(&path.to_string_lossy())
            )),
            Self::Taken {
                kind: Kind::Context,
                name,
                ..
            } => Some(format!(
                "choose another name with `--context-name NAME`, or remove that one: `kubectl config delete-context {}`",
                shell_word(name)
            )),
            Self::Taken { kind, name, .. } => {
                let command = match kind {
                    Kind::Cluster => "delete-cluster",
                    Kind::User => "delete-user",
                    Kind::Context => "delete-context",
                };
                Some(format!(
                    "if it is no longer needed, remove it: `kubectl config {command} {}`; else write to another file with `--kubeconfig PATH`",
                    shell_word(name)
                ))
            }
            Self::Contradiction { .. } => Some("give each cluster its own name with `--context-name TEMPLATE`".to_owned()),
            Self::NoSuchContext { meant, .. } => {
                let list = || "`kubectl config get-contexts` lists them".to_owned();
                Some(meant.clone().unwrap_or_else(list))
            }
            Self::NotOurs { name, .. } => Some(format!(
                "to remove it all the same: `kubectl config delete-context {}`",
                shell_word(name)
            )),
            Self::CannotEdit { .. } => Some("write the entries to another file with `--kubeconfig PATH`, or take them from `--print`".to_owned()),
            Self::NotAFile { .. } => Some("name a file with `--kubeconfig PATH`, or take the entries from `--print`".to_owned()),
            Self::HomeOfSomebodyElse { .. } => {
                Some("run it as the one whose home that is (without sudo), or name a file of yours with `--kubeconfig PATH`".to_owned())
            }
            Self::Locked { lock, .. } => Some(format!(
                "if no kubectl is at work, remove the lock: `rm {}`",
                shell_word(&lock.to_string_lossy())
            )),
            Self::Write { .. } => Some(
                "write to a file in a directory that you may write to with `--kubeconfig PATH`, or take the entries from `--print`".to_owned(),
            ),
        }
    }
}

/// A step of writing that failed on this path.
pub(crate) fn failed(step: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> KubeconfigError {
    let path = path.to_owned();
    move |source| KubeconfigError::Write { step, path, source }
}

impl crate::error::Explain for KubeconfigError {
    fn exit(&self) -> crate::error::Exit {
        match self {
            Self::Locked { .. } | Self::ChangedMeanwhile { .. } => crate::error::Exit::Temporary,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::TimedOut => crate::error::Exit::Temporary,
            _ => crate::error::Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        self.hint()
    }
}
