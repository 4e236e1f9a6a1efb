//! What `get-credential` takes.

use crate::cli::groups::{CertificateArgs, CloudArgs, IdentityArgs};
use crate::cli::words::help;
use crate::exec_credential::ApiVersion;
use clap::Args;

pub(super) const GET_CREDENTIAL_EXAMPLES: &str = "\
Examples:
  # What kubectl runs; by hand, the key is not shown
  kubectl cce-login get-credential --region eu-de --project-id 0605767b5780d5762fbcc0118072a564 \\
    --cluster-id 4d1ecb2c-229a-11e8-9c75-0255ac100ceb --profile default

  # Replace the certificate now
  kubectl cce-login get-credential --region eu-de --project-id 0605767b5780d5762fbcc0118072a564 \\
    --cluster-id 4d1ecb2c-229a-11e8-9c75-0255ac100ceb --profile default --force-refresh";

/// Print a client certificate for kubectl (exec plugin)
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct GetCredentialArgs {
    /// The cluster's id
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub(crate) cluster_id: String,
    /// The id of the cluster's project
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub(crate) project_id: Option<String>,
    /// The region, such as eu-de
    #[arg(long, value_name = "REGION", help_heading = "Cluster")]
    pub(crate) region: String,
    /// It is an Autopilot cluster
    #[arg(long, help_heading = "Cluster")]
    pub(crate) autopilot: bool,

    /// Who we are.
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    /// Serve nobody else: the id that the certificates name, or PROVIDER/SUBJECT of a federated user
    #[arg(long, value_name = "ID", help_heading = "Identity")]
    pub(crate) principal: Option<String>,
    /// The certificate.
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
    /// Refuse a certificate with another lifetime than asked for
    #[arg(long, help_heading = "Certificate")]
    pub(crate) strict_duration: bool,
    /// Replace the certificate now
    #[arg(long, help_heading = "Certificate")]
    pub(crate) force_refresh: bool,
    /// Renew the certificate and print nothing: the process that `get-credential` leaves behind
    #[arg(long, hide = true)]
    pub(crate) renew: bool,
    /// Where the cloud answers.
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,

    /// The version of the exec protocol.
    #[arg(
        long,
        value_name = "VERSION",
        help = help::<ApiVersion>("{words}, for clients that do not say [default: v1]"),
        help_heading = "Output"
    )]
    pub(crate) exec_api_version: Option<String>,
    /// Show the private key also on a terminal
    #[arg(long, help_heading = "Output")]
    pub(crate) show_key: bool,
}
