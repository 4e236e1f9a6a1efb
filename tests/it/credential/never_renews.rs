//! Clients that are known never to ask again start with at least half of a certificate's life before them (issue 13.13).

use crate::support::World;
use cce_sim::Fault;

const HOUR: i64 = 3600;

fn certificate(world: &World) -> String {
    world.get_credential(&[]).credential().certificate
}

/// Of eight hours, so many are over.
fn after(hours: i64) -> (World, String) {
    let mut world = World::new();
    world.at(0);
    let first = certificate(&world);
    world.at(hours * HOUR + 1);
    (world, first)
}

#[test]
fn python_and_java_get_a_new_certificate_when_half_of_the_life_is_over() {
    for program in ["python3.13", "java"] {
        let (mut world, first) = after(3);
        world.run_by(program);
        assert_eq!(certificate(&world), first, "{program}: more than half is left");
        world.at(4 * HOUR + 1);
        let second = certificate(&world);
        assert_ne!(second, first, "{program}");
        assert_eq!(certificate(&world), second, "{program}: once is enough");
        world.run_left_behind(); // asks the API server, as behind everybody
        assert_eq!(world.certificate_requests(), 2, "{program}");
    }
}

#[test]
fn everybody_else_is_served_what_is_there() {
    for program in ["kubectl", "helm", "node", "terraform", "bash"] {
        let (mut world, first) = after(5);
        world.run_by(program);
        assert_eq!(certificate(&world), first, "{program}");
        world.run_left_behind(); // asks the API server, as behind everybody
        assert_eq!(world.certificate_requests(), 1, "{program}");
    }
}

#[test]
fn inside_the_window_it_is_renewed_in_line_and_not_behind() {
    let (mut world, first) = after(7);
    world.run_by("python3");
    assert_ne!(certificate(&world), first);
    assert_eq!((world.certificate_requests(), world.left_behind()), (2, 0));
}

#[test]
fn a_cloud_that_cannot_be_reached_costs_them_nothing() {
    let (mut world, first) = after(5);
    world.run_by("python3");
    let broken = Fault::Status {
        code: 503,
        body: String::new(),
        headers: Vec::new(),
    };
    world.sim.set_fault("clustercert", broken);
    let outcome = world.get_credential(&[]);
    assert_eq!(outcome.credential().certificate, first);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn many_of_them_at_once_cost_one_certificate() {
    let (mut world, first) = after(5);
    world.run_by("python3");
    let outcomes = world.get_credentials_at_once(20, &[]);
    assert!(outcomes.iter().all(|outcome| outcome.credential().certificate != first));
    assert_eq!(world.certificate_requests(), 2);
}
