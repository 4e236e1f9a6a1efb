//! The rows of the report, a context each.

use crate::account::user_name;
use crate::cache::freshness::Schedule;
use crate::commands::status::{CheckResult, ContextState};
use crate::contexts;
use crate::credential::describe;
use crate::host::Clock;
use crate::huaweicloud::observed;
use crate::kubeconfig::{OurContext, cluster_id};
use crate::lifetime::{CertLifetime, about};
use crate::output::{self, Format};
use crate::sanitize::{line, sanitize};
use crate::session::Session;
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
    /// What the cloud calls this user, as far as it has told.
    user_name: Option<String>,
    /// Name and id in short.
    #[serde(skip)]
    known_as: Option<String>,
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

/// The stores that took it, the one that still has it first.
fn kept_in(held: &ContextState) -> Vec<String> {
    let mut kept_in: Vec<String> = held.cached.iter().map(|(place, _)| sanitize(place)).collect();
    if let (Some(note), false) = (&held.note, kept_in.is_empty()) {
        kept_in.extend(note.stores.names().map(sanitize));
        kept_in.dedup();
    }
    kept_in
}

/// The sign-in of a person, where one ends.
fn sign_in(held: &ContextState, clock: &Clock) -> Option<SignInRow> {
    let ends = held.sign_in_ends?;
    let now = clock.now();
    let renewal = held.cached.as_ref().map(|(_, entry)| {
        let schedule = Schedule::of(entry, clock);
        now + schedule.left(now) - schedule.window()
    });
    Some(SignInRow {
        ends,
        before_renewal: ends <= renewal.unwrap_or(now),
    })
}

impl StatusRow {
    pub(super) fn new(session: &Session<'_>, context: &OurContext<'_>, held: &ContextState, is_current: bool) -> Self {
        let host = session.host;
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
        let user = cert
            .map(|cert| cert.common_name.clone())
            .or_else(|| Some(note?.user_id.clone()));
        Self {
            context: context.name.to_owned(),
            is_current,
            cluster: context.cluster_name.map(str::to_owned),
            cluster_id: cluster_id(&context.args).map(str::to_owned),
            server: context.server.map(str::to_owned),
            identity: context.args.iter().find_map(|arg| pinned(arg)).map(str::to_owned),
            user_name: user
                .as_deref()
                .and_then(|id| observed::user_name(&session.directories, id)),
            known_as: user.as_deref().map(|id| user_name::in_short(session, id)),
            user,
            asked: note.map(|note| note.asked.clone()),
            granted: granted.map(about),
            is_granted_as_asked: !granted
                .zip(asked)
                .is_some_and(|(granted, asked)| describe::is_other_than(asked, granted)),
            is_not_fetched_yet: cert.is_none() && contexts::has_no_ca(context),
            not_after: cert.map(|cert| cert.not_after),
            seconds_left: left.map(|left| left.num_seconds()),
            kept_in: kept_in(held),
            shared_cache: held.shared_cache.clone(),
            last_error: held.last_failure.as_ref().map(|failure| LastError {
                at: failure.at,
                message: failure.message().to_owned(),
            }),
            check: held.checked.as_ref().map(Check::of),
            sign_in: sign_in(held, &host.clock),
            problem: held
                .problem
                .as_ref()
                .map(crate::error::Error::cause)
                .or_else(|| Some(held.unusable.as_ref()?.to_string())),
        }
    }

