//! What an error of a platform's own keyring means to us.

use std::time::Duration;

/// One of these.
#[cfg_attr(
    not(all(unix, not(target_os = "macos"))),
    expect(dead_code, reason = "not every platform has every verdict")
)]
pub(super) enum Verdict {
    /// Opening it would take a dialog that we may not open, or that was dismissed.
    Locked,
    /// There is no such keyring here.
    Absent(String),
    /// Its own time limit passed.
    Silent(Duration),
    /// Anything else.
    Failed,
}
