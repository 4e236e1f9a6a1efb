//! A person's browser: whether it may be opened, and what the person is shown in any case.

use crate::env_vars;
use crate::host::Host;
use crate::identity::IdentityError;
use crate::oidc::{DeviceAuthorization, is_safe_address};
use crate::sanitize::sanitize;
use crate::session::Session;

/// What is said where a browser was opened.
pub(super) const BROWSER_IS_OPEN: &str = "Your browser should be open now; Ctrl-C to stop.";

/// Whether a browser may be opened (`CCE_LOGIN_BROWSER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrowserPolicy {
    /// By the commands that a person runs.
    Usual,
    /// Never: the address is shown.
    Never,
    /// After a question.
    Ask,
    /// By kubectl too, if there is a terminal.
    Always,
}

/// As the variable says; an error where it says nothing that is known.
pub(super) fn browser_policy(host: &Host) -> Result<BrowserPolicy, IdentityError> {
    match host.env.var(env_vars::LOGIN_BROWSER).as_deref() {
        None => Ok(BrowserPolicy::Usual),
        Some("never") => Ok(BrowserPolicy::Never),
        Some("ask") => Ok(BrowserPolicy::Ask),
        Some("always") => Ok(BrowserPolicy::Always),
        Some(other) => Err(IdentityError::Broken {
            source_name: env_vars::LOGIN_BROWSER.to_owned(),
            problem: format!("`{}` is not a choice", sanitize(other)),
            cure: "set it to never, ask or always, or unset it".to_owned(),
        }),
    }
}

/// What became of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrowserStart {
    /// It is open, as far as can be known.
    Opened,
    /// It was not to be opened, or would not be in front of the person.
    NotTried,
    /// It could not be opened.
    Failed,
}

/// Opens the address where that is wanted and makes sense.
pub(super) fn open_browser(host: &Host, address: &str, command: Option<&str>) -> BrowserStart {
    let is_wanted = match browser_policy(host).unwrap_or(BrowserPolicy::Never) {
        BrowserPolicy::Never => false,
        BrowserPolicy::Ask => host.confirm("Open it in your browser?").unwrap_or_default(),
        BrowserPolicy::Usual | BrowserPolicy::Always => true,
    };
    let is_possible = command.is_some() || host.without_browser().is_none();
    match is_wanted && is_possible {
        false => BrowserStart::NotTried,
        true if host.open_browser(address, command) => BrowserStart::Opened,
        true => BrowserStart::Failed,
    }
}

/// For how many minutes a code is good.
pub(super) fn minutes_of(session: &Session<'_>, device: &DeviceAuthorization) -> i64 {
    let seconds = (device.pace.ends_at - session.host.clock.now()).num_seconds();
    ((seconds + 30) / 60).max(1)
}

/// Shows a person where to type which code.
pub(super) fn show_code(session: &Session<'_>, whom: &str, device: &DeviceAuthorization, browser: Option<&str>) {
    let host = session.host;
    let minutes = minutes_of(session, device);
    let code = sanitize(&device.user_code);
    let safe = |address: &&String| is_safe_address(address);
    let page = sanitize(&device.verification_uri);
    let direct = device.verification_uri_complete.as_ref().filter(safe);
    host.say(&format!("Sign in at {whom} with your browser:"));
    host.say(&format!("  open   {}", direct.map_or(page.as_str(), String::as_str)));
    host.say(&format!("  code   {code} (valid for {minutes} min)"));
    host.say(&format!(
        "Approve no other code: you started this on {}.",
        host.machine_name()
    ));
    let address = direct.unwrap_or(&device.verification_uri);
    if is_safe_address(address) && open_browser(host, address, browser) == BrowserStart::Opened {
        host.say(BROWSER_IS_OPEN);
    } else {
        host.say("Waiting for you there; Ctrl-C to stop.");
    }
}
