//! What we say of a kubeconfig is what kubectl does with it.

use super::world::World;
use crate::support::spoiled;

#[test]
fn our_rules_refuse_what_kubectl_refuses_and_nothing_else() {
    let world = World::new();
    world.login();
    let text = world.read(".kube/config");
    let mut differ = Vec::new();
    for spoiled in &spoiled::ALL {
        world.write(".kube/config", spoiled.text(&text));
        let kubectl = world.kubectl("get --raw /api");
        let doctor = world.run(&["kubectl-cce_login", "doctor"]);
        let (is_usable, is_well) = (kubectl.code == Some(0), doctor.code == Some(0));
        if is_usable != spoiled.said.is_none() || is_well != is_usable {
            let said = format!("{}{}", kubectl.stderr, doctor.stdout);
            differ.push(format!(
                "{}: kubectl {is_usable}, doctor {is_well}\n{said}",
                spoiled.what
            ));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn a_login_asks_the_real_kubectl_and_costs_no_second_certificate() {
    let world = World::new();
    let login = world.login();
    world.write(".kube/config", format!("{}\t\n", world.read(".kube/config")));
    let again = world.login_with("");
    assert!(login.stderr.contains("try: kubectl get namespaces"), "{}", login.stderr);
    assert!(!again.stderr.contains("try: "), "{}", again.stderr);
    assert!(
        again.stderr.contains("kubectl refuses the kubeconfig"),
        "{}",
        again.stderr
    );
    assert_eq!(world.certificate_requests(), 1);
}
