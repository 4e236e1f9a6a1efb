//! Where people sign in with a browser: whether that would work, found out without signing in.

use crate::commands::doctor::finding::Finding;
use crate::identity::sign_on::{PortalSettings, ProviderSettings};
use crate::identity::{Identity, PersonalProof};
use crate::oidc::{Callback, Provider};
use crate::session::Session;
use crate::sign_in::kept_sessions::SignOn;

const CHECK: &str = "sign-in";

/// What there is to say of an identity that a person signs in for; nothing of others.
pub(super) fn check(session: &Session<'_>, identity: &Identity) -> Vec<Finding> {
    match identity.personal_proof() {
        PersonalProof::Portal(at) => vec![portal(session, at), browser(session, true)],
        PersonalProof::Provider(at, _) => provider(session, at),
        PersonalProof::Passcode | PersonalProof::None => Vec::new(),
    }
}

fn portal(session: &Session<'_>, at: &PortalSettings) -> Finding {
    let now = session.host.clock.now();
    let record = SignOn::Portal(at).record(&session.directories);
    match record.and_then(|record| record.ended.or(record.ends_at)) {
        Some(end) if end > now => Finding::ok(
            CHECK,
            format!("at `{}` until {}", at.start_url, end.format("%Y-%m-%d %H:%M UTC")),
        ),
        Some(end) => Finding::warning(
            CHECK,
            format!(
                "at `{}` it ended on {}",
                at.start_url,
                end.format("%Y-%m-%d at %H:%M UTC")
            ),
            "`kubectl cce-login refresh` signs in again",
        ),
        None => Finding::warning(
            CHECK,
            format!("nobody has signed in at `{}` on this machine", at.start_url),
            "`kubectl cce-login refresh` signs in",
        ),
    }
}

fn provider(session: &Session<'_>, at: &ProviderSettings) -> Vec<Finding> {
    let asked = session
        .sign_on_http(at.ca_file.as_deref(), None)
        .and_then(|http| Ok(Provider::discover(&http, &at.issuer, session.deadline)?));
    let provider = match asked {
        Ok(provider) => provider,
        Err(error) => return vec![Finding::failed(CHECK, &error)],
    };
    let mut findings = vec![abilities(&provider)];
    if provider.has_pkce == Some(false) {
        findings.push(Finding::warning(
            CHECK,
            "the identity provider does not offer PKCE (S256), which we use in any case",
            "let its administrator switch it on for this client",
        ));
    }
    if let Err(error) = Callback::listen(&at.redirect_url.clone().unwrap_or_default()) {
        findings.push(Finding::failed(CHECK, &error.into()));
    }
    findings.push(browser(session, provider.has_device_flow()));
    findings
}

fn abilities(provider: &Provider) -> Finding {
    if !provider.has_code_flow {
        return Finding::problem(
            CHECK,
            format!("`{}` does not offer the authorization code flow", provider.issuer),
            "let its administrator allow it for this client",
        );
    }
    let mut abilities = vec!["browser"];
    abilities.extend(provider.has_device_flow().then_some("device code"));
    abilities.extend((provider.has_offline_access != Some(false)).then_some("renewal without asking"));
    abilities.extend(provider.can_revoke().then_some("ended by logout"));
    Finding::ok(
        CHECK,
        format!("`{}` answers: {}", provider.issuer, abilities.join(", ")),
    )
}

fn browser(session: &Session<'_>, has_device_flow: bool) -> Finding {
    match session.host.without_browser() {
        None => Finding::ok("browser", "one can be opened here"),
        Some(reason) if has_device_flow => Finding::ok(
            "browser",
            format!("{reason}: a code is typed in the browser of another machine"),
        ),
        Some(reason) => Finding::warning(
            "browser",
            format!("{reason}, and the identity provider has no device flow"),
            "sign in on a machine with a browser, or set `--redirect-url` with a port and bring it here with `ssh -L`",
        ),
    }
}
