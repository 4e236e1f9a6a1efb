//! What `login` takes.

use crate::cli::groups::{CertificateArgs, CloudArgs, IdentityArgs};
use crate::cli::words::{AccessChoice, help};
use crate::exec_credential::ApiVersion;
use clap::Args;

pub(super) const LOGIN_EXAMPLES: &str = "\
At a terminal it asks for what is missing, and only that. Esc or Ctrl-C leaves nothing behind.

Examples:
  # Be asked: who you are, which region, which cluster
  kubectl cce-login

  # Set up one cluster, with the access key from HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK
  kubectl cce-login --region eu-de --cluster prod

  # Several clusters: up to eight get their certificates at once, more in the background
  kubectl cce-login --region eu-de --cluster prod --cluster staging

  # Every cluster that you can reach, each context named by region and cluster
  kubectl cce-login --all --context-name '{region}.{cluster}'

  # A second context for the external endpoint of the same cluster
  kubectl cce-login --region eu-de --cluster prod --access external --context-name prod-external

  # See what would be written
  kubectl cce-login --region eu-de --cluster prod --dry-run

  # A certificate for fifteen minutes each time, for a GUI client
  kubectl cce-login --region cn-north-4 --cluster prod --duration 15m --absolute-path";

/// Set a cluster up: one certificate, kubeconfig entries, a check (the default)
#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct LoginArgs {
    /// The cluster's name, NAME.PROJECT, or id; repeatable
    #[arg(long, value_name = "NAME|ID", help_heading = "Cluster")]
    pub(crate) cluster: Vec<String>,
    /// Every cluster that you can reach, in these regions and this project if they are given
    #[arg(long, help_heading = "Cluster", conflicts_with_all = ["cluster", "server"])]
    pub(crate) all: bool,
    /// Wait for every certificate, of however many clusters [default: asked, or in the background]
    #[arg(long, help_heading = "Cluster")]
    pub(crate) wait: bool,
    /// The region, such as eu-de; repeatable
    #[arg(long, value_name = "REGION", help_heading = "Cluster")]
    pub(crate) region: Vec<String>,
    /// The project's name or id [default: the region's main one; with --all: any]
    #[arg(long, value_name = "NAME|ID", help_heading = "Cluster")]
    pub(crate) project: Option<String>,
    /// Which of its endpoints.
    #[arg(
        long,
        value_name = "ACCESS",
        help = help::<AccessChoice>("Which of its endpoints: {words} [default: auto, the first that answers]"),
        help_heading = "Cluster"
    )]
    pub(crate) access: Option<String>,
    /// The API server's URL in place of its endpoints (custom SAN, bastion); always verified
    #[arg(long, value_name = "URL", help_heading = "Cluster")]
    pub(crate) server: Option<String>,

    /// Who we are.
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    /// The certificate.
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    /// Where the cloud answers.
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,

    /// The kubeconfig to write [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Kubeconfig", value_hint = clap::ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<String>,
    /// The context's name; {cluster} {region} {project} {profile} are filled in
    #[arg(long, value_name = "NAME", help_heading = "Kubeconfig")]
    pub(crate) context_name: Option<String>,
    /// Make the context the current one
    #[arg(long, help_heading = "Kubeconfig", conflicts_with = "keep_current")]
    pub(crate) set_current: bool,
    /// Never change the current context [default: set it only where there is none]
    #[arg(long, help_heading = "Kubeconfig")]
    pub(crate) keep_current: bool,
    /// Print a complete kubeconfig; write nothing
    #[arg(long, help_heading = "Kubeconfig", conflicts_with = "dry_run")]
    pub(crate) print: bool,
    /// Print what would change as a diff; write nothing
    #[arg(long, help_heading = "Kubeconfig")]
    pub(crate) dry_run: bool,
    /// Write the plugin's full path, for GUI clients that do not see your PATH
    #[arg(long, help_heading = "Kubeconfig")]
    pub(crate) absolute_path: bool,
    /// The version of the exec protocol.
    #[arg(
        long,
        value_name = "VERSION",
        help = help::<ApiVersion>("{words} [default: v1; v1beta1 when the kubectl on PATH is older than 1.22]"),
        help_heading = "Kubeconfig"
    )]
    pub(crate) exec_api_version: Option<String>,
    /// The proxy that kubectl shall use for this cluster
    #[arg(long, value_name = "URL", help_heading = "Kubeconfig")]
    pub(crate) proxy_url: Option<String>,

    /// Do not ask the API server
    #[arg(long, help_heading = "Check")]
    pub(crate) no_check: bool,
    /// Do not verify the API server. Anybody on the way can then read and change what you do
    #[arg(long, help_heading = "Check")]
    pub(crate) insecure_skip_tls_verify: bool,
}
