//! One process over three renewals.

use super::counting;
use super::{Library, Machine, SHORT, THREE_RENEWALS};
use crate::real::cce_cluster::RealCluster;
use crate::system::process::{Running, wait_for};
use crate::system::world::Kubectl;

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn node_renews_in_a_running_process_python_and_java_get_401_for_good() {
    let cluster = RealCluster::start(Kubectl::Current, SHORT);
    let machines = Machine::all(&cluster);
    let asking: Vec<_> = machines
        .iter()
        .map(|machine| machine.ask(&cluster, THREE_RENEWALS.as_secs(), &[]))
        .collect();
    for (machine, asking) in machines.iter().zip(asking) {
        let answers = asking.answers(&cluster);
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
fn python_that_loads_its_kubeconfig_again_after_a_401_goes_on() {
    let cluster = RealCluster::start(Kubectl::Current, SHORT);
    let machine = Machine::new(&cluster, Library::Python);
    let asking = machine.ask(&cluster, THREE_RENEWALS.as_secs(), &["reload"]);
    let answers = asking.answers(&cluster);
    let refused = answers.iter().filter(|answer| *answer == "401").count();
    eprintln!("Python with reload: {} answers, {refused} refused", answers.len());
    // One 401 for each certificate that ended, each followed by an answer.
    assert!((2..=5).contains(&refused), "{answers:?}");
    assert!(
        answers.iter().all(|answer| answer == "200" || answer == "401"),
        "{answers:?}"
    );
    assert!(
        answers.windows(2).all(|pair| pair[0] == "200" || pair[1] == "200"),
        "{answers:?}"
    );
}

#[test]
#[ignore = "needs a kube-apiserver: tests/run --real"]
fn an_informer_of_client_go_misses_no_event_and_closes_one_connection_per_renewal() {
    let mut cluster = RealCluster::logged_in(Kubectl::Current, SHORT);
    counting::create(&cluster);
    let kubeconfig = cluster.world.path(".kube/config");
    cluster.world.set("KUBECONFIG", kubeconfig);
    let informer = std::env::var("INFORMER").expect("INFORMER is not set: run tests/run --real");
    let before = cluster.certificates().len();

    let file = cluster.world.home().join("events");
    let command = cluster
        .world
        .command(&["sh", "-c", "exec \"$0\" >\"$HOME/events\"", &informer]);
    let (stdin, keep) = std::io::pipe().unwrap();
    let running = Running::start_with_stdin(command, stdin.into());
    wait_for("the informer's first list", || {
        std::fs::read_to_string(&file).is_ok_and(|text| text.contains("added 0"))
    });
    let last = counting::count_for(&cluster, THREE_RENEWALS, || {});
    let events = || std::fs::read_to_string(&file).unwrap_or_default();
    wait_for("the last event", || events().contains(&format!("updated {last}\n")));
    let count = |word: &str| events().lines().filter(|line| *line == word).count();
    let (opened, closed, spare) = (count("opened"), count("closed"), count("spare"));
    drop(keep);
    cluster.world.checked(running.finish_now()).succeeded();

    let seen: Vec<u32> = events()
        .lines()
        .filter_map(|line| line.strip_prefix("updated ")?.parse().ok())
        .collect();
    counting::assert_none_is_missing(&seen, last);
    assert_eq!(count("listed"), 1, "it never had to list anew");
    let failed: Vec<_> = events()
        .lines()
        .filter(|line| line.starts_with("failed"))
        .map(str::to_owned)
        .collect();
    let renewals = cluster.certificates().len() - before.max(1);
    eprintln!(
        "{last} events, {} requests, {} failed, {renewals} renewals, {opened} connections opened, {spare} not needed, {closed} closed",
        count("asked"),
        failed.len()
    );
    assert!(failed.is_empty(), "{failed:?}");
    assert!(renewals >= 3, "{renewals}");
    assert_eq!((opened - spare, closed), (1 + renewals, renewals));
    let refused = cluster
        .server
        .requests()
        .into_iter()
        .filter(|request| request.status == 401);
    assert_eq!(refused.count(), 0);
}
