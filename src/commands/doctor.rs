//! `doctor`: looks at every part of the way from this machine to the API server, and says what to do about what is wrong.
//!
//! Each part is a finding, also when it is in order. Nothing is changed, apart from a certificate that is fetched where none is cached.

mod cluster;
mod finding;
mod machine;
mod server;
mod sign_on;

use crate::account::principal;
use crate::cli::{DoctorArgs, GlobalArgs};
use crate::contexts::{self, ResolvedContext};
use crate::error::{Exit, Explain, Result};
use crate::host::{Directories, Host, Progress};
use crate::huaweicloud::observed::Endpoints;
use crate::identity::Identity;
use crate::kubeconfig::{Kubeconfig, OurContext};
use crate::kubectl::Kubectl;
use crate::kubectl::asked::{self, KubectlQuestion};
use crate::kubectl::rules;
use crate::lifetime::about;
use crate::output;
use crate::plan::{self, CloudSettings, ContextsPlan, RunSettings, Selection};
use crate::sanitize::{sanitize, shell_word};
use crate::session::{BrowserUse, Session};
use crate::sign_in::SignIn;
use crate::words::names::did_you_mean;
use finding::{Finding, Level};

/// Something does not work.
#[derive(Debug, thiserror::Error)]
#[error("{0} of these {things} a problem", things = if *.0 == 1 { "is" } else { "are" })]
struct Problems(usize);

impl Explain for Problems {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("begin with the first: the others may follow from it".to_owned())
    }
}

/// Looks, and reports.
pub(super) fn run(args: &DoctorArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let format = plan::format(&args.output)?;
    let plan = ContextsPlan::new(&args.contexts);
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let mut session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    session.browser_use = BrowserUse::Never;
    let findings = {
        let _progress = Progress::spinner(host, "looking at every part of the way");
        look(&session, global, args, &plan)
    };
    output::print(host, &finding::render(&findings, format))?;
    match findings
        .iter()
        .filter(|finding| finding.result == Level::Problem)
        .count()
    {
        0 => Ok(()),
        problems => Err(Problems(problems).into()),
    }
}

/// Every part of the way, from the kubeconfig and this machine to the API servers of the chosen contexts.
fn look(session: &Session<'_>, global: &GlobalArgs, args: &DoctorArgs, plan: &ContextsPlan) -> Vec<Finding> {
    let loaded = contexts::load_existing(session.host, plan.kubeconfig.clone());
    let kubeconfig = loaded.as_ref().ok();
    let ours = kubeconfig.map_or_else(Vec::new, Kubeconfig::ours);
    let kubectl = Kubectl::find(session.host);
    let question = KubectlQuestion {
        host: session.host,
        file: plan.kubeconfig.as_deref(),
        deadline: session.deadline,
    };
    let mut findings = Vec::new();
    findings.extend(loaded.as_ref().err().map(|error| Finding::failed("kubeconfig", error)));
    let refused = kubeconfig.and_then(|kubeconfig| asked::refused_file(kubectl.as_ref(), question, kubeconfig));
    findings.extend(refused.map(|refused| Finding::failed("kubeconfig", &refused.into())));
    findings.extend(of_machine(session, plan, kubectl.as_ref(), &ours));

    let (chosen, unknown) = chosen(kubeconfig, ours, &plan.selection);
    findings.extend(unknown);
    if chosen.is_empty() {
        findings.extend(without_context(session, args));
    }
    let mut known = Vec::new();
    for context in &chosen {
        let refused = kubeconfig.and_then(|kubeconfig| rules::refused_entry(kubeconfig, context));
        let refused = refused.map(|refused| Finding::failed("entry", &refused.into()).of_context(context.name));
        let mut found: Vec<Finding> = refused.into_iter().collect();
        found.extend(with_context(session, global, context, &mut known));
        // What is known to be wrong needs no second witness.
        let is_well = found.iter().all(|finding| finding.result != Level::Problem)
            && findings.iter().all(|finding| !finding.hinders_kubectl(context.name));
        if let (true, false, Some(kubectl)) = (is_well, contexts::has_no_ca(context), &kubectl) {
            found.push(through(kubectl, question, context));
        }
        findings.extend(found);
    }
    findings
}

/// What is the same for every context.
fn of_machine(
    session: &Session<'_>,
    plan: &ContextsPlan,
    kubectl: Option<&Kubectl>,
    ours: &[OurContext<'_>],
) -> Vec<Finding> {
    let host = session.host;
    let files =
        contexts::locations(host, plan.kubeconfig.clone()).map_or(Vec::new(), |locations| locations.files().to_vec());
    let mut findings = Vec::new();
    findings.extend(machine::program(host, ours));
    findings.extend(machine::kubectl(host, kubectl, ours));
    findings.push(machine::keyring(session));
    findings.extend(machine::files(session, &files));
    findings.extend(machine::locks(host, &files));
    findings.push(machine::proxy(session));
    findings
}

/// The contexts that are meant, and what is to be said of names that mean none.
fn chosen<'k>(
    kubeconfig: Option<&Kubeconfig>,
    ours: Vec<OurContext<'k>>,
    selection: &Selection,
) -> (Vec<OurContext<'k>>, Vec<Finding>) {
    match selection {
        Selection::All => (ours, Vec::new()),
        Selection::Named(names) => named(ours, names),
        Selection::Current => {
            let current = kubeconfig.and_then(Kubeconfig::current_context);
            let is_current = |context: &OurContext<'_>| Some(context.name) == current;
            (ours.into_iter().filter(is_current).collect(), Vec::new())
        }
    }
}

