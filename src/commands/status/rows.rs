//! The rows of the report, a context each.

use crate::cache::freshness::Schedule;
use crate::commands::status::{CheckResult, ContextState};
use crate::contexts;
use crate::credential::describe;
use crate::host::Host;
use crate::kubeconfig::{OurContext, cluster_id};
use crate::lifetime::{CertLifetime, about};
use crate::output::{self, Format};
use crate::sanitize::{line, sanitize};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// A row; what is not known is `null`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusRow {
    context: String,
    is_current: bool,
    cluster: Option<String>,
    cluster_id: Option<String>,
    server: Option<String>,
    /// The profile's name or the source's.
    identity: Option<String>,
    /// The certificate's CN.
    user: Option<String>,
    asked: Option<String>,
    granted: Option<String>,
    #[serde(skip)]
    is_granted_as_asked: bool,
    /// A login of many clusters has left it to later.
    #[serde(skip)]
    is_not_fetched_yet: bool,
    not_after: Option<DateTime<Utc>>,
    seconds_left: Option<i64>,
    kept_in: Vec<String>,
    /// The register of many machines that is asked before the cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_cache: Option<String>,
    last_error: Option<LastError>,
    check: Option<Check>,
    /// The person's sign-in, where one has signed in.
    sign_in: Option<SignInRow>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LastError {
    at: DateTime<Utc>,
    message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SignInRow {
    ends: DateTime<Utc>,
    /// It ends before the certificate is renewed the next time.
    before_renewal: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    /// `accepted`, `refused` or `unknown`.
    result: &'static str,
    message: Option<String>,
}

impl StatusRow {
    pub(super) fn new(host: &Host, context: &OurContext<'_>, held: &ContextState, is_current: bool) -> Self {
        let note = held.note.as_ref();
        let cert = held.cached.as_ref().map(|(_, entry)| &entry.cert);
        let left = held
            .cached
            .as_ref()
            .map(|(_, entry)| Schedule::of(entry, &host.clock).left(host.clock.now()));
        let granted = held
            .cached
            .as_ref()
            .map(|(_, entry)| entry.cert.not_after - entry.fetched_at);
        let asked = note.and_then(|note| CertLifetime::parse(&note.asked).ok());
        // The stores that took it, the one that still has it first.
        let mut kept_in: Vec<String> = held.cached.iter().map(|(place, _)| sanitize(place)).collect();
        if let (Some(note), false) = (note, kept_in.is_empty()) {
            kept_in.extend(note.stores.names().map(sanitize));
            kept_in.dedup();
        }
        Self {
            context: context.name.to_owned(),
            is_current,
            cluster: context.cluster_name.map(str::to_owned),
            cluster_id: cluster_id(&context.args).map(str::to_owned),
            server: context.server.map(str::to_owned),
            identity: context.args.iter().find_map(|arg| pinned(arg)).map(str::to_owned),
            user: cert
                .map(|cert| cert.common_name.clone())
                .or_else(|| Some(note?.user_id.clone())),
            asked: note.map(|note| note.asked.clone()),
            granted: granted.map(about),
            is_granted_as_asked: !granted
                .zip(asked)
                .is_some_and(|(granted, asked)| describe::is_other_than(asked, granted)),
            is_not_fetched_yet: cert.is_none() && contexts::has_no_ca(context),
            not_after: cert.map(|cert| cert.not_after),
            seconds_left: left.map(|left| left.num_seconds()),
            kept_in,
            shared_cache: held.shared_cache.clone(),
            last_error: held.last_failure.as_ref().map(|failure| LastError {
                at: failure.at,
                message: failure.message().to_owned(),
            }),
            check: held.checked.as_ref().map(Check::of),
            sign_in: held.sign_in_ends.map(|ends| {
                let now = host.clock.now();
                let renewal = held.cached.as_ref().map(|(_, entry)| {
                    let schedule = Schedule::of(entry, &host.clock);
                    now + schedule.left(now) - schedule.window()
                });
                SignInRow {
                    ends,
                    before_renewal: ends <= renewal.unwrap_or(now),
                }
            }),
            problem: held
                .problem
                .as_ref()
                .map(crate::error::Error::cause)
                .or_else(|| Some(held.unusable.as_ref()?.to_string())),
        }
    }

    fn cells(&self, has_sign_in: bool, has_check: bool) -> Vec<String> {
        let shown = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), sanitize);
        let expires = self.not_after.map(|end| end.format("%Y-%m-%d %H:%M UTC").to_string());
        let expires = expires.or_else(|| self.is_not_fetched_yet.then(|| "not fetched yet".to_owned()));
        let left = self.seconds_left.map(|seconds| match seconds {
            ..=0 => "expired".to_owned(),
            seconds => about(chrono::TimeDelta::seconds(seconds)),
        });
        let lifetime = match (&self.granted, &self.asked) {
            (Some(granted), Some(asked)) if !self.is_granted_as_asked => Some(format!("{granted} (asked {asked})")),
            (granted, _) => granted.clone(),
        };
        let shared = self.shared_cache.as_ref().map(|shared| format!("shared: {shared}"));
        let kept_in: Vec<String> = self.kept_in.iter().cloned().chain(shared).collect();
        let kept_in = Some(kept_in.join(", ")).filter(|text| !text.is_empty());
        let trouble = self
            .problem
            .clone()
            .or_else(|| Some(self.last_error.as_ref()?.message.clone()));
        let mut cells = vec![
            if self.is_current { "*" } else { "" }.to_owned(),
            sanitize(&self.context),
            shown(&self.cluster),
            shown(&self.identity),
            shown(&self.user),
            shown(&expires),
            shown(&left),
            shown(&lifetime),
            shown(&kept_in),
        ];
        if has_sign_in {
            cells.push(self.sign_in.as_ref().map_or("-".to_owned(), SignInRow::in_table));
        }
        if has_check {
            cells.push(self.check.as_ref().map_or("-".to_owned(), Check::in_table));
        }
        cells.extend(trouble.as_deref().map(sanitize));
        cells
    }
}

