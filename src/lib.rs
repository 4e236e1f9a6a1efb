//! `kubectl cce-login`: short-lived client certificates for Huawei Cloud CCE and Open Telekom Cloud CCE.
//!
//! ```text
//! argv, environment                                                             stdout (kubectl)
//!       │                                                                             ▲
//!    cli ──► plan ──► commands/get_credential ──► credential ────────────────► exec_credential
//!  (typed)  (meant)    (a page, like its help)       │ 1 fingerprint            (offline)
//!                                                    │ 2 cache ── good? ──► answer
//!                                                    │ 3 sign_in               (only for a fetch)
//!                                                    │ 4 huaweicloud/cce
//!                                                    └ 5 cache
//! ```
//!
//! The hot path is steps 1 and 2. It starts no runtime, builds no HTTP client, opens no log and spawns nothing. Inside the renewal window
//! step 2 leaves a process behind that does steps 3 to 5 while kubectl goes on (`credential/renew.rs`); a caller that comes back too early
//! makes us ask the API server whether it refuses the certificate (`credential/rejected.rs`).
//!
//! # Map: the rooms from top to bottom, each uses only those below its own
//!
//! | room | what lives there |
//! |---|---|
//! | `fuzzing` | what `fuzz/` asks of the readers; never part of the program |
//! | `commands` | one file per command, which reads like its help; none names another |
//! | `revocation` | an identity's certificates revoked on one cluster, verified; whose certificates these are |
//! | `discovery` | which clusters there are, and which one is meant |
//! | `contexts` | our contexts of the kubeconfig: resolved, refreshed, completed; the arguments of an exec entry |
//! | `account` | what IAM says of us: principal, projects, what a new profile needs |
//! | `credential` | one certificate, the story: cached, renewed, or new; a 401 noticed; forgotten |
//! | `sign_in` | what requests are authenticated with: kept, or a new sign-in |
//! | [`api_server`] | the cluster itself: TLS check, who am I; which of its servers to take |
//! | `output` | table, JSON, YAML, names; confirmations |
//! | `kubectl` | the kubectl on the PATH, and its completer |
//! | `session` | one run: stores, directories, log, deadline, a client for the cloud, patience with throttling |
//! | [`plan`] | what is meant: flags, `CCE_LOGIN_*`, profile, defaults |
//! | [`cli`] | what can be typed, with help texts and words |
//! | [`register`] | what many machines keep together, in Vault or in a Kubernetes Secret: one fetch for all of them |
//! | [`identity`] | who we are to the cloud: one file per source, and where a bearer secret may go |
//! | [`cache`] | certificates kept: key, entry, freshness, records and tombstones, one fetch across processes, failures and turns |
//! | [`huaweicloud`] | the cloud's protocol, usable on its own: regions and hosts, credentials, signing, IAM, CCE, what its answers taught us |
//! | `oidc` | `OpenID` Connect as a program on somebody's own machine speaks it: browser, device code, refresh tokens |
//! | [`kubeconfig`] | find the files, edit without disturbing, lock, write atomically |
//! | [`config`], [`exec_credential`] | `config.toml`; kubectl's protocol |
//! | [`http`] | the only room that knows reqwest and tokio |
//! | [`error`], [`log`] | exit codes, hints, the only rendering of errors; the log |
//! | [`host`] | the world as a value: environment, clock, files, streams, processes, questions to a person and what is shown meanwhile |
//! | [`store`] | OS keyring, kernel keyring, memory directory, file; layered |
//! | `private_dir` | a directory that is ours alone, and files in it |
//! | [`certificate`] | the certificate: the only room that reads X.509 |
//! | `words` | closed lists of words: read, shown in help and errors, completed; names in a sentence, and what a mistyped one may mean |
//! | [`lifetime`], [`ids`] | `--duration`, names and ids: parsed once |
//! | [`secret`], [`sanitize`], [`env_vars`] | what must not be shown, what a server said, the variables we read |
//!
//! # Glossary
//!
//! *Access key*: AK/SK, perhaps temporary. *Token*: what IAM gives for a password or an id token; whoever shows it is believed.
//! *Sign-in*: getting a token or a temporary access key, and keeping it until shortly before it ends. *Client certificate*: what CCE issues and kubectl presents; its CN is the user's or
//! agency's id. *Fingerprint*: what tells one identity from another offline. *Pin*: the argument that ties a kubeconfig entry to its
//! identity. *Window*: the last part of a certificate's life, in which it is renewed. *Skew*: how far the cloud's clock is ahead of ours.
//! *Tombstone*: the mark of a logout; what was asked for under another one is void.

pub(crate) mod account;
pub mod api_server;
pub mod cache;
pub mod certificate;
pub mod cli;
pub(crate) mod commands;
pub mod config;
pub(crate) mod contexts;
pub(crate) mod credential;
pub(crate) mod discovery;
pub(crate) mod env_vars;
pub mod error;
pub(crate) mod exec_credential;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod host;
pub mod http;
pub mod huaweicloud;
pub mod identity;
pub mod ids;
pub mod kubeconfig;
pub(crate) mod kubectl;
pub(crate) mod lifetime;
pub(crate) mod log;
pub(crate) mod oidc;
pub(crate) mod output;
pub mod plan;
#[cfg_attr(not(unix), path = "private_dir/without_modes.rs")]
mod private_dir;
pub mod register;
pub(crate) mod revocation;
pub(crate) mod sanitize;
pub mod secret;
pub(crate) mod session;
pub(crate) mod sign_in;
pub mod store;
pub(crate) mod words;

use clap::error::ErrorKind;
use error::Exit;
use host::Host;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs one command line in `host`, and says how the process ends.
pub fn main(args: impl IntoIterator<Item = OsString>, host: &Host) -> ExitCode {
    ExitCode::from(run(args, host).code())
}

/// [`main`], with the exit as a value.
pub fn run(args: impl IntoIterator<Item = OsString>, host: &Host) -> Exit {
    let line: Vec<OsString> = args.into_iter().collect();
    if let Some(exit) = commands::answer_completion(&line, host) {
        return exit;
    }
    let typed = cli::with_default_command(line);
    let is_plugin = typed.iter().any(|word| word == "get-credential");
    let cli = match cli::Cli::parse_line(&typed) {
        Ok(cli) => cli,
        Err(_) if is_plugin && host.is_over_a_program() => return Exit::Usage,
        Err(error) => return show_usage(&error, &typed, host),
    };
    match commands::run(&cli, &typed, host) {
        Ok(()) => Exit::Done,
        Err(error) => {
            // `status` has it.
            if !(is_plugin && host.is_over_a_program()) {
                error.report(host);
            }
            error.exit()
        }
    }
}

/// Help and version go to stdout and are no error; everything else is one.
fn show_usage(error: &clap::Error, typed: &[OsString], host: &Host) -> Exit {
    let text = match error.kind() {
        // A command that needs another one.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            for line in error.to_string().trim_end().lines() {
                host.say(line);
            }
            return Exit::Usage;
        }
        ErrorKind::DisplayVersion => commands::version(),
        _ if error.use_stderr() => {
            let error = error::Error::from(cli::UsageError::new(error, typed));
            error.report(host);
            return error.exit();
        }
        _ => error.to_string(),
    };
    match host.print(&text) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Failed,
    }
}
