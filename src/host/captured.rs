//! A program of the user's that prints something for us: run without a shell, under a deadline, its words for people passed on.

use crate::env_vars::KUBERNETES_EXEC_INFO;
use crate::host::{Deadline, Env};
use crate::secret::Secret;
use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

/// More than this is no answer.
const LARGEST_ANSWER: u64 = 1 << 20;
/// What is kept of what it says to people.
const LARGEST_MESSAGE: u64 = 4096;
const POLL: Duration = Duration::from_millis(10);

/// How a program ended.
pub(crate) struct Captured {
    /// It says that all went well.
    pub(crate) is_success: bool,
    /// `exit status: 1`, `signal: 9`.
    pub(crate) status: String,
    /// What it printed; it may be secret.
    pub(crate) stdout: Secret<Vec<u8>>,
    /// What it said to people, where nobody saw it.
    pub(crate) stderr: String,
}

/// Runs it to its end, or ends it at the deadline. `is_shown`: a person reads what it says, and can answer it.
pub(crate) fn capture(words: &[String], env: &Env, is_shown: bool, deadline: Deadline) -> io::Result<Captured> {
    let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).env_remove(KUBERNETES_EXEC_INFO);
    if let Some(pairs) = env.given_pairs() {
        command.env_clear().envs(pairs);
    }
    command.stdout(Stdio::piped());
    if is_shown {
        command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        command.stdin(Stdio::null()).stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    let streams = (child.stdout.take(), child.stderr.take());
    let readers =
        reader(streams.0, LARGEST_ANSWER).and_then(|stdout| Ok((stdout, reader(streams.1, LARGEST_MESSAGE)?)));
    let (stdout, stderr) = readers.inspect_err(|_| {
        let _ = child.kill(); // nobody reads what it prints
        let _ = child.wait();
    })?;
    let status = wait(&mut child, deadline)?;
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    Ok(Captured {
        is_success: status.success(),
        status: status.to_string(),
        stdout: Secret::new(stdout),
        stderr: String::from_utf8_lossy(&stderr).trim().to_owned(),
    })
}

fn wait(child: &mut Child, deadline: Deadline) -> io::Result<std::process::ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if deadline.remaining().is_zero() {
            let _ = child.kill(); // it may have ended in this moment
            let _ = child.wait();
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(POLL);
    }
}

/// Reads a stream to its end beside us, but keeps no more than `largest`.
fn reader(stream: Option<impl io::Read + Send + 'static>, largest: u64) -> io::Result<JoinHandle<Vec<u8>>> {
    std::thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.by_ref().take(largest).read_to_end(&mut bytes); // what came before a failure counts
            let _ = io::copy(&mut stream, &mut io::sink());
        }
        bytes
    })
}
