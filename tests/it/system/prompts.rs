//! Questions at a real terminal: the keys that shells have taught everybody, and a screen that is somebody else's.

use super::terminal::Terminal;
use super::world::World;
use cce_sim::ClusterSpec;

const LOGIN: &str = "kubectl cce-login";

fn with_clusters(names: &[&str]) -> World {
    let mut world = World::new();
    for name in names {
        world.sim.add_cluster(ClusterSpec::named(name));
    }
    world.set("CCE_LOGIN_CCE_ENDPOINT", world.sim.cce_endpoint());
    world.set("CCE_LOGIN_IAM_ENDPOINT", world.sim.iam_endpoint());
    let ca = world.path("cloud-ca.pem");
    world.set("CCE_LOGIN_CA_FILE", ca);
    world
}

#[test]
fn a_filter_is_edited_as_a_shell_s_line_and_says_when_nothing_is_left() {
    let world = with_clusters(&["staging", "test"]);
    let line = format!("{LOGIN} --region cn-north-4 --project cn-north-4");
    let terminal = Terminal::start(&world, 90, 24, &line);
    terminal.shows("? Cluster");
    terminal.types_only("staging nowhere");
    terminal.shows("nothing has `staging nowhere` in it");
    terminal.press("Enter"); // there is nothing to take
    terminal.press("C-w");
    terminal.shows("> staging");
    terminal.press("C-u");
    terminal.shows("all 3 of them");
    terminal.types_only("eging");
    for key in ["C-a", "C-k"] {
        terminal.press(key);
    }
    terminal.types_only("tes");
    terminal.press("C-e");
    terminal.types_only("t");
    terminal.press("Enter");
    terminal.ended(0);
    assert!(terminal.screen().contains("> Cluster test"), "{}", terminal.screen());
    assert!(world.home().join(".kube/config").exists());
}

#[test]
fn several_clusters_are_taken_and_no_other() {
    let world = with_clusters(&["staging", "test"]);
    let line = format!("{LOGIN} --region cn-north-4 --project cn-north-4");
    let terminal = Terminal::start(&world, 90, 24, &line);
    terminal.shows("? Cluster");
    terminal.types_only("prod");
    terminal.press("Tab");
    terminal.press("C-u");
    terminal.types_only("test");
    terminal.press("Tab");
    terminal.press("Enter");
    terminal.ended(0);
    let text = std::fs::read_to_string(world.home().join(".kube/config")).unwrap();
    assert!(
        text.contains("name: prod\n") && text.contains("name: test\n") && !text.contains("staging"),
        "{text}"
    );
}

#[test]
fn a_hidden_answer_tells_its_length_and_is_wiped_by_a_key() {
    let mut world = with_clusters(&[]);
    world.use_no_key();
    let key = world.sim.access_key("alice");
    let terminal = Terminal::start(&world, 90, 24, &format!("{LOGIN} --region cn-north-4"));
    terminal.shows("? Sign in with");
    terminal.press("Enter");
    terminal.shows("? Access key id:");
    terminal.types(&key.id);
    terminal.shows("? Secret access key:");
    terminal.types_only("something else");
    terminal.shows("•••• 14 characters");
    terminal.press("C-w");
    terminal.shows("•••• 10 characters");
    terminal.press("C-u");
    terminal.press("Escape"); // back to the id, which is still there
    terminal.shows("? Access key id: ");
    terminal.press("Enter");
    terminal.shows("? Secret access key:");
    terminal.types(&key.secret);
    terminal.shows(&format!("Secret access key: •••• {} characters", key.secret.len()));
    terminal.shows("? Project");
}

#[test]
fn nothing_is_written_over_a_program_that_has_the_screen() {
    let mut world = with_clusters(&[]);
    world.set("HUAWEICLOUD_SDK_SK", "wrong");
    let words = world.get_credential_words().join(" ");
    for words in [words.clone(), format!("{words} --nonsense")] {
        let line = format!("stty raw -echo; {words}; ended=$?; stty sane; (exit $ended)");
        let terminal = Terminal::start(&world, 90, 24, &line);
        terminal.shows("[exit ");
        let screen = terminal.screen();
        assert!(!screen.contains("error") && !screen.contains("hint"), "{screen}");
        assert!(!screen.contains("[exit 0]"), "{screen}");
        // The same where nobody has the screen.
        let terminal = Terminal::start(&world, 90, 24, &words);
        terminal.shows("error");
    }
}
