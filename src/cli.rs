//! What can be typed: clap types and help texts. Plain data: nothing is read, nothing is decided here.

pub(crate) mod command_line;
mod default_command;
mod revoke;
mod rotate;
mod usage_error;

pub use default_command::with_default_command;
pub use revoke::RevokeArgs;
pub use rotate::RotateArgs;
pub(crate) use usage_error::UsageError;

use clap::{Args, Parser, Subcommand};
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

const LOGIN_EXAMPLES: &str = "\
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

const GET_CREDENTIAL_EXAMPLES: &str = "\
Examples:
  # What kubectl runs; by hand, the key is not shown
  kubectl cce-login get-credential --region eu-de --project-id 0605767b5780d5762fbcc0118072a564 \\
    --cluster-id 4d1ecb2c-229a-11e8-9c75-0255ac100ceb --profile default

  # Replace the certificate now
  kubectl cce-login get-credential --region eu-de --project-id 0605767b5780d5762fbcc0118072a564 \\
    --cluster-id 4d1ecb2c-229a-11e8-9c75-0255ac100ceb --profile default --force-refresh";

const REFRESH_EXAMPLES: &str = "\
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

const CONVERT_EXAMPLES: &str = "\
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

const DOCTOR_EXAMPLES: &str = "\
Each line is ok, a warning or a problem, with what to do. The run fails (1) if there is a problem. No secret is shown: the
report can go into a bug report as it is. Where no certificate is cached, one is fetched.

Examples:
  # Why does it not work?
  kubectl cce-login doctor

  # Every context, for a script
  kubectl cce-login doctor --all -o json";

const COMPLETION_EXAMPLES: &str = "\
kubectl (1.26 and later) asks a program called kubectl_complete-cce_login; `install` places it. The scripts are for this
program typed by its own name. Names of clusters, contexts, profiles and regions are those that this machine knows.

Examples:
  # For `kubectl cce-login <Tab>`, once; your shell must have kubectl's own completion
  kubectl cce-login completion install

  # For the program's own name, in ~/.bashrc
  source <(kubectl cce-login completion bash)";

const STATUS_EXAMPLES: &str = "\
Nothing is fetched, and nobody is asked unless --check is given. Then the run fails (1) if an API server refuses its
certificate, and is to be tried again (4) if one cannot be reached. Times are local. The table fits 80 columns; -o wide
has ids, servers, lifetimes and where certificates are kept. -o name prints what --context takes.

Examples:
  # What kubectl has at the moment
  kubectl cce-login status

  # Whether every cluster accepts it, for a script
  kubectl cce-login status --check -o json";

const LOGOUT_EXAMPLES: &str = "\
Certificates are deleted from every store of this machine, and one that is on its way is not kept.
Forgetting is not revoking: whoever has a copy can use it until it ends. --revoke does both, and asks first.

Examples:
  # Forget the certificate of the current context
  kubectl cce-login logout

  # Forget all of them, and take the contexts out of the kubeconfig
  kubectl cce-login logout --all --remove-contexts

  # A laptop is given away: end its certificates, and all others of this identity on the cluster
  kubectl cce-login logout --revoke";

const CLUSTERS_HELP: &str = "\
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

const PROFILE_EXAMPLES: &str = "\
Examples:
  # Keep an access key in the keyring, the secret read from a pipe
  pass show cloud/sk | kubectl cce-login profile set default --access-key-id AKID --region eu-de --secret-stdin

  # See the profiles
  kubectl cce-login profile list";

const PROFILE_SET_EXAMPLES: &str = "\
A profile that is there keeps what no flag says otherwise: only its secret is asked for.

Examples:
  # Keep an access key in the keyring; the secret is asked for
  kubectl cce-login profile set default --access-key-id AKID --region eu-de

  # Another secret for it, or another project: the rest stays
  kubectl cce-login profile set default
  kubectl cce-login profile set default --project eu-de_team

  # An IAM user who signs in with a password and a passcode
  kubectl cce-login profile set work --kind password --user-id ID --totp --region eu-de

  # An agency of another account, assumed by that user
  kubectl cce-login profile set customer --kind agency --base-profile work --agency ACCOUNT/NAME

  # Your company account, in the browser, at IAM Identity Center
  kubectl cce-login profile set work --kind sso --start-url https://idcenter.huaweicloud.com/d-0123456789/portal \\
    --sso-region cn-north-4

  # Your company account, in the browser, at the company's own identity provider
  kubectl cce-login profile set work --kind oidc --issuer https://login.example.com/realms/acme --client-id cce-login \\
    --idp acme --region eu-de

  # The access key that a password manager prints
  kubectl cce-login profile set vault --kind command --region eu-de -- op read op://work/cce/key.json

  # The users of an identity provider, by the id token in a file
  kubectl cce-login profile set ci --kind federation --idp NAME --id-token-file FILE --region eu-de";

