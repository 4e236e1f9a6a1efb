//! The API server of one context: whether it answers, is the cluster's, and takes the certificate; and if not, which of the reasons it is.

use crate::account::user_name;
use crate::api_server::{ApiServer, ApiServerError, NOT_VALID_YET, known};
use crate::cache::entry::CacheEntry;
use crate::cache::index::CertificateRecord;
use crate::certificate::certificates_in;
use crate::commands::doctor::finding::Finding;
use crate::contexts;
use crate::credential::Certificates;
use crate::error::Error;
use crate::http::{HttpError, ServerCheck};
use crate::huaweicloud::cce::cluster::Cluster;
use crate::kubeconfig::OurContext;
use crate::sanitize::shell_word;
use crate::session::Session;

const CHECK: &str = "api-server";

/// What is known before it is asked.
pub(super) struct ServerCase<'a> {
    pub(super) session: &'a Session<'a>,
    pub(super) context: &'a OurContext<'a>,
    pub(super) cluster: Option<&'a Cluster>,
    pub(super) certificates: &'a Certificates<'a>,
    /// The cluster has other authorities than the entry.
    pub(super) is_rotated: bool,
}

impl ServerCase<'_> {
    pub(super) fn check(&self, note: Option<CertificateRecord>, certificate: Option<&CacheEntry>) -> Finding {
        let (session, context) = (self.session, self.context);
        let cluster = contexts::cluster_info(context);
        let server = cluster.and_then(|cluster| known::of_entry(cluster, || note?.ca_pem, &session.host.env));
        let Some(server) = server else {
            return Finding::problem(
                CHECK,
                "the entry names no server",
                "run `kubectl cce-login` again for this cluster",
            );
        };
        let unverified = if context.insecure_skip_tls_verify {
            ", which is not verified"
        } else {
            ""
        };
        let Some(certificate) = certificate else {
            return Finding::warning(CHECK, "not asked: there is no certificate", "see above");
        };
        match server.who_am_i(&certificate.cert, session.deadline) {
            Ok(user) => {
                let user = user_name::shown(session, &user);
                Finding::ok(CHECK, format!("`{}`{unverified} knows you as {user}", server.url))
            }
            Err(error @ ApiServerError::Refused) => self.refused(certificate, error),
            Err(ApiServerError::Unreachable(HttpError::Tls { .. })) => self.not_verified(&server),
            Err(error) => Finding::failed(CHECK, &Error::from(error)),
        }
    }

    fn refused(&self, certificate: &CacheEntry, error: ApiServerError) -> Finding {
        let clock = &self.session.host.clock;
        let error = error.of(&certificate.cert, clock.now() + certificate.skew.now(clock));
        if matches!(error, ApiServerError::NotValidYet(_)) {
            return Finding::problem(CHECK, error.to_string(), NOT_VALID_YET);
        }
        Finding::problem(
            CHECK,
            error.to_string(),
            format!("it may have been revoked: {}", refresh_of(self.context)),
        )
    }

    /// It does not verify by the entry: because the cluster has changed since, or because it is somebody else. CCE knows.
    fn not_verified(&self, server: &ApiServer) -> Finding {
        let url = &server.url;
        if self.is_rotated {
            return Finding::problem(
                CHECK,
                format!("`{url}` cannot be verified with the CA of the entry"),
                "see above",
            );
        }
        let told = self
            .certificates
            .new_now()
            .and_then(|obtained| self.certificates.record_of(&obtained));
        let Ok(Some(ca_pem)) = told.map(|record| record.ca_pem) else {
            return Finding::problem(
                CHECK,
                format!(
                    "`{url}` cannot be verified with the CA and the TLS name of the entry, and CCE could not be asked about it"
                ),
                format!(
                    "if the cluster's certificates were rotated, or its addresses changed: {}; if that does not help, somebody may be in between",
                    refresh_of(self.context)
                ),
            );
        };
        let others = self.cluster.iter().flat_map(|cluster| &cluster.endpoints);
        let others: Vec<&str> = others.map(|endpoint| endpoint.url.host()).collect();
        let (proxies, deadline) = (&server.proxies, self.session.deadline);
        let is_new =
            !matches!(&server.check, ServerCheck::Verified { ca_pem: old, .. } if is_same(old.as_bytes(), &ca_pem));
        match ApiServer::verify(url, &ca_pem, &others, proxies, deadline) {
            Ok(_) if is_new => Finding::problem(
                CHECK,
                "the cluster has new certificate authorities: they were rotated since the entry was written",
                refresh_of(self.context),
            ),
            Ok(_) => Finding::problem(
                CHECK,
                format!("`{url}` is the cluster's, but not under the TLS name of the entry"),
                refresh_of(self.context),
            ),
            Err(error) => Finding::failed(CHECK, &error.into()),
        }
    }
}

/// The command that brings this context up to date.
pub(super) fn refresh_of(context: &OurContext<'_>) -> String {
    format!("kubectl cce-login refresh --context {}", shell_word(context.name))
}

/// The same authorities, however they are written.
pub(super) fn is_same(entry: &[u8], named: &str) -> bool {
    match (certificates_in(entry), certificates_in(named.as_bytes())) {
        (Some(entry), Some(named)) => entry == named,
        _ => String::from_utf8_lossy(entry).trim() == named.trim(),
    }
}
