//! What `profile` takes.

use crate::cli::groups::{CloudArgs, ConfirmArgs, OutputArgs};
use crate::cli::words::help_of_each;
use crate::config::ProfileKind;
use crate::identity::sign_on::BrowserChoice;
use crate::store::SecretPlace;
use clap::{Args, Subcommand};

pub(super) const PROFILE_EXAMPLES: &str = "\
Examples:
  # Keep an access key in the keyring, the secret read from a pipe
  pass show cloud/sk | kubectl cce-login profile set default --access-key-id AKID --region eu-de --secret-stdin

  # See the profiles
  kubectl cce-login profile list";

pub(super) const PROFILE_SET_EXAMPLES: &str = "\
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
  kubectl cce-login profile set vault --kind command --region eu-de -- op read op://team/cce/key.json

  # The users of an identity provider, by the id token in a file
  kubectl cce-login profile set ci --kind federation --idp NAME --id-token-file FILE --region eu-de";

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
    pub(crate) name: String,
    /// How it proves who it is.
    #[arg(
        long,
        value_name = "KIND",
        help = help_of_each::<ProfileKind>("{} (the default), {}, {}, {}, {}, {}, {} or {}")
    )]
    pub kind: Option<String>,
    /// Read the secret from stdin (oidc: the client's) [default: ask at the terminal]
    #[arg(long)]
    pub(crate) secret_stdin: bool,
    /// Where the secret is kept.
    #[arg(
        long,
        value_name = "STORE",
        help = help_of_each::<SecretPlace>(
            "Where the secret is kept: {}, or {} (in the clear, for you only) [default: keyring]"
        )
    )]
    pub(crate) secret_store: Option<String>,
    /// access-key: the access key's id (AK)
    #[arg(long, value_name = "AK", help_heading = "Identity")]
    pub(crate) access_key_id: Option<String>,
    /// password: the IAM user's name
    #[arg(long, value_name = "NAME", help_heading = "Identity", conflicts_with = "user_id")]
    pub(crate) username: Option<String>,
    /// password: the IAM user's id, in place of name and account; needed with --totp
    #[arg(long, value_name = "ID", help_heading = "Identity")]
    pub(crate) user_id: Option<String>,
    /// password: the user's account; with an agency: the account that delegates it (name or id)
    #[arg(long, value_name = "ACCOUNT", help_heading = "Identity")]
    pub(crate) domain: Option<String>,
    /// password: signing in takes a passcode of a virtual MFA device
    #[arg(long, help_heading = "Identity")]
    pub(crate) totp: bool,
    /// The agency to assume: NAME, or ACCOUNT/NAME
    #[arg(long, value_name = "AGENCY", help_heading = "Identity")]
    pub(crate) agency: Option<String>,
    /// agency: the profile that may assume it
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub(crate) base_profile: Option<String>,
    /// sso: the address of your company's portal at IAM Identity Center
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub(crate) start_url: Option<String>,
    /// sso: the region where the Identity Center is
    #[arg(long, value_name = "REGION", help_heading = "Identity")]
    pub(crate) sso_region: Option<String>,
    /// sso: the account to use (name or id) [default: ask]
    #[arg(long, value_name = "ACCOUNT", help_heading = "Identity")]
    pub(crate) account: Option<String>,
    /// sso: the permission set to use there [default: ask]
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub(crate) permission_set: Option<String>,
    /// oidc: the address of your company's identity provider, as it calls itself
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub(crate) issuer: Option<String>,
    /// oidc: the client there whose id tokens IAM takes
    #[arg(long, value_name = "ID", help_heading = "Identity")]
    pub(crate) client_id: Option<String>,
    /// oidc: with which browser.
    #[arg(
        long,
        value_name = "HOW",
        help = help_of_each::<BrowserChoice>(
            "oidc: {} (here), {} (another machine's browser) or {} [default: auto]"
        ),
        help_heading = "Identity"
    )]
    pub(crate) sign_in: Option<String>,
    /// oidc: what to ask for beside `openid`; may be repeated
    #[arg(long, value_name = "SCOPE", help_heading = "Identity")]
    pub(crate) scope: Vec<String>,
    /// oidc: the address to return to [default: `http://127.0.0.1` with any free port]
    #[arg(long, value_name = "URL", help_heading = "Identity")]
    pub(crate) redirect_url: Option<String>,
    /// oidc: something more for the address that the browser opens; may be repeated
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Identity")]
    pub(crate) auth_param: Vec<String>,
    /// oidc: PEM roots for the identity provider, in place of the system's
    #[arg(long, value_name = "PEM", help_heading = "Identity")]
    pub(crate) issuer_ca_file: Option<String>,
    /// sso, oidc: the command that opens a browser, in place of the system's
    #[arg(long, value_name = "COMMAND", help_heading = "Identity")]
    pub(crate) browser: Option<String>,
    /// oidc, federation: the identity provider's name at IAM
    #[arg(long, value_name = "NAME", help_heading = "Identity")]
    pub(crate) idp: Option<String>,
    /// federation: the file of its id token [default: as the source `oidc` finds it]
    #[arg(long, value_name = "FILE", help_heading = "Identity")]
    pub(crate) id_token_file: Option<String>,
    /// command: the program that prints an access key, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) command: Vec<String>,
    /// sso: where the Identity Center answers, in place of its region's address
    #[arg(long, value_name = "URL", help_heading = "Cloud")]
    pub(crate) sso_endpoint: Option<String>,
    /// sso: where its portal answers
    #[arg(long, value_name = "URL", help_heading = "Cloud")]
    pub(crate) portal_endpoint: Option<String>,
    /// The region that `login` takes when none is given, and where the identity is verified
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub(crate) region: Option<String>,
    /// The project that `login` takes when none is given (name or id)
    #[arg(long, value_name = "NAME|ID", help_heading = "Cloud")]
    pub(crate) project: Option<String>,
    /// The proxy towards the cloud, in place of the environment's
    #[arg(long, value_name = "URL", help_heading = "Cloud")]
    pub(crate) proxy: Option<String>,
    /// Where the cloud answers.
    #[command(flatten)]
    pub(crate) cloud: CloudArgs,
}

/// `profile show`.
#[derive(Debug, Args)]
pub struct ProfileShowArgs {
    /// The profile's name
    pub(crate) name: String,
    /// The form of the report.
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// `profile remove`.
#[derive(Debug, Args)]
pub struct ProfileRemoveArgs {
    /// The profile's name
    pub(crate) name: String,
    /// The confirmation.
    #[command(flatten)]
    pub(crate) confirm: ConfirmArgs,
}