const WHOAMI_EXAMPLES: &str = "\
Examples:
  # Who kubectl would be, without a pin
  kubectl cce-login whoami --region eu-de

  # For a script
  kubectl cce-login whoami --profile work -o json";

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
    pub global: GlobalArgs,
}

/// The commands. What one takes is put together only when it was typed (`defer`), and its first line of help comes from its type then.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Set a cluster up: one certificate, kubeconfig entries, a check (the default)
    #[command(after_help = LOGIN_EXAMPLES)]
    Login(Box<LoginArgs>),
    /// Print a client certificate for kubectl (exec plugin)
    #[command(after_help = GET_CREDENTIAL_EXAMPLES)]
    GetCredential(GetCredentialArgs),
    /// Renew certificates now; bring server, CA and TLS name of our entries up to date
    #[command(after_help = REFRESH_EXAMPLES)]
    Refresh(RefreshArgs),
    /// Show the contexts that use us: identity, certificate, expiry, where it is kept
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Forget certificates and tokens
    #[command(after_help = LOGOUT_EXAMPLES)]
    Logout(LogoutArgs),
    /// Revoke every certificate of an identity on a cluster: yours, or somebody else's
    #[command(after_help = revoke::HELP)]
    Revoke(Box<RevokeArgs>),
    /// Rotate a cluster's own certificates, and follow the job
    #[command(after_help = rotate::HELP)]
    Rotate(Box<RotateArgs>),
    /// List the clusters you can reach, across regions and projects
    #[command(after_help = CLUSTERS_HELP)]
    Clusters(ClustersArgs),
    /// Manage named identities; their secrets go to the keyring
    #[command(subcommand, after_help = PROFILE_EXAMPLES)]
    Profile(ProfileCommand),
    /// Show where your identity comes from, and who it is to the cloud
    #[command(after_help = WHOAMI_EXAMPLES)]
    Whoami(WhoamiArgs),
    /// Replace long-lived CCE certificates in kubeconfigs by entries that run this plugin
    #[command(after_help = CONVERT_EXAMPLES)]
    Convert(Box<ConvertArgs>),
    /// Check every part of the way, and say what to do about what is wrong
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(Box<DoctorArgs>),
    /// Make `kubectl cce-login <Tab>` complete
    #[command(subcommand, after_help = COMPLETION_EXAMPLES)]
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

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Every command")]
pub struct GlobalArgs {
    /// Log to stderr what happens; twice for everything. Secrets are never shown
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Never ask
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Bound on the whole run, such as `25s` [default: 25s for get-credential, 3m elsewhere]
    #[arg(long, value_name = "DURATION", global = true)]
    pub timeout: Option<String>,
}

/// Who we are to the cloud.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Identity")]
pub struct IdentityArgs {
    /// The profile that holds the identity
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// The source of the identity: env, profile, sdk-file, hcloud, clouds, oidc, pod or metadata
    #[arg(long, value_name = "SOURCE")]
    pub identity: Option<String>,
}

/// Where the cloud answers.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cloud")]
pub struct CloudArgs {
    /// huawei, otc or a domain [default: by the region]
    #[arg(long, value_name = "CLOUD")]
    pub cloud: Option<String>,
    /// CCE's base URL [default: by cloud and region]
    #[arg(long, value_name = "URL")]
    pub cce_endpoint: Option<String>,
    /// IAM's base URL [default: by cloud and region]
    #[arg(long, value_name = "URL")]
    pub iam_endpoint: Option<String>,
    /// PEM roots for the cloud endpoints, in place of the system's
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub ca_file: Option<String>,
}

