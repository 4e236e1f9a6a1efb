//! Tab in a bash at a terminal.

use super::terminal::Terminal;
use super::world::World;

#[test]
fn bash_completes_behind_equals_signs_and_colons_and_runs_nothing() {
    let world = World::new();
    world.login();
    let path = world.home().join(".kube/config");
    let text = std::fs::read_to_string(&path).unwrap();
    let user = text
        .split("user: ")
        .nth(1)
        .unwrap()
        .split('\n')
        .next()
        .unwrap()
        .to_owned();
    let item = |name: &&str| format!("- name: \"{name}\"\n  context: {{cluster: prod.cn-north-4, user: {user}}}\n");
    let contexts = ["plain", "eu:prod", "$(touch pwned)", "with space"]
        .iter()
        .map(item)
        .collect::<Vec<_>>()
        .concat();
    std::fs::write(
        &path,
        text.replace("\ncontexts:\n", &format!("\ncontexts:\n{contexts}")),
    )
    .unwrap();
    let terminal = Terminal::start(&world, 100, 30, "PS1='$ ' bash --norc --noprofile -i");
    terminal.types("source <(kubectl-cce_login completion bash); echo re''ady");
    terminal.shows("\nready");
    for (typed, shown) in [
        ("status --context=pl", "status --context=plain "),
        ("status --context eu:p", "status --context eu:prod "),
        ("status -o=js", "status -o=json "),
        ("status --output ya", "status --output yaml "),
        ("whoa", "kubectl-cce_login whoami "),
    ] {
        terminal.types_only(&format!("kubectl-cce_login {typed}"));
        terminal.press("Tab");
        // What follows shows that the word has ended.
        terminal.types_only("--end");
        terminal.shows(&format!("{shown}--end"));
        terminal.press("C-u");
    }
    for typed in ["status --context $", "status --context with", "status --context="] {
        terminal.types_only(&format!("kubectl-cce_login {typed}"));
        terminal.press("Tab");
        terminal.press("Tab");
        terminal.press("C-u");
    }
    terminal.types("exit 7");
    terminal.ended(7);
    assert!(!world.home().join("pwned").exists());
}
