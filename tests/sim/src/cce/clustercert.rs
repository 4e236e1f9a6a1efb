//! `POST …/clusters/{id}/clustercert`: a kubeconfig with a new client certificate.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use serde_json::{Value, json};

use super::body_object;
use crate::{
    answer::Answer,
    behaviour::{Behaviour, ExpireAt},
    clock,
    cluster::Cluster,
    errors,
    keys::{self, PooledKey},
    pki::{self, Subject, Validity},
    principal::{Identity, Principal},
    world::{World, lock},
};

const MIN_LIFETIME: Duration = Duration::minutes(15);
/// Five years with their leap days.
const MAX_DAYS: i64 = 1827;

pub(super) fn create(
    world: &World,
    behaviour: &Behaviour,
    principal: &Principal,
    cluster: &Cluster,
    body: &[u8],
) -> Result<Answer, Answer> {
    if let Some(limit) = behaviour.clustercert_limit {
        check_limit(world, principal, limit)?;
    }
    let now = world.now();
    let not_after = requested_end(behaviour.expire_at_supported, body, now)?;
    if !cluster.has_api_server() {
        let message = format!("Cluster status is {}, operation is not allowed.", cluster.phase());
        return Err(errors::cce(403, "CCE.01403003", &message));
    }
    let validity = validity(behaviour, now, not_after);
    let key = keys::next_key(cluster.spec.key_format);
    let subject = Subject {
        common_name: &principal.id,
        is_agency: matches!(principal.identity, Identity::Agency { .. }),
        organizations: &principal.groups,
    };
    let certificate = cluster.issue(key, &subject, validity);
    let kubeconfig = kubeconfig(behaviour, cluster, &certificate.pem, key);
    Ok(Answer::json(200, &kubeconfig).with_header("Port-ID", &pki::random_uuid()))
}

fn check_limit(world: &World, principal: &Principal, limit: u32) -> Result<(), Answer> {
    let now = clock::real_now();
    let mut recent = lock(&world.recent_clustercerts);
    let recent = recent.entry(principal.id.clone()).or_default();
    while recent
        .front()
        .is_some_and(|moment| now - *moment >= Duration::seconds(60))
    {
        recent.pop_front();
    }
    if u32::try_from(recent.len()).is_ok_and(|count| count >= limit) {
        return Err(errors::throttled(limit));
    }
    recent.push_back(now);
    Ok(())
}

fn requested_end(expire_at_supported: ExpireAt, body: &[u8], now: DateTime<Utc>) -> Result<DateTime<Utc>, Answer> {
    let known: &[&str] = match expire_at_supported {
        ExpireAt::Supported | ExpireAt::Ignored => &["duration", "expire_at"],
        ExpireAt::Refused400 => &["duration"],
    };
    let object = body_object(body, known)?;
    let duration = object.get("duration").filter(|value| !value.is_null());
    let expire_at = object.get("expire_at").filter(|value| !value.is_null());
    let expire_at = expire_at.filter(|_| expire_at_supported == ExpireAt::Supported);
    let days = duration.map(days).transpose()?;
    match (expire_at, days) {
        (Some(expire_at), _) => end_of(expire_at, now),
        (None, Some(days)) => Ok(now + Duration::days(days)),
        (None, None) => Err(errors::cce_invalid("duration or expire_at is required")),
    }
}

fn days(duration: &Value) -> Result<i64, Answer> {
    match duration.as_i64() {
        Some(-1) => Ok(MAX_DAYS),
        Some(days) if (1..=MAX_DAYS).contains(&days) => Ok(days),
        _ => Err(errors::cce_invalid(&format!(
            "duration must be -1 or in [1, {MAX_DAYS}]"
        ))),
    }
}

