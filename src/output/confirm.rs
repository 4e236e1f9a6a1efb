//! The confirmation of what cannot be undone: `--yes`, or a person who types what it is about.

use crate::cli::ConfirmArgs;
use crate::error::{Exit, Explain, Result};
use crate::sanitize::sanitize;
use crate::session::Session;

/// Nobody has agreed.
#[derive(Debug, thiserror::Error)]
enum Unconfirmed {
    #[error("this needs a confirmation, and nobody can be asked for it")]
    NobodyToAsk,
    #[error("nothing was typed, so nothing was done")]
    NothingTyped,
    #[error("`{0}` was typed, so nothing was done")]
    OtherTyped(String),
}

impl Explain for Unconfirmed {
    fn exit(&self) -> Exit {
        match self {
            Self::NobodyToAsk => Exit::Usage,
            Self::NothingTyped | Self::OtherTyped(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NobodyToAsk => "run it at a terminal, or add `--yes`",
                Self::NothingTyped | Self::OtherTyped(_) => "run the command again and type it as it stands there",
            }
            .to_owned(),
        )
    }
}

/// Before anything is asked for: an error if the confirmation cannot come about.
pub(crate) fn check(session: &Session<'_>, args: &ConfirmArgs) -> Result<()> {
    if args.yes || session.is_interactive {
        return Ok(());
    }
    Err(Unconfirmed::NobodyToAsk.into())
}

/// Lets a person type `answer`, which `what` describes, unless `--yes` was given.
pub(crate) fn ask(session: &Session<'_>, args: &ConfirmArgs, what: &str, answer: &str) -> Result<()> {
    check(session, args)?;
    if args.yes {
        return Ok(());
    }
    match session.host.ask(&format!("type {what} to go on: ")) {
        Some(typed) if typed == answer => Ok(()),
        Some(typed) => Err(Unconfirmed::OtherTyped(sanitize(&typed)).into()),
        None => Err(Unconfirmed::NothingTyped.into()),
    }
}
