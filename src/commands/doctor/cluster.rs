//! One context: its identity at the cloud, its cluster, its certificate, its API server.

use crate::api_server::{ApiServer, ApiServerError, known};
use crate::cache::entry::CacheEntry;
use crate::cache::index::CertificateRecord;
use crate::commands::doctor::finding::Finding;
use crate::contexts::{self, ResolvedContext};
use crate::credential::request::CertificateRequest;
use crate::credential::{Certificates, ask_cce, shared};
use crate::error::{Error, Result};
use crate::http::HttpError;
use crate::huaweicloud::cce::cluster::Cluster;
use crate::huaweicloud::cce::revocation::too_old_to_revoke;
use crate::kubeconfig::OurContext;
use crate::lifetime::about;
use crate::sanitize::shell_word;
use crate::session::Session;

const REFRESH: &str = "kubectl cce-login refresh";

/// Looks at the context from the cloud to its API server.
pub(super) fn check(session: &Session<'_>, context: &OurContext<'_>, meant: &ResolvedContext) -> Vec<Finding> {
    let wanted = meant.wanted();
    let mut findings = Vec::new();
    let cluster = match ask_cce::cluster(session, &wanted) {
        Ok(cluster) => {
            findings.extend(phase(&cluster));
            Some(cluster)
        }
        Err(error) => {
            findings.push(Finding::failed("cluster", &error));
            None
        }
    };
    let certificates = Certificates::of(session, &wanted);
    let certificate = match certificate(session, &certificates) {
        Ok((entry, finding)) => {
            findings.push(finding);
            Some(entry)
        }
        Err(error) => {
            findings.push(Finding::failed("certificate", &error));
            None
        }
    };
    findings.extend(shared_cache(session, &wanted));
    let note = certificates.record();
    findings.extend(
        note.as_ref()
            .and_then(|note| changes(session, context, cluster.as_ref(), note)),
    );
    findings.push(api_server(session, context, note, certificate.as_ref()));
    findings
        .into_iter()
        .map(|finding| finding.of_context(context.name))
        .collect()
}

/// The register of many machines: whether it can be reached, what we may do there, and what lies there.
fn shared_cache(session: &Session<'_>, request: &CertificateRequest<'_>) -> Option<Finding> {
    const CHECK: &str = "shared cache";
    let examined = shared::examine(session, &request.sharing(), &request.key())?;
    Some(match examined {
        Ok(Some(seen)) => {
            let held = match seen.fetched_at {
                Some(at) => format!("it has a certificate of {} ago", about(session.host.clock.now() - at)),
                None => "it has no certificate yet".to_owned(),
            };
            let seal = if seen.is_sealed {
                "sealed: nobody else can read it"
            } else {
                "not sealed: the engine alone protects it"
            };
            Finding::ok(
                CHECK,
                format!("{}: it lets us read and write; {held}; {seal}", seen.place),
            )
        }
        Ok(None) => Finding::warning(
            CHECK,
            format!(
                "nothing is shared: {} is not the same everywhere",
                request.identity.describe()
            ),
            "use an access key, an IAM user, an agency by id token, or a pod's identity",
        ),
        Err(error) => Finding::failed(CHECK, &error),
    })
}

fn phase(cluster: &Cluster) -> Vec<Finding> {
    let mut shown = format!("`{}` ({}) is {}", cluster.name, cluster.version, cluster.phase);
    if !cluster.reason.is_empty() {
        shown = format!("{shown}: {}", cluster.reason);
    }
    let mut findings = vec![match cluster.unreachable_because() {
        Some(cure) => Finding::problem("cluster", shown, cure),
        None => Finding::ok("cluster", shown),
    }];
    findings.extend(too_old_to_revoke(&cluster.release).map(|since| {
        Finding::warning(
            "revoke",
            format!("release `{}` cannot revoke certificates", cluster.release),
            format!("upgrade the cluster to `{since}` or later, so that a certificate in wrong hands can be cut off"),
        )
    }));
    findings
}

/// The cached certificate, else a new one: whoever gets it has the permission.
fn certificate(session: &Session<'_>, certificates: &Certificates<'_>) -> Result<(CacheEntry, Finding)> {
    let obtained = certificates.cached_or_new()?;
    let left = obtained.entry.ends_at(&session.host.clock) - session.host.clock.now();
    let came = if obtained.is_fetched {
        "came from CCE just now"
    } else {
        "is cached"
    };
    let finding = Finding::ok(
        "certificate",
        format!(
            "it {came}, for `{}`, and is valid for {}",
            obtained.entry.cert.common_name,
            about(left)
        ),
    );
    Ok((obtained.entry, finding))
}

/// The command that brings this context up to date.
fn refresh_of(context: &OurContext<'_>) -> String {
    format!("{REFRESH} --context {}", shell_word(context.name))
}

/// What is not any more as the entry has it.
fn changes(
    session: &Session<'_>,
    context: &OurContext<'_>,
    cluster: Option<&Cluster>,
    note: &CertificateRecord,
) -> Option<Finding> {
    let refresh = refresh_of(context);
    let same = |a: &[u8], b: &str| String::from_utf8_lossy(a).trim() == b.trim();
    if let (Some(entry), Some(ca)) = (&context.certificate_authority_data, &note.ca_pem)
        && !same(entry, ca)
    {
        return Some(Finding::problem(
            "entry",
            "the cluster has other certificate authorities than the entry: they were rotated",
            refresh,
        ));
    }
    let server = context.server?;
    let known: Vec<&str> = cluster
        .iter()
        .flat_map(|cluster| cluster.endpoints.iter().map(|endpoint| endpoint.url.as_str()))
        .chain(note.servers.iter().chain(&note.custom_san_servers).map(String::as_str))
        .chain(note.chosen_server.as_deref())
        .collect();
    session
        .log
        .debug(|| format!("the cluster's servers: {}", known.join(", ")));
    (!known.contains(&server)).then(|| {
        Finding::warning(
            "entry",
            format!("`{server}` is not among the addresses of the cluster any more"),
            refresh,
        )
    })
}

fn api_server(
    session: &Session<'_>,
    context: &OurContext<'_>,
    note: Option<CertificateRecord>,
    certificate: Option<&CacheEntry>,
) -> Finding {
    const CHECK: &str = "api-server";
    let cluster = contexts::cluster_info(context);
    let server: Option<ApiServer> =
        cluster.and_then(|cluster| known::of_entry(cluster, || note?.ca_pem, &session.host.env));
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
        Ok(user) => Finding::ok(CHECK, format!("`{}`{unverified} knows you as `{user}`", server.url)),
        Err(error @ ApiServerError::Refused) => Finding::problem(
            CHECK,
            error.to_string(),
            format!("it may have been revoked: {}", refresh_of(context)),
        ),
        Err(ApiServerError::Unreachable(HttpError::Tls { .. })) => Finding::problem(
            CHECK,
            format!(
                "`{}` cannot be verified with the CA and the TLS name of the entry",
                server.url
            ),
            format!(
                "if the cluster's certificates were rotated, or its addresses changed: {}; if that does not help, somebody \
                 may be in between",
                refresh_of(context)
            ),
        ),
        Err(error) => Finding::failed(CHECK, &Error::from(error)),
    }
}
