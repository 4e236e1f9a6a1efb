//! The commands, one file each. Nothing here but the choice between them.

mod choose_server;
mod clusters;
mod contexts;
mod described;
mod explain;
mod fetch;
mod first_use;
mod forget;
mod get_credential;
mod login;
mod logout;
mod new_profile;
mod obtain;
mod profile;
mod project;
mod ready;
mod refresh;
mod refusal;
mod renewal;
mod report;
mod search;
mod session;
mod side_by_side;
mod sign_in;
mod version;
mod who;
mod whoami;

use crate::cli::{Cli, Command};
use crate::error::Result;
use crate::host::Host;
use std::ffi::OsString;

/// Runs what was typed: `cli` is what `typed` means.
pub fn run(cli: &Cli, typed: &[OsString], host: &Host) -> Result<()> {
    match &cli.command {
        Command::Login(args) => login::run(args, &cli.global, host),
        Command::GetCredential(args) => get_credential::run(args, &cli.global, typed, host),
        Command::Refresh(args) => refresh::run(args, &cli.global, host),
        Command::Logout(args) => logout::run(args, &cli.global, host),
        Command::Clusters(args) => clusters::run(args, &cli.global, host),
        Command::Profile(command) => profile::run(command, &cli.global, host),
        Command::Whoami(args) => whoami::run(args, &cli.global, host),
        Command::Version(args) => version::run(args, host),
    }
}
