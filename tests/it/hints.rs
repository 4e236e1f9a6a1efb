//! Issue 13.20: what a message tells people to type works as it is printed. The commands are taken out of the texts in `tests/cmd` and
//! `tests/identity`, and out of the sources.

use crate::support::World;
use cce_login::cli::{Cli, Command, with_default_command};
use cce_login::error::Exit;
use cce_login::plan::ProfileSetPlan;
use clap::CommandFactory as _;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

const PROGRAM: &str = "kubectl cce-login";

fn files(directory: &str, ending: &str) -> Vec<PathBuf> {
    let mut directories = vec![crate::support::in_repository(directory)];
    let mut found = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The commands of ours in a text: between backticks, or behind a colon to the end of the line.
fn commands_in(line: &str) -> Vec<String> {
    let quoted = line.split('`').skip(1).step_by(2);
    let quoted = quoted.filter_map(|text| Some(text.get(text.find(PROGRAM)?..)?.to_owned()));
    let behind = line.split_once(&format!(": {PROGRAM} ")).map(|(_, rest)| rest);
    let behind = behind.and_then(|rest| rest.split([';', '"', ',']).next());
    let behind =
        behind.filter(|rest| !rest.starts_with("error:") && !rest.starts_with("warning:") && !rest.contains('`'));
    quoted.chain(behind.map(|rest| format!("{PROGRAM} {rest}"))).collect()
}

/// Every command that people are told, and where.
fn told() -> BTreeMap<String, PathBuf> {
    let mut told = BTreeMap::new();
    for path in [files("tests/cmd", "txt"), files("tests/identity", "txt")].concat() {
        let text = fs::read_to_string(&path).unwrap();
        for line in text
            .lines()
            .filter(|line| !line.starts_with('$') && !line.contains("Usage:") && !line.contains("[OPTIONS]"))
        {
            told.extend(commands_in(line).into_iter().map(|command| (command, path.clone())));
        }
    }
    for path in files("src", "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let code = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .replace("\\\n", " ");
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            told.extend(
                commands_in(&line.replace("\\\"", "\""))
                    .into_iter()
                    .map(|command| (command, path.clone())),
            );
        }
    }
    told
}

/// A command as a person types it who puts something of theirs where a word in capitals stands.
fn typed(command: &str) -> Vec<String> {
    let mut filled = String::new();
    let mut rest = command;
    while let Some((before, after)) = rest.split_once('{') {
        filled += before;
        let Some((_, behind)) = after.split_once('}') else {
            break;
        };
        filled += "default";
        rest = behind;
    }
    filled += rest;
    let words = shlex(&filled);
    let in_place = |word: &String| match word.as_str() {
        "REGION" => "eu-de".to_owned(),
        "URL" => "https://example.com".to_owned(),
        "[ID" => "0123".to_owned(),
        word => word.replace("[HOME]", "/home/you").replace(['[', ']'], ""),
    };
    words.iter().map(in_place).collect()
}

/// The words of a line, as a shell separates them; `[ID OF prod]` is one.
fn shlex(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut depth) = (Vec::new(), String::new(), None, 0);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) if depth == 0 => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            (c, _) => {
                depth += i32::from(c == '[') - i32::from(c == ']');
                word.push(if c == ' ' { '-' } else { c });
            }
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

fn parse(words: &[String]) -> Result<Cli, String> {
    let line: Vec<OsString> = std::iter::once("kubectl-cce_login".to_owned())
        .chain(words.iter().skip(2).cloned())
        .map(Into::into)
        .collect();
    let line = with_default_command(line);
    Cli::parse_line(&line).map_err(|error| error.to_string())
}

/// Words that stand for the program, or for a way to ask it.
fn is_a_name_for_all(command: &str) -> bool {
    ["<Tab>", "COMMAND", "--help"].iter().any(|word| command.contains(word))
}

