//! Revoking, for `revoke` and for `logout --revoke`: what it means is said, then CCE is asked, then this machine forgets, then the API server
//! is asked whether it refuses what was good until now.

pub(crate) mod owner;
pub(crate) mod proof;

use crate::api_server::known;
use crate::cache::index;
use crate::cli::ConfirmArgs;
use crate::credential::forget::{NotForgotten, forget, in_all};
use crate::credential::shared;
use crate::discovery::targets::Target;
use crate::error::{Error, Exit, Explain, Result};
use crate::host::Progress;
use crate::huaweicloud::cce::phase;
use crate::huaweicloud::cce::revocation::{CertificateOwner, first_releases, too_old_to_revoke};
use crate::output::{self, confirm};
use crate::plan::Verification;
use crate::sanitize::sanitize;
use crate::session::Session;
use crate::sign_in::subject;
use proof::{OldCertificate, RevocationProof, VerificationResult};

/// What comes first, whatever else is said.
const FIRST: &str = "disable the identity's access keys and password in IAM first (tokens live up to 24 h), otherwise the other side simply \
                     fetches a new certificate";
/// The same for somebody whom an identity provider vouches for.
const FIRST_FEDERATED: &str = "disable the user at the identity provider first, or take them out of their groups there (tokens live up to 24 h), \
                               otherwise the other side simply fetches a new certificate";
/// Why somebody else's certificates stay.
const NOT_AN_ADMINISTRATOR: &str = "an ordinary user can revoke only their own certificates: ask an administrator of the account, who needs \
                                    the IAM action `cce:cluster:revokeClientCredential`";
/// Why the API server cannot be asked.
const NO_WITNESS: &str = "there is no certificate of yours on this machine to ask with";
/// Why the certificates are not, or not surely, revoked.
#[derive(Debug, thiserror::Error)]
enum RevokeError {
    #[error(
        "cluster `{name}` is of release `{release}`, which cannot revoke certificates: the first that can is `{since}`"
    )]
    TooOld {
        name: String,
        release: String,
        since: String,
    },
    #[error(
        "this cloud does not offer to revoke certificates by API ({0}): use the CCE console, or disable the identity and let them end"
    )]
    NotOffered(String),
    #[error("the answer was lost, so nobody knows whether the certificates of {holder} are revoked ({reason})")]
    Unknown { holder: CertificateOwner, reason: String },
    #[error("CCE says that they are revoked, but the API server still accepts the old certificate after {0} s")]
    StillAccepted(u64),
    #[error("they are revoked, but it was not seen that the API server refuses them: {0}")]
    NotSeen(String),
    #[error("they are revoked, but not everything is forgotten on this machine")]
    Left(#[source] NotForgotten),
}

impl Explain for RevokeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. } | Self::NotSeen(_) => Exit::Temporary,
            _ => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooOld { since, .. } => {
                format!("upgrade the cluster to `{since}` or newer in the CCE console, then run the command again")
            }
            Self::NotOffered(_) => return None,
            Self::Unknown { .. } => {
                "run the command again: revoking twice does no harm; the copies on this machine are void already"
                    .to_owned()
            }
            Self::StillAccepted(_) => {
                "run the command again in a few minutes; if it stays so, open a ticket with the cloud".to_owned()
            }
            Self::NotSeen(_) => {
                "look at it from where the API server can be reached, with a copy of the certificate".to_owned()
            }
            Self::Left(source) => return source.hint(),
        })
    }
}

/// Whose certificates go, on which cluster.
pub(crate) struct Revocation<'a> {
    site: &'a Target,
    holder: CertificateOwner,
    /// Their name, where it is known.
    name: Option<String>,
    is_own: bool,
    proof: RevocationProof,
}

