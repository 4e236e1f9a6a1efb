//! The Identity Center: a session silently where there is one, with a person where there is none, and an agency's key for it.

use super::{browser, kept_sessions};
use crate::error::{Error, Exit, Result};
use crate::http::Http;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::token_answer::TemporaryAccessKey;
pub(crate) use crate::huaweicloud::identity_center::Portal;
use crate::huaweicloud::identity_center::{IdentityCenterError, PortalSession, RegisteredClient, SessionClient};
use crate::identity::sign_on::{PortalRole, PortalSettings};
use crate::identity::{Identity, IdentityError};
use crate::oidc::PollAnswer;
use crate::session::Session;

/// The key that the Identity Center gives to this identity, with the session `fresh` or one that is kept. A session that `is_given` is the
/// source's own, and the source's cure is for it.
pub(super) fn key_of(
    session: &Session<'_>,
    identity: &Identity,
    at: &PortalSettings,
    fresh: Option<&PortalSession>,
    is_given: bool,
) -> Result<TemporaryAccessKey> {
    let role = at.role.as_ref().ok_or_else(|| IdentityError::Broken {
        source_name: identity.describe(),
        problem: "it names no account and no permission set (`account_id`, `agency_urn`)".to_owned(),
        cure: "set it again with `kubectl cce-login profile set NAME`, which finds both".to_owned(),
    })?;
    access_key(session, at, role, fresh).map_err(|error| {
        let error = error.doing(format!("failed to sign in with {}", identity.describe()));
        if is_given && error.exit() == Exit::Identity {
            error.with_hint(identity.cure_when_refused())
        } else {
            error
        }
    })
}

/// An agency's key for a session; the session that is kept is forgotten only if the portal says that it has ended.
fn access_key(
    session: &Session<'_>,
    at: &PortalSettings,
    role: &PortalRole,
    fresh: Option<&PortalSession>,
) -> Result<TemporaryAccessKey> {
    let kept = fresh.cloned().or_else(|| kept_sessions::portal_session(session, at));
    let kept = kept.ok_or(IdentityError::SignInNeeded)?;
    let http = session.sign_on_http(at.ca_file.as_deref(), at.proxy.as_deref())?;
    let key = with_portal(session, &http, at, &kept, |portal| {
        portal.access_key(&role.account_id, &role.agency_urn)
    });
    match key {
        Err(IdentityCenterError::SessionEnded) if fresh.is_none() => {
            kept_sessions::forget_portal_session(session, at);
            Err(IdentityError::SignInNeeded.into())
        }
        key => key.map_err(Error::from),
    }
}

/// Asks the portal with a session's token.
pub(crate) fn with_portal<T>(
    session: &Session<'_>,
    http: &Http,
    at: &PortalSettings,
    kept: &PortalSession,
    ask: impl FnOnce(&Portal<'_>) -> std::result::Result<T, IdentityCenterError>,
) -> std::result::Result<T, IdentityCenterError> {
    let credentials = Credentials::PortalToken(kept.token.clone());
    let api = session.api(http, &credentials, session.deadline);
    ask(&Portal {
        api: &api,
        endpoint: &at.portal_endpoint,
    })
}

/// A new session, with a person.
pub(super) fn sign_in(session: &Session<'_>, at: &PortalSettings) -> Result<PortalSession> {
    let http = session.sign_on_http(at.ca_file.as_deref(), at.proxy.as_deref())?;
    let nobody = Credentials::InBody;
    let api = session.api(&http, &nobody, session.deadline);
    let center = SessionClient {
        api: &api,
        endpoint: &at.sign_in_endpoint,
    };
    let doing =
        |error: IdentityCenterError| Error::from(error).doing(format!("failed to sign in at `{}`", at.start_url));
    let (client, new) = match kept_sessions::registration(session, at) {
        Some(client) => match device_flow(session, &center, at, &client) {
            Err(IdentityCenterError::UnknownClient) => {
                kept_sessions::forget_registration(session, at);
                registered(session, &center, at).map_err(doing)?
            }
            new => (client, new.map_err(doing)?),
        },
        None => registered(session, &center, at).map_err(doing)?,
    };
    if !kept_sessions::keep_portal_session(session, at, &client, &new) {
        session.host.say(
            "the sign-in cannot be kept: there is no keyring here, so you are asked again with each renewal (`--secret-store file` keeps it in a file)",
        );
    }
    Ok(new)
}

fn registered(
    session: &Session<'_>,
    center: &SessionClient<'_>,
    at: &PortalSettings,
) -> std::result::Result<(RegisteredClient, PortalSession), IdentityCenterError> {
    let client = center.register()?;
    let new = device_flow(session, center, at, &client)?;
    Ok((client, new))
}

fn device_flow(
    session: &Session<'_>,
    center: &SessionClient<'_>,
    at: &PortalSettings,
    client: &RegisteredClient,
) -> std::result::Result<PortalSession, IdentityCenterError> {
    let device = center.authorize_device(client, &at.start_url)?;
    browser::show_code(session, "the Identity Center", &device, at.browser.as_deref());
    let polled = session.host.while_waiting(|| {
        device.pace.poll(&session.host.clock, || {
            let answer = center.poll(client, &device);
            if let Err(error) = &answer {
                session.log.info(|| format!("poll: {error}"));
            }
            answer
        })
    });
    match polled? {
        Some(PollAnswer::Done(new)) => Ok(new),
        Some(PollAnswer::Denied) => Err(IdentityCenterError::Denied(String::new())),
        _ => Err(IdentityCenterError::Expired),
    }
}

/// Ends the kept session at the portal.
pub(crate) fn log_out(session: &Session<'_>, at: &PortalSettings) -> Result<()> {
    let Some(kept) = kept_sessions::portal_session(session, at) else {
        return Ok(());
    };
    let http = session.sign_on_http(at.ca_file.as_deref(), at.proxy.as_deref())?;
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method itself is for one lifetime only"
    )]
    let ended = with_portal(session, &http, at, &kept, |portal| portal.log_out());
    match ended {
        Err(IdentityCenterError::SessionEnded) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
