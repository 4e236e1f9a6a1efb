//! The commands, one file each. Nothing here but the choice between them.

mod ask_cce;
mod choose_server;
mod clusters;
mod completion;
mod confirm;
mod contexts;
mod convert;
mod doctor;
mod exec_entry;
mod explain;
mod fetch;
mod first_use;
mod forget;
mod get_credential;
mod holder;
mod known_server;
mod kubectl;
mod login;
mod logout;
mod new_profile;
mod obtain;
mod on_path;
mod pace;
mod profile;
mod progress;
mod project;
mod ready;
mod refresh;
mod refusal;
mod renew_context;
mod renewal;
mod report;
mod revocation;
mod revoke;
mod rotate;
mod search;
mod session;
mod side_by_side;
mod sign_in;
mod sites;
mod status;
mod typed_again;
mod version;
mod who;
mod whoami;

use crate::cli::{Cli, Command};
use crate::error::{Exit, Result};
use crate::host::Host;
use std::ffi::OsString;

/// Runs what was typed: `cli` is what `typed` means.
pub fn run(cli: &Cli, typed: &[OsString], host: &Host) -> Result<()> {
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

/// Answers a shell that asks how a word goes on; `None` if none asks.
pub fn answer_completion(line: &[OsString], host: &Host) -> Option<Exit> {
    completion::answer(line, host)
}
