//! `revoke`: every certificate of an identity on a cluster is refused from now on. Yours by default, or somebody else's.

mod issued_by;
mod leaked;
mod resume;

use crate::cli::{GlobalArgs, RevokeArgs};
use crate::discovery::targets::{self, Target};
use crate::error::{Error, Result};
use crate::host::{Directories, Host};
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::ids::UserId;
use crate::output::some_failed::Failures;
use crate::output::{self, confirm};
use crate::plan::{IdOrName, RevokePlan, RevokedOn, RunSettings, Verification, Whose};
use crate::revocation::owner::OwnerKind;
use crate::revocation::proof::RevocationProof;
use crate::revocation::{self, Revocation, owner};
use crate::session::Session;
use issued_by::Leak;

/// What `--all` means where a certificate says whose they are.
const ON_ALL: &str = "`--all`: on every cluster that you can list, not only on the one that issued the certificate; its owner may have \
                      certificates of the others, too";

/// Revokes on each of the chosen clusters, one after the other: the cloud takes a few such requests a minute.
pub(super) fn run(args: &RevokeArgs, global: &GlobalArgs, host: &Host) -> Result<()> {
    let plan = RevokePlan::new(args)?;
    let run = RunSettings::new(global, &host.env, host.terminal)?;
    let mut session = Session::new(host, Directories::of(&host.env), run, global.verbose);
    if !args.dry_run {
        confirm::check(&session, &args.confirm)?;
    }
    let certificates = match &plan.whose {
        Whose::FromCertificate(file) => leaked::read(host, file)?,
        _ => Vec::new(),
    };
    let leak = match &plan.whose {
        Whose::FromCertificate(file) => Some(Leak {
            file,
            certificates: &certificates,
        }),
        _ => None,
    };
    let (sites, mut failures) = sites(&session, global, args, &plan, leak.as_ref())?;
    let count = sites.len() + failures.len();
    let revocations = revocations(&session, &plan, leak.as_ref(), &sites, &mut failures);
    if leak.is_some() && args.all {
        host.say(ON_ALL);
    }
    if args.dry_run {
        let preview: String = revocations.iter().map(Revocation::preview).collect();
        output::print(host, &preview)?;
        host.say("nothing is revoked (`--dry-run`)");
    } else {
        revocation::confirm(&session, &args.confirm, &revocations)?;
        session.allow_for(revocations.len());
        carry_out_all(
            &session,
            args,
            plan.verification,
            &revocations,
            &mut failures,
            count > 1,
        );
    }
    let kind = failures.kind();
    failures.conclude(host, count, &format!("{kind}s failed"))
}

/// Whose certificates go on each cluster, and what that is verified with. Who cannot be found is looked for, and told, once.
fn revocations<'s>(
    session: &Session<'_>,
    plan: &RevokePlan,
    leak: Option<&Leak<'_>>,
    sites: &'s [Site],
    failures: &mut Failures,
) -> Vec<Revocation<'s>> {
    let mut whose = Finder {
        whose: &plan.whose,
        named: leak.and_then(|leak| leak.certificates.first()).map(|leaked| &leaked.id),
        known: Vec::new(),
        unknown: Vec::new(),
    };
    let mut revocations = Vec::new();
    for site in sites {
        let target = &site.target;
        let revocation = match whose.find(session, target) {
            None => continue,
            Some(holder) => {
                holder.and_then(|holder| Ok(Revocation::new(target, holder.owner, holder.is_own)?.named(holder.name)))
            }
        };
        match revocation {
            Ok(revocation) => {
                let proof = match (leak, plan.verification) {
                    (Some(leak), Verification::IfPossible | Verification::Required) => {
                        leak.proof(session, target, site.certificate)
                    }
                    _ => RevocationProof::OfThisMachine,
                };
                revocations.push(revocation.proven_by(proof));
            }
            Err(error) => failures.add(&target.label(), error),
        }
    }
    for unknown in whose.unknown {
        failures.add_all(unknown.on, unknown.error);
    }
    revocations
}