impl<'a> Revocation<'a> {
    /// An error if the cluster cannot do that now, or not at all.
    pub(crate) fn new(site: &'a Target, holder: CertificateOwner, is_own: bool) -> Result<Self> {
        phase::check(&site.cluster)?;
        if let Some(since) = too_old_to_revoke(&site.cluster.release) {
            return Err(RevokeError::TooOld {
                name: sanitize(&site.cluster.name),
                release: sanitize(&site.cluster.release),
                since,
            }
            .into());
        }
        Ok(Self {
            site,
            holder,
            name: None,
            is_own,
            proof: RevocationProof::OfThisMachine,
        })
    }

    /// Whose name that is.
    #[must_use]
    pub(crate) fn named(self, name: Option<String>) -> Self {
        Self { name, ..self }
    }

    /// What it is verified with.
    #[must_use]
    pub(crate) fn proven_by(self, proof: RevocationProof) -> Self {
        Self { proof, ..self }
    }

    /// The holder, with the name.
    fn owner(&self) -> String {
        let name = self.name.as_deref().filter(|_| !self.is_own);
        let name = name.map_or_else(String::new, |name| format!(" ({})", sanitize(name)));
        let you = if self.is_own { " (you)" } else { "" };
        format!("{}{name}{you}", self.holder)
    }

    /// What would be revoked, for who only wants to know.
    pub(crate) fn preview(&self) -> String {
        let (cluster, at) = (sanitize(&self.site.cluster.name), &self.site.at);
        let mut text = format!(
            "cluster `{cluster}` ({}, `{}`): every certificate of {} would be refused, on every machine, CI included\n",
            at.cluster_id,
            at.region,
            self.owner()
        );
        text.extend(
            self.proof
                .preview()
                .map(|line| format!("cluster `{cluster}`: {line}\n")),
        );
        text
    }

    /// The name that its cluster was chosen by.
    pub(crate) fn label(&self) -> String {
        self.site.label()
    }

    /// The flag that means its cluster.
    pub(crate) fn flag(&self) -> (&'static str, &str) {
        self.site.flag()
    }

    /// Tells something of its cluster.
    fn say(&self, session: &Session<'_>, line: &str) {
        let name = sanitize(&self.site.cluster.name);
        session.host.say(&format!("cluster `{name}`: {line}"));
    }

    fn cluster_id(&self) -> &str {
        self.site.at.cluster_id.as_str()
    }
}

/// Says what will happen, and lets a person agree by typing the cluster's name, or the number of clusters.
pub(crate) fn confirm(session: &Session<'_>, args: &ConfirmArgs, revocations: &[Revocation<'_>]) -> Result<()> {
    announce(session, revocations);
    match revocations {
        [] => Ok(()),
        [one] => confirm::ask(session, args, "the cluster's name", &one.site.cluster.name),
        several => confirm::ask(session, args, "the number of clusters", &several.len().to_string()),
    }
}

fn announce(session: &Session<'_>, revocations: &[Revocation<'_>]) {
    if revocations.is_empty() {
        return;
    }
    let host = session.host;
    let is_federated = |revocation: &Revocation<'_>| revocation.is_own && revocation.site.identity.is_federated();
    if revocations.iter().any(|revocation| !is_federated(revocation)) {
        host.say(FIRST);
    }
    if revocations.iter().any(is_federated) {
        host.say(FIRST_FEDERATED);
    }
    let mut told: Vec<&CertificateOwner> = Vec::new();
    for revocation in revocations {
        let holder = &revocation.holder;
        if told.contains(&holder) {
            continue;
        }
        told.push(holder);
        let theirs = revocations.iter().filter(|other| other.holder == *holder);
        let names: Vec<&str> = theirs.map(|other| other.site.cluster.name.as_str()).collect();
        let clusters = match names.as_slice() {
            [name] => format!("cluster `{}`", sanitize(name)),
            several => format!("{} clusters ({})", several.len(), output::names(several)),
        };
        host.say(&format!(
            "every certificate of {} on {clusters} will be refused, on every machine, CI included",
            revocation.owner()
        ));
        if revocation.is_own && revocation.site.identity.is_federated() {
            let who = subject::federated(session, &revocation.site.identity);
            let who = who.map_or_else(String::new, |who| format!(" `{}`", sanitize(&who)));
            host.say(&format!(
                "that is one sign-in of yours: as a federated user{who} you have another id after each, and certificates of earlier ones stay good until they end"
            ));
        }
    }
    host.say("that cannot be undone; a new certificate can be fetched at once");
}

