//! On which cluster a leaked certificate is revoked: on the one that issued it, whatever the current context is.

use crate::api_server::ApiServer;
use crate::api_server::choose::{self, Chosen, ServerQuery};
use crate::cache::index::{self, CertificateRecord};
use crate::cli::{CertificateArgs, ChoiceArgs, GlobalArgs, SearchArgs};
use crate::commands::revoke::leaked::LeakedCertificate;
use crate::contexts;
use crate::discovery::held::HeldCertificate;
use crate::discovery::issuer::{Asker, Issuer, Staleness, looked_at};
use crate::discovery::targets::{self, Listing, Target};
use crate::error::{Exit, Explain, Result};
use crate::http::ServerCheck;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::ids::Region;
use crate::kubeconfig::{Kubeconfig, OurContext};
use crate::plan::{CertificateSettings, InputFile, ServerChoice, absolute};
use crate::revocation::proof::RevocationProof;
use crate::sanitize::sanitize;
use crate::session::Session;
use std::path::Path;

/// Why there is no such cluster.
#[derive(Debug, thiserror::Error)]
enum NoIssuer {
    #[error("{certificate} was issued by none of {looked_at}: {says}")]
    Unknown {
        certificate: String,
        looked_at: String,
        says: String,
    },
    #[error("it did not issue {certificate}: {says}")]
    Another { certificate: String, says: String },
}

impl Explain for NoIssuer {
    fn exit(&self) -> Exit {
        match self {
            Self::Unknown { .. } => Exit::Failed,
            Self::Another { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unknown { .. } => {
                    "nothing is revoked. Choose an identity that can list its cluster with `--profile`, or the place with `--region` and \
                     `--project`; if that cluster's authorities were rotated since, it refuses the certificate already"
                }
                Self::Another { .. } => {
                    "nothing is revoked. Without `--context` and `--cluster` the cluster that issued it is looked for; `--user-id` or \
                     `--agency-id` names the owner whatever the certificate says"
                }
            }
            .to_owned(),
        )
    }
}

/// The leaked certificates of one file.
pub(super) struct Leak<'a> {
    pub(super) file: &'a InputFile,
    pub(super) certificates: &'a [LeakedCertificate],
}

