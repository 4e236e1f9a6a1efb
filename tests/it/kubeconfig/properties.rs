//! Whatever a kubeconfig looks like and whatever we add, change and remove: every byte that is not ours stays.

use std::fmt::Write as _;
use std::path::Path;

use cce_login::kubeconfig::Kubeconfig;
use proptest::prelude::*;

use super::support::{home, load, locations, login, put};

/// How the lists of one file are written.
#[derive(Debug, Clone)]
struct Style {
    indent: usize,
    newline: &'static str,
    name_last: bool,
    final_newline: bool,
    document_start: bool,
}

fn style() -> impl Strategy<Value = Style> {
    (0..4_usize, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(indent, windows, name_last, final_newline, document_start)| Style {
            indent,
            newline: if windows { "\r\n" } else { "\n" },
            name_last,
            final_newline,
            document_start,
        },
    )
}

/// Lines that may stand anywhere between entries.
fn noise() -> impl Strategy<Value = Vec<&'static str>> {
    let line = prop::sample::select(vec![
        "# a comment",
        "",
        "   # indented",
        "#\ttab",
        "  ",
        "# - name: not an entry",
        "# übrigens: ☸",
    ]);
    prop::collection::vec(line, 0..3)
}

/// A name that needs quoting more often than not.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a",
        "\"on\"",
        "'it''s'",
        "\"1e3\"",
        "gke_x_y",
        "\"q\\\"uote\"",
        "kind-kind",
        "\"null\"",
        "ü",
        "\"a: b\"",
        "\"# c\"",
    ])
}

/// The contents of an entry after its key, as lines; `%` is one step of indentation.
fn body() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        " {}",
        "",
        " {server: https://x, extensions: [{a: 1}]} # flow",
        "\n%server: https://x # why\n%extensions:\n%- name: e\n%  extension: {a: [1, 2]}",
        "\n%token: |\n%  line\n%  line\n\n",
        "\n%token: >+\n%  line\n\n",
        "\n%# only then\n%unknown:\n%  deep:\n%    - 1\n%    -\n%      - x: y",
        " # comment\n%namespace:   padded   # tail",
        "\n%exec:\n%  command: other\n%  args: [get-credential]\n%  env: null",
        " &anchor\n%server: https://x",
    ])
}