/// The certificate and where it is kept.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Certificate")]
pub struct CertificateArgs {
    /// Its lifetime: 15m to 1827d, or max [default: 8h]
    #[arg(long, value_name = "DURATION")]
    pub duration: Option<String>,
    /// Where it is kept: auto, keyring, kernel, file or none [default: auto]
    #[arg(long, value_name = "STORE")]
    pub cache: Option<String>,
    /// A directory of certificates that somebody else keeps, read first; see `refresh --to`
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub cache_from: Option<String>,
    /// Shared by many machines: none, vault:MOUNT/PATH or kubernetes[:NS] [default: none]
    #[arg(long, value_name = "REGISTER")]
    pub shared_cache: Option<String>,
}

/// Set a cluster up: one certificate, kubeconfig entries, a check (the default)
#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct LoginArgs {
    /// The cluster's name, NAME.PROJECT, or id; repeatable
    #[arg(long, value_name = "NAME|ID", help_heading = "Cluster")]
    pub cluster: Vec<String>,
    /// Every cluster that you can reach, in these regions and this project if they are given
    #[arg(long, help_heading = "Cluster", conflicts_with_all = ["cluster", "server"])]
    pub all: bool,
    /// Wait for every certificate, of however many clusters [default: asked, or in the background]
    #[arg(long, help_heading = "Cluster")]
    pub wait: bool,
    /// The region, such as eu-de; repeatable
    #[arg(long, value_name = "REGION", help_heading = "Cluster")]
    pub region: Vec<String>,
    /// The project's name or id [default: the region's main one; with --all: any]
    #[arg(long, value_name = "NAME|ID", help_heading = "Cluster")]
    pub project: Option<String>,
    /// Which of its endpoints: auto, internal or external [default: auto, the first that answers]
    #[arg(long, value_name = "ACCESS", help_heading = "Cluster")]
    pub access: Option<String>,
    /// The API server's URL in place of its endpoints (custom SAN, bastion); always verified
    #[arg(long, value_name = "URL", help_heading = "Cluster")]
    pub server: Option<String>,

    /// Who we are.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// The certificate.
    #[command(flatten)]
    pub certificate: CertificateArgs,
    /// Where the cloud answers.
    #[command(flatten)]
    pub cloud: CloudArgs,

    /// The kubeconfig to write [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Kubeconfig", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<String>,
    /// The context's name; {cluster} {region} {project} {profile} are filled in
    #[arg(long, value_name = "NAME", help_heading = "Kubeconfig")]
    pub context_name: Option<String>,
    /// Make the context the current one
    #[arg(long, help_heading = "Kubeconfig", conflicts_with = "keep_current")]
    pub set_current: bool,
    /// Never change the current context [default: set it only where there is none]
    #[arg(long, help_heading = "Kubeconfig")]
    pub keep_current: bool,
    /// Print a complete kubeconfig; write nothing
    #[arg(long, help_heading = "Kubeconfig", conflicts_with = "dry_run")]
    pub print: bool,
    /// Print what would change as a diff; write nothing
    #[arg(long, help_heading = "Kubeconfig")]
    pub dry_run: bool,
    /// Write the plugin's full path, for GUI clients that do not see your PATH
    #[arg(long, help_heading = "Kubeconfig")]
    pub absolute_path: bool,
    /// v1 or v1beta1 [default: v1; v1beta1 when the kubectl on PATH is older than 1.22]
    #[arg(long, value_name = "VERSION", help_heading = "Kubeconfig")]
    pub exec_api_version: Option<String>,
    /// The proxy that kubectl shall use for this cluster
    #[arg(long, value_name = "URL", help_heading = "Kubeconfig")]
    pub proxy_url: Option<String>,

    /// Do not ask the API server
    #[arg(long, help_heading = "Check")]
    pub no_check: bool,
    /// Do not verify the API server. Anybody on the way can then read and change what you do
    #[arg(long, help_heading = "Check")]
    pub insecure_skip_tls_verify: bool,
}