/// Revokes, and says what came of it. A throttled identity waits, as long as there is time.
pub(crate) fn carry_out(session: &Session<'_>, revocation: &Revocation<'_>, verification: Verification) -> Result<()> {
    let _progress = Progress::spinner(session.host, "revoking, and looking whether that is seen");
    // In memory, for the question to the API server: a moment later this machine has forgotten it.
    let of_this_machine;
    let witness = match (verification, &revocation.proof) {
        (Verification::None, _) => None,
        (_, RevocationProof::Given(given)) => Some(given.as_ref()),
        _ => {
            of_this_machine = witness(session, revocation);
            of_this_machine.as_ref()
        }
    };
    let sent = loop {
        match send(session, revocation) {
            Err(error) if error.is_throttled() => session.wait_out_throttle(error)?,
            sent => break sent?,
        }
    };
    let shared_keys = shared_keys(session, revocation);
    let forgotten = forget_all(session, revocation);
    let voided = void_shared(session, revocation, &shared_keys);
    let seen = witness.map(|witness| witness.wait_until_refused(session.deadline));
    match (sent, seen) {
        (RevokeOutcome::Lost(_), Some(VerificationResult::Refused)) => revocation.say(
            session,
            "the answer was lost, but the API server refuses the old certificate: it is revoked",
        ),
        (RevokeOutcome::Lost(reason), _) => {
            let holder = revocation.holder.clone();
            return Err(RevokeError::Unknown { holder, reason }.into());
        }
        (RevokeOutcome::Done, seen) => {
            revocation.say(
                session,
                &format!("every certificate of {} is revoked", revocation.holder),
            );
            let called = witness.map_or("the old certificate", |witness| witness.called.as_str());
            tell_what_was_seen(session, revocation, verification, called, seen)?;
        }
    }
    forgotten.map_err(RevokeError::Left)?;
    voided
}

/// Whether the API server refuses what it took until now, `called` so. An error if it does not, or if that had to be seen and was not.
fn tell_what_was_seen(
    session: &Session<'_>,
    revocation: &Revocation<'_>,
    verification: Verification,
    called: &str,
    seen: Option<VerificationResult>,
) -> Result<()> {
    let silent = revocation.proof.silent().filter(|_| verification != Verification::None);
    if let Some(reason) = silent {
        let line = format!("not verified with the certificate itself: {reason}");
        revocation.say(session, &line);
    }
    let line = match (seen, verification) {
        (Some(VerificationResult::Refused), _) => format!("verified: the API server refuses {called}"),
        (Some(VerificationResult::StillAccepted(seconds)), _) => {
            return Err(RevokeError::StillAccepted(seconds).into());
        }
        (Some(VerificationResult::Unknown(reason)), Verification::Required) => {
            return Err(RevokeError::NotSeen(reason).into());
        }
        (Some(VerificationResult::Unknown(reason)), _) => format!("not verified: {reason}"),
        (None, Verification::Required) => {
            let reason = silent.map_or(NO_WITNESS, |_| "see above");
            return Err(RevokeError::NotSeen(reason.to_owned()).into());
        }
        (None, Verification::IfPossible) if silent.is_none() && revocation.is_own => {
            format!("not verified: {NO_WITNESS}")
        }
        (None, _) => return Ok(()),
    };
    revocation.say(session, &line);
    Ok(())
}