impl SignInRow {
    fn in_table(&self) -> String {
        let ends = self.ends.format("%Y-%m-%d %H:%M UTC");
        let warning = if self.before_renewal {
            ": before the next renewal"
        } else {
            ""
        };
        format!("{ends}{warning}")
    }
}

impl Check {
    fn of(checked: &CheckResult) -> Self {
        let (result, message) = match checked {
            CheckResult::Accepted => ("accepted", None),
            CheckResult::Refused => ("refused", None),
            CheckResult::NotValidYet(from) => {
                let from = from.format("%Y-%m-%d %H:%M UTC");
                ("refused", Some(format!("not valid before {from}")))
            }
            CheckResult::Unverified => ("unknown", Some("not verified: new authorities?".to_owned())),
            CheckResult::Unanswered(error) => ("unknown", Some(error.to_string())),
            CheckResult::NotPossible(reason) => ("unknown", Some((*reason).to_owned())),
        };
        Self { result, message }
    }

    fn in_table(&self) -> String {
        self.message.clone().unwrap_or_else(|| self.result.to_owned())
    }
}

/// What `--profile=…` or `--identity=…` pins.
fn pinned(arg: &str) -> Option<&str> {
    arg.strip_prefix("--profile=")
        .or_else(|| arg.strip_prefix("--identity="))
}

/// The rows in this form.
pub(super) fn render(rows: &[StatusRow], format: Format) -> String {
    match format {
        Format::Json => output::json(&rows),
        Format::Yaml => output::yaml(&rows),
        Format::Name => rows.iter().map(|row| line(&row.context) + "\n").collect(),
        Format::Table => {
            let has_check = rows.iter().any(|row| row.check.is_some());
            let has_trouble = rows.iter().any(|row| row.problem.is_some() || row.last_error.is_some());
            let mut head = vec![
                "CURRENT", "CONTEXT", "CLUSTER", "IDENTITY", "USER", "EXPIRES", "LEFT", "LIFETIME", "KEPT IN",
            ];
            let has_sign_in = rows.iter().any(|row| row.sign_in.is_some());
            head.extend(has_sign_in.then_some("SIGN-IN ENDS"));
            head.extend(has_check.then_some("API SERVER"));
            head.extend(has_trouble.then_some("LAST ERROR"));
            let head = head.into_iter().map(str::to_owned).collect();
            let cells = rows.iter().map(|row| row.cells(has_sign_in, has_check));
            output::table(&std::iter::once(head).chain(cells).collect::<Vec<_>>())
        }
    }
}