/// Print a client certificate for kubectl (exec plugin)
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct GetCredentialArgs {
    /// The cluster's id
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub cluster_id: String,
    /// The id of the cluster's project
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub project_id: Option<String>,
    /// The region, such as eu-de
    #[arg(long, value_name = "REGION", help_heading = "Cluster")]
    pub region: String,
    /// It is an Autopilot cluster
    #[arg(long, help_heading = "Cluster")]
    pub autopilot: bool,

    /// Who we are.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Serve nobody else: the id that the certificates name, or PROVIDER/SUBJECT of a federated user
    #[arg(long, value_name = "ID", help_heading = "Identity")]
    pub principal: Option<String>,
    /// The certificate.
    #[command(flatten)]
    pub certificate: CertificateArgs,
    /// Refuse a certificate with another lifetime than asked for
    #[arg(long, help_heading = "Certificate")]
    pub strict_duration: bool,
    /// Replace the certificate now
    #[arg(long, help_heading = "Certificate")]
    pub force_refresh: bool,
    /// Renew the certificate and print nothing: the process that `get-credential` leaves behind
    #[arg(long, hide = true)]
    pub renew: bool,
    /// Where the cloud answers.
    #[command(flatten)]
    pub cloud: CloudArgs,

    /// v1 or v1beta1, for clients that do not say [default: v1]
    #[arg(long, value_name = "VERSION", help_heading = "Output")]
    pub exec_api_version: Option<String>,
    /// Show the private key also on a terminal
    #[arg(long, help_heading = "Output")]
    pub show_key: bool,
}

/// Which of the contexts that use us.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Contexts")]
pub struct ContextArgs {
    /// The context's name; repeatable [default: the current context]
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub context: Vec<String>,
    /// Every context that uses us
    #[arg(long)]
    pub all: bool,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<String>,
}

/// Renew certificates now; bring server, CA and TLS name of our entries up to date
#[derive(Debug, Args)]
pub struct RefreshArgs {
    /// Which contexts.
    #[command(flatten)]
    pub contexts: ContextArgs,
    /// Only contexts without a certificate that is good; of all of them where none is named
    #[arg(long, help_heading = "Contexts")]
    pub missing: bool,
    /// Write each certificate into this directory too, for others; `--cache-from` reads it
    #[arg(long, value_name = "DIR", help_heading = "Handing over", value_hint = clap::ValueHint::DirPath)]
    pub to: Option<String>,
    /// certificate, or kubeconfig for tools that run no plugins [default: certificate]
    #[arg(long, value_name = "FORMAT", help_heading = "Handing over", requires = "to", value_parser = ["certificate", "kubeconfig"], hide_possible_values = true)]
    pub format: Option<String>,
    /// At a pace that leaves room for kubectl, and one such process at a time: what `login` leaves behind
    #[arg(long, hide = true)]
    pub behind: bool,
}

/// Show the contexts that use us: identity, certificate, expiry, where it is kept
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The context's name; repeatable [default: every context that uses us]
    #[arg(long, value_name = "NAME", conflicts_with = "all", help_heading = "Contexts")]
    pub context: Vec<String>,
    /// Every context that uses us (the default)
    #[arg(long, help_heading = "Contexts")]
    pub all: bool,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", help_heading = "Contexts", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<String>,
    /// Ask each API server whether it accepts the certificate
    #[arg(long, help_heading = "Contexts")]
    pub check: bool,
    /// The form of the report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Forget certificates and tokens
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct LogoutArgs {
    /// Which contexts.
    #[command(flatten)]
    pub contexts: ContextArgs,
    /// Take the contexts, and users and clusters that nothing else uses, out of the kubeconfig
    #[arg(long)]
    pub remove_contexts: bool,
    /// Revoke your certificates on these clusters first: on every machine, CI included
    #[arg(long)]
    pub revoke: bool,
    /// Make the certificate void that other machines share (`--shared-cache`)
    #[arg(long)]
    pub shared: bool,
    /// Remove profiles, their secrets, state and completion too: nothing of this program stays
    #[arg(long, requires = "all")]
    pub purge: bool,
    /// The confirmation.
    #[command(flatten)]
    pub confirm: ConfirmArgs,
}

/// How a confirmation is answered.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Confirmation")]
pub struct ConfirmArgs {
    /// Go on without the confirmation
    #[arg(long)]
    pub yes: bool,
}

