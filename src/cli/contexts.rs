//! What the commands take that are about contexts and kubeconfigs: `refresh`, `status`, `logout`, `convert`, `doctor`.

use crate::cli::groups::{CloudArgs, ConfirmArgs, ContextArgs, IdentityArgs, OutputArgs, SearchArgs};
use crate::cli::words::{HandOverForm, help_of_each};
use crate::words;
use clap::Args;

pub(super) const REFRESH_EXAMPLES: &str = "\
A certificate is replaced even if it is good for long. Of several contexts one failure does not stop the rest.
When the cloud throttles us we wait as long as it asks, within --timeout (here: 3m, and 6s for each context).

Examples:
  # A new certificate for the current context, now
  kubectl cce-login refresh

  # After a rotation of the cluster's certificates: server, CA and TLS name of the entries follow
  kubectl cce-login refresh --context prod --context staging

  # Every context that uses us, as fast as the cloud allows
  kubectl cce-login refresh --all

  # Only those that have no certificate yet, or none that is good: after Ctrl-C, or a login of many clusters
  kubectl cce-login refresh --missing";

pub(super) const STATUS_EXAMPLES: &str = "\
Nothing is fetched, and nobody is asked unless --check is given. Then the run fails (1) if an API server refuses its
certificate, and is to be tried again (4) if one cannot be reached. Times are local. The table fits 80 columns; -o wide
has ids, servers, lifetimes and where certificates are kept. -o name prints what --context takes.

Examples:
  # What kubectl has at the moment
  kubectl cce-login status

  # Whether every cluster accepts it, for a script
  kubectl cce-login status --check -o json";

pub(super) const LOGOUT_EXAMPLES: &str = "\
Certificates are deleted from every store of this machine, and one that is on its way is not kept.
Forgetting is not revoking: whoever has a copy can use it until it ends. --revoke does both, and asks first.

Examples:
  # Forget the certificate of the current context
  kubectl cce-login logout

  # Forget all of them, and take the contexts out of the kubeconfig
  kubectl cce-login logout --all --remove-contexts

  # Nothing of this program is to stay on this machine
  kubectl cce-login logout --all --purge --remove-contexts

  # A laptop is given away: end its certificates, and all others of this identity on the cluster
  kubectl cce-login logout --revoke";

pub(super) const CONVERT_EXAMPLES: &str = "\
A user whose certificate was issued by a cluster that you can reach becomes one that runs this plugin; contexts, clusters
and everything else stay. First a certificate is fetched through the new entry. The backup leaves the keys out. Without a
terminal and without --yes nothing is changed: it says what it would do.

Deleting a key is not revoking it: whoever has a copy can use it until it ends. `kubectl cce-login revoke` cuts it off,
with every other certificate of the same identity on that cluster.

Examples:
  # What is there to convert in the kubeconfig that kubectl reads?
  kubectl cce-login convert --no-input

  # The file from the console
  kubectl cce-login convert ~/Downloads/prod-kubeconfig.yaml --yes";

pub(super) const DOCTOR_EXAMPLES: &str = "\
Each line is ok, a warning or a problem, with what to do. The run fails (1) if there is a problem. No secret is shown: the
report can go into a bug report as it is. Where no certificate is cached, one is fetched.

Examples:
  # Why does it not work?
  kubectl cce-login doctor

  # Every context, for a script
  kubectl cce-login doctor --all -o json";

/// Renew certificates now; bring server, CA and TLS name of our entries up to date
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Which contexts.
    #[command(flatten)]
    pub(crate) contexts: ContextArgs,
    /// Only contexts without a certificate that is good; of all of them where none is named
    #[arg(long, help_heading = "Contexts")]
    pub(crate) missing: bool,
    /// Write each certificate into this directory too, for others; `--cache-from` reads it
    #[arg(long, value_name = "DIR", help_heading = "Handing over", value_hint = clap::ValueHint::DirPath)]
    pub(crate) to: Option<String>,
    /// What is written.
    #[arg(
        long,
        value_name = "FORMAT",
        help = help_of_each::<HandOverForm>("{}, or {} for tools that run no plugins [default: certificate]"),
        help_heading = "Handing over",
        requires = "to",
        value_parser = words::all::<HandOverForm>(),
        hide_possible_values = true
    )]
    pub(crate) format: Option<String>,
    /// At a pace that leaves room for kubectl, and one such process at a time: what `login` leaves behind
    #[arg(long, hide = true)]
    pub(crate) behind: bool,
}

/// Show the contexts that use us: identity, certificate, expiry, where it is kept
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The context's name; repeatable [default: every context that uses us]
    #[arg(long, value_name = "NAME", conflicts_with = "all", help_heading = "Contexts")]
    pub(crate) context: Vec<String>,
    /// Every context that uses us (the default)
    #[arg(long, help_heading = "Contexts")]
    pub(crate) all: bool,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Contexts", value_hint = clap::ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<String>,
    /// Ask each API server whether it accepts the certificate
    #[arg(long, help_heading = "Contexts")]
    pub(crate) check: bool,
    /// The form of the report.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Forget certificates and tokens
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct LogoutArgs {
    /// Which contexts.
    #[command(flatten)]
    pub(crate) contexts: ContextArgs,
    /// Take the contexts, and users and clusters that nothing else uses, out of the kubeconfig
    #[arg(long)]
    pub(crate) remove_contexts: bool,
    /// Revoke your certificates on these clusters first: on every machine, CI included
    #[arg(long)]
    pub(crate) revoke: bool,
    /// Make the certificate void that other machines share (`--shared-cache`)
    #[arg(long)]
    pub(crate) shared: bool,
    /// With --all: profiles, their secrets, state and completion go too
    #[arg(long)]
    pub(crate) purge: bool,
    /// The confirmation.
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
}

/// Replace long-lived CCE certificates in kubeconfigs by entries that run this plugin
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The kubeconfigs [default: those that kubectl reads]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) files: Vec<String>,
    /// Only the user of this context; repeatable
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Vec<String>,
    /// Keep the keys in the backup
    #[arg(long)]
    pub(crate) keep_key_backup: bool,
    /// The confirmation.
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
    /// Where and as whom to look for the clusters.
    #[command(flatten)]
    pub(crate) search: SearchArgs,
}

/// Check every part of the way, and say what to do about what is wrong
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which contexts.
    #[command(flatten)]
    pub(crate) contexts: ContextArgs,
    /// Without a context: the region whose IAM is asked
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub(crate) region: Option<String>,
    /// Without a context: who we are.
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    /// Without a context: where the cloud answers.
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
    /// The form of the report.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