    /// How things stand, by the head of the column.
    fn cell(&self, head: &str, clock: &Clock) -> String {
        let shown = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), sanitize);
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        match head {
            "" if self.is_current => "*".to_owned(),
            "" => String::new(),
            "CONTEXT" => sanitize(&self.context),
            "CLUSTER" => shown(&self.cluster),
            "IDENTITY" => shown(&self.identity),
            "AS" => shown(&self.known_as),
            "USER" => shown(&self.user),
            "LEFT" => or_none(self.left()),
            "LIFETIME" => or_none(self.lifetime()),
            "KEPT IN" => or_none(self.places()),
            "SIGN-IN ENDS" => or_none(
                self.sign_in
                    .as_ref()
                    .map(|sign_in| clock.local_without_zone(sign_in.ends)),
            ),
            "API SERVER" => or_none(self.check.as_ref().map(|check| check.result.to_owned())),
            "SERVER" => shown(&self.server),
            _expires => {
                let expires = self.not_after.map(|end| clock.local_without_zone(end));
                or_none(expires.or_else(|| self.is_not_fetched_yet.then(|| "not fetched yet".to_owned())))
            }
        }
    }

    fn left(&self) -> Option<String> {
        self.seconds_left.map(|seconds| match seconds {
            ..=0 => "expired".to_owned(),
            seconds => about(chrono::TimeDelta::seconds(seconds)),
        })
    }

    fn lifetime(&self) -> Option<String> {
        match (&self.granted, &self.asked) {
            (Some(granted), Some(asked)) if !self.is_granted_as_asked => Some(format!("{granted} (asked {asked})")),
            (granted, _) => granted.clone(),
        }
    }

    fn places(&self) -> Option<String> {
        let shared = self.shared_cache.as_ref().map(|shared| format!("shared: {shared}"));
        let places: Vec<String> = self.kept_in.iter().cloned().chain(shared).collect();
        Some(places.join(", ")).filter(|text| !text.is_empty())
    }

    /// What takes a sentence, for below the table.
    fn remarks(&self, clock: &Clock) -> Vec<String> {
        let mut remarks = Vec::new();
        remarks.extend(self.problem.clone());
        if let Some(error) = self.last_error.as_ref().filter(|_| self.problem.is_none()) {
            remarks.push(format!(
                "could not be renewed at {}: {}",
                clock.local(error.at),
                error.message
            ));
        }
        if let Some(sign_in) = self.sign_in.as_ref().filter(|sign_in| sign_in.before_renewal) {
            remarks.push(format!(
                "the sign-in ends at {}, before the next renewal",
                clock.local(sign_in.ends)
            ));
        }
        remarks.extend(
            self.check
                .as_ref()
                .and_then(|check| check.message.clone())
                .map(|message| format!("the API server: {message}")),
        );
        let remark = |text: String| format!("{}: {}\n", sanitize(&self.context), sanitize(&text));
        remarks.into_iter().map(remark).collect()
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
}

/// What `--profile=…` or `--identity=…` pins.
fn pinned(arg: &str) -> Option<&str> {
    arg.strip_prefix("--profile=")
        .or_else(|| arg.strip_prefix("--identity="))
}

/// The rows in this form.
pub(super) fn render(rows: &[StatusRow], format: Format, clock: &Clock) -> String {
    match format {
        Format::Json => output::json(&rows),
        Format::Yaml => output::yaml(&rows),
        Format::Name => rows.iter().map(|row| line(&row.context) + "\n").collect(),
        Format::Table | Format::Wide if rows.is_empty() => String::new(),
        Format::Table => {
            let table = output::narrow_table(&cells(rows, NARROW, clock), &["IDENTITY", "LEFT"]);
            with_remarks(table, rows, clock)
        }
        Format::Wide => with_remarks(output::table(&cells(rows, WIDE, clock)), rows, clock),
    }
}

/// The columns for a terminal that nobody has made wider.
const NARROW: &[&str] = &["", "CONTEXT", "IDENTITY", "AS", EXPIRES, "LEFT", "API SERVER"];
/// All of them.
const WIDE: &[&str] = &[
    "",
    "CONTEXT",
    "CLUSTER",
    "IDENTITY",
    "AS",
    "USER",
    EXPIRES,
    "LEFT",
    "LIFETIME",
    "KEPT IN",
    "SIGN-IN ENDS",
    "API SERVER",
    "SERVER",
];
/// The column whose head has the zone of all times in the table.
const EXPIRES: &str = "EXPIRES";

/// The table's cells, with the head; columns that have nothing to say in any row are left out where they are about the unusual.
fn cells(rows: &[StatusRow], columns: &[&str], clock: &Clock) -> Vec<Vec<String>> {
    let is_shown = |column: &&&str| match **column {
        "API SERVER" => rows.iter().any(|row| row.check.is_some()),
        "SIGN-IN ENDS" => rows.iter().any(|row| row.sign_in.is_some()),
        _ => true,
    };
    let columns: Vec<&str> = columns.iter().filter(is_shown).copied().collect();
    let head = columns.iter().map(|&column| match column {
        EXPIRES => format!("{EXPIRES} ({})", clock.zone()),
        column => column.to_owned(),
    });
    let row = |row: &StatusRow| columns.iter().map(|column| row.cell(column, clock)).collect();
    std::iter::once(head.collect()).chain(rows.iter().map(row)).collect()
}

fn with_remarks(table: String, rows: &[StatusRow], clock: &Clock) -> String {
    let remarks: String = rows.iter().flat_map(|row| row.remarks(clock)).collect();
    if remarks.is_empty() {
        table
    } else {
        format!("{table}\n{remarks}")
    }
}
