//! Which clusters there are, and which one a name means: the same answer for every command.

use crate::support::{Outcome, World};
use cce_login::error::Exit;
use cce_sim::ClusterSpec;

/// `prod`, the Autopilot cluster `twice` that both lists name, and `pilot` that only the second one does.
fn of_both_lists() -> World {
    let world = World::new();
    for name in ["twice", "pilot"] {
        world.sim.add_cluster(ClusterSpec {
            autopilot: true,
            in_both_lists: name == "twice",
            ..ClusterSpec::named(name)
        });
    }
    world
}

fn run(world: &World, line: &str) -> Outcome {
    world.run(line.split_whitespace())
}

/// The contexts, those of Autopilot clusters with a star.
fn contexts(world: &World) -> Vec<String> {
    let kubeconfig = world.kubeconfig();
    let star = |name: &str| {
        let args = kubeconfig.exec(&format!("env@{name}.cn-north-4"))["args"].to_string();
        format!("{name}{}", if args.contains("--autopilot") { "*" } else { "" })
    };
    kubeconfig.names("contexts").into_iter().map(star).collect()
}

#[test]
fn an_autopilot_cluster_that_both_lists_name_stands_once_in_every_command() {
    // The second name makes the login look into the second list.
    let world = of_both_lists();
    run(&world, "login --cluster twice --cluster pilot").is_done();
    assert_eq!(contexts(&world), ["twice*", "pilot*"]);

    let world = of_both_lists();
    run(&world, "login --cluster twice").is_done();
    assert_eq!(contexts(&world), ["twice*"]);

    let world = of_both_lists();
    run(&world, "login --all").is_done();
    assert_eq!(contexts(&world), ["pilot*", "prod", "twice*"]);
    let listed = run(&world, "clusters -o name --project cn-north-4");
    assert_eq!(listed.is_done().stdout, "pilot\nprod\ntwice\n");
    run(&world, "revoke --cluster twice --yes --project cn-north-4").is_done();

    // A person chooses the same copy.
    let mut world = of_both_lists();
    world.terminal(true, true, true);
    world.type_in("twice\n");
    run(&world, "--project cn-north-4").is_done();
    assert_eq!(contexts(&world), ["twice*"]);
}

#[test]
fn whoever_mistypes_a_cluster_is_told_what_it_may_be_by_every_command() {
    let world = World::new();
    world.sim.add_cluster(ClusterSpec::named("staging"));
    for line in [
        "login --cluster prodd",
        "revoke --cluster prodd --yes",
        "rotate --component all --cluster prodd --yes",
    ] {
        let outcome = run(&world, line);
        outcome.fails(Exit::Usage, "there is no cluster `prodd`");
        assert!(outcome.stderr.contains("did you mean `prod`?"), "{outcome}");
    }
}