/// Makes void what other machines share of these.
fn void_shared(session: &Session<'_>, revocation: &Revocation<'_>, keys: &[crate::cache::CacheKey]) -> Result<()> {
    for key in keys {
        if shared::void(session, &revocation.site.request().sharing(), key)? {
            revocation.say(session, "the certificate that other machines share is void");
        }
    }
    Ok(())
}

/// What the identity's certificates on this cluster are filed under, as far as this machine knows.
fn shared_keys(session: &Session<'_>, revocation: &Revocation<'_>) -> Vec<crate::cache::CacheKey> {
    if !revocation.is_own {
        return Vec::new(); // the others' machines alone know where
    }
    let pin = revocation.site.identity.identity_argument();
    let noted = notes(session, revocation)
        .into_iter()
        .filter(|(_, note)| note.pin == pin);
    let mut keys: Vec<_> = noted.map(|(key, _)| key).collect();
    let asked_for = revocation.site.request().key();
    if !keys.contains(&asked_for) {
        keys.push(asked_for);
    }
    keys
}

/// What became of the request.
enum RevokeOutcome {
    Done,
    /// It may have been acted upon.
    Lost(String),
}

fn send(session: &Session<'_>, revocation: &Revocation<'_>) -> Result<RevokeOutcome> {
    let (site, holder) = (revocation.site, &revocation.holder);
    site.with_cce(session, |cce| {
        let Err(error) = cce.revoke_cluster_certs(&site.at.cluster_id, holder) else {
            return Ok(RevokeOutcome::Done);
        };
        if error.is_outcome_unknown() {
            return Ok(RevokeOutcome::Lost(Error::from(error).cause()));
        }
        let hint = match error.refusal() {
            Some(refusal) if refusal.is_missing_api() => {
                return Err(RevokeError::NotOffered(refusal.in_short()).into());
            }
            Some(refusal) if refusal.status == 403 && !refusal.is_state_refused() && !revocation.is_own => {
                NOT_AN_ADMINISTRATOR.to_owned()
            }
            // What the cluster says of its release did not suffice to know it before.
            Some(refusal) if refusal.status == 400 => format!(
                "if the cluster is older than {}, upgrade it in the CCE console first; else check the id",
                first_releases()
            ),
            _ => return Err(site.explain(error)),
        };
        Err(site.explain(error).with_hint(hint))
    })
}

/// Forgets what this machine has of the identity on the cluster, and what is on its way.
fn forget_all(session: &Session<'_>, revocation: &Revocation<'_>) -> std::result::Result<(), NotForgotten> {
    let own = notes(session, revocation);
    let asked_for = revocation.site.request().key();
    let is_on_its_way = revocation.is_own && own.iter().all(|(noted, _)| *noted != asked_for);
    let on_its_way = is_on_its_way.then_some(&asked_for);
    let known = own.iter().map(|(key, note)| (key, Some(note)));
    let all = known.chain(on_its_way.into_iter().map(|key| (key, None)));
    in_all(all, |(key, note)| forget(session, key, note))
}

fn notes(
    session: &Session<'_>,
    revocation: &Revocation<'_>,
) -> Vec<(crate::cache::CacheKey, index::CertificateRecord)> {
    let mut notes = index::all(&session.directories);
    notes.retain(|(_, note)| {
        note.cluster_id == revocation.cluster_id() && note.user_id == revocation.holder.id().as_str()
    });
    notes
}

fn witness(session: &Session<'_>, revocation: &Revocation<'_>) -> Option<OldCertificate> {
    let clock = &session.host.clock;
    let newest = notes(session, revocation).into_iter().filter_map(|(key, note)| {
        let store = session.every_store(note.file_directory.as_deref());
        let (_, entry) = session.cache(&store).get(&key)?;
        let server = revocation.site.server.clone();
        let server = server.or_else(|| known::of_note(note, &session.host.env))?;
        (entry.ends_at(clock) > clock.now()).then(|| OldCertificate::of_this_machine(entry.cert, server))
    });
    newest.max_by_key(|witness| witness.cert.not_after)
}