#[test]
fn every_command_that_is_told_is_one() {
    let told = told();
    assert!(told.len() > 40, "{told:#?}");
    let mut wrong = Vec::new();
    for (command, path) in told.iter().filter(|(command, _)| !is_a_name_for_all(command)) {
        let place = path.strip_prefix(crate::support::in_repository("")).unwrap().display();
        if command.contains('…') {
            wrong.push(format!("{place}: `{command}` cannot be typed as it stands"));
            continue;
        }
        match parse(&typed(command)) {
            Ok(Cli {
                command: Command::Profile(cce_login::cli::ProfileCommand::Set(args)),
                ..
            }) if args.kind.is_some() => {
                if let Err(error) = ProfileSetPlan::new(&args) {
                    wrong.push(format!("{place}: `{command}`: {error}"));
                }
            }
            Ok(_) => {}
            Err(error) => wrong.push(format!("{place}: `{command}`: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// After a login, whoever types what the messages tell gets on: no usage error, and nothing that the command does not know.
#[test]
fn commands_that_need_nothing_more_run() {
    let told = told();
    let mut run = BTreeSet::new();
    for command in told.keys().filter(|command| !is_a_name_for_all(command)) {
        let is_open = command.contains(['{', '[', '"', '|'])
            || command
                .split(' ')
                .any(|word| word.chars().all(|c| c.is_ascii_uppercase()));
        // These change the cloud, or ask a person.
        let is_for_a_person = ["rotate", "revoke", "profile set", "profile remove", "logout"]
            .iter()
            .any(|name| command.contains(name));
        if !is_open && !is_for_a_person {
            run.insert(command.clone());
        }
    }
    assert!(run.len() > 5, "{run:#?}");
    for command in run {
        let world = World::new();
        world.login(&[]).is_done();
        let words = typed(&command);
        let is_about_another = words
            .iter()
            .any(|word| word.starts_with("--c") || word.starts_with("--to"));
        let outcome = world.run(words.iter().skip(2));
        let is_asked_for = ["is missing", "there is no"]
            .iter()
            .any(|text| outcome.stderr.contains(text));
        assert!(
            outcome.exit != Exit::Usage || is_asked_for || is_about_another,
            "{command}: {outcome}"
        );
    }
}

/// A flag that a hint names without a command is one of the command that has just been run.
#[test]
fn a_flag_in_a_hint_is_one_of_the_command_that_was_run() {
    let mut program = Cli::command();
    program.build();
    let mut wrong = Vec::new();
    for path in files("tests/cmd", "txt") {
        let text = fs::read_to_string(&path).unwrap();
        let place = path
            .strip_prefix(crate::support::in_repository(""))
            .unwrap()
            .display()
            .to_string();
        let Some(line) = text.lines().next().and_then(|line| line.strip_prefix("$ ")) else {
            continue;
        };
        let words = with_default_command(shlex(line).into_iter().skip(1).map(Into::into));
        let mut command = &program;
        for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
            match command.find_subcommand(word) {
                Some(next) => command = next,
                None if word.starts_with('-') => {}
                None => break,
            }
        }
        let known: BTreeSet<&str> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
        for hint in text
            .lines()
            .filter(|line| line.starts_with("hint: ") || line.trim_start().starts_with("-> "))
        {
            for quoted in hint
                .split('`')
                .skip(1)
                .step_by(2)
                .filter(|quoted| quoted.starts_with("--"))
            {
                let flag = quoted
                    .trim_start_matches('-')
                    .split([' ', '='])
                    .next()
                    .unwrap_or_default();
                // What is said of another command stands behind it in the same hint.
                if !known.contains(flag) && !hint.contains(PROGRAM) {
                    wrong.push(format!(
                        "{place}: `--{flag}` is no flag of `{}`: {hint}",
                        command.get_name()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is typed behind a question must be seen: at 80 columns nothing of it is cut off.
#[test]
fn every_question_fits_a_terminal() {
    let mut questions = BTreeSet::new();
    for path in files("tests/cmd", "txt") {
        let text = fs::read_to_string(&path).unwrap();
        questions.extend(
            text.lines()
                .filter(|line| line.contains("(y/N)") || line.contains("(Y/n)"))
                .map(str::to_owned),
        );
    }
    let identity = fs::read_to_string(crate::support::in_repository("src/commands/login/identity.rs")).unwrap();
    let rows = identity
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next());
    questions.extend(rows.filter(|row| row.contains("account")).map(str::to_owned));
    assert!(questions.len() > 3, "{questions:#?}");
    for question in questions {
        assert!(question.trim_end().chars().count() + "? ".len() <= 80, "{question}");
    }
}

/// Issue 13.20: `--cache file` has no place there.
#[test]
fn without_a_home_directory_it_says_what_a_file_needs() {
    let mut world = World::new();
    let kubeconfig = world.path("config");
    world.unset("HOME");
    let outcome = world.login(&["--cache=none", "--kubeconfig", &kubeconfig]);
    assert!(
        outcome
            .is_done()
            .stderr
            .contains("set `HOME`, or `CCE_LOGIN_CACHE_DIR`"),
        "{outcome}"
    );
    let cache = world.path("cache");
    world.set("CCE_LOGIN_CACHE_DIR", cache);
    let outcome = world.login(&["--cache=none", "--kubeconfig", &kubeconfig]);
    assert!(
        outcome.is_done().stderr.contains("(`--cache file` keeps it"),
        "{outcome}"
    );
}

/// Issue 13.20: what `sudo` leaves in `HOME`. Only root can give a directory away, so only root sees this.
#[cfg(unix)]
#[test]
fn under_sudo_it_says_to_run_it_without() {
    let mut world = World::new();
    world.use_no_key();
    if std::os::unix::fs::chown(world.home(), Some(65534), None).is_err() {
        return;
    }
    let without = "run it without `sudo`";
    for line in [&["whoami"][..], &["whoami", "--profile=work"]] {
        let outcome = world.run(line);
        outcome.fails(Exit::Identity, "belongs to somebody else");
        assert!(outcome.stderr.contains(without), "{outcome}");
    }
    let key = world.sim.access_key("alice");
    world.pipe_in(&key.secret);
    let outcome = world.run([
        "profile",
        "set",
        "work",
        "--access-key-id",
        &key.id,
        "--secret-store=file",
        "--secret-stdin",
    ]);
    assert!(outcome.stderr.contains(without), "{outcome}");
    assert_ne!(outcome.exit, Exit::Done);
    std::os::unix::fs::chown(world.home(), Some(0), None).unwrap();
}