/// Which clusters a command is about that acts on the cloud, not on this machine: those of contexts, or any that the identity can list.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Clusters")]
pub struct ChoiceArgs {
    /// The cluster of this context, as its identity; repeatable [default: the current context]
    #[arg(long, value_name = "NAME", conflicts_with = "cluster")]
    pub context: Vec<String>,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub kubeconfig: Option<String>,
    /// A cluster's name, NAME.PROJECT, or id, without any context; repeatable
    #[arg(long, value_name = "NAME|ID")]
    pub cluster: Vec<String>,
    /// Where and as whom to look for it.
    #[command(flatten)]
    pub search: SearchArgs,
}

/// Where clusters are looked for, and as whom.
#[derive(Debug, Default, Args)]
pub struct SearchArgs {
    /// A region to look in, such as eu-de; repeatable [default: all with a project of this identity]
    #[arg(long, value_name = "REGION", help_heading = "Clusters")]
    pub region: Vec<String>,
    /// A project's name or id [default: all that this identity sees]
    #[arg(long, value_name = "NAME|ID", help_heading = "Clusters")]
    pub project: Option<String>,

    /// Who we are.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Where the cloud answers.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// List the clusters you can reach, across regions and projects
#[derive(Debug, Args)]
pub struct ClustersArgs {
    /// The form of the report.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Where to look, and as whom.
    #[command(flatten)]
    pub search: SearchArgs,
}

/// Replace long-lived CCE certificates in kubeconfigs by entries that run this plugin
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// The kubeconfigs [default: those that kubectl reads]
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub files: Vec<String>,
    /// Only the user of this context; repeatable
    #[arg(long, value_name = "NAME")]
    pub context: Vec<String>,
    /// Keep the keys in the backup
    #[arg(long)]
    pub keep_key_backup: bool,
    /// The confirmation.
    #[command(flatten)]
    pub confirm: ConfirmArgs,
    /// Where and as whom to look for the clusters.
    #[command(flatten)]
    pub search: SearchArgs,
}

/// Check every part of the way, and say what to do about what is wrong
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which contexts.
    #[command(flatten)]
    pub contexts: ContextArgs,
    /// Without a context: the region whose IAM is asked
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub region: Option<String>,
    /// Without a context: who we are.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Without a context: where the cloud answers.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// The form of the report.
    #[command(flatten)]
    pub output: OutputArgs,
}

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
    pub dir: Option<String>,
}

/// `profile`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Verify an identity and keep it under a name
    #[command(after_help = PROFILE_SET_EXAMPLES)]
    Set(Box<ProfileSetArgs>),
    /// List the profiles
    #[command(after_help = "Examples:\n  kubectl cce-login profile list\n  kubectl cce-login profile list -o json")]
    List(OutputArgs),
    /// Show a profile's settings, without its secret
    #[command(
        after_help = "Examples:\n  kubectl cce-login profile show default\n  kubectl cce-login profile show default -o yaml"
    )]
    Show(ProfileShowArgs),
    /// Remove a profile and its secret
    #[command(
        after_help = "Contexts and agency profiles that depend on it are named first; at a terminal it asks then.\n\n\
                      Examples:\n  kubectl cce-login profile remove default"
    )]
    Remove(ProfileRemoveArgs),
}

