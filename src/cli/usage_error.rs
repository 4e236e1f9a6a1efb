//! What is wrong with a command line, in the voice of all our errors: clap knows what it is, we say it and how to go on.

use crate::cli::Cli;
use crate::error::{Exit, Explain};
use crate::sanitize::{sanitize, shell_word};
use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;

const PROGRAM: &str = "kubectl cce-login";

/// A command line that means nothing.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct UsageError {
    problem: String,
    hint: String,
}

impl Explain for UsageError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint.clone())
    }
}

impl UsageError {
    /// What clap found in the line that was `typed`.
    pub(crate) fn new(error: &clap::Error, typed: &[OsString]) -> Self {
        let command = TypedCommand::of(typed);
        let flag = texts(error, ContextKind::InvalidArg);
        let first = flag.first().map(|text| name_of(text)).unwrap_or_default();
        let (problem, hint) = match error.kind() {
            ErrorKind::InvalidSubcommand => unknown_command(error, &command),
            ErrorKind::UnknownArgument if first.starts_with('-') => unknown_flag(error, &command, &first),
            ErrorKind::UnknownArgument => (
                format!("`{}` does not take `{first}` by itself", command.line),
                command.flag_for(&first),
            ),
            ErrorKind::ArgumentConflict => {
                let others = texts(error, ContextKind::PriorArg);
                let others: Vec<String> = others.iter().map(|other| name_of(other)).collect();
                let problem = if others.contains(&first) {
                    format!("`{first}` is given twice")
                } else {
                    format!("`{first}` does not go with {}", quoted(&others, "and"))
                };
                (problem, "leave one of them out".to_owned())
            }
            ErrorKind::MissingRequiredArgument => {
                let names: Vec<String> = flag.iter().map(|text| name_of(text)).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                (format!("{} {verb} missing", quoted(&names, "and")), command.help())
            }
            ErrorKind::InvalidValue => invalid_value(error, &command, &first),
            ErrorKind::TooManyValues => (format!("`{first}` takes no value"), command.help()),
            _ => (in_claps_words(error), command.help()),
        };
        Self { problem, hint }
    }
}

fn unknown_command(error: &clap::Error, command: &TypedCommand) -> (String, String) {
    let typed = texts(error, ContextKind::InvalidSubcommand);
    let typed = typed.first().map(|text| sanitize(text)).unwrap_or_default();
    let near = texts(error, ContextKind::SuggestedSubcommand);
    let meant = if near.is_empty() {
        String::new()
    } else {
        format!("did you mean {}? ", quoted(&near, "or"))
    };
    let cluster = if command.is_program() {
        format!(
            "`{PROGRAM} --cluster {}` sets up a cluster of this name; ",
            shell_word(&typed)
        )
    } else {
        String::new()
    };
    let hint = format!("{meant}{cluster}`{} --help` lists the commands", command.line);
    (format!("there is no command `{typed}`"), hint)
}

fn unknown_flag(error: &clap::Error, command: &TypedCommand, flag: &str) -> (String, String) {
    let near: Vec<String> = texts(error, ContextKind::SuggestedArg)
        .iter()
        .map(|text| name_of(text))
        .collect();
    let hint = if near.is_empty() {
        command.help()
    } else {
        format!("did you mean {}?", quoted(&near, "or"))
    };
    (format!("`{}` has no flag `{flag}`", command.line), hint)
}

fn invalid_value(error: &clap::Error, command: &TypedCommand, flag: &str) -> (String, String) {
    let value = texts(error, ContextKind::InvalidValue);
    let value = value.first().map(|text| sanitize(text)).unwrap_or_default();
    let words = texts(error, ContextKind::ValidValue);
    if value.is_empty() {
        return (format!("`{flag}` needs a value"), command.help());
    }
    let words = match words.as_slice() {
        [] => return (format!("`{flag}`: `{value}` is not possible"), command.help()),
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        [only, ..] => only.clone(),
    };
    (
        format!("`{flag}`: `{value}` is not one of {words}"),
        format!("use {words}"),
    )
}

/// What clap says, without its layout.
fn in_claps_words(error: &clap::Error) -> String {
    let text = error.to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    first.trim_start_matches("error: ").replace('\'', "`")
}

/// A flag or a word without what goes with it: `--cluster` of `--cluster <NAME|ID>`, `NAME` of `<NAME>`.
fn name_of(text: &str) -> String {
    let name = if text.starts_with('-') {
        text.split([' ', '=', '[']).next().unwrap_or_default()
    } else {
        text.trim_start_matches('<').trim_end_matches('>')
    };
    sanitize(name)
}

fn quoted(names: &[String], last: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((end, others)) if !others.is_empty() => format!("{} {last} {end}", others.join(", ")),
        _ => names.concat(),
    }
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The command that was typed, as far as there is one.
struct TypedCommand {
    /// `kubectl cce-login profile set`.
    line: String,
    command: clap::Command,
}

impl TypedCommand {
    fn of(typed: &[OsString]) -> Self {
        let mut command = Cli::command();
        command.build();
        let mut line = PROGRAM.to_owned();
        for word in typed.iter().skip(1).filter_map(|word| word.to_str()) {
            if let Some(next) = command.find_subcommand(word) {
                line = format!("{line} {word}");
                command = next.clone();
            } else if !word.starts_with('-') {
                break;
            }
        }
        Self { line, command }
    }

    fn is_program(&self) -> bool {
        self.line == PROGRAM
    }

    fn help(&self) -> String {
        format!("`{} --help` tells what it takes", self.line)
    }

    /// How a word that was typed by itself is said.
    fn flag_for(&self, word: &str) -> String {
        let word = shell_word(word);
        let has = |flag: &str| self.command.get_arguments().any(|known| known.get_long() == Some(flag));
        let with = |flag: &str| format!("`{} --{flag} {word}`", self.line);
        match (has("context"), has("cluster")) {
            (true, true) => format!("name a context: {}, or a cluster: {}", with("context"), with("cluster")),
            (true, false) => format!("name a context: {}", with("context")),
            (false, true) => format!("name a cluster: {}", with("cluster")),
            (false, false) if has("profile") => format!("name a profile: {}", with("profile")),
            (false, false) => self.help(),
        }
    }
}
