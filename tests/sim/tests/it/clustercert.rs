//! The kubeconfig in a `clustercert` answer.

use std::{sync::Arc, time::Duration};

use cce_sim::{ClusterSpec, ExpireAt, KeyFormat, Sim};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring as provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use x509_parser::parse_x509_certificate;

use crate::client::{Kubeconfig, Reply, Request, cluster_path, decode};

fn request(sim: &Sim, body: &str) -> Reply {
    Request::post(&cluster_path(sim, "prod", "clustercert"), body).sent_by_alice(sim)
}

fn in_minutes(minutes: i64) -> String {
    let moment = chrono::Utc::now() + chrono::Duration::minutes(minutes);
    moment.format("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()
}

fn lifetime_minutes(kubeconfig: &Kubeconfig) -> i64 {
    let certificate = CertificateDer::from_pem_slice(kubeconfig.certificate.as_bytes()).unwrap();
    let (_, certificate) = parse_x509_certificate(&certificate).unwrap();
    let validity = certificate.validity();
    (validity.not_after.timestamp() - validity.not_before.timestamp()) / 60
}

fn names(kubeconfig: &Kubeconfig, list: &str) -> Vec<String> {
    let entries = kubeconfig.json[list].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether rustls takes the two as a pair.
fn belong_together(kubeconfig: &Kubeconfig) -> bool {
    let chain = vec![CertificateDer::from_pem_slice(kubeconfig.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(kubeconfig.key.as_bytes()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .is_ok()
}

#[test]
fn the_certificate_is_the_users_from_the_clusters_ca() {
    let sim = Sim::start();
    let (first, second) = (Kubeconfig::fetch(&sim, "prod"), Kubeconfig::fetch(&sim, "prod"));
    let der = CertificateDer::from_pem_slice(first.certificate.as_bytes()).unwrap();
    let (_, certificate) = parse_x509_certificate(&der).unwrap();
    let common_name = certificate.subject().iter_common_name().next().unwrap();
    assert_eq!(common_name.as_str().unwrap(), sim.user_id("alice"));
    let groups: Vec<_> = certificate
        .subject()
        .iter_organization()
        .map(|group| group.as_str().unwrap())
        .collect();
    assert_eq!((groups.len(), groups[1]), (2, "system:masters"));
    let other = CertificateDer::from_pem_slice(second.certificate.as_bytes()).unwrap();
    let (_, other) = parse_x509_certificate(&other).unwrap();
    assert_ne!(certificate.raw_serial(), other.raw_serial());
    assert!(belong_together(&first) && belong_together(&second));
    assert_eq!(first.get(&sim, "prod", "/api/v1/namespaces").unwrap().status, 200);
}

#[test]
fn contexts_are_those_of_the_documentation() {
    let sim = Sim::start();
    let kubeconfig = Kubeconfig::fetch(&sim, "prod");
    assert_eq!(
        names(&kubeconfig, "contexts"),
        ["internal", "external", "externalTLSVerify"]
    );
    assert_eq!(
        names(&kubeconfig, "clusters"),
        ["internalCluster", "externalCluster", "externalClusterTLSVerify"]
    );
    assert_eq!(kubeconfig.json["current-context"], "external");
    let clusters = &kubeconfig.json["clusters"];
    assert_eq!(clusters[1]["cluster"]["insecure-skip-tls-verify"], true);
    assert!(clusters[1]["cluster"]["certificate-authority-data"].is_null());
    assert_eq!(
        decode(&clusters[2]["cluster"]["certificate-authority-data"]),
        sim.cluster("prod").ca_pem
    );
    sim.add_cluster(ClusterSpec {
        eip: false,
        custom_sans: vec!["k8s.example.test".to_owned()],
        ca_text_dump: true,
        ..ClusterSpec::named("inner")
    });
    let inner = Kubeconfig::fetch(&sim, "inner");
    assert_eq!(names(&inner, "contexts"), ["internal", "customSAN-0"]);
    assert_eq!(inner.json["current-context"], "internal");
    let ca = decode(&inner.json["clusters"][0]["cluster"]["certificate-authority-data"]);
    assert!(ca.starts_with("Certificate:\n    Data:"));
    assert!(CertificateDer::from_pem_slice(ca.as_bytes()).is_ok());
}

#[test]
fn lifetimes_are_as_asked_within_the_limits() {
    let sim = Sim::start();
    let lifetime = |body: &str| {
        let reply = request(&sim, body);
        if reply.status != 200 {
            return Err(reply.json()["errorCode"].as_str().unwrap().to_owned());
        }
        let json = reply.json();
        let certificate = decode(&json["users"][0]["user"]["client-certificate-data"]);
        let key = String::new();
        Ok(lifetime_minutes(&Kubeconfig { json, certificate, key }))
    };
    let refused = Err("CCE.01400001".to_owned());
    let both = format!(r#"{{"duration": 1, "expire_at": "{}"}}"#, in_minutes(60));
    assert_eq!(lifetime(r#"{"duration": 1}"#), Ok(1440));
    assert_eq!(lifetime(r#"{"duration": -1}"#), Ok(1827 * 1440));
    assert_eq!(lifetime(&both), Ok(60));
    for body in [
        r#"{"duration": 0}"#,
        r#"{"duration": 1828}"#,
        r#"{"duration": "1"}"#,
        r#"{"duration": 1, "expireAt": "x"}"#,
        r#"{"expire_at": "2030-01-01T00:00:00Z"}"#,
        "{}",
        "",
        "[",
    ] {
        assert_eq!(lifetime(body), refused, "{body}");
    }
    for minutes in [14, 6 * 365 * 1440] {
        let body = format!(r#"{{"expire_at": "{}"}}"#, in_minutes(minutes));
        assert_eq!(lifetime(&body), refused, "{body}");
    }
    sim.set_behaviour(|behaviour| behaviour.expire_at_supported = ExpireAt::Ignored);
    assert_eq!(lifetime(&both), Ok(1440));
    sim.set_behaviour(|behaviour| behaviour.expire_at_supported = ExpireAt::Refused400);
    assert_eq!(lifetime(&both), refused);
    assert_eq!(lifetime(r#"{"duration": 2}"#), Ok(2880));
    sim.set_behaviour(|behaviour| behaviour.certificate_lifetime = Some(Duration::from_secs(120)));
    assert_eq!(lifetime(r#"{"duration": 2}"#), Ok(2));
}

#[test]
fn keys_come_in_every_form() {
    let sim = Sim::start_empty();
    for (format, label) in [
        (KeyFormat::Pkcs1, "BEGIN RSA PRIVATE KEY"),
        (KeyFormat::Pkcs8, "BEGIN PRIVATE KEY"),
        (KeyFormat::Sec1, "BEGIN EC PRIVATE KEY"),
        (KeyFormat::Pkcs8Ec, "BEGIN PRIVATE KEY"),
    ] {
        let uid = sim.add_cluster(ClusterSpec {
            key_format: format,
            ..ClusterSpec::named("keys")
        });
        let kubeconfig = Kubeconfig::fetch(&sim, &uid);
        assert!(kubeconfig.key.contains(label), "{format:?}");
        assert!(belong_together(&kubeconfig), "{format:?}");
        assert_eq!(kubeconfig.get(&sim, &uid, "/version").unwrap().status, 200);
    }
}

#[test]
fn answers_go_wrong_as_ordered() {
    let sim = Sim::start();
    sim.set_behaviour(|behaviour| behaviour.wrong_key = true);
    assert!(!belong_together(&Kubeconfig::fetch(&sim, "prod")));
    sim.set_behaviour(|behaviour| {
        behaviour.wrong_key = false;
        behaviour.smuggle = true;
        behaviour.server_override = Some("http://127.0.0.1:9".to_owned());
        behaviour.duplicate_external_clusters = true;
    });
    let kubeconfig = Kubeconfig::fetch(&sim, "prod");
    assert_eq!(
        names(&kubeconfig, "clusters"),
        ["internalCluster", "externalCluster", "externalCluster"]
    );
    assert_eq!(names(&kubeconfig, "users"), ["user", "smuggled"]);
    assert!(kubeconfig.json["users"][0]["user"]["exec"].is_object());
    assert_eq!(
        kubeconfig.json["clusters"][0]["cluster"]["server"],
        "http://127.0.0.1:9"
    );
    sim.set_behaviour(|behaviour| behaviour.malformed_certificate = true);
    let broken = Kubeconfig::fetch(&sim, "prod");
    let der = CertificateDer::from_pem_slice(broken.certificate.as_bytes()).unwrap();
    assert!(parse_x509_certificate(&der).is_err());
}

#[test]
fn a_sleeping_or_unknown_cluster_gives_no_certificate() {
    let sim = Sim::start();
    sim.set_phase("prod", "Hibernation");
    assert_eq!(request(&sim, r#"{"duration": 1}"#).status, 403);
    let path = crate::client::project_path(&sim, "clusters/00000000-0000-0000-0000-000000000000/clustercert");
    let reply = Request::post(&path, r#"{"duration": 1}"#).sent_by_alice(&sim);
    assert_eq!(
        (reply.status, reply.json()["errorCode"].as_str()),
        (404, Some("CCE.01404001"))
    );
}

#[test]
fn a_body_must_be_json_by_name() {
    let sim = Sim::start();
    let mut request = Request::post(&cluster_path(&sim, "prod", "clustercert"), r#"{"duration": 1}"#);
    request.headers.clear();
    let reply = request.sent_by_alice(&sim);
    assert_eq!(
        (reply.status, reply.json()["errorCode"].as_str()),
        (400, Some("CCE.01400006"))
    );
}

#[test]
fn autopilot_clusters_live_under_their_own_prefix() {
    let sim = Sim::start();
    let uid = sim.add_cluster(ClusterSpec {
        autopilot: true,
        ..ClusterSpec::named("auto")
    });
    let usual = cluster_path(&sim, "auto", "clustercert");
    assert_eq!(
        Request::post(&usual, r#"{"duration": 1}"#).sent_by_alice(&sim).status,
        404
    );
    let path = usual.replace("/api/", "/autopilot/");
    assert_eq!(
        Request::post(&path, r#"{"duration": 1}"#).sent_by_alice(&sim).status,
        200,
        "{uid}"
    );
}

#[test]
fn too_many_certificates_a_minute_are_throttled_if_so_ordered() {
    let sim = Sim::start();
    sim.set_behaviour(|behaviour| behaviour.clustercert_limit = Some(2));
    let statuses = [0; 3].map(|_| request(&sim, r#"{"duration": 1}"#).status);
    assert_eq!(statuses, [200, 200, 429]);
}

#[test]
fn a_hundred_at_once_get_a_hundred_certificates() {
    let sim = Sim::start();
    let certificates: std::collections::HashSet<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| Kubeconfig::fetch(&sim, "prod").certificate))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((certificates.len(), sim.count("clustercert")), (100, 100));
}
