//! The house rules that a compiler does not check.

use crate::support::in_repository;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom: each uses only those below its own. A new room gets its place here and its row in `lib.rs`.
const ORDER: [&str; 35] = [
    "fuzzing",
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
    "cli",
    "register",
    "identity",
    "cache",
    "huaweicloud",
    "oidc",
    "kubeconfig",
    "config",
    "exec_credential",
    "http",
    "error",
    "log",
    "host",
    "store",
    "private_dir",
    "certificate",
    "words",
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

/// The files below `src`, with their paths there.
fn texts() -> Vec<(PathBuf, String)> {
    let root = in_repository("src");
    let mut directories = vec![root.clone()];
    let mut texts = Vec::new();
    while let Some(directory) = directories.pop() {
        for item in std::fs::read_dir(directory).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                texts.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(texts.len() > 50);
    texts
}

fn sources() -> Vec<Source> {
    let read = |(path, text): (PathBuf, String)| {
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
        Source {
            path,
            code: raw.iter().map(without_comment).collect(),
            raw,
        }
    };
    texts().into_iter().map(read).collect()
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

/// What only one room knows: nothing else has these words.
const KNOWN_BY_ONE: [(&str, &[&str]); 4] = [
    ("http", &["reqwest", "tokio"]),
    ("certificate", &["x509_parser"]),
    (
        "host",
        &[
            "std::env::var",
            "SystemTime::now",
            "Instant::now",
            "Utc::now",
            "Command::new",
            "io::stdout()",
            "io::stderr()",
            "io::stdin()",
            "process::exit",
        ],
    ),
    ("store", &["linux_keyutils"]),
];
/// Where a room's word may stand elsewhere, and why.
const ALSO_KNOWN_BY: [(&str, &str, &str); 1] = [(
    "store/os_keyring",
    "Instant::now",
    "the stores lie below the host, and measure how long a keyring was waited for",
)];

#[test]
fn what_one_room_knows_no_other_does() {
    let mut used = BTreeSet::new();
    for source in sources() {
        for (room, words) in KNOWN_BY_ONE {
            for word in words {
                if !source.code.iter().any(|line| line.contains(word)) {
                    continue;
                }
                used.insert(*word);
                let path = source.path.display().to_string();
                let is_let = ALSO_KNOWN_BY
                    .iter()
                    .any(|(place, known, _)| path.starts_with(place) && known == word);
                assert!(source.module() == room || is_let, "{path} knows {word}");
            }
        }
    }
    assert!(used.len() > 8, "{used:?}");
}

#[test]
fn no_state_is_kept_in_statics_but_the_signal_handlers() {
    for source in sources() {
        for line in &source.code {
            let line = line
                .trim_start()
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ");
            let is_static = line.starts_with("static ") || line.contains("thread_local!");
            let is_the_handlers = source.path == Path::new("host/processes/interruption.rs");
            assert!(!is_static || is_the_handlers, "{}: {line}", source.path.display());
        }
    }
}

#[test]
fn no_folder_but_the_commands_has_more_than_twelve_files() {
    let mut counts = std::collections::BTreeMap::<PathBuf, usize>::new();
    for source in sources() {
        *counts.entry(source.path.parent().unwrap().to_owned()).or_default() += 1;
    }
    counts.remove(Path::new("")); // the rooms
    counts.remove(Path::new("commands"));
    assert!(counts.len() > 15);
    for (folder, count) in counts {
        assert!(count <= 12, "{} has {count} files", folder.display());
    }
}

#[test]
fn a_types_name_is_unique() {
    let mut defined = std::collections::BTreeMap::<String, BTreeSet<PathBuf>>::new();
    for source in sources() {
        if source.path.ends_with("without_modes.rs") {
            continue; // the same file for Windows
        }
        for line in &source.code {
            let words: Vec<&str> = line
                .split([' ', '<', '(', ';', '{', ':'])
                .filter(|word| !word.is_empty())
                .collect();
            let kind = words
                .iter()
                .position(|word| ["struct", "enum", "trait", "type"].contains(word));
            let is_inside = line.starts_with("    ") && line.contains("type "); // of a trait
            if let Some(at) = kind.filter(|at| *at <= 2 && !is_inside)
                && let Some(name) = words.get(at + 1).filter(|name| name.starts_with(char::is_uppercase))
                && words[..at]
                    .iter()
                    .all(|word| ["pub", "crate)", "super)"].contains(word))
            {
                let files = defined.entry((*name).to_owned()).or_default();
                files.insert(source.path.clone());
            }
        }
    }
    assert!(defined.len() > 300, "{}", defined.len());
    let several: Vec<_> = defined.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(several.is_empty(), "{several:#?}");
}

/// The files that a file names, by `crate::` and `super::` paths. What a folder's own file hands out of the files below it counts as that file's.
fn named_files(source: &Source, files: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let parent = source.path.parent().unwrap().display().to_string().replace('/', "::");
    let parent = if parent.is_empty() {
        "crate::".to_owned()
    } else {
        format!("crate::{parent}::")
    };
    let code = source.code.join("\n").replace("super::", &parent);
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with([':', '_']) || code[..at].ends_with(char::is_alphanumeric) {
            continue;
        }
        for path in paths_of(&code[at + "crate::".len()..]) {
            let mut parts: Vec<&str> = path.split("::").collect();
            while !parts.is_empty() {
                let file = PathBuf::from(format!("{}.rs", parts.join("/")));
                if files.contains(&file) {
                    named.insert(file);
                    break;
                }
                parts.pop();
            }
        }
    }
    named.remove(&source.path);
    named
}

/// The paths that begin here, groups in braces resolved: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths_of(text: &str) -> Vec<String> {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let Some(group) = rest.strip_prefix('{').filter(|_| path.ends_with("::")) else {
        return vec![path.trim_end_matches(':').to_owned()];
    };
    let (mut depth, mut start, mut paths) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        if c == '{' {
            depth += 1;
        }
        if (c == ',' || c == '}') && depth == 0 {
            paths.extend(
                paths_of(group[start..at].trim_start())
                    .into_iter()
                    .map(|inner| format!("{path}{inner}")),
            );
            start = at + 1;
        }
        if c == '}' {
            if depth == 0 {
                break;
            }
            depth -= 1;
        }
    }
    paths
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let files: BTreeSet<PathBuf> = sources.iter().map(|source| source.path.clone()).collect();
    let mut left: std::collections::BTreeMap<_, _> = sources
        .iter()
        .filter(|source| !["lib", "main"].contains(&source.module().as_str()))
        .map(|source| (source.path.clone(), named_files(source, &files)))
        .collect();
    assert!(left.values().map(BTreeSet::len).sum::<usize>() > 500);
    // What names nothing that is left is in no circle, from below and from above.
    loop {
        let all: BTreeSet<PathBuf> = left.keys().cloned().collect();
        let named: BTreeSet<PathBuf> = left.values().flatten().cloned().collect();
        left.retain(|file, names| named.contains(file) && names.iter().any(|name| all.contains(name)));
        for names in left.values_mut() {
            names.retain(|name| all.contains(name));
        }
        if left.len() == all.len() {
            break;
        }
    }
    assert!(left.is_empty(), "{left:#?}");
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

