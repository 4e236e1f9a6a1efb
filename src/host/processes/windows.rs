//! [`super`] on Windows.

use crate::host::{KUBERNETES_EXEC_INFO, OsString, Process};
use std::io;
use std::os::windows::io::AsRawHandle as _;
use std::os::windows::process::CommandExt as _;
use std::process::{Command, Stdio};
use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};
use windows_sys::Win32::System::Threading::{CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS};

/// Not asked for: it would take a snapshot of all processes at each call.
pub(super) fn parent() -> Option<Process> {
    None
}

pub(super) fn parent_program() -> Option<String> {
    None
}

pub(super) fn spawn_detached(args: &[OsString]) -> io::Result<()> {
    keep_handles_to_ourselves();
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args.iter().skip(1)).env_remove(KUBERNETES_EXEC_INFO);
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map(drop)
}

/// A new process gets every handle that can be inherited, and the ones that kubectl gave us can: it would wait for its pipe to be closed.
/// Handles that we opened ourselves cannot be inherited.
#[expect(unsafe_code, reason = "the standard library cannot change a handle's flags")]
#[expect(clippy::disallowed_methods, reason = "the streams themselves are not used")]
fn keep_handles_to_ourselves() {
    for handle in [
        io::stdin().as_raw_handle(),
        io::stdout().as_raw_handle(),
        io::stderr().as_raw_handle(),
    ] {
        // SAFETY: the handle is one of this process, or null or invalid, which the call refuses; no memory is involved.
        let _ = unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) };
    }
}
