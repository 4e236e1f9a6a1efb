//! A company's identity provider: an id token by refresh token where there is one, else with a person, in the browser here or elsewhere.

use super::browser::{self, BrowserPolicy, BrowserStart};
use super::{kept_sessions, subject};
use crate::error::{Error, Result};
use crate::host::{Host, parallel};
use crate::http::Http;
use crate::identity::IdentityError;
use crate::identity::sign_on::{BrowserChoice, ProviderSettings};
use crate::oidc::{Attempt, Callback, OidcClient, OidcError, PollAnswer, Provider, RedirectUrl, Tokens};
use crate::secret::Secret;
use crate::session::Session;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The scope for refresh tokens that outlive the browser's session.
const OFFLINE_ACCESS: &str = "offline_access";
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
    let provider = Provider::discover(&http, &at.issuer, &session.host.clock, session.deadline)?;
    let scopes = scopes(at, &provider);
    let client = client(session, &http, &provider, at, client_secret, &scopes);
    match client.by_refresh_token(&kept) {
        Ok(tokens) if subject::is_same(session, at, &tokens.claims) => {
            // Before anything else: the one before is good for nothing any more.
            if let Some(next) = &tokens.refresh_token {
                kept_sessions::keep_refresh_token(session, at, next, tokens.refresh_ends_at);
            }
            Ok(tokens.id_token)
        }
        Ok(_) => {
            session
                .log
                .info(|| "the provider has renewed somebody else's sign-in: a person is needed".to_owned());
            kept_sessions::forget_refresh_token(session, at);
            Err(IdentityError::SignInNeeded.into())
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

/// An id token, with a person.
pub(super) fn sign_in(
    session: &Session<'_>,
    at: &ProviderSettings,
    client_secret: Option<&Secret<String>>,
) -> Result<Secret<String>> {
    let doing = |error: OidcError| Error::from(error).doing(format!("failed to sign in at `{}`", at.issuer));
    let http = session.sign_on_http(at.ca_file.as_deref(), None)?;
    let provider = Provider::discover(&http, &at.issuer, &session.host.clock, session.deadline).map_err(doing)?;
    let mut scopes = scopes(at, &provider);
    let asked = ask(
        session,
        &client(session, &http, &provider, at, client_secret, &scopes),
        at,
    );
    let tokens = match asked {
        // Not everybody may have what the provider has; the browser knows the person by now.
        Err(error) if error.is_about_offline_access() && scopes.iter().any(|scope| scope == OFFLINE_ACCESS) => {
            session.host.say(&format!("{error}: once more without them"));
            scopes.retain(|scope| scope != OFFLINE_ACCESS);
            let client = client(session, &http, &provider, at, client_secret, &scopes);
            ask(session, &client, at).map_err(doing)?
        }
        asked => asked.map_err(doing)?,
    };
    subject::note(session, at, &tokens.claims);
    match &tokens.refresh_token {
        Some(token) => {
            if !kept_sessions::keep_refresh_token(session, at, token, tokens.refresh_ends_at) {
                session.host.say(
                    "the sign-in cannot be kept: there is no keyring here, so you are asked again with each renewal (`--secret-store file` keeps it in a file)",
                );
            }
        }
        None => kept_sessions::drop_refresh_token(session, at),
    }
    Ok(tokens.id_token)
}

fn ask(
    session: &Session<'_>,
    client: &OidcClient<'_>,
    at: &ProviderSettings,
) -> std::result::Result<Tokens, OidcError> {
    let has_browser = at.browser.is_some() || session.host.without_browser().is_none();
    // A fixed address may be brought to a browser elsewhere (`ssh -L`); any port may not.
    let can_return = has_browser || at.redirect_url.as_ref().is_some_and(RedirectUrl::has_port);
    let has_device_flow = client.provider.has_device_flow();
    match at.method {
        BrowserChoice::Elsewhere => with_device_code(session, client, at),
        BrowserChoice::Auto if !can_return && has_device_flow => with_device_code(session, client, at),
        BrowserChoice::Auto => with_browser(session, client, at, has_device_flow),
        BrowserChoice::Here => with_browser(session, client, at, false),
    }
}

/// `can_switch`: a browser that cannot be opened is replaced by that of another machine.
fn with_browser(
    session: &Session<'_>,
    client: &OidcClient<'_>,
    at: &ProviderSettings,
    can_switch: bool,
) -> std::result::Result<Tokens, OidcError> {
    let host = session.host;
    let attempt = Attempt::new()?;
    let callback = Callback::listen(&at.redirect_url.clone().unwrap_or_default())?;
    let redirect_uri = callback.redirect_uri().to_owned();
    client.check_redirect_uri(&redirect_uri)?;
    let address = client.authorization_url(&attempt, &redirect_uri);
    let show = || {
        host.say("Sign in with your browser:");
        host.say(&format!("  open   {address}"));
    };
    let is_question = browser::browser_policy(host).is_ok_and(|policy| policy == BrowserPolicy::Ask);
    if is_question {
        show();
    }
    let start = browser::open_browser(host, &address, at.browser.as_deref());
    if start == BrowserStart::Failed && can_switch {
        session
            .log
            .info(|| "no browser could be opened: a code it is".to_owned());
        return with_device_code(session, client, at);
    }
    if !is_question {
        show();
    }
    let is_over = AtomicBool::new(false);
    let listen = || {
        callback.wait(&attempt, client.provider, PATIENCE, &|| {
            !is_over.load(Ordering::Acquire)
        })
    };
    let code = if start == BrowserStart::Opened {
        host.say(browser::BROWSER_IS_OPEN);
        host.while_waiting(listen)?
    } else {
        say_how_to_come_back(host, at, &redirect_uri);
        let pasted = |goes_on: &dyn Fn() -> bool| {
            loop {
                let address = host.ask_secret_while("Address: ", goes_on)?;
                if let Some(answer) = callback.judge_pasted(&attempt, client.provider, &address) {
                    is_over.store(true, Ordering::Release);
                    return Some(answer);
                }
                host.say("that is not this sign-in's address; once more:");
            }
        };
        host.while_waiting(|| parallel::race(&listen, pasted))?
    };
    drop(callback); // whoever comes later finds nobody
    client.by_code(&code, &attempt, &redirect_uri)
}

/// Where no browser was opened here.
fn say_how_to_come_back(host: &Host, at: &ProviderSettings, redirect_uri: &str) {
    host.say(&format!("It is to come back to {redirect_uri}"));
    if let Some(port) = at.redirect_url.as_ref().and_then(RedirectUrl::port) {
        let name = host.machine_name();
        host.say("A browser on another machine does with");
        host.say(&format!("  ssh -L {port}:127.0.0.1:{port} {name}"));
        host.say("or paste the address at which it ends there,");
    } else {
        host.say("A browser on another machine cannot:");
        host.say("paste the address at which it ends there,");
    }
    host.say("with an error. Ctrl-C to stop.");
}

fn with_device_code(
    session: &Session<'_>,
    client: &OidcClient<'_>,
    at: &ProviderSettings,
) -> std::result::Result<Tokens, OidcError> {
    let attempt = Attempt::new()?;
    let device = client.authorize_device(&attempt)?;
    let minutes = browser::minutes_of(session, &device);
    browser::show_code(session, &format!("`{}`", at.issuer), &device, at.browser.as_deref());
    let polled = session
        .host
        .while_waiting(|| device.pace.poll(&session.host.clock, || client.poll(&device, &attempt)));
    match polled? {
        Some(PollAnswer::Done(tokens)) => Ok(tokens),
        Some(PollAnswer::Denied) => Err(OidcError::Denied(String::new())),
        _ => Err(OidcError::NobodyApproved(minutes)),
    }
}

/// What is asked for: `offline_access` only where the provider has it.
fn scopes(at: &ProviderSettings, provider: &Provider) -> Vec<String> {
    let mut scopes = vec!["openid".to_owned()];
    scopes.extend(at.scopes.iter().filter(|scope| *scope != "openid").cloned());
    let offline = OFFLINE_ACCESS.to_owned();
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
    let provider = Provider::discover(&http, &at.issuer, &session.host.clock, session.deadline)?;
    let client = client(session, &http, &provider, at, client_secret, &[]);
    Ok(client.revoke(&kept)?)
}
