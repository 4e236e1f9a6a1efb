//! Flags that several commands have.

use crate::cli::words::{Format, help};
use crate::huaweicloud::cloud::Cloud;
use crate::identity::SourceName;
use crate::register::SharedCache;
use crate::store::CacheMode;
use clap::Args;

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Every command")]
pub(crate) struct GlobalArgs {
    /// Log to stderr what happens; twice for everything. Secrets are never shown
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Never ask
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Bound on the whole run, such as `25s` [default: 25s for get-credential, 3m elsewhere]
    #[arg(long, value_name = "DURATION", global = true)]
    pub(crate) timeout: Option<String>,
}

/// Who we are to the cloud.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Identity")]
pub(crate) struct IdentityArgs {
    /// The profile that holds the identity
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Its source.
    #[arg(long, value_name = "SOURCE", help = help::<SourceName>("The source of the identity: {words}"))]
    pub(crate) identity: Option<String>,
}

/// Where the cloud answers.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cloud")]
pub(crate) struct CloudArgs {
    /// Which cloud.
    #[arg(long, value_name = "CLOUD", help = format!("{} or a domain [default: by the region]", Cloud::NAMES.join(", ")))]
    pub(crate) cloud: Option<String>,
    /// CCE's base URL [default: by cloud and region]
    #[arg(long, value_name = "URL")]
    pub(crate) cce_endpoint: Option<String>,
    /// IAM's base URL [default: by cloud and region]
    #[arg(long, value_name = "URL")]
    pub(crate) iam_endpoint: Option<String>,
    /// PEM roots for the cloud endpoints, in place of the system's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) ca_file: Option<String>,
}

/// The certificate and where it is kept.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Certificate")]
pub(crate) struct CertificateArgs {
    /// Its lifetime: 15m to 1827d, or max [default: 8h]
    #[arg(long, value_name = "DURATION")]
    pub(crate) duration: Option<String>,
    /// Where it is kept.
    #[arg(long, value_name = "STORE", help = help::<CacheMode>("Where it is kept: {words} [default: auto]"))]
    pub(crate) cache: Option<String>,
    /// A directory of certificates that somebody else keeps, read first; see `refresh --to`
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub(crate) cache_from: Option<String>,
    /// Where many machines keep it.
    #[arg(long, value_name = "REGISTER", help = format!("Shared by many machines: {} [default: none]", SharedCache::FORMS))]
    pub(crate) shared_cache: Option<String>,
}

/// Which of the contexts that use us.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Contexts")]
pub(crate) struct ContextArgs {
    /// The context's name; repeatable [default: the current context]
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub(crate) context: Vec<String>,
    /// Every context that uses us
    #[arg(long)]
    pub(crate) all: bool,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<String>,
}

/// How a confirmation is answered.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Confirmation")]
pub(crate) struct ConfirmArgs {
    /// Go on without the confirmation
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Which clusters a command is about that acts on the cloud, not on this machine: those of contexts, or any that the identity can list.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub(crate) struct ChoiceArgs {
    /// The cluster of this context, as its identity; repeatable [default: the current context]
    #[arg(long, value_name = "NAME", conflicts_with = "cluster")]
    pub(crate) context: Vec<String>,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(crate) kubeconfig: Option<String>,
    /// A cluster's name, NAME.PROJECT, or id, without any context; repeatable
    #[arg(long, value_name = "NAME|ID")]
    pub(crate) cluster: Vec<String>,
    /// Where and as whom to look for it.
    #[command(flatten)]
    pub(crate) search: SearchArgs,
}

/// Where clusters are looked for, and as whom.
#[derive(Debug, Default, Args)]
pub(crate) struct SearchArgs {
    /// A region to look in, such as eu-de; repeatable [default: all with a project of this identity]
    #[arg(long, value_name = "REGION", help_heading = "Clusters")]
    pub(crate) region: Vec<String>,
    /// A project's name or id [default: all that this identity sees]
    #[arg(long, value_name = "NAME|ID", help_heading = "Clusters")]
    pub(crate) project: Option<String>,

    /// Who we are.
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,
    /// Where the cloud answers.
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}

/// How a report is written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Its form.
    #[arg(short, long, value_name = "FORMAT", help = help::<Format>("{words} [default: table]"))]
    pub(crate) output: Option<String>,
}
