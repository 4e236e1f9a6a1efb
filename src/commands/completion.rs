//! `completion`: scripts for shells, and what kubectl asks when Tab is pressed after `kubectl cce-login`.
//!
//! Both come from the types of the command line. Nothing here asks the network, fails or writes to stderr while somebody types: what
//! cannot be read offers no names.

pub(crate) mod names;

use crate::cli::{Cli, CompletionCommand, with_default_command};
use crate::error::{Exit, Result};
use crate::host::Host;
use crate::host::programs::COMMAND;
use crate::kubectl::completer::{self, COMPLETER};
use crate::sanitize::is_harmless;
use crate::{env_vars, output};
use clap::CommandFactory as _;
use clap_complete::engine::{self, CompletionCandidate};
use clap_complete::env::Shells;
use names::KnownNames;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// What bash asks by. clap's own script knows nothing of words that readline ends at `=` and `:`.
const BASH: &str = include_str!("completion/completion.bash");
/// Cobra's directives for the shell: offer no files of your own; and put no space behind the word.
const NO_FILES: u8 = 4;
const NO_SPACE: u8 = 2;
/// How long a pipe in place of a file is waited for while somebody waits for the shell.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs the command.
pub(super) fn run(command: &CompletionCommand, host: &Host) -> Result<()> {
    let shell = match command {
        CompletionCommand::Install(args) => return completer::run(args, host),
        CompletionCommand::Bash => return output::print(host, BASH),
        CompletionCommand::Zsh => "zsh",
        CompletionCommand::Fish => "fish",
        CompletionCommand::Powershell => "powershell",
    };
    let mut script = Vec::new();
    if let Some(shell) = Shells::builtins().completer(shell) {
        // Writing to memory does not fail.
        let _ = shell.write_registration(env_vars::COMPLETE, COMMAND, COMMAND, COMMAND, &mut script);
    }
    output::print(host, &String::from_utf8_lossy(&script))
}

/// Answers instead of running a command, if a shell asks: under the name that kubectl looks for, or with the variable that our scripts
/// set. `None` if nobody asks.
pub(super) fn answer(line: &[OsString], host: &Host) -> Option<Exit> {
    let program = line.first().map(Path::new).and_then(Path::file_stem);
    let is_kubectls = program == Some(OsStr::new(COMPLETER));
    let shell = if is_kubectls {
        None
    } else {
        Some(host.env.var(env_vars::COMPLETE)?)
    };
    host.env.inputs().end_at(host.deadline(PATIENCE));
    let text = match shell {
        None => for_kubectl(line, host),
        Some(shell) => for_script(&shell, line, host),
    };
    let _ = host.print(&text);
    Some(Exit::Done)
}

/// Candidates a line, with what they are behind a tab, and the directive at the end.
fn for_kubectl(line: &[OsString], host: &Host) -> String {
    let candidates = candidates(line, host);
    let mut text = String::new();
    let mut is_directory = !candidates.is_empty();
    for candidate in &candidates {
        let value = candidate.get_value().to_string_lossy();
        is_directory &= value.ends_with(['/', '=']);
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let help = help.lines().next().unwrap_or_default();
        let tab = if help.is_empty() { "" } else { "\t" };
        let _ = writeln!(text, "{value}{tab}{help}"); // to memory
    }
    let directive = if is_directory { NO_FILES + NO_SPACE } else { NO_FILES };
    text + &format!(":{directive}\n")
}

fn candidates(line: &[OsString], host: &Host) -> Vec<CompletionCandidate> {
    let (words, index) = completed(line);
    let mut command = command(host, &words);
    let is_flag = |word: &OsStr| word.as_encoded_bytes().starts_with(b"-");
    let wants_flags = words.get(index).is_some_and(|word| is_flag(word));
    let mut candidates = engine::complete(&mut command, words, index, None).unwrap_or_default();
    // As kubectl does it: flags are offered to whoever has begun one.
    candidates.retain(|candidate| wants_flags || !is_flag(candidate.get_value()));
    candidates.retain(|candidate| is_harmless(&candidate.get_value().to_string_lossy()));
    candidates
}

/// The words with the command that is meant, and the place of the one that is being typed: the last of `line`.
fn completed(line: &[OsString]) -> (Vec<OsString>, usize) {
    let mut line = line.to_vec();
    if line.len() < 2 {
        line.push(OsString::new());
    }
    let typed = line.len() - 1;
    let words = with_default_command(line.iter().cloned());
    let is_moved = words.get(typed) != line.get(typed);
    (words, if is_moved { typed + 1 } else { typed })
}

/// What our scripts ask: the words come behind `--`.
fn for_script(shell: &str, line: &[OsString], host: &Host) -> String {
    let words: Vec<OsString> = line.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    if shell == "bash" {
        let candidates = candidates(&words, host).into_iter();
        return candidates.fold(String::new(), |text, candidate| {
            text + &candidate.get_value().to_string_lossy() + "\n"
        });
    }
    let mut text = Vec::new();
    if let Some(shell) = Shells::builtins().completer(shell) {
        let mut command = command(host, &words);
        let _ = shell.write_complete(&mut command, words, None, &mut text); // no candidates, then
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The command line with the names that this machine knows.
fn command(host: &Host, words: &[OsString]) -> clap::Command {
    let mut command = Cli::command();
    command.build();
    KnownNames::new(host, words).attach(command)
}
