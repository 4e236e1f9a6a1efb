//! Trouble of every kind at once, for half an hour: `tests/soak/run`.
//!
//! Twenty loops of kubectl as two people, with certificates of twenty seconds. A third of the cloud's answers is none; processes of ours are
//! killed at random, the session bus and its keyring are restarted, clocks jump. A call may fail while there is no certificate to be had,
//! in words of ours; nothing may hang, be somebody else's, be left behind, or ask the cloud against its rules.
//!
//! Clocks: `CLOCK_REALTIME` belongs to the whole machine, and kubectl and the program are static, so that nothing can be put between them and
//! it. What jumps is the clock of the cloud and of the API server; and a jump of the machine's is shown as what it is from inside: cloud and
//! API server are elsewhere, and the boot clock (of a time namespace) is at another distance from the time of day. Times that were written
//! down before such a jump do not move with it.

mod calls;
mod requests;
mod scene;
mod session_bus;
mod traces;
mod trouble;

use crate::support::in_repository;
use crate::system::process::wait_for;
use crate::system::world::World;
use calls::{Call, End};
use requests::Requests;
use scene::{Event, Person, Scene};
use session_bus::SessionBus;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use traces::Census;

/// How long a certificate lives.
const LIFE: Duration = Duration::from_secs(20);
const LOOPS: usize = 20;
/// What people have measured: so many certificates a minute and user.
const CERTIFICATES_A_MINUTE: u32 = 10;
/// No call may take longer: the program's own 25 s, and what a busy machine adds.
const LONGEST_CALL: Duration = Duration::from_secs(40);

/// The longest that anything is remembered: a keyring that did not answer in time is left alone for five minutes.
const RECOVERY: Duration = Duration::from_secs(5 * 60 + 30);
/// On a busy machine a call has ended before whoever killed its plugin has noted that.
const NOTED_LATE_MS: i64 = 5_000;

fn length() -> Duration {
    let is_full = std::env::var_os("SOAK").is_some_and(|form| form == "full");
    Duration::from_secs(if is_full { 30 * 60 } else { 60 })
}

/// Alice by the variables that every call has, bob by a profile whose secret is in the keyring.
fn people(world: &World) -> [Person; 2] {
    world.login();
    world.set_profile("bob", "bob").succeeded();
    world.login_with("--profile=bob").succeeded();
    let listed = world
        .run(&["kubectl-cce_login", "status", "--all", "-o", "json"])
        .succeeded();
    let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let context_of = |mark: &str| {
        let mut names = rows
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|row| row["context"].as_str());
        names
            .find(|name| name.contains("bob") == (mark == "bob"))
            .unwrap()
            .to_owned()
    };
    ["alice", "bob"].map(|user| Person {
        user,
        id: world.sim.user_id(user),
        access_key: world.sim.access_key(user).id,
        context: context_of(user),
    })
}

