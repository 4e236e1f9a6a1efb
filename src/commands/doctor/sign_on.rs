//! Where people sign in with a browser: whether that would work, found out without signing in.

use crate::commands::doctor::finding::Finding;
use crate::identity::Identity;
use crate::identity::sign_on::ProviderSettings;
use crate::lifetime::about;
use crate::oidc::{Callback, Provider, RedirectUrl};
use crate::session::Session;
use crate::sign_in::kept_sessions::SignOn;
use chrono::TimeDelta;

const CHECK: &str = "sign-in";

/// A provider's clock that differs by less does no harm.
const TOLERABLE: TimeDelta = TimeDelta::minutes(1);

/// What there is to say of an identity that a person signs in for; nothing of others.
pub(super) fn check(session: &Session<'_>, identity: &Identity) -> Vec<Finding> {
    let Some(sign_on) = SignOn::of(identity) else {
        return Vec::new();
    };
    let mut findings = vec![last_sign_in(session, identity, &sign_on)];
    match &sign_on {
        SignOn::Portal(_) => findings.push(browser(session, true)),
        SignOn::Provider(at) => findings.extend(provider(session, at)),
    }
    findings
}

fn last_sign_in(session: &Session<'_>, identity: &Identity, sign_on: &SignOn<'_>) -> Finding {
    let place = match sign_on {
        SignOn::Portal(at) => &at.start_url,
        SignOn::Provider(at) => &at.issuer,
    };
    let now = session.host.clock.now();
    let Some(record) = sign_on.record(&session.directories) else {
        return Finding::warning(
            CHECK,
            format!("nobody has signed in at `{place}` on this machine"),
            "`kubectl cce-login refresh` signs in",
        );
    };
    let who = record.person.map_or_else(String::new, |person| format!("`{person}` "));
    match sign_on.end(session, &identity.identity_argument()) {
        Some(end) if end <= now => Finding::warning(
            CHECK,
            format!("{who}at `{place}`: ended on {}", end.format("%Y-%m-%d at %H:%M UTC")),
            "`kubectl cce-login refresh` signs in again",
        ),
        Some(end) => Finding::ok(
            CHECK,
            format!("{who}at `{place}` until {}", end.format("%Y-%m-%d %H:%M UTC")),
        ),
        None => Finding::ok(CHECK, format!("{who}at `{place}`, until the provider ends it")),
    }
}

fn provider(session: &Session<'_>, at: &ProviderSettings) -> Vec<Finding> {
    let asked = session.sign_on_http(at.ca_file.as_deref(), None).and_then(|http| {
        Ok(Provider::discover(
            &http,
            &at.issuer,
            &session.host.clock,
            session.deadline,
        )?)
    });
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
    findings.extend(provider.skew.filter(|skew| skew.abs() >= TOLERABLE).map(|skew| {
        let side = if skew > TimeDelta::zero() { "behind" } else { "ahead of" };
        Finding::warning(
            "clock",
            format!("this machine's is {} {side} the identity provider's", about(skew.abs())),
            "set it, or let it be set (`timedatectl set-ntp true`): an id token is good for some minutes only",
        )
    }));
    findings.push(match Callback::listen(&at.redirect_url.clone().unwrap_or_default()) {
        Ok(callback) if at.redirect_url.as_ref().is_some_and(RedirectUrl::has_port) => Finding::ok(
            "loopback",
            format!("the browser can come back to `{}`", callback.redirect_uri()),
        ),
        Ok(_) => Finding::ok("loopback", "the browser can come back to any port of this machine"),
        Err(error) => Finding::failed("loopback", &error.into()),
    });
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
    let is_renewed = provider.has_renewal != Some(false) && provider.has_offline_access != Some(false);
    let mut abilities = vec!["browser"];
    abilities.extend((provider.has_pkce == Some(true)).then_some("PKCE"));
    abilities.extend(provider.has_device_flow().then_some("device code"));
    abilities.extend(is_renewed.then_some("renewal without asking"));
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
        Some(reason) => Finding::ok(
            "browser",
            format!(
                "{reason}, and the identity provider has no device flow: the address at which a browser elsewhere ends is pasted here"
            ),
        ),
    }
}
