//! `kubectl cce-login`: short-lived client certificates for Huawei Cloud CCE and Open Telekom Cloud CCE.
//!
//! ```text
//! argv, environment                                                        stdout (kubectl)
//!       │                                                                        ▲
//!    cli ──► plan ──► commands/get_credential ─────────────────────────► exec_credential
//!  (typed)  (meant)       │ 1 identity.fingerprint         (offline)              │
//!                         │ 2 cache.get, callers.note ── good? ───────────────────┤
//!                         │ 3 identity.sign_in             (access key, token)    │
//!                         │ 4 cce.create_cluster_cert      (api: http + signing)  │
//!                         └ 5 cache.put                    (best effort) ─────────┘
//! ```
//!
//! The hot path is steps 1 and 2. It starts no runtime, builds no HTTP client, opens no log and spawns nothing. Inside the renewal window
//! step 2 leaves a process behind that does steps 3 to 5 while kubectl goes on (`commands/renewal.rs`); a caller that comes back too early
//! makes us ask the API server whether it refuses the certificate (`commands/refusal.rs`).
//!
//! # Map, from what is typed down to what is written
//!
//! | module | what lives there |
//! |---|---|
//! | [`cli`] | what can be typed, with help texts |
//! | [`plan`] | what is meant: flags, `CCE_LOGIN_*`, profile, defaults |
//! | [`commands`] | one file per command; `commands/obtain.rs` decides, `fetch.rs` joins cache, identity and CCE |
//! | [`error`] | exit codes, hints, the only rendering of errors |
//! | [`cache`] | key, stored form, freshness, index and tombstones, one fetch across processes, failures and turns |
//! | [`callers`] | who asked when: what makes us aware of a 401 |
//! | [`identity`], [`config`] | who we are to the cloud: one file per source, signing in, where a secret may go; `config.toml` |
//! | [`cce`], [`iam`], [`api`] | the two services (IAM with STS), and one call, authenticated, with its errors |
//! | [`learnt`] | what the cloud's answers have taught us: capabilities, skew, throttling |
//! | [`signing`] | SDK-HMAC-SHA256, modern and legacy |
//! | [`api_server`] | the cluster itself: TLS check, who am I |
//! | [`http`] | the only module that knows reqwest and tokio |
//! | [`kubeconfig`] | find the files, edit without disturbing, lock, write atomically |
//! | [`store`] | OS keyring, kernel keyring, memory directory, file; layered |
//! | [`client_cert`], [`exec_credential`] | the certificate; kubectl's protocol |
//! | [`cloud`], [`lifetime`], [`ids`] | regions and endpoints, `--duration`, names and ids: parsed once |
//! | [`host`], [`env_vars`], [`log`] | the world as a value, with its questions to a person (`host/prompt.rs`) and what is shown meanwhile |
//! | [`secret`], [`credentials`], [`sanitize`] | what must not be shown, what signs, what a server said |
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
pub mod env_vars;
pub mod error;
pub mod exec_credential;
pub mod host;
pub mod http;
pub mod huaweicloud;
pub mod identity;
pub mod ids;
pub mod kubeconfig;
pub(crate) mod kubectl;
pub mod lifetime;
pub mod log;
pub(crate) mod output;
pub mod plan;
pub(crate) mod revocation;
pub mod sanitize;
pub mod secret;
pub(crate) mod session;
pub(crate) mod sign_in;
pub mod store;

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
    let cli = match cli::Cli::parse_line(&typed) {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error, host),
    };
    match commands::run(&cli, &typed, host) {
        Ok(()) => Exit::Done,
        Err(error) => {
            error.report(host);
            error.exit()
        }
    }
}

/// Help and version go to stdout and are no error; everything else is one.
fn show_usage(error: &clap::Error, host: &Host) -> Exit {
    let text = error.to_string();
    if error.use_stderr() {
        host.say(text.trim_end());
        return Exit::Usage;
    }
    match host.print(&text) {
        Ok(()) => Exit::Done,
        Err(_) => Exit::Failed,
    }
}