/// Whether kubectl itself gets an answer through the context.
fn through(kubectl: &Kubectl, question: KubectlQuestion<'_>, context: &OurContext<'_>) -> Finding {
    let finding = match asked::no_answer(kubectl, question, context) {
        None => Finding::ok("kubectl", "it gets an answer through this context"),
        Some(refused) => Finding::problem(
            "kubectl",
            refused.to_string(),
            format!("kubectl --context {} get --raw /api -v=6", shell_word(context.name)),
        ),
    };
    finding.of_context(context.name)
}

/// The contexts of these names, and what is to be said of the other names.
fn named<'k>(ours: Vec<OurContext<'k>>, names: &[String]) -> (Vec<OurContext<'k>>, Vec<Finding>) {
    let is_ours = |name: &&String| ours.iter().any(|context| context.name == **name);
    let unknown = names.iter().filter(|name| !is_ours(name)).map(|name| {
        Finding::problem(
            "context",
            format!("there is no context `{}` that uses us", sanitize(name)),
            did_you_mean(name, ours.iter().map(|context| context.name))
                .unwrap_or_else(|| "`kubectl cce-login status` lists them".to_owned()),
        )
    });
    let unknown = unknown.collect();
    let chosen = ours
        .into_iter()
        .filter(|context| names.iter().any(|name| name == context.name));
    (chosen.collect(), unknown)
}

/// The identity that a login would take, where there is no context yet.
fn without_context(session: &Session<'_>, args: &DoctorArgs) -> Vec<Finding> {
    let mut findings = vec![Finding::warning(
        "context",
        "the current context does not use us",
        "`kubectl cce-login` sets a cluster up; `--context` and `--all` look at others",
    )];
    let env = &session.host.env;
    let identity = plan::pin(&args.identity, env)
        .map_err(crate::error::Error::from)
        .and_then(|pin| Ok(Identity::locate(&pin, env, &session.directories)?));
    match identity {
        Err(error) => findings.push(Finding::failed("identity", &error)),
        Ok(identity) => {
            let cloud = CloudSettings::for_identity(&args.cloud, env, Some(identity.profile()));
            let region = plan::region_of_identity(args.region.as_deref(), env, Some(identity.profile()));
            match (cloud, region) {
                (Ok(cloud), Ok(region)) => {
                    let cache = plan::cache_mode(env).unwrap_or_default();
                    let sign_in = SignIn::new(&identity, &cloud, &region, cache);
                    findings.extend(identity_at_iam(session, &sign_in));
                }
                (Err(error), _) | (_, Err(error)) => {
                    findings.push(Finding::ok("identity", identity.describe()));
                    findings.push(Finding::warning(
                        "iam",
                        format!("not asked: {error}"),
                        error.hint().unwrap_or_default(),
                    ));
                }
            }
        }
    }
    findings
}

/// `asked` are the pins whose identity was looked at already.
fn with_context(
    session: &Session<'_>,
    global: &GlobalArgs,
    context: &OurContext<'_>,
    asked: &mut Vec<String>,
) -> Vec<Finding> {
    let meant = match ResolvedContext::by(session, global, context) {
        Ok(meant) => meant,
        Err(error) => return vec![Finding::failed("identity", &error).of_context(context.name)],
    };
    let mut findings = Vec::new();
    let pin = meant.identity.identity_argument();
    if !asked.contains(&pin) {
        findings.extend(identity_at_iam(session, &meant.wanted().sign_in().for_account()));
        asked.push(pin);
    }
    findings.extend(cluster::check(session, context, &meant));
    findings
}

/// Whether IAM can be reached and takes the identity, and what its clock says of ours.
fn identity_at_iam(session: &Session<'_>, sign_in: &SignIn<'_>) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("identity", sign_in.identity.describe())];
    findings.extend(sign_on::check(session, sign_in.identity));
    let iam = sign_in.cloud.iam(sign_in.region);
    match principal::find(session, sign_in) {
        Ok(found) => {
            let projects = found.projects.len();
            let projects = if projects == 1 {
                "1 project".to_owned()
            } else {
                format!("{projects} projects")
            };
            findings.push(Finding::ok(
                "iam",
                format!("`{iam}` knows you as {}, with {projects}", found.principal),
            ));
        }
        Err(error) => findings.push(Finding::failed("iam", &error)),
    }
    let clock = &session.host.clock;
    let skew = Endpoints::new(&session.directories, clock).traits(&iam).skew.now(clock);
    findings.push(if skew.is_zero() {
        Finding::ok("clock", "it agrees with the cloud's")
    } else {
        let side = if skew > chrono::TimeDelta::zero() {
            "behind"
        } else {
            "ahead of"
        };
        Finding::warning(
            "clock",
            format!(
                "this machine's is {} {side} the cloud's; we allow for it, other programs may not",
                about(skew.abs())
            ),
            "set it, or let it be set (`timedatectl set-ntp true`)",
        )
    });
    findings
}
