//! The cluster that issued a certificate: known by its authorities, never by a name or an address alone.

use crate::cache::CacheKey;
use crate::cache::index::{self, CertificateRecord};
use crate::credential::Certificates;
use crate::credential::request::{CertificateRequest, Requester};
use crate::credential::slot::ObtainedCertificate;
use crate::discovery::held::HeldCertificate;
use crate::discovery::search::LocatedCluster;
use crate::error::Result;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::identity::Identity;
use crate::ids::{ClusterId, Endpoint};
use crate::plan::{CertificateSettings, CloudSettings, ClusterRef};
use crate::session::Session;

/// How many clusters are asked for their authorities where no address tells which one it is.
pub(crate) const MOST_ASKED: usize = 10;

/// Who asks the clusters for their authorities.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) session: &'a Session<'a>,
    pub(crate) identity: &'a Identity,
    pub(crate) cloud: &'a CloudSettings,
    pub(crate) certificate: &'a CertificateSettings,
}

/// The cluster that issued a certificate, and what CCE gave us of it.
pub(crate) struct Issuer<'c> {
    pub(crate) located: &'c LocatedCluster,
    pub(crate) obtained: ObtainedCertificate,
    pub(crate) record: CertificateRecord,
    pub(crate) ca_pem: String,
}

impl Asker<'_> {
    /// The clusters that issued what is held: more than one only where they have the same authorities. Those at its addresses are asked
    /// first, else up to [`MOST_ASKED`] others. An error where one at its address could not be asked.
    pub(crate) fn issuers<'c>(
        &self,
        held: &HeldCertificate,
        clusters: &'c [LocatedCluster],
    ) -> Result<Vec<Issuer<'c>>> {
        let is_at = |cluster: &Cluster| {
            let is_one = |server: Endpoint| cluster.endpoints.iter().any(|endpoint| endpoint.url == server);
            held.servers().any(is_one)
        };
        let records = index::all(&self.session.directories);
        let noted = noted_issuer(&records, held);
        let is_near =
            |located: &&LocatedCluster| is_at(&located.cluster) || noted.as_ref() == Some(&located.cluster.id);
        let (near, mut far): (Vec<_>, Vec<_>) = clusters.iter().partition(is_near);
        // What is known already has not issued it, so that whoever runs this again asks the next ones.
        let is_known = |id: &ClusterId| {
            let mut about_it = records.iter().filter(|(_, note)| note.cluster_id == id.as_str());
            about_it.any(|(_, note)| note.ca_pem.is_some())
        };
        far.sort_by_key(|located| is_known(&located.cluster.id));
        let mut found = Vec::new();
        let mut trouble = None;
        for candidate in near {
            match self.issuer(candidate, held, Staleness::AskAnew) {
                Ok(issuer) => found.extend(issuer),
                Err(error) => trouble = Some(error),
            }
        }
        match trouble {
            Some(error) if found.is_empty() => return Err(error),
            None if found.is_empty() => {
                let mut far = far.into_iter().take(MOST_ASKED);
                let issuer = |candidate| self.issuer(candidate, held, Staleness::Accept).ok().flatten();
                found.extend(far.find_map(issuer));
            }
            _ => {}
        }
        Ok(found)
    }

    /// This cluster, with a certificate of ours, if it issued the one that is held.
    fn issuer<'c>(
        &self,
        located: &'c LocatedCluster,
        held: &HeldCertificate,
        staleness: Staleness,
    ) -> Result<Option<Issuer<'c>>> {
        let known = self.ask(&located.reference(), held, staleness)?;
        Ok(known.map(|(obtained, record, ca_pem)| Issuer {
            located,
            obtained,
            record,
            ca_pem,
        }))
    }

    /// What CCE names with a certificate of ours, if the authorities among it issued the one that is held.
    pub(crate) fn ask(
        &self,
        target: &ClusterRef,
        held: &HeldCertificate,
        staleness: Staleness,
    ) -> Result<Option<(ObtainedCertificate, CertificateRecord, String)>> {
        let wanted = CertificateRequest {
            target,
            identity: self.identity,
            cloud: self.cloud,
            certificate: self.certificate,
            principal: None,
            is_lifetime_strict: false,
            requester: Requester::Person,
        };
        let certificates = Certificates::of(self.session, &wanted);
        let issued = |obtained: ObtainedCertificate| {
            let record = certificates.record_of(&obtained).ok()?;
            let ca_pem = record.ca_pem.clone().filter(|ca| held.is_issued_by(ca))?;
            Some((obtained, record, ca_pem))
        };
        let obtained = certificates.cached_or_new()?;
        let is_new = obtained.is_fetched;
        match issued(obtained) {
            // Authorities that were noted a while ago may have been rotated since.
            None if !is_new && staleness == Staleness::AskAnew => Ok(issued(certificates.new_now()?)),
            found => Ok(found),
        }
    }
}

/// What is done about authorities that were noted earlier and did not issue the certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Staleness {
    AskAnew,
    Accept,
}

/// The cluster whose authorities, as this machine has noted them, issued what is held.
fn noted_issuer(records: &[(CacheKey, CertificateRecord)], held: &HeldCertificate) -> Option<ClusterId> {
    let is_issuer = |ca: &str| held.is_issued_by(ca);
    let mut issued = records
        .iter()
        .filter(|(_, note)| note.ca_pem.as_deref().is_some_and(is_issuer));
    issued.find_map(|(_, note)| ClusterId::parse(&note.cluster_id).ok())
}

/// Among what it was looked for, in a sentence: so many clusters, with so many places that did not answer.
pub(crate) fn looked_at(clusters: usize, failures: usize) -> String {
    let asked = if clusters > MOST_ASKED {
        format!("the {MOST_ASKED} of {clusters} clusters that were asked (the same command asks the next ones)")
    } else {
        "the clusters that this identity can reach".to_owned()
    };
    match failures {
        0 => asked,
        1 => format!("{asked} (one region or project did not answer)"),
        failures => format!("{asked} ({failures} regions or projects did not answer)"),
    }
}
