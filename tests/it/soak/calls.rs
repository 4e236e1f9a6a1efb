//! kubectl in a loop, and how each call ended.

use super::scene::{Scene, now_ms};
use crate::system::endurance::Numbers;
use std::time::{Duration, Instant};

/// The longest pause between two calls of a loop, in milliseconds: twenty loops shall not be the whole machine's work.
const LONGEST_PAUSE_MS: u64 = 5_000;
/// How long after a jump a certificate of before may still be in somebody's hands: a call, and the minute in which the API server is asked
/// once whether it refuses it.
const JUMP_IS_FELT_FOR_MS: i64 = 75_000;
const OUR_LINE: &str = "kubectl cce-login: error: ";

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Worked,
    /// The plugin was killed under it.
    Killed,
    /// There was no certificate to be had from the cloud, and our line said so.
    NoAnswer,
    /// The cloud throttles, and our line said so.
    Throttled,
    /// The keyring with the profile's secret was away, and our line said so.
    NoKeyring,
    /// The API server did not take the certificate.
    Refused,
    Hung,
    /// In no words that we know.
    Unexplained,
}

impl End {
    pub(super) fn in_words(self, is_after_jump: bool) -> &'static str {
        match self {
            Self::Worked => "worked",
            Self::Killed => "failed: the plugin was killed",
            Self::NoAnswer => "failed: no answer of the cloud that helps",
            Self::Throttled => "failed: throttled",
            Self::NoKeyring => "failed: the keyring with the profile's secret is away",
            Self::Refused if is_after_jump => "failed: refused by the API server after a clock jumped",
            Self::Refused => "failed: refused by the API server, the certificate's end on the way",
            Self::Hung => "hung",
            Self::Unexplained => "failed: unexplained",
        }
    }
}

/// One kubectl.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) number: usize,
    pub(super) began_ms: i64,
    pub(super) ended_ms: i64,
    pub(super) took: Duration,
    pub(super) end: End,
    pub(super) is_after_jump: bool,
    pub(super) said: String,
}

/// Calls kubectl until the time is over.
pub(super) fn call_again_and_again(scene: &Scene<'_>, number: usize, seed: u64) -> Vec<Call> {
    let mut numbers = Numbers::new(seed.wrapping_mul(31).wrapping_add(number as u64));
    let mut calls = Vec::new();
    while scene.pause(Duration::from_millis(numbers.below(LONGEST_PAUSE_MS))) {
        calls.push(call(scene, number));
    }
    calls
}

fn call(scene: &Scene<'_>, number: usize) -> Call {
    let line = format!("get namespaces --selector loop={number}");
    let mut words = vec![format!("--context={}", scene.person(number).context)];
    words.extend(line.split_whitespace().map(str::to_owned));
    let (began_ms, started) = (now_ms(), Instant::now());
    let output = scene.kubectl(&words).output().unwrap();
    let took = started.elapsed();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let ended_ms = now_ms();
    let is_felt = began_ms - JUMP_IS_FELT_FOR_MS..=ended_ms;
    let jumped = scene
        .events()
        .iter()
        .any(|(at, event)| event.is_jump() && is_felt.contains(at));
    Call {
        number,
        began_ms,
        ended_ms,
        took,
        end: end_of(output.status.code(), &stdout, &stderr),
        is_after_jump: jumped,
        said: format!("{stdout}{stderr}"),
    }
}

fn end_of(code: Option<i32>, stdout: &str, stderr: &str) -> End {
    let ours: Vec<&str> = stderr.lines().filter_map(|line| line.strip_prefix(OUR_LINE)).collect();
    let has = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
    match (code, ours.as_slice()) {
        (Some(0), []) if stdout.contains("kube-system") && stderr.is_empty() => End::Worked,
        (Some(124 | 137) | None, _) => End::Hung,
        // client-go's words for a plugin that a signal has ended.
        _ if has(&["kubectl-cce_login failed with exit code -1\n"]) => End::Killed,
        (_, [_, ..]) if has(&["throttl"]) => End::Throttled,
        (_, [_, ..]) if has(&["Secret Service", "keyring"]) => End::NoKeyring,
        (_, [_, ..]) => End::NoAnswer,
        _ if has(&[
            "Unauthorized",
            "the server has asked for the client to provide credentials",
        ]) =>
        {
            End::Refused
        }
        _ => End::Unexplained,
    }
}

/// The loop in which this request to the API server was made; `None`: it was the program's own.
pub(super) fn loop_of(path: &str) -> Option<usize> {
    let (_, rest) = path.split_once("labelSelector=loop%3D")?;
    rest.split('&').next()?.parse().ok()
}
