//! One process over three renewals.

use super::counting;
use super::{Library, Machine, SHORT, THREE_RENEWALS, answers};
use crate::real::cce_cluster::RealCluster;
use crate::system::process::{LIMIT, Running, wait_for};
use crate::system::world::Kubectl;

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn node_renews_in_a_running_process_python_and_java_get_401_for_good() {
    let cluster = RealCluster::start(Kubectl::Current, SHORT);
    let machines = Machine::all(&cluster);
    let running: Vec<_> = machines
        .iter()
        .map(|machine| machine.ask(&cluster, THREE_RENEWALS.as_secs()))
        .collect();
    for (machine, running) in machines.iter().zip(running) {
        let output = cluster.world.checked(running.finish_within(LIMIT + 2 * THREE_RENEWALS));
        let answers = answers(output);
        let refused = answers.iter().position(|answer| answer == "401");
        eprintln!(
            "{:?}: {} answers, refused from {refused:?} on",
            machine.library,
            answers.len()
        );
        match machine.library {
            Library::Node => assert!(answers.iter().all(|answer| answer == "200"), "{answers:?}"),
            Library::Python | Library::Java => {
                let (before, after) = answers.split_at(refused.expect("a refusal"));
                assert!(
                    before.len() > 5 && before.iter().all(|answer| answer == "200"),
                    "{before:?}"
                );
                assert!(
                    after.len() > 30 && after.iter().all(|answer| answer == "401"),
                    "{after:?}"
                );
            }
        }
    }
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn an_informer_of_client_go_misses_no_event_and_closes_one_connection_per_renewal() {
    let mut cluster = RealCluster::logged_in(Kubectl::Current, SHORT, "");
    counting::create(&cluster);
    let kubeconfig = cluster.world.path(".kube/config");
    cluster.world.set("KUBECONFIG", kubeconfig);
    let informer = std::env::var("INFORMER").expect("INFORMER is not set: run tests/run --real");
    let (opened, closed) = (cluster.relay.opened(), cluster.relay.closed_by_clients());
    let before = cluster.certificates().len();

    let file = cluster.world.home().join("events");
    let command = cluster.world.command(&["sh", "-c", "exec \"$0\" >\"$HOME/events\"", &informer]);
    let (stdin, keep) = std::io::pipe().unwrap();
    let running = Running::start_with_stdin(command, stdin.into());
    wait_for("the informer's first list", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("added 0"))
    });
    let last = counting::count_for(&cluster, THREE_RENEWALS, || {});
    let events = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_for("the last event", || events().contains(&format!("updated {last}\n")));
    let (opened, closed) = (
        cluster.relay.opened() - opened,
        cluster.relay.closed_by_clients() - closed,
    );
    drop(keep);
    cluster.world.checked(running.finish_within(LIMIT + 3 * THREE_RENEWALS)).succeeded();

    let lists = events().lines().filter(|line| *line == "listed").count();
    let seen: Vec<u32> = events()
        .lines()
        .filter_map(|line| line.strip_prefix("updated ")?.parse().ok())
        .collect();
    counting::assert_none_is_missing(&seen, last);
    assert_eq!(lists, 1, "it never had to list anew");
    let renewals = cluster.certificates().len() - before.max(1);
    eprintln!("{last} events, {renewals} renewals, {opened} connections opened, {closed} closed by client-go");
    assert!(renewals >= 3, "{renewals}");
    assert_eq!((opened, closed), (1 + renewals, renewals));
    // Who is behind the first certificate's requests but us: `login` asks who it is.
    let refused = cluster.server.requests().into_iter().filter(|request| request.status == 401);
    assert_eq!(refused.count(), 0);
}
