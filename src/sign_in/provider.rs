//! A company's identity provider: an id token by refresh token where there is one, else with a person, in the browser here or elsewhere.

use super::{browser, kept_sessions};
use crate::error::{Error, Result};
use crate::http::Http;
use crate::identity::IdentityError;
use crate::identity::sign_on::{BrowserChoice, ProviderSettings};
use crate::oidc::{Attempt, Callback, OidcClient, OidcError, PollAnswer, Provider, RedirectUrl, Tokens};
use crate::secret::Secret;
use crate::session::Session;
use std::time::Duration;

/// How long a browser is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// A new id token without asking anybody; [`IdentityError::SignInNeeded`] where that is not possible.
pub(super) fn refreshed(
    session: &Session<'_>,
    at: &ProviderSettings,
    client_secret: Option<&Secret<String>>,
) -> Result<Secret<String>> {
    let kept = kept_sessions::refresh_token(session, at).ok_or(IdentityError::SignInNeeded)?;
    let http = session.sign_on_http(at.ca_file.as_deref(), None)?;
    let provider = Provider::discover(&http, &at.issuer, session.deadline)?;
    let scopes = scopes(at, &provider);
    let client = client(session, &http, &provider, at, client_secret, &scopes);
    match client.by_refresh_token(&kept) {
        Ok(tokens) => {
            // Before anything else: the one before is good for nothing any more.
            if let Some(next) = &tokens.refresh_token {
                kept_sessions::keep_refresh_token(session, at, next);
            }
            Ok(tokens.id_token)
        }
        Err(error) if error.is_definite_no() => {
            session.log.info(|| format!("{error}: a person is needed"));
            kept_sessions::forget_refresh_token(session, at);
            Err(IdentityError::SignInNeeded.into())
        }
        // Some providers give an id token at the sign-in only.
        Err(OidcError::Incomplete(_)) => Err(IdentityError::SignInNeeded.into()),
        Err(error) => Err(Error::from(error).doing(format!("failed to renew the sign-in at `{}`", at.issuer))),
    }
}

/// What a person's sign-in gives.
pub(super) struct SignedIn {
    /// For IAM.
    pub(super) id_token: Secret<String>,
    /// Somebody else signed in before with this profile.
    pub(super) is_other_person: bool,
}

/// An id token, with a person.
pub(super) fn sign_in(
    session: &Session<'_>,
    at: &ProviderSettings,
    client_secret: Option<&Secret<String>>,
) -> Result<SignedIn> {
    let doing = |error: OidcError| Error::from(error).doing(format!("failed to sign in at `{}`", at.issuer));
    let http = session.sign_on_http(at.ca_file.as_deref(), None)?;
    let provider = Provider::discover(&http, &at.issuer, session.deadline).map_err(doing)?;
    let scopes = scopes(at, &provider);
    let client = client(session, &http, &provider, at, client_secret, &scopes);
    let tokens = ask(session, &client, at).map_err(doing)?;
    let subject = &tokens.claims.subject;
    let is_other_person = kept_sessions::note_person(session, at, subject, tokens.claims.name.as_deref());
    match &tokens.refresh_token {
        Some(token) => {
            if !kept_sessions::keep_refresh_token(session, at, token) {
                session.host.say(
                    "the sign-in cannot be kept: there is no keyring here, so you are asked again with each renewal (`--secret-store file` keeps it in a file)",
                );
            }
        }
        None => kept_sessions::forget_refresh_token(session, at),
    }
    Ok(SignedIn {
        id_token: tokens.id_token,
        is_other_person,
    })
}

fn ask(
    session: &Session<'_>,
    client: &OidcClient<'_>,
    at: &ProviderSettings,
) -> std::result::Result<Tokens, OidcError> {
    let host = session.host;
    let has_browser = at.browser.is_some() || host.without_browser().is_none();
    // A fixed address may be brought to a browser elsewhere (`ssh -L`); any port may not.
    let can_return = has_browser || at.redirect_url.as_ref().is_some_and(RedirectUrl::has_port);
    let is_here = match at.method {
        BrowserChoice::Here => true,
        BrowserChoice::Auto => can_return,
        BrowserChoice::Elsewhere => false,
    };
    if is_here {
        with_browser(session, client, at)
    } else {
        with_device_code(session, client, at)
    }
}

fn with_browser(
    session: &Session<'_>,
    client: &OidcClient<'_>,
    at: &ProviderSettings,
) -> std::result::Result<Tokens, OidcError> {
    let host = session.host;
    let attempt = Attempt::new()?;
    let callback = Callback::listen(&at.redirect_url.clone().unwrap_or_default())?;
    let redirect_uri = callback.redirect_uri().to_owned();
    let address = client.authorization_url(&attempt, &redirect_uri);
    host.say("Sign in with your browser:");
    host.say(&format!("  open   {address}"));
    if browser::open_browser(host, &address, at.browser.as_deref()) {
        host.say("Your browser should be open now. Waiting for it; Ctrl-C to stop.");
    } else {
        host.say(&format!("Waiting for it on {redirect_uri}; Ctrl-C to stop."));
    }
    let code = session
        .host
        .while_waiting(|| callback.wait(&attempt, client.provider, PATIENCE))?;
    client.by_code(&code, &attempt, &redirect_uri)
}

fn with_device_code(
    session: &Session<'_>,
    client: &OidcClient<'_>,
    at: &ProviderSettings,
) -> std::result::Result<Tokens, OidcError> {
    let device = client.authorize_device()?;
    browser::show_code(session, &format!("`{}`", at.issuer), &device, at.browser.as_deref());
    let polled = session
        .host
        .while_waiting(|| device.pace.poll(&session.host.clock, || client.poll(&device)));
    match polled? {
        Some(PollAnswer::Done(tokens)) => Ok(tokens),
        Some(PollAnswer::Denied) => Err(OidcError::Denied(String::new())),
        _ => Err(OidcError::NobodyCame(
            u64::try_from((device.pace.ends_at - session.started).num_minutes()).unwrap_or_default(),
        )),
    }
}

/// What is asked for: `offline_access` only where the provider has it.
fn scopes(at: &ProviderSettings, provider: &Provider) -> Vec<String> {
    let mut scopes = vec!["openid".to_owned()];
    scopes.extend(at.scopes.iter().filter(|scope| *scope != "openid").cloned());
    let offline = "offline_access".to_owned();
    if provider.has_offline_access == Some(true) && !scopes.contains(&offline) {
        scopes.push(offline);
    }
    scopes
}

fn client<'a>(
    session: &'a Session<'_>,
    http: &'a Http,
    provider: &'a Provider,
    at: &'a ProviderSettings,
    client_secret: Option<&'a Secret<String>>,
    scopes: &'a [String],
) -> OidcClient<'a> {
    OidcClient {
        http,
        provider,
        client_id: &at.client_id,
        client_secret,
        scopes,
        extra: &at.extra,
        clock: &session.host.clock,
        deadline: session.deadline,
    }
}

/// Gives the kept refresh token back at the provider; a provider that cannot be asked is a warning.
pub(crate) fn log_out(
    session: &Session<'_>,
    at: &ProviderSettings,
    client_secret: Option<&Secret<String>>,
) -> Result<()> {
    let Some(kept) = kept_sessions::refresh_token(session, at) else {
        return Ok(());
    };
    let http = session.sign_on_http(at.ca_file.as_deref(), None)?;
    let provider = Provider::discover(&http, &at.issuer, session.deadline)?;
    let client = client(session, &http, &provider, at, client_secret, &[]);
    Ok(client.revoke(&kept)?)
}
