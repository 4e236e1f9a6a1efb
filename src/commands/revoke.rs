//! `revoke`: every certificate of an identity on a cluster is refused from now on. Yours by default, or somebody else's.

mod issued_by;
mod leaked;
mod resume;

use crate::cli::{GlobalArgs, RevokeArgs};
use crate::discovery::targets::{self, Target};
use crate::error::Result;
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
    let mut whose = Finder {
        whose: &plan.whose,
        named: certificates.first().map(|leaked| &leaked.id),
        known: Vec::new(),
    };
    let mut revocations = Vec::new();
    for site in &sites {
        let revocation = whose.find(&session, &site.target).and_then(|holder| {
            let revocation = Revocation::new(&site.target, holder.owner, holder.is_own)?;
            Ok(revocation.named(holder.name))
        });
        match revocation {
            Ok(revocation) => {
                let proof = match (&leak, plan.verification) {
                    (Some(leak), Verification::IfPossible | Verification::Required) => {
                        leak.proof(&session, &site.target, site.certificate)
                    }
                    _ => RevocationProof::OfThisMachine,
                };
                revocations.push(revocation.proven_by(proof));
            }
            Err(error) => failures.add(&site.target.label(), error),
        }
    }
    if args.dry_run {
        let preview: String = revocations.iter().map(Revocation::preview).collect();
        output::print(host, &preview)?;
        host.say("nothing is revoked (`--dry-run`)");
        let kind = failures.kind();
        return failures.conclude(host, count, &format!("{kind}s failed"));
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
}

impl Finder<'_> {
    fn find(&mut self, session: &Session<'_>, site: &Target) -> Result<Holder> {
        let fingerprint = site.identity.fingerprint();
        if let Some((_, found)) = self.known.iter().find(|(known, _)| known == fingerprint) {
            return Ok(found.clone());
        }
        let found = match (self.whose, self.named) {
            (Whose::User(who), _) => named(session, site, OwnerKind::User, who)?,
            (Whose::Agency(who), _) => named(session, site, OwnerKind::Agency, who)?,
            (_, None) => Holder {
                owner: owner::own(session, site)?,
                name: None,
                is_own: true,
            },
            (_, Some(id)) => of_certificate(session, site, id)?,
        };
        self.known.push((fingerprint.to_owned(), found.clone()));
        Ok(found)
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
