//! A cluster with its certificate, a server that answers and verifies, and who we are to it.

use crate::api_server::ApiServerError;
use crate::api_server::choose::{self, Chosen};
use crate::cache::index::CertificateRecord;
use crate::commands::login::server_entry::ServerEntry;
use crate::commands::login::setup::ClusterSetup;
use crate::contexts::authorities;
use crate::credential::Certificates;
use crate::credential::slot::ObtainedCertificate;
use crate::error::{Error, Result};
use crate::huaweicloud::cce::cluster::{Access, Cluster};
use crate::plan::Destination;

/// What there is now.
pub(super) struct CheckedCluster {
    pub(super) obtained: ObtainedCertificate,
    /// Who we are to the cluster, once it was asked.
    pub(super) user: Option<String>,
    /// The servers and authorities that CCE named with the certificate.
    record: CertificateRecord,
    chosen: Chosen,
    /// The name under which it verifies, if that is not its host.
    tls_server_name: Option<String>,
}

impl CheckedCluster {
    /// Takes the certificate and chooses the server.
    pub(super) fn new(setup: &ClusterSetup<'_>) -> Result<Self> {
        let session = setup.run.session;
        let (mut obtained, mut record) = certificate_of(setup, WhichCertificate::AsNeeded)?;
        let chosen = match choose::choose(session, &setup.server_query(&record)) {
            // The authorities that came with the cached certificate may have been rotated since.
            Err(error) if !obtained.is_fetched => {
                session.log.info(|| format!("{error}: asking CCE anew"));
                (obtained, record) = certificate_of(setup, WhichCertificate::New)?;
                choose::choose(session, &setup.server_query(&record))?
            }
            chosen => chosen?,
        };
        let tls_server_name = tls_server_name(setup, &chosen);
        if setup.run.plan.destination == Destination::DryRun {
            record.choose_server(chosen.url(), tls_server_name.as_deref());
        } else {
            let request = setup.request();
            let certificates = Certificates::of(session, &request);
            certificates.remember_server(&mut record, chosen.url(), tls_server_name.as_deref());
        }
        Ok(Self {
            tls_server_name,
            obtained,
            user: None,
            record,
            chosen,
        })
    }

    /// The server that was chosen, with the authorities that came with the certificate.
    pub(super) fn server_entry(&self) -> ServerEntry {
        ServerEntry {
            url: self.chosen.url().to_string(),
            ca_pem: self.record.ca_pem.clone().map(String::into_bytes),
            tls_server_name: self.tls_server_name.clone(),
        }
    }

    /// Its server answers.
    pub(super) fn is_reachable(&self) -> bool {
        matches!(self.chosen, Chosen::Reachable(_))
    }

    /// From where its server was reached.
    pub(super) fn access(&self, cluster: &Cluster) -> Option<Access> {
        [Access::Internal, Access::External]
            .into_iter()
            .find(|access| cluster.is_at(*access, self.chosen.url()))
    }

    /// Asks the API server who we are; `None` where it does not answer. A cached certificate that it refuses is replaced once.
    pub(super) fn who_am_i(&self, setup: &ClusterSetup<'_>) -> Result<Option<Known>> {
        let session = setup.run.session;
        let Chosen::Reachable(server) = &self.chosen else {
            return Ok(None);
        };
        match server.who_am_i(&self.obtained.entry.cert, session.deadline) {
            Ok(user) => Ok(Some(Known { user, replaced: None })),
            Err(ApiServerError::Refused) if !self.obtained.is_fetched => {
                session
                    .log
                    .info(|| "the API server refuses the cached certificate: fetching a new one".to_owned());
                let (obtained, _) = certificate_of(setup, WhichCertificate::New)?;
                Ok(Some(Known {
                    user: server.who_am_i(&obtained.entry.cert, session.deadline)?,
                    replaced: Some(obtained),
                }))
            }
            Err(error) => {
                let (entry, clock) = (&self.obtained.entry, &session.host.clock);
                Err(error.of(&entry.cert, clock.now() + entry.skew.now(clock)).into())
            }
        }
    }

    /// The API server has said who we are.
    pub(super) fn is_known(&mut self, known: Known) {
        self.user = Some(known.user);
        if let Some(obtained) = known.replaced {
            self.obtained = obtained;
        }
    }

    /// Why its server was not asked.
    pub(super) fn into_unanswered(self) -> Option<Error> {
        match self.chosen {
            Chosen::Unreachable { error, .. } => Some(error.into()),
            Chosen::Reachable(_) => None,
        }
    }
}

/// Who we are to a cluster.
pub(super) struct Known {
    user: String,
    /// The certificate in place of one that was refused.
    replaced: Option<ObtainedCertificate>,
}

/// Whether a cached certificate will do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhichCertificate {
    AsNeeded,
    New,
}

/// The certificate, and the servers and authorities that CCE named with it.
fn certificate_of(
    setup: &ClusterSetup<'_>,
    which: WhichCertificate,
) -> Result<(ObtainedCertificate, CertificateRecord)> {
    let request = setup.request();
    let certificates = Certificates::of(setup.run.session, &request);
    let known = certificates
        .record()
        .filter(|record| knows_all_servers(record, &setup.located.cluster))
        .filter(|record| record.ca_pem.is_some() || setup.is_unverified());
    if let Some(record) = known.filter(|_| which == WhichCertificate::AsNeeded)
        && let Some(obtained) = certificates.cached()
    {
        return Ok((obtained, record));
    }
    let doing = || format!("failed to get a client certificate for cluster `{}`", setup.name());
    let obtained = certificates.new_now().map_err(|e| e.doing(doing()))?;
    if cfg!(any(target_os = "macos", target_os = "windows")) {
        // So that the keyring's "always allow" question comes now and not in the middle of a kubectl call.
        let _ = certificates.cached();
    }
    let record = certificates.record_of(&obtained)?;
    if !setup.is_unverified() {
        authorities::check(&record).map_err(|error| Error::from(error).doing(doing()))?;
    }
    Ok((obtained, record))
}

/// The name to write: as it verifies, else as it verified when the entry was made.
fn tls_server_name(setup: &ClusterSetup<'_>, chosen: &Chosen) -> Option<String> {
    let existing = setup
        .existing
        .filter(|existing| existing.server.as_ref() == Some(chosen.url()) && existing.ca_pem.is_some());
    match (chosen, existing) {
        (Chosen::Unreachable { .. }, Some(existing)) => existing.tls_server_name.clone(),
        _ => chosen.tls_server_name().map(str::to_owned),
    }
}

/// The cluster's present endpoints were all named with the certificate; otherwise an elastic IP was bound since.
fn knows_all_servers(record: &CertificateRecord, cluster: &Cluster) -> bool {
    cluster
        .endpoints
        .iter()
        .all(|endpoint| record.servers.iter().any(|server| server == endpoint.url.as_str()))
}