/// The package has no tests, and is built and tested all the same.
#[test]
fn no_file_of_the_program_includes_one_that_the_package_leaves_out() {
    let mut count = 0;
    for (path, text) in texts() {
        for line in text.lines().filter(|line| line.contains("include_")) {
            count += 1;
            assert!(!line.contains("../"), "{}: {line}", path.display());
        }
    }
    assert!(count > 0);
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

/// A doc of one word says what the name has said. What a flag's help is made of is `cli`'s.
#[test]
fn no_doc_is_a_single_word() {
    let is_doc = |line: &String| line.trim_start().starts_with("///");
    for source in sources().iter().filter(|source| source.module() != "cli") {
        for (at, line) in source.raw.iter().enumerate() {
            let is_alone =
                !source.raw.get(at.wrapping_sub(1)).is_some_and(is_doc) && !source.raw.get(at + 1).is_some_and(is_doc);
            let word = line
                .trim_start()
                .strip_prefix("/// ")
                .and_then(|text| text.strip_suffix('.'))
                .unwrap_or_default();
            let is_a_word = !word.is_empty() && word.chars().all(char::is_alphabetic);
            assert!(
                !(is_alone && is_a_word),
                "{}:{}: `{word}` says nothing",
                source.path.display(),
                at + 1
            );
        }
    }
}

/// Each dependency is somebody else's code beside our users' keys: its line, or the one above it, says what it is here for.
#[test]
fn every_dependency_has_a_reason() {
    for manifest in ["Cargo.toml", "tests/sim/Cargo.toml", "fuzz/Cargo.toml"] {
        let text = std::fs::read_to_string(in_repository(manifest)).unwrap();
        let mut is_dependency = false;
        let mut before = "";
        for line in text.lines() {
            if line.starts_with('[') {
                is_dependency = line.ends_with("dependencies]");
            } else if is_dependency && line.contains(" = ") && !line.starts_with('#') {
                assert!(
                    line.contains(" # ") || before.starts_with('#'),
                    "{manifest}: no reason for `{line}`"
                );
            }
            before = line;
        }
    }
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

/// Whatever can be opened, and how: a read has a bound and a deadline in `host/input`, what we keep goes through `private_dir`, and the
/// others say here what they are. Issue 12, D14 and D16.
const OPENERS: [(&str, &str); 12] = [
    (
        "fuzzing/sources.rs",
        "a fuzzer's own files, which the program then reads",
    ),
    ("host/input/read.rs", "every input: bounded, until the deadline"),
    (
        "private_dir.rs",
        "what we keep: no links, our own, exclusive temporary names",
    ),
    ("private_dir/without_modes.rs", "the same where there are no modes"),
    (
        "kubeconfig/change/lock.rs",
        "kubectl's lock, and new files beside the kubeconfig",
    ),
    ("kubeconfig/change/replace.rs", "a kubeconfig in place"),
    ("log.rs", "a log of ours"),
    ("kubectl/completer.rs", "a link to this program"),
    ("host/processes.rs", "the kernel's line about a process"),
    ("host/parent_env.rs", "the kernel's file of our parent's variables"),
    ("store/kernel_keyring.rs", "the kernel's list of our keys"),
    ("store/container.rs", "the kernel's links of namespaces"),
];
const OPENING: [&str; 14] = [
    "File::open(",
    "File::create",
    "fs::read(",
    "fs::read_to_string(",
    "fs::write(",
    "fs::copy(",
    "fs::rename(",
    "OpenOptions::new(",
    "File::options(",
    "fs::open(",
    "openat(",
    "readlinkat(",
    "fs::hard_link(",
    "fs::symlink(",
];

#[test]
fn files_are_opened_in_few_places_and_each_says_what_it_is() {
    let mut used = BTreeSet::new();
    for source in sources() {
        let path = source.path.display().to_string();
        for line in &source.code {
            let opens = OPENING.iter().any(|word| line.contains(word));
            let is_let = OPENERS.iter().any(|(place, _)| *place == path);
            assert!(!opens || is_let, "{path} opens a file: {line}");
            if opens {
                used.insert(path.clone());
            }
        }
    }
    let known: BTreeSet<String> = OPENERS.iter().map(|(place, _)| (*place).to_owned()).collect();
    assert_eq!(used, known, "what opens nothing any more leaves the list");
}
