//! What can be typed after `revoke`.

use crate::cli::groups::{ChoiceArgs, ConfirmArgs};
use clap::Args;

pub(super) const HELP: &str = "\
Every certificate of the identity on the cluster is refused from then on, on every machine, CI included: all of them
or none. That cannot be undone. A new certificate can be fetched at once, by everybody who has the identity's access
key or password: so disable those first. Throttled, it waits as long as the cloud asks, within --timeout (here: 3m,
and 6s for each cluster).

--from-cert finds the cluster that issued the certificate by its CA, among your contexts and then among the clusters
that you can list; it stops if there is none. Where the file holds the key too, that very certificate is shown to the
API server afterwards, which must refuse it. With --all, the certificate only says whose they are: they are revoked on
every cluster that you can list, whichever issued it.

An ordinary user revokes their own certificates only; those of others, and of agencies, take an administrator. The CN
of a certificate is the id: `User \"0c97…\"` in kubectl's errors; --from-cert reads it. Ids of deleted users and
agencies are found in Cloud Trace Service (CTS), in the events `deleteUser` and `deleteAgency`.

Examples:
  # Your own certificates on the cluster of the current context
  kubectl cce-login revoke

  # A kubeconfig that fell into wrong hands: whose it is, and on which cluster, is found out
  kubectl cce-login revoke --from-cert leaked-kubeconfig.yaml

  # Somebody who left, on every cluster that you can list
  kubectl cce-login revoke --user-id 0c97ac3c8e8025d01f2bc009a5d9f0a1 --all --yes";

/// Revoke every certificate of an identity on a cluster: yours, or somebody else's
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct RevokeArgs {
    /// The certificates of this IAM user
    #[arg(
        long,
        value_name = "ID|NAME",
        help_heading = "Whose [default: yours]",
        group = "whose"
    )]
    pub(crate) user_id: Option<String>,
    /// The certificates of this agency
    #[arg(
        long,
        value_name = "ID|NAME",
        help_heading = "Whose [default: yours]",
        group = "whose"
    )]
    pub(crate) agency_id: Option<String>,
    /// Whosever this certificate is, on the cluster that issued it: PEM, DER, kubeconfig; - is stdin
    #[arg(
        long,
        value_name = "FILE|-", value_hint = clap::ValueHint::FilePath,
        help_heading = "Whose [default: yours]",
        group = "whose"
    )]
    pub(crate) from_cert: Option<String>,
    /// Which clusters.
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    /// Every cluster that this identity can list
    #[arg(long, help_heading = "Clusters", conflicts_with_all = ["context", "cluster"])]
    pub(crate) all: bool,
    /// Only say whose certificates would be revoked, and on which clusters
    #[arg(long, help_heading = "Check")]
    pub(crate) dry_run: bool,
    /// The confirmation.
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    /// Fail unless the API server is seen to refuse the old certificate [default: look, where there is one]
    #[arg(long, help_heading = "Check", conflicts_with_all = ["no_verify", "user_id", "agency_id"])]
    pub(crate) verify: bool,
    /// Do not ask the API server
    #[arg(long, help_heading = "Check")]
    pub(crate) no_verify: bool,
}