#[test]
#[ignore = "takes a minute, or half an hour: tests/soak/run"]
fn nothing_is_lost_and_nothing_hangs() {
    let mut world = World::new();
    let bus = SessionBus::start(&mut world);
    world.sim.set_behaviour(|b| {
        b.certificate_lifetime = Some(LIFE);
        b.clustercert_limit = Some(CERTIFICATES_A_MINUTE);
    });
    for key in std::fs::read_to_string(in_repository("tests/sim/keys/rsa.pkcs1.pem"))
        .unwrap()
        .split_inclusive("-----END RSA PRIVATE KEY-----\n")
    {
        world.know_private_key(key);
    }
    let people = people(&world);
    for person in &people {
        world
            .kubectl(&format!("--context={} get namespaces", person.context))
            .succeeded();
    }
    let before = Census::take(&world, &bus);

    let scene = Scene::new(&world, &people, length());
    let seed = u64::from(std::process::id());
    trouble::order_faults(&scene, seed);
    let (calls, bus) = run(&scene, bus, seed);

    world.sim.clear_faults();
    wait_for("the last renewals", || scene.processes().is_empty());
    // Whatever was remembered of failures and throttling is over after a while, and everything works as at the beginning.
    let recovered = Instant::now();
    for person in &people {
        let line = format!("--context={} get namespaces", person.context);
        loop {
            let ran = world.kubectl(&line);
            if ran.code == Some(0) {
                break;
            }
            assert!(
                recovered.elapsed() < RECOVERY,
                "{} does not work again: {}",
                person.user,
                ran.stderr
            );
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    wait_for("the last renewals", || scene.processes().is_empty());
    let after = Census::take(&world, &bus);

    let requests = Requests::of(&scene);
    let report = report(&scene, &calls, &requests, (&before, &after), recovered.elapsed());
    println!("{report}");
    for (end, said) in calls
        .iter()
        .map(|call| (call.end.in_words(call.is_after_jump), &call.said))
        .collect::<BTreeMap<_, _>>()
    {
        println!("  {end}, for example:\n{said}");
    }
    check_calls(&scene, &calls);
    check_identities(&scene);
    requests.check(&scene);
    after.check_against(
        &before,
        scene
            .events()
            .iter()
            .filter(|(_, event)| matches!(event, Event::Killed { .. }))
            .count(),
    );
    traces::check_core(&world);
    let said: BTreeSet<&str> = calls.iter().map(|call| call.said.as_str()).collect();
    traces::check_secrets(&world, &bus, &said);
}

/// Twenty loops, and whoever makes trouble for them, until the time is over.
fn run(scene: &Scene<'_>, bus: SessionBus, seed: u64) -> (Vec<Call>, SessionBus) {
    std::thread::scope(|scope| {
        let killer = scope.spawn(|| trouble::kill(scene, seed));
        let restarter = scope.spawn(|| trouble::restart_bus(scene, bus, seed));
        let clocks = scope.spawn(|| trouble::move_clocks(scene, seed));
        let loops: Vec<_> = (0..LOOPS)
            .map(|number| scope.spawn(move || calls::call_again_and_again(scene, number, seed)))
            .collect();
        let calls = loops.into_iter().flat_map(|running| running.join().unwrap()).collect();
        killer.join().unwrap();
        clocks.join().unwrap();
        (calls, restarter.join().unwrap())
    })
}

fn check_calls(scene: &Scene<'_>, calls: &[Call]) {
    let events = scene.events();
    for call in calls {
        let user = scene.person(call.number).user;
        let is_victim = |(at, event): &(i64, Event)| {
            matches!(event, Event::Killed { user: killed, .. } if *killed == user)
                && (call.began_ms..=call.ended_ms + NOTED_LATE_MS).contains(at)
        };
        assert!(
            call.end != End::Killed || events.iter().any(is_victim),
            "nobody killed it: {call:?}"
        );
        assert!(call.took < LONGEST_CALL && call.end != End::Hung, "{call:?}");
        assert!(call.end != End::Unexplained, "{call:?}");
    }
    let worked = calls.iter().filter(|call| call.end == End::Worked).count();
    assert!(worked * 2 > calls.len(), "{worked} of {} calls worked", calls.len());
    // Where it is not the certificate's end on the way or a clock that jumped, nobody is refused.
    let refused = calls
        .iter()
        .filter(|call| call.end == End::Refused && !call.is_after_jump);
    assert!(refused.count() * 100 <= calls.len(), "refused without a reason");
}

/// Every request that the API server saw came as the person in whose loop it was made.
fn check_identities(scene: &Scene<'_>) {
    let mut holders: BTreeMap<String, String> = BTreeMap::new();
    let requests = scene.sim.api_requests("prod");
    for request in requests.iter().filter(|request| !request.user.is_empty()) {
        if let Some(serial) = request.certificate_serial.clone() {
            let known = holders.entry(serial).or_insert_with(|| request.user.clone());
            assert_eq!(*known, request.user);
        }
    }
    let mut seen = BTreeSet::new();
    for request in &requests {
        let Some(number) = calls::loop_of(&request.path) else {
            continue;
        };
        let serial = request.certificate_serial.as_ref();
        let serial = serial.unwrap_or_else(|| panic!("no certificate was shown: {request:?}"));
        // One that was never taken is nobody's.
        if let Some(holder) = holders.get(serial) {
            assert_eq!(*holder, scene.person(number).id, "a wrong credential: {request:?}");
            seen.insert(holder.clone());
        }
    }
    assert_eq!(seen.len(), scene.people.len(), "somebody was never seen");
}

fn report(
    scene: &Scene<'_>,
    calls: &[Call],
    requests: &Requests,
    (before, after): (&Census, &Census),
    recovery: Duration,
) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    row(
        "length",
        format!("{} s, {LOOPS} loops, two people", scene.length.as_secs()),
    );
    row("kubectl calls", calls.len().to_string());
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        *ends.entry(call.end.in_words(call.is_after_jump)).or_default() += 1;
    }
    for (words, count) in &ends {
        row(&format!("  {words}"), count.to_string());
    }
    requests.tell(&mut row);
    let count = |is: fn(&Event) -> bool| scene.events().iter().filter(|(_, event)| is(event)).count().to_string();
    row(
        "killed: who fetched or served",
        count(|e| matches!(e, Event::Killed { is_renewal: false, .. })),
    );
    row(
        "killed: who renewed",
        count(|e| matches!(e, Event::Killed { is_renewal: true, .. })),
    );
    row("session bus restarted", count(|e| *e == Event::BusRestarted));
    row("keyring daemon restarted", count(|e| *e == Event::KeyringRestarted));
    row(
        "clock of the cloud jumped",
        count(|e| matches!(e, Event::CloudJumped(_))),
    );
    row(
        "clock of the machine jumped",
        count(|e| matches!(e, Event::MachineJumped(_))),
    );
    let jumps: Vec<i64> = scene
        .events()
        .into_iter()
        .filter(|(_, event)| event.is_jump())
        .map(|(at, _)| at)
        .collect();
    let refused = calls
        .iter()
        .filter(|call| call.end == End::Refused && call.is_after_jump);
    let since_last =
        refused.filter_map(|call| Some(call.ended_ms - jumps.iter().filter(|at| **at <= call.ended_ms).max()?));
    let felt = since_last.max().unwrap_or(0);
    row("a jump is felt for at most", format!("{} s", felt / 1000));
    let mut took: Vec<Duration> = calls.iter().map(|call| call.took).collect();
    took.sort();
    let at = |part: usize| took[(took.len() - 1) * part / 1000].as_millis();
    row(
        "a call",
        format!("p50 {} ms, p99 {} ms, slowest {} ms", at(500), at(990), at(1000)),
    );
    row(
        "works again after the trouble within",
        format!("{} s", recovery.as_secs() + 1),
    );
    row("most memory of a process of ours", format!("{} KiB", scene.peak_kib()));
    row(
        "files before, after",
        format!(
            "{}, {} ({} bytes, {} bytes), and {} of killed processes",
            before.files.len(),
            after.files.len(),
            before.bytes,
            after.bytes,
            after.temporary.len()
        ),
    );
    row(
        "kernel keys before, after",
        format!("{}, {}", before.kernel_keys, after.kernel_keys),
    );
    row(
        "keyring items before, after",
        format!("{}, {}", before.keyring_items, after.keyring_items),
    );
    let wide = rows.iter().map(|(name, _)| name.len()).max().unwrap();
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("{name:wide$}  {value}"))
        .collect();
    lines.join("\n")
}
