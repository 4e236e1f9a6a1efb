//! `whoami`: where the identity comes from, who it is to the cloud, and which projects it sees.

use crate::account::principal::{self, FederatedUser};
use crate::cli::{GlobalArgs, WhoamiArgs};
use crate::error::Result;
use crate::host::{Directories, Host, Progress};
use crate::huaweicloud::iam::IdAndName;
use crate::identity::Identity;
use crate::output::{self, Format};
use crate::plan::{self, CloudSettings, RunSettings, region_of_identity};
use crate::session::Session;
use crate::sign_in::SignIn;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    source: &'a str,
    profile: Option<&'a str>,
    credential: String,
    principal: &'a str,
    account: Option<&'a str>,
    account_id: Option<&'a str>,
    user: Option<&'a str>,
    user_id: Option<&'a str>,
    /// Provider and subject of somebody who has another user id after every sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    federated_principal: Option<&'a str>,
    /// What their provider calls them.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<&'a str>,
    /// Their user groups at IAM, where it tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [String]>,
    projects: Vec<ProjectRow<'a>>,
}

#[derive(Serialize)]
struct ProjectRow<'a> {
    name: &'a str,
    id: &'a str,
}

/// Shows who we are.
pub(super) fn run(args: &WhoamiArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let format = plan::format(&args.output)?;
    let directories = Directories::of(&host.env);
    let identity = Identity::locate(&plan::pin(&args.identity, &host.env)?, &host.env, &directories)?;
    let region = region_of_identity(args.region.as_deref(), &host.env, Some(identity.profile()))?;
    let cloud = CloudSettings::for_identity(&args.cloud, &host.env, Some(identity.profile()))?;
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let session = Session::new(host, directories, run, global.verbose);
    let sign_in = SignIn::new(&identity, &cloud, &region, plan::cache_mode(&host.env)?);
    let progress = Progress::spinner(host, "asking the cloud who you are");
    let who = principal::find(&session, &sign_in).map_err(|error| error.doing("failed to find out who you are"));
    drop(progress);
    let who = who?;

    let report = Report {
        source: identity.source(),
        profile: identity.profile_name(),
        credential: identity.describe(),
        principal: &who.principal,
        account: who.account.as_ref().and_then(name),
        account_id: who.account.as_ref().and_then(id),
        user: who.user.as_ref().and_then(name),
        user_id: who.user.as_ref().and_then(id),
        federated_principal: who.federated.as_ref().and_then(|user| user.principal.as_deref()),
        person: who.federated.as_ref().and_then(|user| user.person.as_deref()),
        groups: who.federated.as_ref().and_then(|user| user.groups.as_deref()),
        projects: who
            .projects
            .iter()
            .map(|project| ProjectRow {
                name: &project.name,
                id: project.id.as_str(),
            })
            .collect(),
    };
    let text = match format {
        Format::Json => output::json(&report),
        Format::Yaml => output::yaml(&report),
        Format::Name => who.principal.clone() + "\n",
        Format::Table | Format::Wide => table(&report),
    };
    output::print(host, &text)?;
    if let Some(federated) = who.federated.filter(|_| format == Format::Table) {
        host.say(rbac_of(&federated));
    }
    Ok(())
}

/// What it means that the user's id is another one after every sign-in.
fn rbac_of(user: &FederatedUser) -> &'static str {
    match user.groups.as_deref() {
        None => {
            "IAM gives you another user id after every sign-in, and does not tell your user groups: a cluster can know you by these alone, so bind roles to them"
        }
        Some([]) => {
            "IAM gives you another user id after every sign-in, and you are in no user group: a cluster has nothing to know you by until the identity provider's rules at IAM put you into one"
        }
        Some(_) => {
            "IAM gives you another user id after every sign-in: clusters know you by your user groups, so bind roles to these"
        }
    }
}

fn name(named: &IdAndName) -> Option<&str> {
    Some(named.name.as_str()).filter(|text| !text.is_empty())
}

fn id(named: &IdAndName) -> Option<&str> {
    Some(named.id.as_str()).filter(|text| !text.is_empty())
}

fn table(report: &Report<'_>) -> String {
    let with_id = |name: Option<&str>, id: Option<&str>| match (name, id) {
        (Some(name), Some(id)) => format!("{name} ({id})"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => "-".to_owned(),
    };
    let mut rows = vec![
        ("SOURCE", report.source.to_owned()),
        ("CREDENTIAL", report.credential.clone()),
        ("PRINCIPAL", report.principal.to_owned()),
        ("ACCOUNT", with_id(report.account, report.account_id)),
        ("USER", with_id(report.user, report.user_id)),
    ];
    rows.extend(report.person.map(|person| ("PERSON", person.to_owned())));
    rows.extend(report.federated_principal.map(|who| ("SUBJECT", who.to_owned())));
    if let Some(groups) = report.groups {
        let groups = if groups.is_empty() {
            "-".to_owned()
        } else {
            groups.join(", ")
        };
        rows.push(("GROUPS", groups));
    }
    for (number, project) in report.projects.iter().enumerate() {
        let head = if number == 0 { "PROJECTS" } else { "" };
        rows.push((head, with_id(Some(project.name), Some(project.id))));
    }
    if report.projects.is_empty() {
        rows.push(("PROJECTS", "-".to_owned()));
    }
    output::table(
        &rows
            .into_iter()
            .map(|(head, text)| vec![head.to_owned(), text])
            .collect::<Vec<_>>(),
    )
}