#[derive(Debug, Clone)]
enum List {
    Missing,
    Null(&'static str),
    Block(Vec<(Vec<&'static str>, &'static str, &'static str)>),
    Flow(usize),
}

fn list() -> impl Strategy<Value = List> {
    let item = (noise(), name(), body());
    prop_oneof![
        1 => Just(List::Missing),
        2 => prop::sample::select(vec!["", " null", " []", " ~ # none", " [] # none", " [ ]", " [ # none\n ]"]).prop_map(List::Null),
        5 => prop::collection::vec(item, 1..5).prop_map(List::Block),
        1 => (1..4_usize).prop_map(List::Flow),
    ]
}

fn write_list(text: &mut String, key: &str, list: &List, style: &Style) {
    let body_key = key.trim_end_matches('s');
    match list {
        List::Missing => {}
        List::Null(how) => writeln!(text, "{key}:{how}").unwrap(),
        List::Flow(count) => {
            let items: Vec<_> = (0..*count)
                .map(|n| format!("{{name: f{n}, {body_key}: {{}}}}"))
                .collect();
            writeln!(text, "{key}: [{}] # flow", items.join(", ")).unwrap();
        }
        List::Block(items) => {
            writeln!(text, "{key}: # list").unwrap();
            let pad = " ".repeat(style.indent);
            let mut seen = Vec::new();
            for (noise, name, body) in items {
                if seen.contains(name) {
                    continue;
                }
                seen.push(name);
                for line in noise {
                    writeln!(text, "{line}").unwrap();
                }
                let body = body.replace('%', &format!("{pad}    "));
                let body = body.replace("&anchor", &format!("&{body_key}{}", seen.len()));
                if style.name_last {
                    writeln!(text, "{pad}- {body_key}:{body}\n{pad}  name: {name}").unwrap();
                } else {
                    writeln!(text, "{pad}- name: {name}\n{pad}  {body_key}:{body}").unwrap();
                }
            }
        }
    }
}

prop_compose! {
    fn kubeconfig()(
        style in style(),
        lists in [list(), list(), list()],
        noises in [noise(), noise(), noise(), noise()],
        current in prop::sample::select(vec!["", "current-context: gone\n", "current-context: a # now\n", "current-context: \"\"\n"]),
        order in Just(["clusters", "users", "contexts"]).prop_shuffle(),
    ) -> String {
        let mut text = String::new();
        for line in &noises[0] {
            writeln!(text, "{line}").unwrap();
        }
        if style.document_start {
            text.push_str("---\n");
        }
        text.push_str("kind: Config # k\n");
        for (at, (key, list)) in order.iter().zip(&lists).enumerate() {
            write_list(&mut text, key, list, &style);
            for line in &noises[at + 1] {
                writeln!(text, "{line}").unwrap();
            }
            if at == 1 {
                text.push_str(current);
            }
        }
        if !style.final_newline {
            text.truncate(text.trim_end().len());
        }
        text.replace('\n', style.newline)
    }
}

/// The lines of `less`, in order, are among those of `more`.
fn is_kept(less: &str, more: &str) -> Result<(), String> {
    let mut lines = more.lines();
    for line in less.lines() {
        if !lines.any(|other| other == line) {
            return Err(format!("lost {line:?}"));
        }
    }
    Ok(())
}

/// Those lines in which an insertion may replace something: the empty notation of a list, an empty current context, a flow list.
fn is_replaceable(line: &str) -> bool {
    let line = line.trim_end();
    let key = ["clusters:", "users:", "contexts:"]
        .iter()
        .find_map(|key| line.strip_prefix(key));
    key.is_some_and(|rest| !rest.is_empty() && rest != " # list") || line == "current-context: \"\""
}

fn apply_diff(before: &str, diff: &str) -> String {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let (mut out, mut at) = (String::new(), 0);
    let mut lines = diff.split_inclusive('\n').skip(2).peekable();
    while let Some(line) = lines.next() {
        if let Some(header) = line.strip_prefix("@@ -") {
            let (start, rest) = header.split_once(',').unwrap();
            let count: usize = rest.split(' ').next().unwrap().parse().unwrap();
            let start = start.parse::<usize>().unwrap() - usize::from(count > 0);
            out.extend(old[at..start].iter().copied());
            at = start;
            continue;
        }
        let mut content: String = line.chars().skip(1).collect();
        if lines.next_if(|next| next.starts_with('\\')).is_some() {
            content.pop();
        }
        match line.as_bytes()[0] {
            b'+' => out.push_str(&content),
            sign => {
                assert_eq!(content, old[at]);
                at += 1;
                if sign == b' ' {
                    out.push_str(&content);
                }
            }
        }
    }
    out.extend(old[at..].iter().copied());
    out
}

fn text_after(kubeconfig: &Kubeconfig, file: &Path, names: &[&str], before: &str) -> String {
    let logins: Vec<_> = names.iter().map(|name| login(name)).collect();
    let change = kubeconfig
        .upsert(&logins)
        .unwrap_or_else(|error| panic!("{error}\n{before}"));
    let after = change.texts().first().map_or(before, |(_, text)| *text).to_owned();
    assert_eq!(
        apply_diff(before, &change.diff()),
        after,
        "the diff does not lead there:\n{}",
        change.diff()
    );
    put(file, &after);
    after
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_not_ours_changes(before in kubeconfig()) {
        let (_home, file) = home();
        put(&file, &before);
        let foreign = load(&file).unwrap();
        let foreign_contexts = foreign.contexts().len();

        // Added: the old lines are all there, in order.
        let added = text_after(&foreign, &file, &["p1", "p2"], &before);
        let kept: String = before.split_inclusive('\n').filter(|line| !is_replaceable(line)).collect();
        is_kept(&kept, &added).map_err(TestCaseError::fail)?;

        // Added one at a time or together: the same bytes.
        put(&file, &before);
        let first = text_after(&load(&file).unwrap(), &file, &["p1"], &before);
        let one_by_one = text_after(&load(&file).unwrap(), &file, &["p2"], &first);
        prop_assert_eq!(&one_by_one, &added);

        // Again: nothing.
        prop_assert!(load(&file).unwrap().upsert(&[login("p1"), login("p2")]).unwrap().is_empty());

        // Changed and changed back: the same bytes.
        let mut other = login("p1");
        other.cluster.server = "https://elsewhere".to_owned();
        other.cluster.tls_server_name = None;
        other.cluster.proxy_url = Some("http://proxy".to_owned());
        other.exec.args.push("--duration=1h".to_owned());
        load(&file).unwrap().upsert(&[other]).unwrap().write().unwrap();
        let back = text_after(&load(&file).unwrap(), &file, &["p1"], &std::fs::read_to_string(&file).unwrap());
        let sorted = |text: &str| { let mut lines: Vec<_> = text.lines().map(str::to_owned).collect(); lines.sort(); lines };
        prop_assert_eq!(sorted(&back), sorted(&added));

        // Removed: what is left is what was there, but for the notation of an empty list.
        put(&file, &added);
        let change = load(&file).unwrap().remove(&["p2", "p1"]).unwrap();
        let removed = change.texts()[0].1.to_owned();
        prop_assert_eq!(apply_diff(&added, &change.diff()), removed.clone());
        let kept: String = before.split_inclusive('\n').filter(|line| !is_replaceable(line)).collect();
        let kept = kept.lines().filter(|line| !["clusters:", "users:", "contexts:"].contains(line)).collect::<Vec<_>>().join("\n");
        is_kept(&kept, &removed).map_err(TestCaseError::fail)?;
        put(&file, &removed);
        let left = Kubeconfig::load(&locations(&file)).unwrap();
        prop_assert!(left.ours().is_empty());
        prop_assert_eq!(left.contexts().len(), foreign_contexts);
        // Wherever there were lists with entries before, not a byte differs.
        let had_all = ["clusters:", "users:", "contexts:"].iter().all(|key| before.lines().any(|line| line == format!("{key} # list")));
        if had_all && before.lines().any(|line| line.starts_with("current-context: ") && !line.ends_with("\"\"")) {
            prop_assert_eq!(removed, before);
        }
    }

    #[test]
    fn any_names_and_values_are_read_back_as_given(texts in prop::collection::vec("\\PC{1,12}|[\\x00-\\x7f\u{85}\u{2028}\u{feff}]{1,6}|[-+.0-9eExXoO_:~#!&*%@`'\" ]{1,6}", 6)) {
        let (_home, file) = home();
        let mut login = login("prod");
        login.context_name.clone_from(&texts[0]);
        login.user_name.clone_from(&texts[1]);
        login.cluster_name.clone_from(&texts[2]);
        login.exec.args.push(texts[3].clone());
        login.exec.install_hint.clone_from(&texts[4]);
        login.namespace = Some(texts[5].clone());
        for before in ["", "{}", "{\"users\": [\n\t]\n}", "users: [] # x\n"] {
            put(&file, before);
            let change = load(&file).unwrap().upsert(std::slice::from_ref(&login)).unwrap();
            put(&file, change.texts()[0].1);
            let after = load(&file).unwrap();
            let context = after.context(&login.context_name).unwrap();
            prop_assert_eq!(context.namespace, Some(texts[5].as_str()));
            prop_assert_eq!(context.user, Some(texts[1].as_str()));
            prop_assert_eq!(&after.user(&texts[1]).unwrap().args, &login.exec.args);
        }
    }
    #[test]
    fn no_damage_to_a_file_makes_us_panic_or_lie(
        case in 0..usize::MAX,
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3_usize, prop::sample::select(vec![
            "", " ", "\n", "\r\n", "\n\n", ":", ": ", "#", " #", "-", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "!!str ", "|", ">-\n", "'", "\"", "\t",
            "<<: *a", "---\n", "...\n", "null", "ü", "\u{feff}", "\\",
        ])), 0..4),
    ) {
        let cases: Vec<_> = super::cases::cases().into_iter().map(|case| case.join("before.yaml")).collect();
        let bytes = std::fs::read(&cases[case % cases.len()]).unwrap();
        let mut text: Vec<char> = String::from_utf8_lossy(&bytes).chars().collect();
        for (at, cut, insert) in damage {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, insert.chars());
        }
        let text: String = text.into_iter().collect();
        let (_home, file) = home();
        put(&file, &text);
        if let Ok(kubeconfig) = load(&file) {
            let removed = kubeconfig.ours().first().map(|ours| kubeconfig.remove(&[ours.name]));
            for change in [Some(kubeconfig.upsert(&[login("prod"), login("two")])), removed].into_iter().flatten().flatten() {
                for (_, after) in change.texts() {
                    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                    prop_assert_eq!(apply_diff(text, &change.diff()), after);
                }
            }
        }
    }
}
