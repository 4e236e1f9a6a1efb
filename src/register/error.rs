//! Why a register cannot be used. Never a reason to fail: who cannot ask the others asks the cloud.

use crate::error::{Exit, Explain};
use crate::http::HttpError;
use std::path::PathBuf;

/// Why a register cannot be used; nothing in it is secret.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// No connection, or no answer in time.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Something is not said anywhere.
    #[error("{what} is not set")]
    NotConfigured {
        /// What is missing.
        what: &'static str,
        /// What to set.
        cure: &'static str,
    },
    /// A file that belongs to the way in cannot be used.
    #[error("cannot use `{path}`: {reason}", path = path.display())]
    File {
        /// The file as it was named.
        path: PathBuf,
        /// What the system or the file's reader said.
        reason: String,
    },
    /// We may not do this.
    #[error("{engine} does not let us {doing}: {message}")]
    Denied {
        /// Which engine.
        engine: &'static str,
        /// `read`, `write`, `delete`, `sign in`.
        doing: &'static str,
        /// The engine's words.
        message: String,
    },
    /// It can be reached, but it is sealed, overloaded or broken at the moment.
    #[error("{engine} answered {status}: {message}")]
    Busy {
        /// Which engine.
        engine: &'static str,
        /// The HTTP status.
        status: u16,
        /// The engine's words.
        message: String,
    },
    /// The place does not exist, or is of another kind.
    #[error("{engine} has no {what}")]
    NoSuchPlace {
        /// Which engine.
        engine: &'static str,
        /// What is missing.
        what: String,
    },
    /// It answers with what was there before, time after time.
    #[error("{place} shows an old state: what it says is not what is there")]
    Behind {
        /// Which engine, and where.
        place: String,
    },
    /// An answer that is none of those that the engine documents.
    #[error("{engine} gave an answer that cannot be understood")]
    Malformed {
        /// Which engine.
        engine: &'static str,
    },
}

impl Explain for RegisterError {
    fn exit(&self) -> Exit {
        match self {
            Self::Http(error) => error.exit(),
            Self::NotConfigured { .. } => Exit::Usage,
            Self::Busy { .. } | Self::Behind { .. } => Exit::Temporary,
            Self::File { .. } | Self::Denied { .. } | Self::NoSuchPlace { .. } | Self::Malformed { .. } => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Http(HttpError::Settings { .. }) => "the CA file of the shared cache must hold PEM certificates".to_owned(),
            Self::Http(_) => "check the address of the shared cache and its CA (`VAULT_ADDR` and `VAULT_CACERT`, or the profile's `vault`)".to_owned(),
            Self::NotConfigured { cure, .. } => (*cure).to_owned(),
            Self::File { .. } => "check who writes the file".to_owned(),
            Self::Denied { doing: "sign in", .. } => {
                "check role, audience and bound claims of the auth method".to_owned()
            }
            Self::Denied { .. } => "allow create, read and update on the path of the shared cache; docs/ci.md has the least policy".to_owned(),
            Self::Busy { .. } | Self::Behind { .. } => "nothing is lost: each machine asks the cloud until the shared cache is back".to_owned(),
            Self::NoSuchPlace { .. } => "the mount of `vault:MOUNT/PATH` must be a key-value engine of version 2, the namespace of `kubernetes:NAMESPACE` must exist".to_owned(),
            Self::Malformed { .. } => "check that the address is the engine's".to_owned(),
        })
    }
}
