//! What goes wrong below HTTP.

use super::cell::Cell;
use super::door::{Behind, Does, End, tls};
use super::names::{NAME, NameServer, Says};
use super::row::{Came, Fault, NO_ANSWER, fault, unnoticed_but};
use std::time::Duration;

/// An answer of which nothing is missing so far.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n";
/// RFC 8446, section 6: a fatal alert, `protocol_version`, as a server says that knows TLS 1.1 only.
const OLD_VERSION: &[u8] = &[0x15, 3, 2, 0, 2, 2, 70];

const BROKEN: Came = Came::Fails(4, "broke off");
const UNCONNECTED: Came = Came::Fails(4, "cannot connect");
const NO_TLS: Came = Came::Fails(1, "the TLS connection");

/// A fault of whoever stands in front of the cloud.
fn door(name: &'static str, behind: Behind, none: Came) -> Fault {
    let strikes = move |cell: &mut Cell| cell.door().set(behind.clone());
    fault(name, strikes, unnoticed_but(none)).given(Cell::give_door)
}

/// TLS and the request are as they should be; the answer is not.
pub(super) fn answered(name: &'static str, does: Vec<Does>, none: Came) -> Fault {
    let strikes = move |cell: &mut Cell| cell.door().answer(&cell.world.sim, does.clone());
    fault(name, strikes, unnoticed_but(none)).given(Cell::give_door)
}

/// The certificate that the cloud shows: for whom, and valid in these seconds from now.
fn shown(name: &'static str, whom: &'static str, valid: std::ops::Range<i64>, none: Came) -> Fault {
    let strikes = move |cell: &mut Cell| {
        let identity = cell.world.sim.cloud_certificate(whom, valid.clone());
        cell.door().set(Behind::Answered(tls(&identity), Vec::new()));
    };
    fault(name, strikes, unnoticed_but(none)).given(Cell::give_door)
}

/// A fault of the name server.
fn names(name: &'static str, says: Says, none: Came) -> Fault {
    let strikes = move |cell: &mut Cell| cell.names.as_ref().unwrap().set(says);
    fault(name, strikes, unnoticed_but(none)).given(|cell| {
        let server = NameServer::start();
        let settings = format!("nameserver {}\n", server.address);
        cell.world.write("resolv.conf", settings);
        cell.world
            .give_mounts("mount --bind \"$HOME/resolv.conf\" /etc/resolv.conf");
        let port = cell.endpoint.rsplit(':').next().unwrap().to_owned();
        cell.endpoint = format!("https://{NAME}:{port}");
        cell.names = Some(server);
    })
}

pub(super) fn faults() -> Vec<Fault> {
    let refused = |cell: &mut Cell| cell.world.sim.set_behaviour(|b| b.cloud_down = true);
    let vanishing = |cell: &mut Cell| {
        cell.door().swallow();
        cell.heals = false; // there is no way back
    };
    let half = |text: &[u8], end| vec![Does::Says(text.to_vec()), Does::Ends(end)];
    let slowly = |text: &[u8]| vec![Does::Drips(text.to_vec(), Duration::from_millis(100))];
    let mut faults = vec![
        fault(
            "connection refused",
            refused,
            unnoticed_but(Came::Fails(4, "Connection refused")),
        ),
        fault("packets vanish", vanishing, unnoticed_but(NO_ANSWER)).given(Cell::give_door),
        door("accepted, then silence", Behind::Accepted(End::Never), NO_ANSWER),
        door("reset on accept", Behind::Accepted(End::Reset), UNCONNECTED),
        door("closed on accept", Behind::Accepted(End::Closed), UNCONNECTED),
        door("half closed on accept", Behind::Accepted(End::HalfClosed), UNCONNECTED),
        door(
            "reset in the TLS handshake",
            Behind::Greeted(b"\x16\x03\x03", End::Reset),
            UNCONNECTED,
        ),
        door(
            "closed in the TLS handshake",
            Behind::Greeted(b"\x16\x03\x03", End::Closed),
            UNCONNECTED,
        ),
        door(
            "silence in the TLS handshake",
            Behind::Greeted(b"\x16\x03\x03", End::Never),
            NO_ANSWER,
        ),
        door(
            "garbage in the TLS handshake",
            Behind::Greeted(&[0x42; 64], End::Closed),
            NO_TLS,
        ),
        door(
            "HTTP in place of TLS",
            Behind::Greeted(b"HTTP/1.1 400 Bad Request\r\n\r\n", End::Closed),
            NO_TLS,
        ),
        door(
            "TLS 1.1 and no newer",
            Behind::Greeted(OLD_VERSION, End::Closed),
            NO_TLS,
        ),
        shown("the cloud's certificate has expired", "127.0.0.1", -7200..-3600, NO_TLS),
        shown(
            "the cloud's certificate is not valid yet",
            "127.0.0.1",
            3600..7200,
            NO_TLS,
        ),
        shown(
            "the cloud's certificate has another name",
            "cce.example.com",
            -3600..3600,
            NO_TLS,
        ),
        fault(
            "the cloud's certificate is of an unknown authority",
            |cell| {
                let identity = cell.world.sim.server_certificate("prod");
                cell.door().set(Behind::Answered(tls(&identity), Vec::new()));
            },
            unnoticed_but(NO_TLS),
        )
        .given(Cell::give_door),
    ];
    for (how, name) in [
        (
            End::Reset,
            ["reset after the request", "reset in the headers", "reset in the body"],
        ),
        (
            End::Closed,
            [
                "closed after the request",
                "closed in the headers",
                "closed in the body",
            ],
        ),
        (
            End::HalfClosed,
            [
                "half closed after the request",
                "half closed in the headers",
                "half closed in the body",
            ],
        ),
    ] {
        faults.push(answered(name[0], half(b"", how), BROKEN));
        faults.push(answered(name[1], half(&HEAD[..30], how), BROKEN));
        faults.push(answered(name[2], half(&[HEAD, b"{\"kind\":"].concat(), how), BROKEN));
    }
    faults.extend([
        answered("silence after the request", half(b"", End::Never), NO_ANSWER),
        answered("silence in the headers", half(&HEAD[..30], End::Never), NO_ANSWER),
        answered("silence in the body", half(HEAD, End::Never), NO_ANSWER),
        answered("headers that drip", slowly(HEAD), NO_ANSWER),
        answered(
            "a body that drips",
            [half(HEAD, End::Never)[..1].to_vec(), slowly(&[b' '; 4000])].concat(),
            NO_ANSWER,
        ),
        names("no such name", Says::NoSuchName, Came::Fails(4, "there is no host")),
        names("the name server does not answer", Says::Nothing, NO_ANSWER),
        names(
            "the name server has failed",
            Says::ServerFailure,
            Came::Fails(4, "cannot connect"),
        ),
        names(
            "the name server refuses",
            Says::Refused,
            Came::Fails(4, "cannot connect"),
        ),
        names("the name server answers garbage", Says::Garbage, NO_ANSWER),
    ]);
    faults
}
