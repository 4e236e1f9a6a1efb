//! What is wrong with the answer, before anybody looks for a certificate in it.

use super::cell::{Cell, SHORT};
use super::door::{Does, End};
use super::network::answered;
use super::row::{Came, Fault, NO_ANSWER, UNNOTICED, fault, unnoticed_but};
use cce_sim::Fault as Cloud;
use std::time::Duration;

const NOT_UNDERSTOOD: Came = Came::Fails(1, "in place of JSON");
const NOTHING: Came = Came::Fails(1, "it holds no client certificate");
const TOO_LARGE: Came = Came::Fails(1, "too large");
const BROKEN: Came = Came::Fails(4, "broke off");

/// Every answer of CCE is this one.
fn cloud(name: &'static str, what: Cloud, none: Came) -> Fault {
    let strikes = move |cell: &mut Cell| cell.world.sim.set_fault("clustercert", what.clone());
    fault(name, strikes, unnoticed_but(none))
}

/// Every answer has this status, headers and body.
fn answer(name: &'static str, code: u16, headers: &[(&str, &str)], body: &str, none: Came) -> Fault {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let what = Cloud::Status {
        code,
        body: body.to_owned(),
        headers: headers.collect(),
    };
    cloud(name, what, none)
}

fn status(name: &'static str, code: u16, none: Came) -> Fault {
    let body = r#"{"errorCode":"CCE.01000000","errorMessage":"of the test"}"#;
    answer(name, code, &[], body, none)
}

/// These bytes over TLS, then the end.
fn raw(name: &'static str, bytes: impl AsRef<[u8]>, none: Came) -> Fault {
    answered(
        name,
        vec![Does::Says(bytes.as_ref().to_vec()), Does::Ends(End::Closed)],
        none,
    )
}

/// A whole answer of these bytes.
fn body(name: &'static str, headers: &str, bytes: &[u8], none: Came) -> Fault {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n",
        bytes.len()
    );
    raw(name, [head.as_bytes(), bytes].concat(), none)
}

