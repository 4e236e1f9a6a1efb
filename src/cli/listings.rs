//! What the commands take that show something: `clusters`, `whoami`, `version`, `completion`.

use crate::cli::groups::{CloudArgs, IdentityArgs, OutputArgs, SearchArgs};
use clap::{Args, Subcommand};

pub(super) const CLUSTERS_HELP: &str = "\
Without --region all regions are looked at in which this identity has a project. What cannot be reached, or may not be
seen, is told below, and is a row with its error in JSON and YAML; the exit code is not 0 only where nothing could be
asked at all. -o wide has ids and addresses. -o name prints what --cluster takes: NAME, or NAME.PROJECT where a login
would look elsewhere or more than one cluster has the name.

Examples:
  # Every cluster of this identity
  kubectl cce-login clusters

  # Two regions of Open Telekom Cloud, for a program
  kubectl cce-login clusters --region eu-de --region eu-nl -o json

  # Set up what this lists
  kubectl cce-login --all --project eu-de_team";

pub(super) const WHOAMI_EXAMPLES: &str = "\
Examples:
  # Who kubectl would be, without a pin
  kubectl cce-login whoami --region eu-de

  # For a script
  kubectl cce-login whoami --profile work -o json";

/// List the clusters you can reach, across regions and projects
#[derive(Debug, Args)]
pub struct ClustersArgs {
    /// The form of the report.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Where to look, and as whom.
    #[command(flatten)]
    pub(crate) search: SearchArgs,
}

/// Show where your identity comes from, and who it is to the cloud
#[derive(Debug, Args)]
pub struct WhoamiArgs {
    /// The region whose IAM is asked [default: the identity's own]
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub(crate) region: Option<String>,
    /// Who we are.
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    /// Where the cloud answers.
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
    /// The form of the report.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Show the version
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// The form of the report.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

pub(super) const COMPLETION_EXAMPLES: &str = "\
kubectl (1.26 and later) asks a program called kubectl_complete-cce_login; `install` places it. The scripts are for this
program typed by its own name. Names of clusters, contexts, profiles and regions are those that this machine knows.

Examples:
  # For `kubectl cce-login <Tab>`, once; your shell must have kubectl's own completion
  kubectl cce-login completion install

  # For the program's own name, in ~/.bashrc
  source <(kubectl cce-login completion bash)";

/// `completion`.
#[derive(Debug, Subcommand)]
pub enum CompletionCommand {
    /// Place what kubectl asks when you press Tab after `kubectl cce-login`
    #[command(
        after_help = "Examples:\n  kubectl cce-login completion install\n  kubectl cce-login completion install --dir ~/.local/bin"
    )]
    Install(CompletionInstallArgs),
    /// Print the script for bash
    #[command(after_help = "Examples:\n  source <(kubectl cce-login completion bash)")]
    Bash,
    /// Print the script for zsh
    #[command(after_help = "Examples:\n  source <(kubectl cce-login completion zsh)")]
    Zsh,
    /// Print the script for fish
    #[command(after_help = "Examples:\n  kubectl cce-login completion fish | source")]
    Fish,
    /// Print the script for PowerShell
    #[command(after_help = "Examples:\n  kubectl cce-login completion powershell | Out-String | Invoke-Expression")]
    Powershell,
}

/// `completion install`.
#[derive(Debug, Args)]
pub struct CompletionInstallArgs {
    /// A directory on your PATH [default: where this program is]
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) dir: Option<String>,
}
