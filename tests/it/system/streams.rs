//! What goes on while certificates come and go: client-go in kubectl, with watches, followed logs and `kubectl proxy`.

use super::process::{Running, wait_for};
use super::proxy::{Informer, Proxy};
use super::short_lives::{assert_no_event_is_missing, world_of_short_lives, world_with};
use super::world::{Kubectl, World};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::Duration;

const RENEWALS: usize = 3;

/// Every kubectl in a world of its own, all at the same time: most of it is waiting.
fn with_each_kubectl(test: fn(Kubectl)) {
    thread::scope(|scope| {
        for kubectl in [Kubectl::Old, Kubectl::Current] {
            scope.spawn(move || test(kubectl));
        }
    });
}

/// Starts a shell line with its stdout in a file of this name.
fn follow(world: &World, name: &str, line: &str) -> Running {
    world.start(&["sh", "-c", &format!("exec {line} >\"$HOME/{name}\"")])
}

fn followed(world: &World, name: &str) -> String {
    fs::read_to_string(world.home().join(name)).unwrap_or_default()
}

/// From now on each run of the plugin leaves its caller's process id in a file.
fn note_callers(world: &World) {
    let link = world.home().join("bin/kubectl-cce_login");
    let plugin = fs::read_link(&link).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$PPID\" >>\"$HOME/callers\"\nexec {} \"$@\"\n",
        plugin.display()
    );
    fs::remove_file(&link).unwrap();
    fs::write(&link, script).unwrap();
    fs::set_permissions(&link, fs::Permissions::from_mode(0o755)).unwrap();
}

fn runs_for(world: &World, caller: &Running) -> usize {
    let id = caller.id().to_string();
    followed(world, "callers").lines().filter(|line| *line == id).count()
}

#[test]
fn a_watch_and_a_followed_log_run_on_while_the_certificate_is_renewed_three_times() {
    with_each_kubectl(|kubectl| {
        let world = world_of_short_lives(kubectl);
        note_callers(&world);
        let version = r#"--output='jsonpath={.metadata.resourceVersion}{"\n"}'"#;
        let mut watch = follow(&world, "watch", &format!("kubectl get pods --watch {version}"));
        let mut log = follow(&world, "log", "kubectl logs --follow web-0");
        let lines = || ["watch", "log"].map(|name| followed(&world, name).lines().count());
        let wait_for_more = || {
            let before = lines();
            wait_for("five more lines of both", || {
                lines().iter().zip(before).all(|(now, before)| *now >= before + 5)
            });
        };
        wait_for_more();
        let runs = [&watch, &log].map(|stream| runs_for(&world, stream));
        assert!(runs.iter().all(|runs| *runs > 0), "{runs:?}");

        world.until_renewed(RENEWALS, || {
            let other = world.kubectl("get namespaces").succeeded();
            assert_eq!(other.stderr, "", "{kubectl:?}");
            wait_for_more();
        });
        world.assert_renewed_once_per_life();

        assert!(watch.runs() && log.runs(), "{kubectl:?}");
        assert_eq!(world.api_requests_for("watch="), 1, "{kubectl:?}");
        assert_eq!(world.api_requests_for("/log?"), 1, "{kubectl:?}");
        assert_eq!(
            [&watch, &log].map(|stream| runs_for(&world, stream)),
            runs,
            "{kubectl:?}"
        );
        for stream in [watch, log] {
            stream.signal(Signal::TERM);
            assert_eq!(world.checked(stream.finish()).stderr, "", "{kubectl:?}");
        }
        let versions = followed(&world, "watch");
        let versions: Vec<u64> = versions.lines().map(|line| line.parse().unwrap()).collect();
        let (present, changes) = versions.split_at(2);
        assert_eq!(present, [1000; 2], "two pods to begin with");
        assert_no_event_is_missing(&world, changes);
        for (number, line) in followed(&world, "log").lines().enumerate() {
            assert_eq!(line, format!("web-0 line {}", number + 1), "{kubectl:?}");
        }
    });
}

/// client-go closes every connection of its process when it gets another certificate: a watch ends, and goes on where it was.
#[test]
fn a_long_lived_client_go_loses_its_connections_once_per_renewal_and_never_between() {
    with_each_kubectl(|kubectl| {
        let world = world_of_short_lives(kubectl);
        let proxy = Proxy::start(&world);
        let informer = Informer::start(&proxy);
        let mut lost = 0;
        world.until_renewed(RENEWALS, || {
            // The request that finds the certificate out of date may be put on a connection that is just being closed.
            if proxy.get("/api/v1/namespaces").is_none() {
                lost += 1;
                proxy.get("/api/v1/namespaces").unwrap();
            }
            thread::sleep(Duration::from_millis(200));
        });
        world.assert_renewed_once_per_life();
        informer.wait_for_ends(RENEWALS);
        informer.wait_for_more();

        let story = informer.stop();
        assert_eq!(story.ends, RENEWALS, "{kubectl:?}");
        assert_eq!(world.api_requests_for("watch="), RENEWALS + 1, "{kubectl:?}");
        assert_no_event_is_missing(&world, &story.versions);
        assert!(lost <= RENEWALS, "{kubectl:?}: {lost}");
        proxy.stop(&world);
    });
}

#[test]
fn after_a_stream_that_the_server_ends_the_next_request_simply_works() {
    with_each_kubectl(|kubectl| {
        let world = world_with(kubectl, |behaviour| behaviour.stream_timeout_ms = Some(500));
        go_on_after_ends(&world, 3);
        assert_eq!(world.certificate_requests(), 1, "{kubectl:?}");
    });
}

#[test]
fn after_a_stream_that_ends_with_its_certificate_the_next_request_simply_works() {
    with_each_kubectl(|kubectl| {
        let world = world_with(kubectl, |behaviour| {
            behaviour.certificate_lifetime = Some(Duration::from_secs(4));
            behaviour.end_streams_with_certificate = true;
        });
        go_on_after_ends(&world, 1);
        assert!(world.certificates().len() > 1, "{kubectl:?}");
    });
}

/// Watches through client-go until the server has ended so many watches, and then some more.
fn go_on_after_ends(world: &World, ends: usize) {
    let proxy = Proxy::start(world);
    let informer = Informer::start(&proxy);
    informer.wait_for_ends(ends);
    informer.wait_for_more();
    proxy.get("/api/v1/namespaces").unwrap();
    let story = informer.stop();
    assert_no_event_is_missing(world, &story.versions);
    proxy.stop(world);
}
