//! Which account and permission set of a portal a new profile is: as it was said, the only one, or as a person chooses.

use crate::config::Config;
use crate::error::{Exit, Explain, Result};
use crate::huaweicloud::identity_center::{IdentityCenterError, PermissionSet, PortalAccount};
use crate::identity::{Identity, IdentityError, PersonalProof};
use crate::plan::ProfileSetPlan;
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::{self, kept_sessions, portal};

/// Why it is not clear what the profile is to be.
#[derive(Debug, thiserror::Error)]
enum RoleError {
    #[error("nothing at this portal is assigned to you")]
    Nothing,
    #[error("the portal has no {what} `{wanted}` for you")]
    Unknown {
        what: &'static str,
        wanted: String,
        there: Vec<String>,
        flag: &'static str,
    },
    #[error("the portal has several {what}s for you")]
    Several {
        what: &'static str,
        there: Vec<String>,
        flag: &'static str,
    },
}

impl Explain for RoleError {
    fn exit(&self) -> Exit {
        match self {
            Self::Nothing => Exit::Identity,
            Self::Unknown { .. } | Self::Several { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        let (there, flag) = match self {
            Self::Nothing => {
                return Some(
                    "ask an administrator of the Identity Center to assign a permission set to you".to_owned(),
                );
            }
            Self::Unknown { there, flag, .. } | Self::Several { there, flag, .. } => (there, flag),
        };
        let names: Vec<String> = there.iter().map(|name| format!("`{name}`")).collect();
        Some(format!("give one with `{flag}`: {}", names.join(", ")))
    }
}

/// Completes a profile of kind `sso`: signs in where that is needed, and finds account and permission set.
pub(crate) fn complete(session: &Session<'_>, plan: &mut ProfileSetPlan) -> Result<()> {
    let mut config = Config::load(&session.directories, session.host.env.inputs())?;
    config.profiles.insert(plan.name.to_string(), plan.profile.clone());
    let identity = Identity::of_new_profile(&plan.name, &config, &session.host.env, None)?;
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is for one lifetime only"
    )]
    let accounts = ask_portal(session, &identity, |portal| portal.accounts())?;
    let account = choose_account(session, accounts, plan.profile.account.as_deref())?;
    let sets = ask_portal(session, &identity, |portal| portal.permission_sets(&account.id))?;
    let set = choose_set(session, sets, plan.profile.permission_set.as_deref())?;
    plan.profile.account = Some(account.name);
    plan.profile.account_id = Some(account.id);
    plan.profile.permission_set = Some(set.name);
    plan.profile.agency_urn = Some(set.agency_urn);
    Ok(())
}

/// Asks with the session there is; one that has ended is replaced once.
fn ask_portal<T>(
    session: &Session<'_>,
    identity: &Identity,
    ask: impl Fn(&portal::Portal<'_>) -> std::result::Result<T, IdentityCenterError>,
) -> Result<T> {
    let PersonalProof::Portal(at) = identity.personal_proof() else {
        return Err(IdentityError::SignInNeeded.into());
    };
    let once = || -> Result<std::result::Result<T, IdentityCenterError>> {
        let kept = sign_in::portal_session(session, identity)?;
        let http = session.sign_on_http(at.ca_file.as_deref(), at.proxy.as_deref())?;
        Ok(portal::with_portal(session, &http, at, &kept, &ask))
    };
    match once()? {
        Err(IdentityCenterError::SessionEnded) => {
            kept_sessions::forget_portal_session(session, at);
            Ok(once()??)
        }
        answer => Ok(answer?),
    }
}

fn choose_account(session: &Session<'_>, all: Vec<PortalAccount>, wanted: Option<&str>) -> Result<PortalAccount> {
    let is_called = |account: &PortalAccount, name: &str| account.name == name || account.id == name;
    let shown = |account: &PortalAccount| format!("{} ({})", sanitize(&account.name), sanitize(&account.id));
    let question = Question {
        what: "account",
        flag: "--account",
        wanted,
    };
    question.choose(session, all, is_called, shown)
}

fn choose_set(session: &Session<'_>, all: Vec<PermissionSet>, wanted: Option<&str>) -> Result<PermissionSet> {
    let is_called = |set: &PermissionSet, name: &str| set.name == name || set.agency_urn == name;
    let question = Question {
        what: "permission set",
        flag: "--permission-set",
        wanted,
    };
    question.choose(session, all, is_called, |set| sanitize(&set.name))
}

/// What is to be chosen.
struct Question<'a> {
    what: &'static str,
    flag: &'static str,
    wanted: Option<&'a str>,
}

impl Question<'_> {
    fn choose<T>(
        &self,
        session: &Session<'_>,
        mut all: Vec<T>,
        is_called: impl Fn(&T, &str) -> bool,
        shown: impl Fn(&T) -> String,
    ) -> Result<T> {
        let rows: Vec<String> = all.iter().map(shown).collect();
        let at = match (self.wanted, all.len()) {
            (_, 0) => return Err(RoleError::Nothing.into()),
            (Some(wanted), _) => {
                let at = all.iter().position(|one| is_called(one, wanted));
                at.ok_or_else(|| RoleError::Unknown {
                    what: self.what,
                    wanted: sanitize(wanted),
                    there: rows,
                    flag: self.flag,
                })?
            }
            (None, 1) => 0,
            (None, _) if session.is_interactive => {
                let question = format!(
                    "{}{}",
                    self.what.get(..1).unwrap_or_default().to_uppercase(),
                    self.what.get(1..).unwrap_or_default()
                );
                session.host.pick(&question, &rows)?
            }
            (None, _) => {
                return Err(RoleError::Several {
                    what: self.what,
                    there: rows,
                    flag: self.flag,
                }
                .into());
            }
        };
        Ok(all.swap_remove(at))
    }
}
