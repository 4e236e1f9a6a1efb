//! What goes wrong when it is ordered to.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use cce_sim::{Fault, Sim};

use crate::client::{Client, Kubeconfig, Request, cluster_path, project_path};

fn list(sim: &Sim) -> std::io::Result<crate::client::Reply> {
    let request = Request::get(&project_path(sim, "clusters")).signed(sim, &sim.access_key("alice"), 0);
    request.send_to_cce(sim)
}

#[test]
fn each_fault_is_what_it_says() {
    let sim = Sim::start();
    let with = |fault| {
        sim.set_fault("clusters", fault);
        list(&sim)
    };
    let throttled = with(Fault::Throttle {
        retry_after: Some("0.5".to_owned()),
    });
    let throttled = throttled.unwrap();
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("0.5")));
    assert_eq!(throttled.json()["error_code"], "APIGW.0308");
    let html = with(Fault::Html).unwrap();
    assert!(html.status == 200 && html.body.starts_with("<!DOCTYPE html>"));
    assert_eq!(with(Fault::Malformed("{".to_owned())).unwrap().body, "{");
    let redirected = with(Fault::Redirect("https://127.0.0.1:9/".to_owned())).unwrap();
    assert_eq!(
        (redirected.status, redirected.header("location")),
        (302, Some("https://127.0.0.1:9/"))
    );
    let status = Fault::Status {
        code: 503,
        body: "out".to_owned(),
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
    };
    let status = with(status).unwrap();
    assert_eq!((status.status, status.body.as_str()), (503, "out"));
    let cut = with(Fault::Truncate { at: 7 }).unwrap();
    assert_eq!(cut.body.len(), 7);
    assert_ne!(cut.header("content-length"), Some("7"));
    let reset = with(Fault::ResetBeforeAnswer).err().unwrap();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    let started = Instant::now();
    assert_eq!(with(Fault::Latency(Duration::from_millis(150))).unwrap().status, 200);
    assert!(started.elapsed() >= Duration::from_millis(150));
    sim.clear_faults();
    assert_eq!(list(&sim).unwrap().status, 200);
    assert_eq!(sim.count("clusters"), 9);
}

#[test]
fn a_fault_with_a_number_ends_by_itself() {
    let sim = Sim::start();
    sim.add_fault("*", Fault::Html, 1);
    sim.add_fault("clusters", Fault::Malformed(String::new()), 2);
    let bodies = [0; 4].map(|_| list(&sim).unwrap().body.chars().next());
    assert_eq!(bodies, [None, None, Some('<'), Some('{')]);
}

#[test]
fn an_answer_can_be_lost_after_the_fact() {
    let sim = Sim::start();
    let kubeconfig = Kubeconfig::fetch(&sim, "prod");
    sim.set_fault("clustercertrevoke", Fault::ResetAfterActing);
    let body = format!(r#"{{"userId": "{}"}}"#, sim.user_id("alice"));
    let request = Request::post(&cluster_path(&sim, "prod", "clustercertrevoke"), &body);
    assert!(
        request
            .signed(&sim, &sim.access_key("alice"), 0)
            .send_to_cce(&sim)
            .is_err()
    );
    assert_eq!(kubeconfig.get(&sim, "prod", "/api/v1/namespaces").unwrap().status, 401);
}

#[test]
fn a_server_that_hangs_lets_the_client_leave() {
    let sim = Sim::start();
    sim.set_fault("clusters", Fault::Hang);
    let address = sim.cce_endpoint().replace("https://", "").parse().unwrap();
    let mut stream = Client::new(&sim.ca_pem(), "127.0.0.1", None).connect(address).unwrap();
    stream.sock.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    crate::client::send_on(&mut stream, &Request::get(&project_path(&sim, "clusters")), "close").unwrap();
    let read = std::io::Read::read(&mut stream, &mut [0; 16]);
    assert!(matches!(
        read.unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
    ));
    assert_eq!(sim.requests()[0].status, 0);
}

#[test]
fn the_cloud_goes_away_and_comes_back() {
    let sim = Sim::start();
    for _ in 0..3 {
        sim.set_behaviour(|behaviour| behaviour.cloud_down = true);
        assert_eq!(list(&sim).err().unwrap().kind(), std::io::ErrorKind::ConnectionRefused);
        sim.set_behaviour(|behaviour| behaviour.cloud_down = false);
        assert_eq!(list(&sim).unwrap().status, 200);
    }
    let api_server = sim.cluster("prod").external_url.unwrap().replace("https://", "");
    sim.set_api_server_open("prod", false);
    assert!(TcpStream::connect(&api_server).is_err());
    sim.set_api_server_open("prod", true);
    assert!(TcpStream::connect(&api_server).is_ok());
}

#[test]
fn nonsense_does_not_stop_the_server() {
    let sim = Sim::start();
    let alice = sim.access_key("alice");
    for path in [
        "/",
        "//",
        "/%",
        "/%zz?%&==&",
        "/api/v3/projects//clusters",
        "/api/v3/projects/x/clusters/%00/clustercert",
    ] {
        for authorization in [
            "",
            "SDK-HMAC-SHA256",
            "SDK-HMAC-SHA256 ",
            "SDK-HMAC-SHA256 Credential=////, SignedHeaders=;;, Signature=",
        ] {
            let mut request = Request::get(path).signed(&sim, &alice, 0);
            request.headers.retain(|(name, _)| name != "authorization");
            let reply = request
                .header("authorization", authorization)
                .send_to_cce(&sim)
                .unwrap();
            assert!(
                (400..500).contains(&reply.status),
                "{path} {authorization}: {}",
                reply.status
            );
        }
    }
    assert_eq!(list(&sim).unwrap().status, 200);
}

#[test]
fn nothing_is_left_when_it_ends() {
    let sim = Sim::start();
    let addresses = [
        sim.iam_endpoint(),
        sim.cce_endpoint(),
        sim.cluster("prod").external_url.unwrap(),
    ];
    let connected = TcpStream::connect(addresses[1].replace("https://", ""));
    assert!(connected.is_ok());
    drop(sim);
    for address in addresses {
        assert!(
            TcpStream::connect(address.replace("https://", "")).is_err(),
            "{address}"
        );
    }
}

#[test]
fn api_servers_have_faults_of_their_own() {
    let sim = Sim::start();
    let kubeconfig = Kubeconfig::fetch(&sim, "prod");
    sim.add_fault("api", Fault::ResetBeforeAnswer, 1);
    assert!(kubeconfig.get(&sim, "prod", "/api/v1/pods").is_err());
    assert_eq!(kubeconfig.get(&sim, "prod", "/api/v1/pods").unwrap().status, 200);
}
