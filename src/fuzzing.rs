//! What `fuzz/` asks of the readers: one function per target. Each takes whatever bytes, reads them as the program would, and panics where a
//! promise is broken: what was read is what was said, what is written can be read again, nothing foreign changes, no secret is told.
//!
//! It is compiled for the fuzzer alone (`--cfg fuzzing`) and never part of the program.

mod answers;
mod certificates;
mod kubeconfigs;
mod protocols;
mod sources;

pub use answers::{LoopbackCloud, iam_answer, identity_center_answer};
pub use certificates::{cache_entry, cce_answer, certificate, register_value};
pub use kubeconfigs::kubeconfig;
pub use protocols::{exec_info, headers, id_token};
pub use sources::{clouds_yaml, config_toml, hcloud_config, sdk_credentials};

use crate::error::Explain;
use crate::host::Clock;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

/// The time at which everything is read: 2050-01-01, so that the certificates of the corpus are valid in any year in which it is made.
const NOW: i64 = 2_524_608_000;
/// When the machine was started.
const BOOTED_AT: i64 = NOW - 1000;

fn clock() -> Clock {
    Clock::Fixed {
        now: Arc::new(AtomicI64::new(NOW)),
        booted_at: Arc::new(AtomicI64::new(BOOTED_AT)),
    }
}

/// Everything that people may read of an error: its text, its causes, its hint.
fn told(error: &dyn Explain) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text.push('\n');
    text.push_str(&error.hint().unwrap_or_default());
    text
}

/// The text has none of the secrets that a corpus is made with.
fn assert_tells_no_secret(text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "a secret is told: {text}");
    }
}