/// `profile set`.
#[derive(Debug, Clone, Default, Args)]
pub struct ProfileSetArgs {
    /// The profile's name
    pub name: String,
    /// access-key (the default), password, sso, oidc, agency, federation, metadata or command
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,
    /// Read the secret from stdin (oidc: the client's) [default: ask at the terminal]
    #[arg(long)]
    pub secret_stdin: bool,
    /// Where the secret is kept: keyring, or file (in the clear, for you only) [default: keyring]
    #[arg(long, value_name = "STORE")]
    pub secret_store: Option<String>,
    /// access-key: the access key's id (AK)
    #[arg(long, value_name = "AK", help_heading = "Identity")]
    pub access_key_id: Option<String>,
    /// password: the IAM user's name
    #[arg(long, value_name = "NAME", help_heading = "Identity", conflicts_with = "user_id")]
    pub username: Option<String>,
    /// password: the IAM user's id, in place of name and account; needed with --totp
    #[arg(long, value_name = "ID", help_heading = "Identity")]
    pub user_id: Option<String>,
    /// password: the user's account; with an agency: the account that delegates it (name or id)
    #[arg(long, value_name = "ACCOUNT", help_heading = "Identity")]
    pub domain: Option<String>,
    /// password: signing in takes a passcode of a virtual MFA device
    #[arg(long, help_heading = "Identity")]
    pub totp: bool,
    /// The agency to assume: NAME, or ACCOUNT/NAME
    #[arg(long, value_name = "AGENCY", help_heading = "Identity")]
    pub agency: Option<String>,
    /// agency: the profile that may assume it
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub base_profile: Option<String>,
    /// sso: the address of your company's portal at IAM Identity Center
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub start_url: Option<String>,
    /// sso: the region where the Identity Center is
    #[arg(long, value_name = "REGION", help_heading = "Identity")]
    pub sso_region: Option<String>,
    /// sso: the account to use (name or id) [default: ask]
    #[arg(long, value_name = "ACCOUNT", help_heading = "Identity")]
    pub account: Option<String>,
    /// sso: the permission set to use there [default: ask]
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub permission_set: Option<String>,
    /// oidc: the address of your company's identity provider, as it calls itself
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub issuer: Option<String>,
    /// oidc: the client there whose id tokens IAM takes
    #[arg(long, value_name = "ID", help_heading = "Identity")]
    pub client_id: Option<String>,
    /// oidc: browser (here), device (another machine's browser) or auto [default: auto]
    #[arg(long, value_name = "HOW", help_heading = "Identity")]
    pub sign_in: Option<String>,
    /// oidc: what to ask for beside `openid`; may be repeated
    #[arg(long, value_name = "SCOPE", help_heading = "Identity")]
    pub scope: Vec<String>,
    /// oidc: the address to return to [default: `http://127.0.0.1` with any free port]
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub redirect_url: Option<String>,
    /// oidc: something more for the address that the browser opens; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Identity")]
    pub auth_param: Vec<String>,
    /// oidc: PEM roots for the identity provider, in place of the system's
    #[arg(long, value_name = "PEM", help_heading = "Identity")]
    pub issuer_ca_file: Option<String>,
    /// sso, oidc: the command that opens a browser, in place of the system's
    #[arg(long, value_name = "COMMAND", help_heading = "Identity")]
    pub browser: Option<String>,
    /// oidc, federation: the identity provider's name at IAM
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub idp: Option<String>,
    /// federation: the file of its id token [default: as the source `oidc` finds it]
    #[arg(long, value_name = "FILE", help_heading = "Identity")]
    pub id_token_file: Option<String>,
    /// command: the program that prints an access key, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub command: Vec<String>,
    /// sso: where the Identity Center answers, in place of its region's address
    #[arg(long, value_name = "URL", help_heading = "Cloud")]
    pub sso_endpoint: Option<String>,
    /// sso: where its portal answers
    #[arg(long, value_name = "URL", help_heading = "Cloud")]
    pub portal_endpoint: Option<String>,
    /// The region that `login` takes when none is given, and where the identity is verified
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub region: Option<String>,
    /// The project that `login` takes when none is given (name or id)
    #[arg(long, value_name = "NAME|ID", help_heading = "Cloud")]
    pub project: Option<String>,
    /// The proxy towards the cloud, in place of the environment's
    #[arg(long, value_name = "URL", help_heading = "Cloud")]
    pub proxy: Option<String>,
    /// Where the cloud answers.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// `profile show`.
#[derive(Debug, Args)]
pub struct ProfileShowArgs {
    /// The profile's name
    pub name: String,
    /// The form of the report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Show where your identity comes from, and who it is to the cloud
#[derive(Debug, Args)]
pub struct WhoamiArgs {
    /// The region whose IAM is asked [default: the identity's own]
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub region: Option<String>,
    /// Who we are.
    #[command(flatten)]
    pub identity: IdentityArgs,
    /// Where the cloud answers.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// The form of the report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `profile remove`.
#[derive(Debug, Args)]
pub struct ProfileRemoveArgs {
    /// The profile's name
    pub name: String,
    /// The confirmation.
    #[command(flatten)]
    pub confirm: ConfirmArgs,
}

/// Show the version
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// The form of the report.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How a report is written.
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// table, wide, json, yaml or name [default: table]
    #[arg(short, long, value_name = "FORMAT")]
    pub output: Option<String>,
}
