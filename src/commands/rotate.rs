//! `rotate`: a cluster's own certificates are replaced. Says what breaks, starts the job, follows it, and brings this machine up to date.

mod custom;
mod error;
mod follow;
pub(crate) mod update_machine;

use crate::cli::command_line::CommandLine;
use crate::cli::{GlobalArgs, RotateArgs};
use crate::discovery::targets::{self, Target};
use crate::error::{Error, Result};
use crate::host::{Directories, Host};
use crate::huaweicloud::cce::phase;
use crate::huaweicloud::cce::rotation::Rotation;
use crate::ids::JobId;
use crate::output::{self, confirm};
use crate::plan::{ClusterSelection, RotatePlan, RotateTask, RotationChoice, RunSettings};
use crate::sanitize::sanitize;
use crate::session::Session;
use error::RotateError;
use follow::FollowedJob;

/// The authentication mode of a cluster whose certificates are the user's own.
const AUTHENTICATING_PROXY: &str = "authenticating_proxy";

/// Rotates one cluster.
pub(super) fn run(args: &RotateArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = RotatePlan::new(args)?;
    let run = RunSettings::for_job(global, &host.env, host.terminal)?;
    let session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    let rotation = match &plan.task {
        RotateTask::Start(choice) => {
            confirm::check(&session, &args.confirm)?;
            Some(rotation(host, choice)?)
        }
        RotateTask::Follow(_) => None,
    };
    let mut found = targets::find(&session, global, &args.choice, &plan.choice)?;
    if found.all.is_empty() {
        return Err(targets::nothing_found(found));
    }
    let site = &found.all.swap_remove(0); // `plan` has seen to it that there are not two
    let (job, is_new) = match (&plan.task, &rotation) {
        (RotateTask::Follow(job), _) => (job.clone(), false),
        (RotateTask::Start(_), None) => return Ok(()),
        (RotateTask::Start(_), Some(rotation)) => {
            check(site, rotation)?;
            announce(host, site, rotation);
            confirm::ask(&session, &args.confirm, "the cluster's name", &site.cluster.name)?;
            (start(&session, site, rotation)?, true)
        }
    };
    let resume = resume(args, site, &job);
    if !plan.is_followed {
        host.say(&format!("the rotation is under way; wait for it with `{resume}`"));
        return output::print(host, &format!("{job}\n"));
    }
    let followed = FollowedJob {
        id: &job,
        is_new,
        resume: &resume,
    };
    follow::follow(&session, site, &followed)?;

    host.say(&format!(
        "cluster `{}`: the rotation is done",
        sanitize(&site.cluster.name)
    ));
    let is_for_all = !matches!(
        rotation,
        Some(Rotation::ServiceAccountController { .. } | Rotation::Custom(_))
    );
    let kubeconfig = match &plan.choice {
        ClusterSelection::Contexts(contexts) => contexts.kubeconfig.clone(),
        ClusterSelection::Listed { .. } => args.choice.kubeconfig.as_ref().map(Into::into),
    };
    update_machine::update_machine(&session, global, site, kubeconfig, is_for_all)
}

/// What is to be rotated, with what it takes: read and checked before anything is asked for or sent.
fn rotation(host: &Host, choice: &RotationChoice) -> Result<Rotation> {
    Ok(match choice {
        RotationChoice::All => Rotation::All,
        RotationChoice::ServiceAccountController { old_valid_hours } => Rotation::ServiceAccountController {
            old_valid_hours: *old_valid_hours,
        },
        RotationChoice::Custom(files) => Rotation::Custom(custom::read(host, files)?),
    })
}

fn check(site: &Target, rotation: &Rotation) -> Result<()> {
    phase::check(&site.cluster)?;
    let mode = site.cluster.authentication_mode.as_str();
    if matches!(rotation, Rotation::Custom(_)) && mode != AUTHENTICATING_PROXY {
        return Err(RotateError::NoOwnCertificates {
            name: sanitize(&site.cluster.name),
            mode: sanitize(mode),
        }
        .into());
    }
    Ok(())
}

/// Says what breaks.
fn announce(host: &Host, site: &Target, rotation: &Rotation) {
    let name = sanitize(&site.cluster.name);
    match rotation {
        Rotation::All => {
            host.say(&format!(
                "cluster `{name}` gets new certificates and authorities; its API server restarts and is away for some minutes"
            ));
            host.say(
                "every kubeconfig of it may stop working, CI included: this machine is brought up to date afterwards, everybody else has to do that \
                 for theirs; programs in the cluster that have read the old authorities must be restarted",
            );
        }
        Rotation::ServiceAccountController { old_valid_hours } => {
            host.say(&format!("cluster `{name}` gets a new key to sign service account tokens with"));
            host.say(&format!(
                "tokens of the old key stop working after {old_valid_hours} h (the first rotation keeps the key that the cluster was made with): \
                 programs that do not read theirs anew by then must be restarted"
            ));
        }
        Rotation::Custom(_) => host.say(&format!(
            "the API server of cluster `{name}` restarts with these certificates: extension API servers that do not trust this CA refuse it"
        )),
    }
    host.say("that cannot be undone");
}

fn start(session: &Session<'_>, site: &Target, rotation: &Rotation) -> Result<JobId> {
    site.with_cce(session, |cce| {
        cce.rotate_credentials(&site.at.cluster_id, rotation)
            .map_err(|error| match error.refusal() {
                Some(refusal) if refusal.is_missing_api() => RotateError::NotOffered(refusal.in_short()).into(),
                _ if error.is_outcome_unknown() => RotateError::Lost(Error::from(error).cause()).into(),
                _ => site.explain(error),
            })
    })
}

/// The command that takes the job up again.
fn resume(args: &RotateArgs, site: &Target, job: &JobId) -> String {
    let mut line = CommandLine::new("rotate");
    line.flag("job", job.as_str());
    line.search(&args.choice);
    if args.choice.cluster.is_empty() {
        line.flag("context", &site.label());
    } else {
        line.flag("cluster", site.at.cluster_id.as_str());
    }
    line.line()
}
