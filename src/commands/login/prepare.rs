//! A cluster made ready for use: its certificate, a server that answers and verifies, and who we are to it.

use crate::api_server::ApiServerError;
use crate::api_server::choose::{self, Chosen};
use crate::cache::index::{self, CertificateRecord};
use crate::commands::login::setup::ClusterSetup;
use crate::credential::fetch::{self, CachePolicy};
use crate::credential::{self, ObtainedCertificate};
use crate::error::{Error, Result};
use crate::huaweicloud::cce::cluster::Cluster;
use crate::plan::Destination;
use crate::session::Session;

/// What there is now.
pub(super) struct PreparedCluster {
    pub(super) obtained: ObtainedCertificate,
    /// The servers and authorities that CCE named with the certificate.
    pub(super) note: CertificateRecord,
    pub(super) chosen: Chosen,
}

impl PreparedCluster {
    /// Takes the certificate and chooses the server.
    pub(super) fn new(session: &Session<'_>, setup: &ClusterSetup<'_>) -> Result<Self> {
        let (mut obtained, mut note) = certificate_of(session, setup, WhichCertificate::AsNeeded)?;
        let chosen = match choose::choose(session, &setup.search(&note)) {
            // The authorities that came with the cached certificate may have been rotated since.
            Err(error) if !obtained.is_fetched => {
                session.log.info(|| format!("{error}: asking CCE anew"));
                (obtained, note) = certificate_of(session, setup, WhichCertificate::New)?;
                choose::choose(session, &setup.search(&note))?
            }
            chosen => chosen?,
        };
        remember_server(session, setup, &chosen, &mut note);
        Ok(Self { obtained, note, chosen })
    }

    /// Asks the API server who we are; `None` where it is not to be asked or does not answer. A cached certificate that it refuses is
    /// replaced once.
    pub(super) fn who_am_i(&mut self, session: &Session<'_>, setup: &ClusterSetup<'_>) -> Result<Option<String>> {
        let Chosen::Reachable(server) = &self.chosen else {
            return Ok(None);
        };
        if !setup.plan.is_checked {
            return Ok(None);
        }
        match server.who_am_i(&self.obtained.entry.cert, session.deadline) {
            Ok(user) => Ok(Some(user)),
            Err(ApiServerError::Refused) if !self.obtained.is_fetched => {
                session
                    .log
                    .info(|| "the API server refuses the cached certificate: fetching a new one".to_owned());
                (self.obtained, _) = certificate_of(session, setup, WhichCertificate::New)?;
                Ok(Some(server.who_am_i(&self.obtained.entry.cert, session.deadline)?))
            }
            Err(error) => Err(Error::from(error).doing("the kubeconfig is written, only the check failed")),
        }
    }

    /// How the run ends where the server was to be checked and does not answer.
    pub(super) fn conclude(self, setup: &ClusterSetup<'_>) -> Result<()> {
        match self.chosen {
            Chosen::Unreachable { error, .. } if setup.plan.is_checked => {
                Err(Error::from(error).doing("certificate and kubeconfig are ready, only the check failed"))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a cached certificate will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhichCertificate {
    AsNeeded,
    New,
}

/// The certificate, and the servers and authorities that CCE named with it.
fn certificate_of(
    session: &Session<'_>,
    setup: &ClusterSetup<'_>,
    freshness: WhichCertificate,
) -> Result<(ObtainedCertificate, CertificateRecord)> {
    let target = setup.target();
    let wanted = setup.wanted(&target);
    let key = wanted.key();
    let store = session.store(setup.certificate.cache);
    let cache = session.cache(&store);
    let known = index::read(&session.directories, &key).filter(|note| knows_all_servers(note, &setup.site.cluster));
    if let Some(note) = known.filter(|_| freshness == WhichCertificate::AsNeeded)
        && let Some(obtained) = credential::cached(session, &cache, &key)
    {
        return Ok((obtained, note));
    }
    let doing = || {
        format!(
            "failed to get a client certificate for cluster `{}`",
            setup.site.cluster.name
        )
    };
    let (obtained, note) = fetch::for_person(session, &wanted, CachePolicy::Newer).map_err(|e| e.doing(doing()))?;
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        // So that the keyring's "always allow" question comes now and not in the middle of a kubectl call.
        let _ = cache.get(&key);
    }
    let note = note.ok_or_else(|| Error::from(choose::NoServer::nothing_known()))?;
    Ok((obtained, note))
}

/// Notes which server was chosen, for clients that do not tell us (contract §3: the question whether a certificate is refused).
fn remember_server(session: &Session<'_>, setup: &ClusterSetup<'_>, chosen: &Chosen, note: &mut CertificateRecord) {
    note.choose_server(chosen.url(), chosen.tls_server_name());
    if setup.plan.destination != Destination::DryRun {
        index::write(&session.directories, &setup.wanted(&setup.target()).key(), note);
    }
}

/// The cluster's present endpoints were all named with the certificate; otherwise an elastic IP was bound since.
fn knows_all_servers(note: &CertificateRecord, cluster: &Cluster) -> bool {
    cluster
        .endpoints
        .iter()
        .all(|endpoint| note.servers.iter().any(|server| server == endpoint.url.as_str()))
}
