//! IAM Identity Center: a person signs in at its portal with a browser, and a session there gives temporary access keys of the agencies that
//! their permission sets are.
//!
//! Nothing is signed: a client's secret goes in the body, a session's token in the header `access-token`. How polls are answered is documented
//! nowhere, so their words are read tolerantly and go to the log.

mod portal;
mod session;

pub(crate) use portal::{PermissionSet, Portal, PortalAccount};
pub(crate) use session::{PortalSession, RegisteredClient, SessionClient};

use crate::error::{Exit, Explain};
use crate::huaweicloud::api::ApiError;

/// Why the Identity Center did not do what was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityCenterError {
    /// It says no, or does not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The session has ended.
    #[error("the session at the Identity Center has ended")]
    SessionEnded,
    /// The person said no, or the portal did.
    #[error("the sign-in was refused in the browser{}", if .0.is_empty() { String::new() } else { format!(": {}", .0) })]
    Denied(String),
    /// Nobody approved the code in time.
    #[error("nobody approved the code in time")]
    Expired,
    /// The registration of this machine is not known any more.
    #[error("the Identity Center does not know this machine's registration any more")]
    UnknownClient,
    /// The person may not use this permission set there.
    #[error("the permission set is not assigned to you: {0}")]
    NotAssigned(String),
    /// The address for the person leads elsewhere.
    #[error("the Identity Center names `{0}` as the place for the code, which is not encrypted")]
    UnsafePage(String),
}

impl Explain for IdentityCenterError {
    fn exit(&self) -> Exit {
        match self {
            Self::Api(error) => error.exit(),
            _ => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        const AGAIN: &str = "sign in again: `kubectl cce-login refresh`";
        Some(match self {
            Self::Api(error) => return error.hint(),
            Self::SessionEnded | Self::UnknownClient => AGAIN.to_owned(),
            Self::Expired => "run it again, and approve the new code in time".to_owned(),
            Self::Denied(_) => {
                "check the start URL, and that your account may use this portal; then run it again".to_owned()
            }
            Self::NotAssigned(_) => {
                "ask an administrator of the Identity Center to assign it, or choose another with `kubectl cce-login profile set NAME --account ACCOUNT --permission-set NAME`".to_owned()
            }
            Self::UnsafePage(_) => "do not type the code anywhere; check `start_url` and `sso_region` of the profile".to_owned(),
        })
    }
}

/// `IIC.…` of an answer that is a no, with its words.
fn refusal(error: &ApiError) -> Option<(u16, &str, &str)> {
    match error {
        ApiError::Refused(refusal) => Some((refusal.status, &refusal.code, &refusal.message)),
        _ => None,
    }
}
