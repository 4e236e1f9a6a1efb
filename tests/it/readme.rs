//! What the README lists is what the code has: variables, permissions, and the simulated cloud's lines.

use crate::support::in_repository;
use std::collections::BTreeSet;
use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(in_repository(path)).unwrap()
}

/// Every text of `files` that begins so and goes on with signs that are allowed.
fn all_of(text: &str, start: &str, is_allowed: fn(char) -> bool) -> BTreeSet<String> {
    let found = text.match_indices(start).map(|(at, _)| {
        let word: String = text[at..].chars().take_while(|c| is_allowed(*c)).collect();
        word
    });
    found.filter(|word| word.len() > start.len()).collect()
}

fn is_of_a_variable(c: char) -> bool {
    c.is_ascii_uppercase() || c == '_'
}

/// A row of a table of the README by its first cell.
fn row<'t>(readme: &'t str, first: &str) -> &'t str {
    let start = format!("| `{first}` |");
    readme
        .lines()
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("no row for `{first}`"))
}

#[test]
fn every_variable_of_ours_has_its_row_and_there_is_no_other() {
    let readme = read("README.md");
    let quoted = all_of(&read("src/env_vars.rs"), "\"CCE_LOGIN_", |c| {
        c == '"' || is_of_a_variable(c)
    });
    let known: BTreeSet<String> = quoted.iter().map(|name| name.trim_matches('"').to_owned()).collect();
    assert!(known.len() > 15);
    let rows = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `CCE_LOGIN_")?.split('`').next());
    let rows: BTreeSet<String> = rows.map(|name| format!("CCE_LOGIN_{name}")).collect();
    assert_eq!(rows, known);
    // `like --flag` of its documentation is the second cell.
    let mut doc = String::new();
    for line in read("src/env_vars.rs").lines() {
        if let Some(text) = line.trim().strip_prefix("///") {
            doc = text.to_owned();
        } else if let Some((_, name)) = line.split_once("\"CCE_LOGIN_")
            && let Some((_, flag)) = doc.split_once("like `")
        {
            let name = format!("CCE_LOGIN_{}", name.split('"').next().unwrap());
            let flag = flag.split('`').next().unwrap();
            assert!(
                row(&readme, &name).contains(&format!("| `{flag}` |")),
                "{name} is like {flag}"
            );
        }
    }
}

#[test]
fn every_permission_that_a_request_takes_is_named() {
    fn files(directory: &Path, text: &mut String) {
        for item in std::fs::read_dir(directory).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                files(&path, text);
            } else {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut code = String::new();
    files(&in_repository("src"), &mut code);
    let readme = read("README.md");
    let (_, section) = readme.split_once("## Which permissions it takes").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let is_of_an_action = |c: char| c.is_ascii_alphanumeric() || c == ':' || c == '"';
    for service in ["\"cce:", "\"iam:", "\"sts:"] {
        let actions = all_of(&code, service, is_of_an_action);
        let actions = actions
            .iter()
            .filter(|action| action.matches(':').count() == 2 && action.ends_with('"'));
        for action in actions.map(|action| action.trim_matches('"')) {
            assert!(section.contains(&format!("`{action}`")), "{action}");
        }
    }
    for action in section
        .split('`')
        .filter(|word| word.matches(':').count() == 2 && !word.contains(' '))
    {
        assert!(
            code.contains(&format!("\"{action}\"")),
            "{action} is not asked for anywhere"
        );
    }
}

#[test]
fn the_simulated_cloud_prints_the_lines_that_the_readme_uses() {
    let printed = read("tests/sim/src/main.rs");
    let used = all_of(&read("README.md"), "CCE_SIM_", is_of_a_variable);
    assert!(used.len() > 3);
    for name in used {
        assert!(printed.contains(&format!("\"{name}\"")), "{name}");
    }
}
