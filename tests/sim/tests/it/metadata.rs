//! The metadata service of an ECS, in all its moods.

use std::{io, time::Duration};

use cce_sim::{AgencySpec, Fault, MetadataMode, Sim};

use crate::client::{Reply, Request, project_path};

fn sim() -> Sim {
    let sim = Sim::start();
    sim.add_agency(&AgencySpec::for_service("bastion", "ecs"));
    sim.set_ecs_agency(Some("bastion"));
    sim
}

fn set(sim: &Sim, mode: MetadataMode) {
    sim.set_behaviour(|behaviour| behaviour.metadata = mode);
}

fn send(sim: &Sim, request: &Request) -> io::Result<Reply> {
    request.send_to(&sim.metadata_endpoint(), sim)
}

fn token(sim: &Sim, seconds: &str) -> Reply {
    let mut request = Request::get("/meta-data/latest/api/token").header("x-metadata-token-ttl-seconds", seconds);
    "PUT".clone_into(&mut request.method);
    send(sim, &request).unwrap()
}

fn key(sim: &Sim, token: Option<&str>) -> Reply {
    let mut request = Request::get("/openstack/latest/securitykey");
    if let Some(token) = token {
        request = request.header("x-metadata-token", token);
    }
    send(sim, &request).unwrap()
}

#[test]
fn version_two_hands_out_a_key_for_a_token() {
    let sim = sim();
    let reply = token(&sim, "21600");
    assert_eq!(reply.status, 200);
    let found = key(&sim, Some(&reply.body));
    let credential = &found.json()["credential"];
    let text = |name: &str| credential[name].as_str().unwrap().to_owned();
    let key_pair = cce_sim::AccessKey {
        id: text("access"),
        secret: text("secret"),
        security_token: Some(text("securitytoken")),
    };
    let clusters = Request::get(&project_path(&sim, "clusters")).signed(&sim, &key_pair, 0);
    assert_eq!(clusters.send_to_cce(&sim).unwrap().status, 200);
    let operations: Vec<_> = sim.requests().into_iter().map(|request| request.operation).collect();
    assert_eq!(operations, ["metadata_token", "securitykey", "clusters"]);
    assert_eq!(key(&sim, None).status, 401);
    assert_eq!(key(&sim, Some("made up")).status, 401);
    assert_eq!(token(&sim, "0").status, 400);
    assert_eq!(token(&sim, "21601").status, 400);
    let short = token(&sim, "60").body;
    sim.set_behaviour(|behaviour| behaviour.clock_offset = 61);
    assert_eq!(key(&sim, Some(&short)).status, 401);
    let proxied = Request::get("/openstack/latest/securitykey").header("x-forwarded-for", "10.0.0.1");
    assert_eq!(send(&sim, &proxied).unwrap().status, 403);
}

#[test]
fn version_one_asks_for_no_token() {
    let sim = sim();
    set(&sim, MetadataMode::WithoutTokens);
    assert_eq!(token(&sim, "21600").status, 404);
    assert_eq!(key(&sim, None).status, 200);
    set(&sim, MetadataMode::TokenOptional);
    assert_eq!(token(&sim, "21600").status, 200);
    assert_eq!(key(&sim, None).status, 200);
    assert_eq!(key(&sim, Some("made up")).status, 401);
}

#[test]
fn an_ecs_without_an_agency_says_so() {
    let sim = sim();
    sim.set_ecs_agency(None);
    let token = token(&sim, "21600").body;
    let reply = key(&sim, Some(&token));
    assert_eq!(reply.status, 401);
    assert!(reply.body.contains("Please configure Cloud Service Agency first"));
}

#[test]
fn elsewhere_there_is_no_metadata_service() {
    let sim = sim();
    set(&sim, MetadataMode::NotFound);
    assert_eq!((token(&sim, "21600").status, key(&sim, None).status), (404, 404));
    set(&sim, MetadataMode::Refused);
    let refused = send(&sim, &Request::get("/openstack/latest/securitykey"))
        .err()
        .unwrap();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    let clusters = Request::get(&project_path(&sim, "clusters")).sent_by_alice(&sim);
    assert_eq!(clusters.status, 200, "the cloud itself is there");
    set(&sim, MetadataMode::TokenRequired);
    assert_eq!(token(&sim, "21600").status, 200);
}

#[test]
fn a_metadata_service_may_hang_or_break_the_connection() {
    let sim = sim();
    set(&sim, MetadataMode::Hangs);
    let address = sim.metadata_endpoint().replace("http://", "").parse().unwrap();
    let mut stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(5)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    crate::client::send_on(&mut stream, &Request::get("/openstack/latest/securitykey"), "close").unwrap();
    let silent = io::Read::read(&mut stream, &mut [0; 16]).unwrap_err();
    assert!(matches!(
        silent.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    ));
    assert_eq!(sim.count("securitykey"), 1);
    set(&sim, MetadataMode::TokenOptional);
    sim.add_fault("securitykey", Fault::ResetBeforeAnswer, 1);
    assert!(send(&sim, &Request::get("/openstack/latest/securitykey")).is_err());
    assert_eq!(key(&sim, None).status, 200);
    let described = send(&sim, &Request::get("/openstack/latest/meta_data.json"))
        .unwrap()
        .json();
    assert_eq!(described["region_id"], "cn-north-4");
    assert_eq!(described["project_id"], sim.project_id("cn-north-4"));
}