fn end_of(expire_at: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, Answer> {
    const FORMAT: &str = "%Y-%m-%d %H:%M:%S +0000 UTC";
    let text = expire_at.as_str().unwrap_or_default();
    let parsed = NaiveDateTime::parse_from_str(text, FORMAT).ok();
    let end = parsed
        .filter(|moment| moment.format(FORMAT).to_string() == text)
        .ok_or_else(|| errors::cce_invalid("expire_at must look like 2006-01-02 15:04:05 +0000 UTC"))?
        .and_utc();
    // Whole seconds: a client that asks for now + 15 min means it.
    let lifetime = end.timestamp() - now.timestamp();
    if (MIN_LIFETIME.num_seconds()..=Duration::days(MAX_DAYS).num_seconds()).contains(&lifetime) {
        Ok(end)
    } else {
        Err(errors::cce_invalid("expire_at must be 15 minutes to 5 years ahead"))
    }
}

fn validity(behaviour: &Behaviour, now: DateTime<Utc>, requested_end: DateTime<Utc>) -> Validity {
    if behaviour.expired_certificate {
        return Validity {
            not_before: now - Duration::hours(2),
            not_after: now - Duration::hours(1),
        };
    }
    let lifetime = behaviour
        .certificate_lifetime
        .and_then(|lifetime| Duration::from_std(lifetime).ok());
    Validity {
        not_before: now + Duration::try_seconds(behaviour.not_before_offset).unwrap_or_default(),
        not_after: lifetime.map_or(requested_end, |lifetime| now + lifetime),
    }
}

fn kubeconfig(behaviour: &Behaviour, cluster: &Cluster, certificate: &str, key: &PooledKey) -> Value {
    let format = cluster.spec.key_format;
    let key = if behaviour.wrong_key {
        other_key(key, cluster)
    } else {
        key.pem(format)
    };
    let certificate = if behaviour.malformed_certificate {
        "-----BEGIN CERTIFICATE-----\nTm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"
    } else {
        certificate
    };
    let entries = entries(behaviour, cluster);
    let clusters: Vec<_> = entries.iter().map(|entry| entry.cluster(behaviour)).collect();
    let contexts: Vec<_> = entries.iter().map(Entry::context).collect();
    let usual_context = if cluster.external.is_some() {
        "external"
    } else {
        "internal"
    };
    let current_context = behaviour.current_context.as_deref().unwrap_or(usual_context);
    let mut user = json!({
        "client-certificate-data": STANDARD.encode(certificate),
        "client-key-data": STANDARD.encode(key),
    });
    let mut users = Vec::new();
    if behaviour.smuggle {
        let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false", "args": ["smuggled"],
            "env": null, "interactiveMode": "Never"});
        user["exec"] = exec.clone();
        users.push(json!({"name": "smuggled", "user": {"exec": exec, "token": "smuggled"}}));
    }
    users.insert(0, json!({"name": "user", "user": user}));
    let mut kubeconfig = json!({
        "kind": "Config", "apiVersion": "v1", "preferences": {},
        "clusters": clusters, "users": users, "contexts": contexts, "current-context": current_context,
    });
    if behaviour.smuggle {
        kubeconfig["extensions"] = json!([{"name": "smuggled", "extension": {"command": "/bin/false"}}]);
    }
    kubeconfig
}

fn other_key(key: &PooledKey, cluster: &Cluster) -> &'static str {
    let format = cluster.spec.key_format;
    let mut others = (0..).map(|_| keys::next_key(format).pem(format));
    others.find(|pem| *pem != key.pem(format)).unwrap_or_default()
}

/// A context with its cluster.
struct Entry {
    context: String,
    cluster: String,
    server: String,
    /// Absent: `insecure-skip-tls-verify`.
    ca: Option<String>,
}

impl Entry {
    fn cluster(&self, behaviour: &Behaviour) -> Value {
        let mut cluster = match &self.ca {
            Some(ca) => json!({"server": self.server, "certificate-authority-data": ca}),
            None => json!({"server": self.server, "insecure-skip-tls-verify": true}),
        };
        if behaviour.no_authorities {
            cluster = json!({"server": self.server});
        }
        if behaviour.smuggle {
            cluster["proxy-url"] = json!("http://127.0.0.1:9");
            cluster["tls-server-name"] = json!("smuggled.example");
            cluster["extensions"] =
                json!([{"name": "client.authentication.k8s.io/exec", "extension": {"smuggled": true}}]);
        }
        json!({"name": self.cluster, "cluster": cluster})
    }

    fn context(&self) -> Value {
        json!({"name": self.context, "context": {"cluster": self.cluster, "user": "user"}})
    }
}

fn entries(behaviour: &Behaviour, cluster: &Cluster) -> Vec<Entry> {
    let authority = cluster.authority();
    let ca = if cluster.spec.ca_text_dump {
        authority.text_dump_and_pem()
    } else {
        authority.pem()
    };
    let ca = Some(STANDARD.encode(ca));
    let entry = |context: &str, name: &str, server: String, ca: Option<String>| Entry {
        context: context.to_owned(),
        cluster: name.to_owned(),
        server: behaviour.server_override.clone().unwrap_or(server),
        ca,
    };
    let mut entries = vec![entry("internal", "internalCluster", cluster.internal_url(), ca.clone())];
    if let Some(url) = cluster.external_url() {
        entries.push(entry("external", "externalCluster", url.clone(), None));
        let name = if behaviour.duplicate_external_clusters {
            "externalCluster"
        } else {
            "externalClusterTLSVerify"
        };
        entries.push(entry("externalTLSVerify", name, url, ca.clone()));
    }
    for (number, san) in cluster.spec.custom_sans.iter().enumerate() {
        let name = format!("customSAN-{number}");
        let url = format!("https://{san}:{}", cluster.port());
        let cluster_name = if behaviour.duplicate_external_clusters {
            "externalCluster"
        } else {
            &name
        };
        entries.push(entry(&name, cluster_name, url, ca.clone()));
    }
    entries
}
