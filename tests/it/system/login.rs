//! A person at a real terminal, from nothing to a kubectl that works.

use super::bus::Bus;
use super::process::wait_for;
use super::terminal::Terminal;
use super::world::{World, words};
use cce_sim::{ClusterSpec, Fault, Proxy, ProxyKind};
use rustix::process::{Pid, Signal, kill_process};
use std::time::Duration;

const LOGIN: &str = "kubectl cce-login";

/// A person who has configured nothing. The simulated cloud's hosts have the names of the real ones.
fn newcomer() -> (World, Proxy) {
    let mut world = World::new();
    world.use_no_key();
    let proxy = world.sim.start_proxy(ProxyKind::Http);
    world.set("HTTPS_PROXY", proxy.url());
    let ca = world.home().join("cloud-ca.pem");
    world.set("CCE_LOGIN_CA_FILE", ca);
    (world, proxy)
}

/// The questions in their order, and what alice answers.
fn answers(world: &World) -> [(&'static str, String); 5] {
    let key = world.sim.access_key("alice");
    [
        ("Region", "cn-north-4".to_owned()),
        ("Sign in with", String::new()),
        ("Access key id:", key.id),
        ("Secret access key:", key.secret),
        ("Project", String::new()),
    ]
}

fn answer(terminal: &Terminal<'_>, answers: &[(&str, String)]) {
    for (question, answer) in answers {
        terminal.shows(question);
        terminal.types(answer);
    }
}

/// Issue 13.18: as the clock on the wall has it, by the zone of whoever reads it.
#[test]
fn people_read_local_times() {
    let mut world = World::without_kubectl();
    world.set("TZ", "CST-8");
    world.login().succeeded();
    let entry = &world
        .run(&words("kubectl-cce_login", "status -o json"))
        .succeeded()
        .stdout;
    let rows: serde_json::Value = serde_json::from_str(entry).unwrap();
    let end: chrono::DateTime<chrono::Utc> = rows[0]["notAfter"].as_str().unwrap().parse().unwrap();
    let local = (end + chrono::TimeDelta::hours(8)).format("%Y-%m-%d %H:%M").to_string();
    let table = world.run(&words("kubectl-cce_login", "status")).succeeded().stdout;
    assert!(table.contains("EXPIRES (+08:00)") && table.contains(&local), "{table}");
    let login = world.login().succeeded().stderr;
    assert!(login.contains(&format!("until {local} +08:00")), "{login}");
}

#[test]
fn from_nothing_to_kubectl_get_namespaces() {
    let (mut world, _proxy) = newcomer();
    let _bus = Bus::unlocked(&mut world);
    let terminal = Terminal::start(&world, 100, 40, &format!("{LOGIN} && kubectl get namespaces"));
    answer(&terminal, &answers(&world));
    terminal.ended(0);
    let screen = terminal.screen();
    for text in [
        "the API server knows you as",
        "kept in the",
        "context `prod` written to",
        "try: kubectl get namespaces",
        "kube-system",
    ] {
        assert!(screen.contains(text), "`{text}` is not in\n{screen}");
    }
    assert_eq!(world.certificate_requests(), 1);
    let config = std::fs::read_to_string(world.home().join(".config/cce-login/config.toml")).unwrap();
    assert!(
        config.contains("[profiles.default]") && config.contains("region = \"cn-north-4\""),
        "{config}"
    );
    let kubeconfig = std::fs::read(world.home().join(".kube/config")).unwrap();

    // Once more: nothing is asked but the project, and nothing changes.
    let again = Terminal::start(&world, 100, 40, LOGIN);
    again.shows("Project");
    again.press("Enter");
    again.ended(0);
    assert!(again.screen().contains("was up to date"), "{}", again.screen());
    assert_eq!(std::fs::read(world.home().join(".kube/config")).unwrap(), kubeconfig);
}

#[test]
fn a_wrong_key_is_corrected_on_the_second_try_at_a_terminal() {
    let (mut world, _proxy) = newcomer();
    let _bus = Bus::unlocked(&mut world);
    let terminal = Terminal::start(&world, 100, 40, LOGIN);
    let answers = answers(&world);
    answer(&terminal, &answers[..3]);
    terminal.shows("Secret access key:");
    terminal.types("wrong");
    terminal.shows("once more");
    terminal.shows("Access key id:");
    terminal.press("Enter"); // the id is still there
    answer(&terminal, &answers[3..]);
    terminal.ended(0);
    world.kubectl("get namespaces").succeeded();
}

#[test]
fn cancelling_at_any_question_leaves_nothing_behind() {
    let (mut world, _proxy) = newcomer();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    let _bus = Bus::unlocked(&mut world);
    let mut questions = answers(&world).to_vec();
    questions.push(("Cluster", "all 2".to_owned()));
    questions.push(("Set up all 2 clusters?", String::new()));
    for count in 0..questions.len() {
        for key in ["Escape", "C-c"] {
            let terminal = Terminal::start(&world, 100, 40, LOGIN);
            answer(&terminal, &questions[..count]);
            terminal.shows(questions[count].0);
            // Esc goes back one question, and ends it at the first one.
            terminal.press(key);
            wait_for("the end", || {
                let is_over = terminal.screen().contains("[exit ");
                if !is_over && key == "Escape" {
                    terminal.press(key);
                }
                is_over
            });
            terminal.ended(130);
            let screen = terminal.screen();
            assert!(screen.contains("cancelled, and nothing was changed"), "{screen}");
            assert!(!world.home().join(".kube/config").exists(), "{screen}");
            assert!(!world.home().join(".config/cce-login/config.toml").exists(), "{screen}");
        }
    }
    let kept = world.run(&["secret-tool", "search", "--all", "service", "kubectl-cce_login"]);
    assert_eq!(kept.stdout, "");
    assert_eq!(world.certificate_requests(), 0);
}

#[test]
fn one_of_three_hundred_clusters_is_found_in_sixty_columns_without_colours() {
    let mut world = World::new();
    for number in 0..300 {
        world.sim.add_cluster(ClusterSpec {
            eip: number == 123,
            ..ClusterSpec::named(&format!("a-cluster-with-a-name-of-its-own-{number:03}"))
        });
    }
    for (name, value) in [
        ("CCE_LOGIN_CCE_ENDPOINT", world.sim.cce_endpoint()),
        ("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint()),
        (
            "CCE_LOGIN_CA_FILE",
            world.home().join("cloud-ca.pem").display().to_string(),
        ),
        ("NO_COLOR", "1".to_owned()),
        ("LC_ALL", "C".to_owned()),
    ] {
        world.set(name, value);
    }
    let line = format!("{LOGIN} --region cn-north-4 --project cn-north-4");
    let terminal = Terminal::start(&world, 60, 24, &line);
    terminal.shows("Cluster");
    terminal.shows("type to filter");
    let rows = terminal
        .screen()
        .lines()
        .filter(|line| line.contains("a-cluster-with"))
        .count();
    assert!((8..=12).contains(&rows), "a row is a line: {}", terminal.screen());
    terminal.press("Down");
    terminal.press("Down");
    terminal.shows("> a-cluster-with-a-name-of-its-own-002");
    terminal.types_only("avail 123");
    wait_for("one row", || {
        let screen = terminal.screen();
        screen.lines().filter(|line| line.contains("a-cluster-with")).count() == 1 && screen.contains("-123")
    });
    terminal.press("Enter");
    terminal.ended(0);
    assert!(terminal.screen().contains("-own-123`"), "{}", terminal.screen());
    let recorded = String::from_utf8(terminal.recorded()).unwrap();
    // The questions; a name behind them is the cloud's.
    assert!(recorded.split("knows you as").next().unwrap().is_ascii());
    let is_colour = |part: &str| {
        part.starts_with('3')
            && part
                .get(1..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    assert!(!recorded.split("\u{1b}[").skip(1).any(is_colour), "{recorded:?}");
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let (mut world, _proxy) = newcomer();
    let _bus = Bus::unlocked(&mut world);
    let terminal = Terminal::start(&world, 80, 60, &format!("TERM=dumb {LOGIN}"));
    let key = world.sim.access_key("alice");
    for (question, answer) in [
        ("Region (a number, or a part of the name)", "cn-north-4 "),
        ("Sign in with (a number", "1"),
        ("Access key id:", &key.id),
        ("Secret access key:", &key.secret),
        ("Project (a number", "1"),
    ] {
        terminal.shows(question);
        terminal.types(answer);
    }
    terminal.ended(0);
    assert!(!terminal.recorded().contains(&0x1b), "no escape sequence");

    let terminal = Terminal::start(&world, 80, 60, &format!("TERM=dumb {LOGIN} --profile other"));
    for (question, answer) in [
        ("Region (", "cn-north-4 "),
        ("Sign in with (", "1"),
        ("Access key id:", &key.id),
    ] {
        terminal.shows(question);
        terminal.types(answer);
    }
    terminal.shows("Secret access key:");
    terminal.press("C-c");
    terminal.ended(130);
}

#[test]
fn what_takes_long_is_seen_to_go_on_and_leaves_no_trace() {
    let mut world = World::new();
    for (name, value) in [
        ("CCE_LOGIN_CCE_ENDPOINT", world.sim.cce_endpoint()),
        ("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint()),
        (
            "CCE_LOGIN_CA_FILE",
            world.home().join("cloud-ca.pem").display().to_string(),
        ),
    ] {
        world.set(name, value);
    }
    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(3)));
    let line = format!("{LOGIN} --region cn-north-4 --cluster prod");
    let terminal = Terminal::start(&world, 80, 24, &line);
    terminal.shows("taking a certificate");
    terminal.ended(0);
    assert!(
        !terminal.screen().contains("taking a certificate"),
        "{}",
        terminal.screen()
    );
    // What is quick is not shown.
    assert!(!String::from_utf8_lossy(&terminal.recorded()).contains("looking for clusters"));

    world
        .sim
        .set_fault("clustercert", Fault::Latency(Duration::from_secs(2)));
    let output = world.login_with("--duration 1d");
    assert!(
        !output.succeeded().stderr.contains("taking a certificate"),
        "only on a terminal"
    );
}

#[test]
fn ctrl_c_while_the_cloud_is_asked_leaves_nothing_behind() {
    let world = World::new();
    world.sim.set_fault("clustercert", Fault::Hang);
    let line = format!(
        "{LOGIN} --region cn-north-4 --cluster prod {}",
        world.cloud_flags().join(" ")
    );
    let terminal = Terminal::start(&world, 80, 24, &line);
    terminal.shows("taking a certificate");
    terminal.press("C-c");
    terminal.ended(130);
    assert!(!world.home().join(".kube").exists());
}

/// The processes that take certificates behind a login into this kubeconfig.
fn behind(kubeconfig: &str) -> Vec<Pid> {
    let pid = |process: std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let is_one = line.contains(kubeconfig) && line.split('\0').any(|arg| arg == "--behind");
        Pid::from_raw(process.file_name().to_str()?.parse().ok().filter(|_| is_one)?)
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(pid).collect()
}

#[test]
fn of_ten_clusters_the_last_two_follow_and_the_one_that_is_used_meanwhile_goes_first() {
    let world = World::new();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "staging"] {
        world.sim.add_cluster(ClusterSpec::named(name));
    }
    let kubeconfig = world.path(".kube/config");
    let mut all = words("kubectl-cce_login", "--all --region=cn-north-4");
    all.push(format!("--kubeconfig={kubeconfig}"));
    all.extend(world.cloud_flags());
    world.run(&all).succeeded();
    // One at once, and the next one when a minute is over: CCE's limit, but for one that is left to kubectl.
    wait_for("the ninth", || world.certificate_requests() == 9);
    let first = world.kubectl("--context staging get namespaces");
    assert_ne!(first.code, Some(0));
    let ours = "kubectl cce-login: error: context `staging` had no CA of its cluster before this first use";
    let said: Vec<&str> = first.stderr.lines().collect();
    let last = said.iter().rposition(|line| line.contains("error: ")).unwrap();
    assert!(said[last].starts_with(ours), "{}", first.stderr);
    assert!(!first.stderr.contains("x509"), "{}", first.stderr);
    world.kubectl("--context staging get namespaces").succeeded();
    world.kubectl("--context prod get namespaces").succeeded();
    assert_eq!(world.certificate_requests(), 10, "no certificate is taken twice");
    for pid in behind(&kubeconfig) {
        kill_process(pid, Signal::KILL).unwrap(); // it would see in a minute that there is nothing left
    }
}