/// Revokes one after the other. Whoever is interrupted, or sees some fail, is told the command for the rest.
fn carry_out_all(
    session: &Session<'_>,
    args: &RevokeArgs,
    verification: Verification,
    revocations: &[Revocation<'_>],
    failures: &mut Failures,
    is_one_of_many: bool,
) {
    let host = session.host;
    let mut failed = Vec::new();
    for (done, revocation) in revocations.iter().enumerate() {
        let rest = revocations.get(done..).unwrap_or_default();
        let resume = resume::line(args, failed.iter().copied().chain(rest));
        let _interrupt = host.processes.when_interrupted(&resume);
        if let Err(error) = revocation::carry_out(session, revocation, verification) {
            failures.add(&revocation.label(), error);
            failed.push(revocation);
        }
    }
    if is_one_of_many && !failed.is_empty() {
        host.say(&resume::line(args, failed.into_iter()));
    }
}

/// A cluster, and which of the leaked certificates it issued; none has the number of none.
struct Site {
    target: Target,
    certificate: usize,
}

const NO_CERTIFICATE: usize = usize::MAX;

/// The clusters that are meant, and those that could not be looked at.
fn sites(
    session: &Session<'_>,
    global: &GlobalArgs,
    args: &RevokeArgs,
    plan: &RevokePlan,
    leak: Option<&Leak<'_>>,
) -> Result<(Vec<Site>, Failures)> {
    let choice = match (&plan.on, leak) {
        (RevokedOn::Issuer, Some(leak)) => {
            let found = leak.issuers(session, global, &args.choice)?.into_iter();
            let site = |(target, certificate)| Site { target, certificate };
            return Ok((found.map(site).collect(), Failures::of("cluster")));
        }
        (RevokedOn::Chosen(choice), _) => choice,
        (RevokedOn::Issuer, None) => return Ok((Vec::new(), Failures::of("cluster"))),
    };
    let found = targets::find(session, global, &args.choice, choice)?;
    let mut failures = found.failures;
    let mut sites = Vec::new();
    for mut target in found.all {
        let certificate = match leak {
            None => Ok(NO_CERTIFICATE),
            // On every cluster, whoever issued it: the owner has certificates of the others, too.
            Some(leak) if args.all => Ok(leak.known(session, &mut target).unwrap_or(NO_CERTIFICATE)),
            Some(leak) => leak.check(session, &mut target),
        };
        match certificate {
            Ok(certificate) => sites.push(Site { target, certificate }),
            Err(error) => failures.add(&target.label(), error),
        }
    }
    Ok((sites, failures))
}

/// Whose certificates they are.
#[derive(Clone)]
struct Holder {
    owner: CertificateOwner,
    /// Their name, if IAM tells it.
    name: Option<String>,
    /// It is the identity that acts.
    is_own: bool,
}

/// Whose certificates they are, asked once for each identity.
struct Finder<'a> {
    whose: &'a Whose,
    named: Option<&'a UserId>,
    known: Vec<(String, Holder)>,
    unknown: Vec<Unfound>,
}

/// An identity could not find out whose they are.
struct Unfound {
    fingerprint: String,
    /// The clusters on which it was to act.
    on: Vec<String>,
    error: Error,
}

impl Finder<'_> {
    /// `None`: what could not be found out is told at the end, for all clusters.
    fn find(&mut self, session: &Session<'_>, site: &Target) -> Option<Result<Holder>> {
        // A federated user has another id in each sign-in, so perhaps another one on each cluster.
        if matches!(self.whose, Whose::Own) && site.identity.is_federated() {
            return Some(self.ask(session, site));
        }
        let fingerprint = site.identity.fingerprint();
        if let Some((_, found)) = self.known.iter().find(|(known, _)| known == fingerprint) {
            return Some(Ok(found.clone()));
        }
        let mut unknown = self.unknown.iter_mut();
        if let Some(unknown) = unknown.find(|unknown| unknown.fingerprint == fingerprint) {
            unknown.on.push(site.label());
            return None;
        }
        match self.ask(session, site) {
            Ok(found) => {
                self.known.push((fingerprint.to_owned(), found.clone()));
                Some(Ok(found))
            }
            Err(error) => {
                self.unknown.push(Unfound {
                    fingerprint: fingerprint.to_owned(),
                    on: vec![site.label()],
                    error,
                });
                None
            }
        }
    }

    fn ask(&self, session: &Session<'_>, site: &Target) -> Result<Holder> {
        match (self.whose, self.named) {
            (Whose::User(who), _) => named(session, site, OwnerKind::User, who),
            (Whose::Agency(who), _) => named(session, site, OwnerKind::Agency, who),
            (_, None) => Ok(Holder {
                owner: owner::own(session, site)?,
                name: None,
                is_own: true,
            }),
            (_, Some(id)) => of_certificate(session, site, id),
        }
    }
}

/// Whose it is that was named on the command line.
fn named(session: &Session<'_>, site: &Target, kind: OwnerKind, who: &IdOrName) -> Result<Holder> {
    let (owner, name) = match (who, kind) {
        (IdOrName::Id(id), OwnerKind::User) => (CertificateOwner::User(id.clone()), None),
        (IdOrName::Id(id), OwnerKind::Agency) => (CertificateOwner::Agency(id.clone()), None),
        (IdOrName::Name(name), kind) => (owner::of_name(session, site, kind, name)?, Some(name.clone())),
    };
    Ok(Holder {
        owner,
        name,
        is_own: false,
    })
}

/// Whose it is: ours, or as IAM tells.
fn of_certificate(session: &Session<'_>, site: &Target, id: &UserId) -> Result<Holder> {
    if let Ok(own) = owner::own(session, site)
        && own.id() == id
    {
        return Ok(Holder {
            owner: own,
            name: None,
            is_own: true,
        });
    }
    let (owner, name) = owner::of_id(session, site, id.clone())?;
    if name.is_none() {
        session.host.say(&format!(
            "IAM does not tell whether `{id}` is a user or an agency: it is taken for a user; otherwise give it with `--agency-id`"
        ));
    }
    Ok(Holder {
        owner,
        name,
        is_own: false,
    })
}
