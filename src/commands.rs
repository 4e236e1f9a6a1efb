//! The commands, one file each. Nothing here but the choice between them.

mod clusters;
mod completion;
mod convert;
mod doctor;
mod get_credential;
mod login;
mod logout;
mod profile;
mod refresh;
mod revoke;
mod rotate;
mod status;
mod version;
mod whoami;

use crate::cli::{Cli, Command};
use crate::error::{Exit, Result};
use crate::host::{Directories, Host, NOT_OUR_HOME};
use crate::plan;
use std::ffi::OsString;

/// Runs what was typed: `cli` is what `typed` means.
pub(crate) fn run(cli: &Cli, typed: &[OsString], host: &Host) -> Result<()> {
    let usual = match &cli.command {
        Command::GetCredential(_) => plan::GET_CREDENTIAL_TIMEOUT,
        _ => plan::TIMEOUT,
    };
    let time = plan::time_for_inputs(&cli.global, &host.env, usual);
    host.env.inputs().end_at(host.deadline(time));
    let result = choose(cli, typed, host);
    if result.is_ok() && keeps_things(&cli.command) {
        say_what_is_not_kept(host);
    }
    result
}

/// Once a run, for a person.
fn say_what_is_not_kept(host: &Host) {
    if let Some(home) = Directories::of(&host.env).home_of_somebody_else {
        host.say(&format!(
            "nothing is kept in `{}`, the home directory of somebody else: {NOT_OUR_HOME}",
            home.display()
        ));
    }
}

/// Whether it is a command of a person's that keeps something for the next one. `doctor` has a finding of its own.
fn keeps_things(command: &Command) -> bool {
    matches!(
        command,
        Command::Login(_)
            | Command::Refresh(_)
            | Command::Clusters(_)
            | Command::Whoami(_)
            | Command::Profile(_)
            | Command::Revoke(_)
            | Command::Rotate(_)
            | Command::Convert(_)
            | Command::Logout(_)
    )
}

fn choose(cli: &Cli, typed: &[OsString], host: &Host) -> Result<()> {
    match &cli.command {
        Command::Login(args) => login::run(args, &cli.global, host),
        Command::GetCredential(args) => get_credential::run(args, &cli.global, typed, host),
        Command::Refresh(args) => refresh::run(args, &cli.global, host),
        Command::Status(args) => status::run(args, &cli.global, host),
        Command::Logout(args) => logout::run(args, &cli.global, host),
        Command::Revoke(args) => revoke::run(args, &cli.global, host),
        Command::Rotate(args) => rotate::run(args, &cli.global, host),
        Command::Clusters(args) => clusters::run(args, &cli.global, host),
        Command::Profile(command) => profile::run(command, &cli.global, host),
        Command::Whoami(args) => whoami::run(args, &cli.global, host),
        Command::Convert(args) => convert::run(args, &cli.global, host),
        Command::Doctor(args) => doctor::run(args, &cli.global, host),
        Command::Completion(command) => completion::run(command, host),
        Command::Version(args) => version::run(args, host),
    }
}

/// What `version` prints for people.
pub(crate) fn version() -> String {
    version::text()
}

/// Answers a shell that asks how a word goes on; `None` if none asks.
pub(crate) fn answer_completion(line: &[OsString], host: &Host) -> Option<Exit> {
    completion::answer(line, host)
}
