//! A certificate as people are told of it.

use crate::cache::failure;
use crate::credential::slot::{CertificateSlot, ObtainedCertificate};
use crate::host::{Directories, Host};
use crate::huaweicloud::cce::cluster_cert::LIFETIME_TOLERANCE;
use crate::lifetime::{CertLifetime, about, span};
use crate::store::StoreKind;
use chrono::TimeDelta;

/// With less than this left, a person at a terminal is told that the renewal does not succeed.
const LAST_MINUTES: TimeDelta = TimeDelta::minutes(5);

/// A certificate in a line for people: for how long, until when, and where it is kept.
pub(crate) fn certificate(host: &Host, obtained: &ObtainedCertificate, asked: CertLifetime) -> String {
    let entry = &obtained.entry;
    let left = entry.ends_at(&host.clock) - host.clock.now();
    let mut line = format!(
        "valid for {} (until {})",
        about(left),
        host.clock.local(entry.cert.not_after)
    );
    let granted = entry.cert.not_after - entry.fetched_at;
    if is_other_than(asked, granted) {
        line = format!("{line}; asked for {asked}, this cloud granted {}", about(granted));
    }
    match obtained.kept_in.as_slice() {
        [] => {
            let directories = Directories::of(&host.env);
            let way = match (directories.cache, directories.home_of_somebody_else) {
                (Some(_), _) => "`--cache file` keeps it in a file that only you can read",
                (None, Some(_)) => crate::host::NOT_OUR_HOME,
                (None, None) => {
                    "set `HOME`, or `CCE_LOGIN_CACHE_DIR` to a directory of yours; then `--cache file` keeps it there"
                }
            };
            format!("{line}; kept nowhere, so every kubectl call fetches a new one ({way})")
        }
        kinds => line + ", kept in " + &kinds.iter().map(StoreKind::to_string).collect::<Vec<_>>().join(" and "),
    }
}

/// Whether the cloud granted another lifetime than was asked for.
pub(crate) fn is_other_than(asked: CertLifetime, granted: TimeDelta) -> bool {
    asked
        .span()
        .is_some_and(|span| (granted - span).abs() > LIFETIME_TOLERANCE)
}

/// Everything is well as long as the certificate lasts; a person who looks on should know that it does not last long.
pub(crate) fn warn_in_last_minutes(slot: &CertificateSlot<'_>, obtained: &ObtainedCertificate) {
    let host = slot.session.host;
    if !slot.session.is_interactive {
        return;
    }
    let left = obtained.entry.ends_at(&host.clock) - host.clock.now();
    if obtained.is_fetched || left >= LAST_MINUTES {
        return;
    }
    if let Some(failure) = failure::read(&slot.session.directories, &slot.key) {
        let message = failure.message();
        let left = span(left);
        host.say(&format!(
            "kubectl cce-login: warning: the certificate ends in {left} and is not renewed: {message}"
        ));
    }
}
