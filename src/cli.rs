//! What can be typed: clap types and help texts. Plain data: nothing is read, nothing is decided here.

pub(crate) mod command_line;
mod contexts;
mod default_command;
mod get_credential;
mod groups;
mod listings;
mod login;
mod profile;
mod revoke;
mod rotate;
mod usage_error;
pub(crate) mod words;

pub(crate) use contexts::{ConvertArgs, DoctorArgs, LogoutArgs, RefreshArgs, StatusArgs};
pub use default_command::with_default_command;
pub(crate) use get_credential::GetCredentialArgs;
pub(crate) use groups::{
    CertificateArgs, ChoiceArgs, CloudArgs, ConfirmArgs, ContextArgs, GlobalArgs, IdentityArgs, OutputArgs, SearchArgs,
};
pub(crate) use listings::{ClustersArgs, CompletionCommand, CompletionInstallArgs, VersionArgs, WhoamiArgs};
pub(crate) use login::LoginArgs;
pub use profile::ProfileCommand;
pub(crate) use profile::{ProfileRemoveArgs, ProfileSetArgs, ProfileShowArgs};
pub(crate) use revoke::RevokeArgs;
pub(crate) use rotate::RotateArgs;
pub(crate) use usage_error::UsageError;

use clap::{Parser, Subcommand};
use std::ffi::OsString;

const AFTER_HELP: &str = "\
Without a command: login. `kubectl cce-login COMMAND --help` tells what a command takes.

Examples:
  # Be asked: who you are, which region, which cluster
  kubectl cce-login

  # Set up one cluster, with the access key from HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK
  kubectl cce-login --region eu-de --cluster prod

  # What kubectl does from then on, by itself
  kubectl get namespaces

Exit codes:
  0    done
  1    failed
  2    usage: flags, environment or a file of yours
  3    identity missing, refused or in need of signing in
  4    temporary (network, throttled, deadline): try again
  130  interrupted";

/// Short-lived client certificates for Huawei Cloud CCE and Open Telekom Cloud CCE.
///
/// Sets a cluster up once. From then on kubectl takes its certificate from the OS keyring, and a new one from CCE in time.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-cce_login",
    bin_name = "kubectl cce-login",
    version,
    override_usage = "kubectl cce-login [login] [OPTIONS]\n       kubectl cce-login COMMAND [OPTIONS]",
    disable_help_subcommand = true,
    after_help = AFTER_HELP
)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
    /// The flags of every command.
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

/// The commands. What one takes is put together only when it was typed (`defer`), and its first line of help comes from its type then.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Set a cluster up: one certificate, kubeconfig entries, a check (the default)
    #[command(after_help = login::LOGIN_EXAMPLES)]
    Login(Box<LoginArgs>),
    /// Print a client certificate for kubectl (exec plugin)
    #[command(after_help = get_credential::GET_CREDENTIAL_EXAMPLES)]
    GetCredential(GetCredentialArgs),
    /// Renew certificates now; bring server, CA and TLS name of our entries up to date
    #[command(after_help = contexts::REFRESH_EXAMPLES)]
    Refresh(RefreshArgs),
    /// Show the contexts that use us: identity, certificate, expiry, where it is kept
    #[command(after_help = contexts::STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Forget certificates and tokens
    #[command(after_help = contexts::LOGOUT_EXAMPLES)]
    Logout(LogoutArgs),
    /// Revoke every certificate of an identity on a cluster: yours, or somebody else's
    #[command(after_help = revoke::HELP)]
    Revoke(Box<RevokeArgs>),
    /// Rotate a cluster's own certificates, and follow the job
    #[command(after_help = rotate::HELP)]
    Rotate(Box<RotateArgs>),
    /// List the clusters you can reach, across regions and projects
    #[command(after_help = listings::CLUSTERS_HELP)]
    Clusters(ClustersArgs),
    /// Manage named identities; their secrets go to the keyring
    #[command(subcommand, after_help = profile::PROFILE_EXAMPLES)]
    Profile(ProfileCommand),
    /// Show where your identity comes from, and who it is to the cloud
    #[command(after_help = listings::WHOAMI_EXAMPLES)]
    Whoami(WhoamiArgs),
    /// Replace long-lived CCE certificates in kubeconfigs by entries that run this plugin
    #[command(after_help = contexts::CONVERT_EXAMPLES)]
    Convert(Box<ConvertArgs>),
    /// Check every part of the way, and say what to do about what is wrong
    #[command(after_help = contexts::DOCTOR_EXAMPLES)]
    Doctor(Box<DoctorArgs>),
    /// Make `kubectl cce-login <Tab>` complete
    #[command(subcommand, after_help = listings::COMPLETION_EXAMPLES)]
    Completion(CompletionCommand),
    /// Show the version
    #[command(after_help = "Examples:\n  kubectl cce-login version\n  kubectl cce-login version -o json")]
    Version(VersionArgs),
}

/// `get-credential` without the other commands beside it.
#[derive(Parser)]
struct GetCredentialAlone {
    #[command(flatten)]
    args: GetCredentialArgs,
    #[command(flatten)]
    global: GlobalArgs,
}

impl Cli {
    /// Parses a command line that names its command. What kubectl runs each time is not made to put all the other commands together first;
    /// what is wrong with it is told by the whole parser.
    pub fn parse_line(line: &[OsString]) -> Result<Self, clap::Error> {
        if let [program, command, rest @ ..] = line
            && command == "get-credential"
            && let Ok(alone) = GetCredentialAlone::try_parse_from(std::iter::once(program).chain(rest))
        {
            return Ok(Self {
                command: Command::GetCredential(alone.args),
                global: alone.global,
            });
        }
        Self::try_parse_from(line)
    }
}