pub(super) fn faults() -> Vec<Fault> {
    let busy = |retry_after: Option<&str>| Cloud::Throttle {
        retry_after: retry_after.map(str::to_owned),
    };
    let head = |headers: &str| {
        Does::Says(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{headers}\r\n").into_bytes())
    };
    let flood = |headers: &str| vec![head(headers), Does::Floods(200 << 20), Does::Ends(End::Closed)];
    let bomb = std::process::Command::new("sh")
        .args(["-c", "head -c 100000000 /dev/zero | gzip -9"])
        .output()
        .unwrap()
        .stdout;
    vec![
        status("400", 400, Came::Fails(1, "answered 400")),
        status("401", 401, Came::Fails(3, "answered 401")),
        status("403", 403, Came::Fails(3, "answered 403")),
        status("404", 404, Came::Fails(1, "answered 404")),
        status("405", 405, Came::Fails(1, "answered 405")),
        status("408", 408, Came::Fails(4, "answered 408")),
        status("409", 409, Came::Fails(1, "answered 409")),
        status("413", 413, Came::Fails(1, "answered 413")),
        status("418", 418, Came::Fails(1, "answered 418")),
        cloud("429", busy(None), Came::Fails(4, "answered 429")),
        // It does try again, each time after the second.
        cloud(
            "429, to be tried again in 1 s",
            busy(Some("1")),
            Came::Fails(4, "answered 429"),
        )
        .given(|cell| cell.timeout = SHORT),
        cloud(
            "429, to be tried again in an hour",
            busy(Some("3600")),
            Came::Fails(4, "answered 429"),
        ),
        cloud(
            "429, to be tried again in words",
            busy(Some("later")),
            Came::Fails(4, "answered 429"),
        ),
        status("500", 500, Came::Fails(4, "answered 500")),
        status("501", 501, Came::Fails(4, "answered 501")),
        status("502", 502, Came::Fails(4, "answered 502")),
        status("503", 503, Came::Fails(4, "answered 503")),
        status("504", 504, Came::Fails(4, "answered 504")),
        status("599", 599, Came::Fails(4, "answered 599")),
        answer(
            "503 with an HTML page",
            503,
            &[("Content-Type", "text/html")],
            "<html>\n<h1>busy</h1>\n</html>",
            Came::Fails(4, "answered 503"),
        ),
        answer(
            "500 with escape sequences",
            500,
            &[],
            "{\"errorMessage\":\"\\u001b[2J\\u0007one\\ntwo\"}",
            Came::Fails(4, "answered 500"),
        ),
        answer(
            "403 with a message of 1 MB",
            403,
            &[],
            &format!("{{\"errorMessage\":\"{}\"}}", "x".repeat(1 << 20)),
            Came::Fails(3, "answered 403"),
        ),
        answer("204 without a body", 204, &[], "", NOTHING),
        cloud(
            "a redirect to elsewhere",
            Cloud::Redirect("https://127.0.0.1:1/elsewhere".to_owned()),
            Came::Fails(1, "answered 302"),
        ),
        fault(
            "a redirect to itself",
            |cell| {
                let url = format!("{}/again", cell.world.sim.cce_endpoint());
                cell.world.sim.set_fault("*", Cloud::Redirect(url));
            },
            unnoticed_but(Came::Fails(1, "answered 302")),
        ),
        cloud("an HTML page", Cloud::Html, NOT_UNDERSTOOD),
        cloud("an empty body", Cloud::Malformed(String::new()), NOTHING),
        cloud(
            "half of the JSON",
            Cloud::Malformed("{\"kind\":\"Config\",\"users\":[".to_owned()),
            NOT_UNDERSTOOD,
        ),
        cloud(
            "JSON of another shape",
            Cloud::Malformed("[1,null,{}]".to_owned()),
            NOTHING,
        ),
        cloud("null", Cloud::Malformed("null".to_owned()), NOTHING),
        cloud(
            "JSON 100,000 levels deep",
            Cloud::Malformed("[".repeat(100_000)),
            NOT_UNDERSTOOD,
        ),
        cloud(
            "JSON of a million values",
            Cloud::Malformed(format!("[{}0]", "0,".repeat(1_000_000))),
            TOO_LARGE,
        ),
        body(
            "a body that is not UTF-8",
            "",
            b"{\"kind\":\"\xff\xfe\xc3\x28\"}",
            NOT_UNDERSTOOD,
        ),
        answered(
            "200 MB, announced",
            flood(&format!("Content-Length: {}\r\n", 200 << 20)),
            TOO_LARGE,
        ),
        // It takes some seconds until so much has arrived that it is too much.
        answered("200 MB, not announced", flood(""), TOO_LARGE).given(|cell| {
            cell.give_door();
            cell.timeout = Duration::from_secs(20);
        }),
        body("a gzip bomb", "Content-Encoding: gzip\r\n", &bomb, NOT_UNDERSTOOD),
        raw(
            "chunks of garbage",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            BROKEN,
        ),
        raw(
            "a chunk that is longer than anything",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
            BROKEN,
        ),
        raw(
            "two lengths",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
            BROKEN,
        ),
        raw(
            "a length that is no number",
            "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
            BROKEN,
        ),
        raw(
            "a header of 1 MB",
            format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20)),
            BROKEN,
        ),
        raw(
            "ten thousand headers",
            format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
            BROKEN,
        ),
        raw("an answer that is no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", BROKEN),
        raw(
            "HTTP/2 without having been asked for",
            b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0",
            BROKEN,
        ),
        answered(
            "100 Continue without an end",
            vec![Does::Drips(
                b"HTTP/1.1 100 Continue\r\n\r\n".repeat(20),
                Duration::from_millis(20),
            )],
            NO_ANSWER,
        ),
        fault(
            "half of the answer",
            |cell| cell.world.sim.set_fault("clustercert", Cloud::Truncate { at: 1000 }),
            unnoticed_but(BROKEN),
        ),
        fault(
            "one reset, then an answer",
            |cell| cell.world.sim.add_fault("clustercert", Cloud::ResetBeforeAnswer, 1),
            UNNOTICED,
        ),
        fault(
            "an answer that is lost after it was acted upon",
            |cell| cell.world.sim.add_fault("clustercert", Cloud::ResetAfterActing, 1),
            UNNOTICED,
        ),
    ]
}
