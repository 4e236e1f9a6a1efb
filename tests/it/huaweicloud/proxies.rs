//! Proxies: each kind is a real one on loopback, in front of hosts with the names of the real cloud's.

use crate::support::{World, in_repository};
use cce_login::error::Exit;
use cce_login::host::Env;
use cce_login::http::Proxies;
use cce_sim::ProxyKind;

const HOST: &str = "cce.cn-north-4.myhuaweicloud.com:443";
const KINDS: [ProxyKind; 3] = [ProxyKind::Http, ProxyKind::Https, ProxyKind::Socks5];

#[test]
fn certificates_come_through_every_kind_of_proxy() {
    for kind in KINDS {
        let (world, proxy) = World::behind_a_proxy(kind);
        world.get_credential(&[]).credential();
        assert_eq!(proxy.targets(), [HOST], "{kind:?}");
    }
}

#[test]
fn every_usual_variable_names_the_proxy() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let (mut world, proxy) = World::behind_a_proxy(ProxyKind::Http);
        world.unset("HTTPS_PROXY");
        world.set(name, proxy.url());
        world.get_credential(&[]).credential();
        assert_eq!(proxy.targets(), [HOST], "{name}");
    }
    // The one for https goes before the one for everything.
    let (mut world, proxy) = World::behind_a_proxy(ProxyKind::Http);
    let other = world.sim.start_proxy(ProxyKind::Http);
    world.set("ALL_PROXY", other.url());
    world.get_credential(&[]).credential();
    assert_eq!((proxy.targets().len(), other.targets().len()), (1, 0));
}

#[test]
fn a_login_goes_through_the_proxy_to_cloud_and_cluster() {
    for kind in KINDS {
        let (mut world, proxy) = World::behind_a_proxy(kind);
        let cluster = world.sim.cluster("prod");
        let endpoints = [cluster.internal_url, cluster.external_url.unwrap()];
        let mut through = vec!["iam.cn-north-4.myhuaweicloud.com:443", HOST];
        if kind == ProxyKind::Https {
            // On the way to the cluster its certificate would have to be of the cluster's own CA, for kubectl too.
            world.set("NO_PROXY", "127.0.0.0/8");
        } else {
            through.extend(endpoints.iter().map(|url| url.trim_start_matches("https://"))); // both are tried
        }
        let login = ["login", "--region=cn-north-4", "--cluster=prod"];
        world.run(login).is_done();
        let mut targets = proxy.targets();
        targets.sort();
        targets.dedup();
        through.sort_unstable();
        assert_eq!(targets, through, "{kind:?}");
    }
}

#[test]
fn a_socks_proxy_is_given_addresses_or_names() {
    let (mut world, proxy) = World::behind_a_proxy(ProxyKind::Socks5);
    let endpoint = world.sim.cce_endpoint();
    world.set("CCE_LOGIN_CCE_ENDPOINT", &endpoint);
    for scheme in ["socks5", "socks5h"] {
        world.set("HTTPS_PROXY", proxy.url().replace("socks5h", scheme));
        world.get_credential(&["--force-refresh"]).credential();
    }
    assert_eq!(proxy.targets(), [endpoint.trim_start_matches("https://"); 2]);
}

#[test]
fn no_proxy_names_what_is_reached_directly() {
    for (list, is_direct) in [
        ("127.0.0.1", true),
        ("example.com, 127.0.0.0/8", true),
        ("*", true),
        ("example.com,10.0.0.0/8", false),
    ] {
        for (name, kind) in [("NO_PROXY", ProxyKind::Http), ("no_proxy", ProxyKind::Socks5)] {
            let (mut world, proxy) = World::behind_a_proxy(kind);
            world.set("CCE_LOGIN_CCE_ENDPOINT", world.sim.cce_endpoint());
            world.set(name, list);
            world.get_credential(&[]).credential();
            assert_eq!(proxy.targets().is_empty(), is_direct, "{name}={list}");
        }
    }
}

#[test]
fn a_proxy_gets_its_password_and_nobody_sees_it() {
    for kind in [ProxyKind::Http, ProxyKind::Https] {
        let (mut world, proxy) = World::behind_a_proxy(kind);
        proxy.require("me", "hunter2secret");
        world.set("HTTPS_PROXY", proxy.url().replace("://", "://me:hunter2secret@"));
        world.get_credential(&["-vv"]).credential();
        assert_eq!(proxy.targets(), [HOST], "{kind:?}");
        assert!(!world.read("log").contains("hunter2secret"));
        world.set("HTTPS_PROXY", proxy.url().replace("://", "://me:hunter3secret@"));
        let outcome = world.get_credential(&["--force-refresh"]);
        outcome.fails(Exit::Temporary, "proxy authorization required");
        assert!(!outcome.stderr.contains("hunter3secret"));
    }
}

#[test]
fn a_proxy_within_tls_is_verified_as_the_cloud_is() {
    let (mut world, proxy) = World::behind_a_proxy(ProxyKind::Https);
    let other = World::new();
    let ca = other.path("cloud-ca.pem");
    world.set("CCE_LOGIN_CA_FILE", &ca);
    world.get_credential(&[]).fails(Exit::Failed, "TLS");
    assert!(proxy.targets().is_empty());
}

/// The rules of Go's `httpproxy`; the same table is put to kubectl in `tests/system`.
#[test]
fn no_proxy_is_read_as_go_reads_it() {
    let table = std::fs::read_to_string(in_repository("tests/vectors/no_proxy.txt")).unwrap();
    let mut count = 0;
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let [list, host, expected] = line.split(" | ").map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let url = format!("https://{host}/x");
        let env = Env::given([("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", list)]);
        let is_direct = Proxies::from_env(&env).shown_for(&url).is_none();
        assert_eq!(is_direct, expected == "direct", "{line}");
        count += 1;
    }
    assert!(count > 30);
}
