//! `revoke`: every certificate of an identity on a cluster is refused from now on. Yours by default, or somebody else's.

mod from_certificate;
mod resume;

use crate::cli::{GlobalArgs, RevokeArgs};
use crate::discovery::targets::{self, Target};
use crate::error::Result;
use crate::host::{Directories, Host};
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::ids::UserId;
use crate::output::confirm;
use crate::plan::{RevokePlan, RunSettings, Whose};
use crate::revocation::{self, owner};
use crate::session::Session;
use revocation::Revocation;

/// Revokes on each of the chosen clusters, one after the other: the cloud takes a few such requests a minute.
pub(super) fn run(args: &RevokeArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = RevokePlan::new(args)?;
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let mut session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    confirm::check(&session, &args.confirm)?;
    let named = match &plan.whose {
        Whose::FromCertificate(file) => Some(from_certificate::id(host, file)?),
        _ => None,
    };
    let found = targets::find(&session, global, &args.choice, &plan.choice)?;
    let count = found.all.len() + found.failures.len();
    let mut failures = found.failures;
    let mut whose = Finder {
        whose: &plan.whose,
        named,
        known: Vec::new(),
    };
    let mut revocations = Vec::new();
    for site in &found.all {
        let revocation = whose
            .find(&session, site)
            .and_then(|(holder, is_own)| Revocation::new(site, holder, is_own));
        match revocation {
            Ok(revocation) => revocations.push(revocation),
            Err(error) => failures.add(&site.label(), error),
        }
    }
    revocation::confirm(&session, &args.confirm, &revocations)?;

    session.allow_for(revocations.len());
    let mut failed = Vec::new();
    for (done, revocation) in revocations.iter().enumerate() {
        let rest = revocations.get(done..).unwrap_or_default();
        let resume = resume::line(args, failed.iter().copied().chain(rest));
        let _interrupt = host.processes.when_interrupted(&resume);
        if let Err(error) = revocation::carry_out(&session, revocation, plan.verification) {
            failures.add(&revocation.label(), error);
            failed.push(revocation);
        }
    }
    if count > 1 && !failed.is_empty() {
        host.say(&resume::line(args, failed.into_iter()));
    }
    let kind = failures.kind();
    failures.conclude(host, count, &format!("{kind}s failed"))
}

/// Whose certificates they are, asked once for each identity.
struct Finder<'a> {
    whose: &'a Whose,
    named: Option<UserId>,
    known: Vec<(String, (CertificateOwner, bool))>,
}

impl Finder<'_> {
    /// Whose, and whether that is the identity that acts.
    fn find(&mut self, session: &Session<'_>, site: &Target) -> Result<(CertificateOwner, bool)> {
        let fingerprint = site.identity.fingerprint();
        if let Some((_, found)) = self.known.iter().find(|(known, _)| known == fingerprint) {
            return Ok(found.clone());
        }
        let found = match (self.whose, &self.named) {
            (Whose::Of(holder), _) => (holder.clone(), false),
            (_, None) => (owner::own(session, site)?, true),
            (_, Some(id)) => of_certificate(session, site, id)?,
        };
        self.known.push((fingerprint.to_owned(), found.clone()));
        Ok(found)
    }
}

/// Whose it is: ours, or as IAM tells.
fn of_certificate(session: &Session<'_>, site: &Target, id: &UserId) -> Result<(CertificateOwner, bool)> {
    if let Ok(own) = owner::own(session, site)
        && own.id() == id
    {
        return Ok((own, true));
    }
    let (holder, is_known) = owner::of_id(session, site, id.clone())?;
    if !is_known {
        session.host.say(&format!(
            "IAM does not tell whether `{id}` is a user or an agency: it is taken for a user; otherwise give it with `--agency-id`"
        ));
    }
    Ok((holder, false))
}
