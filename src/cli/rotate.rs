//! What can be typed after `rotate`.

use crate::cli::groups::{ChoiceArgs, ConfirmArgs};
use crate::cli::words::help;
use crate::huaweicloud::cce::rotation::Component;
use clap::Args;

pub(super) const HELP: &str = "\
all: new certificates and authorities for the whole cluster. Every kubeconfig of it has to follow, and the API server
restarts.
service-account-controller: a new key to sign service account tokens with. Tokens of the old one stay good for
--old-cert-valid; the first rotation keeps the key that the cluster was made with.
custom: your own certificates, of a cluster whose authentication mode is `authenticating_proxy`. They are checked
before anything is sent: the key belongs to the certificate, the certificate comes from the CA, nothing is encrypted,
each is 1 MB at most.

Waits for the job up to --timeout (here: 1h). Ctrl-C stops waiting, not the job; --job takes it up again. In the end
the cluster's certificates on this machine are new, server and CA of our kubeconfig entries are up to date, and a new
certificate has been tried.

Examples:
  # New certificates and authorities for the cluster of the current context
  kubectl cce-login rotate --component all

  # Service account tokens of the old key end after two days
  kubectl cce-login rotate --component service-account-controller --old-cert-valid 48h

  # In a script: start it, and wait for it elsewhere
  kubectl cce-login rotate --component all --yes --no-wait
  kubectl cce-login rotate --job 2ec9b78d-9368-46f3-8f29-d1a95622a568

  # Your own certificates, the key from a password store
  pass show proxy-key | kubectl cce-login rotate --component custom --custom-ca ca.pem --custom-cert client.pem \\
    --custom-key - --yes";

/// Rotate a cluster's own certificates, and follow the job
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// What is rotated.
    #[arg(
        long,
        value_name = "COMPONENT",
        help = help::<Component>("What is rotated: {words}"),
        required_unless_present = "job",
        help_heading = "Rotation"
    )]
    pub(crate) component: Option<String>,
    /// How long tokens of the old key stay good, in hours: 0h to 8784h [default: 24h]
    #[arg(long, value_name = "DURATION", help_heading = "Rotation")]
    pub(crate) old_cert_valid: Option<String>,
    /// custom: the authorities, PEM or DER
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Rotation")]
    pub(crate) custom_ca: Option<String>,
    /// custom: the certificate that they signed, PEM or DER
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath, help_heading = "Rotation")]
    pub(crate) custom_cert: Option<String>,
    /// custom: its key, PEM or DER; - is stdin
    #[arg(long, value_name = "FILE|-", value_hint = clap::ValueHint::FilePath, help_heading = "Rotation")]
    pub(crate) custom_key: Option<String>,
    /// Print the job's id and do not wait for it
    #[arg(long, help_heading = "Job")]
    pub(crate) no_wait: bool,
    /// Wait for a job that was started before
    #[arg(
        long,
        value_name = "ID",
        help_heading = "Job",
        conflicts_with_all = ["component", "old_cert_valid", "custom_ca", "custom_cert", "custom_key", "no_wait"]
    )]
    pub(crate) job: Option<String>,
    /// Which cluster.
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    /// The confirmation.
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
}
