//! The house rules that a compiler does not check.

use crate::support::in_repository;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom: each uses only those below its own. A new room gets its place here and its row in `lib.rs`.
const ORDER: [&str; 33] = [
    "commands",
    "revocation",
    "discovery",
    "contexts",
    "account",
    "credential",
    "sign_in",
    "api_server",
    "output",
    "kubectl",
    "session",
    "plan",
    "register",
    "identity",
    "cache",
    "huaweicloud",
    "oidc",
    "kubeconfig",
    "config",
    "exec_credential",
    "http",
    "cli",
    "error",
    "log",
    "host",
    "store",
    "private_dir",
    "certificate",
    "lifetime",
    "ids",
    "secret",
    "sanitize",
    "env_vars",
];
/// A comment may stand so many lines above the door it explains.
const LINES_ABOVE: usize = 3;

/// A source file: its path below `src`, and its code without tests and comment lines (blank in their place).
struct Source {
    path: PathBuf,
    raw: Vec<String>,
    code: Vec<String>,
}

impl Source {
    /// The module it belongs to: the first part of its path.
    fn module(&self) -> String {
        let first = self.path.components().next().unwrap();
        let name = Path::new(first.as_os_str());
        name.file_stem().unwrap().to_str().unwrap().to_owned()
    }

    /// The command whose file it is.
    fn command(&self) -> Option<String> {
        let below = self.path.strip_prefix("commands").ok()?;
        let name = Path::new(below.components().next()?.as_os_str());
        Some(name.file_stem()?.to_str()?.to_owned())
    }

    /// The names that follow `prefix` in the code, those in braces included.
    fn names_after(&self, prefix: &str) -> BTreeSet<String> {
        let code = self.code.join("\n");
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name_of = |text: &str| {
            text.trim_start()
                .chars()
                .take_while(|c| is_name(*c))
                .collect::<String>()
        };
        let mut names = BTreeSet::new();
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            let is_part_of_a_longer_path =
                code[..at].ends_with([':', '_']) || code[..at].ends_with(char::is_alphanumeric);
            if is_part_of_a_longer_path {
                continue;
            }
            match rest.strip_prefix('{').and_then(|group| group.split_once('}')) {
                Some((group, _)) => names.extend(group.split(',').map(name_of)),
                None => {
                    names.insert(name_of(rest));
                }
            }
        }
        names.remove("");
        names
    }
}

fn sources() -> Vec<Source> {
    let root = in_repository("src");
    let mut directories = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(directory) = directories.pop() {
        for item in std::fs::read_dir(directory).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let raw: Vec<String> = text
                .lines()
                .take_while(|line| *line != "#[cfg(test)]")
                .map(str::to_owned)
                .collect();
            let without_comment = |line: &String| {
                if line.trim_start().starts_with("//") {
                    String::new()
                } else {
                    line.clone()
                }
            };
            sources.push(Source {
                path: path.strip_prefix(&root).unwrap().to_owned(),
                code: raw.iter().map(without_comment).collect(),
                raw,
            });
        }
    }
    assert!(sources.len() > 50);
    sources
}

#[test]
fn a_module_uses_only_modules_below_its_own() {
    let rank = |name: &str| ORDER.iter().position(|module| *module == name);
    let mut is_any_used = false;
    for source in sources() {
        let module = source.module();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        for used in source.names_after("crate::") {
            let used_rank = rank(&used).unwrap_or_else(|| panic!("{}: {used} has no place", source.path.display()));
            is_any_used = true;
            assert!(
                used_rank >= own,
                "{} uses {used}, which is above {module}",
                source.path.display()
            );
        }
    }
    assert!(is_any_used);
}

#[test]
fn the_map_in_lib_rs_shows_every_module() {
    let lib = std::fs::read_to_string(in_repository("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| {
            let line = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            line.strip_prefix("mod ")?.strip_suffix(';')
        })
        .collect();
    let rows = lib.lines().filter(|line| line.starts_with("//! | "));
    let shown: BTreeSet<&str> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|name| declared.contains(name))
        .collect();
    assert_eq!(shown, declared);
    assert_eq!(ORDER.into_iter().collect::<BTreeSet<_>>(), declared);
}

#[test]
fn only_the_http_module_knows_reqwest_and_tokio() {
    for source in sources() {
        let knows = source
            .code
            .iter()
            .any(|line| line.contains("reqwest") || line.contains("tokio"));
        assert!(!knows || source.module() == "http", "{}", source.path.display());
    }
}

#[test]
fn a_thread_that_cannot_be_made_stops_nothing() {
    for source in sources() {
        let panics = |line: &String| line.contains("thread::spawn(") || line.contains("scope.spawn(");
        assert!(
            !source.code.iter().any(panics),
            "{}: take host::parallel, or thread::Builder",
            source.path.display()
        );
    }
}

#[test]
fn a_command_names_no_other_command() {
    let mut count = 0;
    for source in sources() {
        let Some(own) = source.command() else { continue };
        count += 1;
        for name in source.names_after("crate::commands::") {
            assert_eq!(name, own, "{} uses the command {name}", source.path.display());
        }
    }
    assert!(count > 14);
}

#[test]
fn every_door_of_a_secret_is_explained() {
    let mut count = 0;
    let mut unexplained = Vec::new();
    for source in sources() {
        for (number, line) in source.raw.iter().enumerate() {
            if !line.contains(".expose()") || line.trim_start().starts_with("//") {
                continue;
            }
            count += 1;
            let above = &source.raw[number.saturating_sub(LINES_ABOVE)..number];
            let is_explained = line.contains("// ") || above.iter().any(|line| line.trim_start().starts_with("// "));
            if !is_explained {
                unexplained.push(format!("{}, line {}:{line}", source.path.display(), number + 1));
            }
        }
    }
    assert!(count > 10);
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}

#[test]
fn nothing_but_the_host_reaches_for_the_process() {
    let doors = [
        "std::env::var",
        "SystemTime::now",
        "io::stdout()",
        "io::stderr()",
        "io::stdin()",
        "process::exit",
    ];
    for source in sources() {
        for door in doors {
            let is_used = source.code.iter().any(|line| line.contains(door));
            assert!(
                !is_used || source.module() == "host",
                "{} uses {door}",
                source.path.display()
            );
        }
    }
}