impl Leak<'_> {
    /// The clusters that issued them, each once, with the certificate that says so. An error if one of them is found nowhere.
    pub(super) fn issuers(
        &self,
        session: &Session<'_>,
        global: &GlobalArgs,
        args: &ChoiceArgs,
    ) -> Result<Vec<(Target, usize)>> {
        let named = args.kubeconfig.as_deref().map(|file| absolute(Path::new(file)));
        let is_named = named.is_some();
        let kubeconfig = match contexts::load(session.host, named) {
            // Somebody is in a hurry: what kubectl cannot read is no reason to wait.
            Err(_) if !is_named => Kubeconfig::empty(),
            loaded => loaded?,
        };
        let ours = kubeconfig.ours();
        let current = ours.iter().find(|ours| Some(ours.name) == kubeconfig.current_context());
        let is_chosen = is_search_chosen(&args.search);
        let mut found: Vec<(Target, usize)> = Vec::new();
        let mut listing = None;
        for (at, leaked) in self.certificates.iter().enumerate() {
            let issued = current.into_iter().chain(&ours).find(|context| {
                let ca = context.certificate_authority_data.as_deref();
                let ca = ca.and_then(|ca| std::str::from_utf8(ca).ok());
                !is_chosen && ca.is_some_and(|ca| leaked.held.is_issued_by(ca))
            });
            let targets = if let Some(context) = issued {
                let found = targets::of_contexts(session, global, std::slice::from_ref(context));
                if found.all.is_empty() {
                    return Err(targets::nothing_found(found));
                }
                found.all
            } else {
                let listing = match &mut listing {
                    Some(listing) => listing,
                    open => open.insert(listing_of(session, global, args, current.filter(|_| !is_chosen))?),
                };
                self.among(session, listing, leaked)?
            };
            for target in targets {
                if found.iter().all(|(known, _)| known.at != target.at) {
                    found.push((target, at));
                }
            }
        }
        Ok(found)
    }

    fn among(&self, session: &Session<'_>, listing: &Listing, leaked: &LeakedCertificate) -> Result<Vec<Target>> {
        let asker = Asker {
            session,
            identity: &listing.identity,
            cloud: &listing.plan.cloud,
            certificate: &settings(session)?,
        };
        let clusters = &listing.found.clusters;
        let issuers = asker.issuers(&leaked.held, clusters)?;
        if issuers.is_empty() {
            return Err(NoIssuer::Unknown {
                certificate: leaked.called(self.file),
                looked_at: looked_at(clusters.len(), listing.found.failures.len()),
                says: leaked.held.says(),
            }
            .into());
        }
        let target = |issuer: Issuer<'_>| {
            let mut target = listing.target(issuer.located.clone());
            target.server = server(session, &issuer.located.cluster, &issuer.record);
            target
        };
        Ok(issuers.into_iter().map(target).collect())
    }

    /// Whether a cluster that was named issued one of them, and which. What cannot be found out is said, and taken as it was named.
    pub(super) fn check(&self, session: &Session<'_>, target: &mut Target) -> Result<usize> {
        if let Some(at) = self.known(session, target) {
            return Ok(at);
        }
        let settings = settings(session)?;
        let asker = Asker {
            session,
            identity: &target.identity,
            cloud: &target.cloud,
            certificate: &settings,
        };
        for (at, leaked) in self.certificates.iter().enumerate() {
            match asker.ask(&target.at, &leaked.held, Staleness::AskAnew) {
                Ok(Some((_, record, _))) => {
                    target.server = server(session, &target.cluster, &record);
                    return Ok(at);
                }
                Ok(None) => {}
                Err(error) => {
                    session.host.say(&format!(
                        "cluster `{}`: whether it issued {} could not be found out: {error}",
                        sanitize(&target.cluster.name),
                        leaked.called(self.file)
                    ));
                    return Ok(at);
                }
            }
        }
        let first = self.certificates.first();
        Err(NoIssuer::Another {
            certificate: first.map_or_else(String::new, |leaked| leaked.called(self.file)),
            says: first.map_or_else(String::new, |leaked| leaked.held.says()),
        }
        .into())
    }

    /// The certificate that this cluster issued, by what this machine knows of its authorities.
    pub(super) fn known(&self, session: &Session<'_>, target: &mut Target) -> Option<usize> {
        let issued = |ca: &str| self.certificates.iter().position(|leaked| leaked.held.is_issued_by(ca));
        if let Some(ServerCheck::Verified { ca_pem, .. }) = target.server.as_ref().map(|server| &server.check)
            && let Some(at) = issued(ca_pem)
        {
            return Some(at);
        }
        let notes = index::all(&session.directories).into_iter().map(|(_, note)| note);
        let mut of_cluster = notes.filter(|note| note.cluster_id == target.at.cluster_id.as_str());
        of_cluster.find_map(|note| {
            let at = issued(note.ca_pem.as_deref()?)?;
            target.server = server(session, &target.cluster, &note);
            Some(at)
        })
    }

    /// What the revocation on this cluster is verified with: the leaked certificate itself, where it can be shown.
    pub(super) fn proof(&self, session: &Session<'_>, target: &Target, at: usize) -> RevocationProof {
        let Some(leaked) = self.certificates.get(at) else {
            return RevocationProof::OfThisMachine;
        };
        let HeldCertificate { not_after, .. } = leaked.held;
        if not_after <= session.host.clock.now() {
            let end = not_after.format("%Y-%m-%d %H:%M UTC");
            return RevocationProof::Silent(format!("it expired on {end}, so nobody can use it, revoked or not"));
        }
        let called = leaked.called(self.file);
        match (&leaked.with_key, &target.server) {
            (None, _) => RevocationProof::Silent("its key did not come with it".to_owned()),
            (_, None) => RevocationProof::Silent("the API server cannot be reached from here".to_owned()),
            (Some(cert), Some(server)) => {
                RevocationProof::given(cert.clone(), called, server.clone(), session.deadline)
            }
        }
    }
}

fn settings(session: &Session<'_>) -> Result<CertificateSettings> {
    let none_typed = CertificateArgs::default();
    let settings = CertificateSettings::inheriting(&none_typed, &session.host.env, &none_typed);
    Ok(settings?)
}

/// Somebody says where to look, or as whom.
fn is_search_chosen(search: &SearchArgs) -> bool {
    let (identity, cloud) = (&search.identity, &search.cloud);
    !search.region.is_empty()
        || [
            &search.project,
            &identity.profile,
            &identity.identity,
            &cloud.cloud,
            &cloud.cce_endpoint,
            &cloud.iam_endpoint,
        ]
        .into_iter()
        .any(Option::is_some)
}

/// What can be listed: as the current context's identity, unless somebody says as whom or it is not ours.
fn listing_of(
    session: &Session<'_>,
    global: &GlobalArgs,
    args: &ChoiceArgs,
    current: Option<&OurContext<'_>>,
) -> Result<Listing> {
    let entry = current.and_then(|context| contexts::arguments(context).ok());
    let Some(entry) = entry else {
        return Listing::of(session, global, &args.search, None);
    };
    let home = Region::parse(&entry.region).ok();
    let search = SearchArgs {
        identity: entry.identity,
        cloud: entry.cloud,
        ..SearchArgs::default()
    };
    Listing::of(session, global, &search, home)
}

/// A server of the cluster that answers from here.
fn server(session: &Session<'_>, cluster: &Cluster, record: &CertificateRecord) -> Option<ApiServer> {
    let chosen = choose::choose(
        session,
        &ServerQuery {
            choice: &ServerChoice::Auto,
            cluster,
            note: record,
            proxy_url: None,
            kept: None,
            is_unverified: false,
        },
    );
    match chosen {
        Ok(Chosen::Reachable(server)) => Some(server),
        Ok(Chosen::Unreachable { .. }) | Err(_) => None,
    }
}
