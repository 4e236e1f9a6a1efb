//! A program of the user's that prints something for us: run without a shell, under a deadline, its words for people passed on.

use crate::env_vars::KUBERNETES_EXEC_INFO;
use crate::host::{Deadline, Env};
use crate::secret::{Secret, append};
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use zeroize::Zeroizing;

/// More than this is no answer.
const LARGEST_ANSWER: usize = 1 << 20;
/// What is kept of what it says to people.
const LARGEST_MESSAGE: usize = 4096;
/// So much is read at a time.
const CHUNK: usize = 16 << 10;
/// How long after a program's end its last words are waited for.
const LAST_WORDS: Duration = Duration::from_secs(1);
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
        Reader::of(streams.0, LARGEST_ANSWER).and_then(|stdout| Ok((stdout, Reader::of(streams.1, LARGEST_MESSAGE)?)));
    let (stdout, stderr) = readers.inspect_err(|_| {
        let _ = child.kill(); // nobody reads what it prints
        let _ = child.wait();
    })?;
    let status = wait(&mut child, deadline)?;
    let stderr = stderr.end();
    Ok(Captured {
        is_success: status.success(),
        status: status.to_string(),
        stdout: stdout.end(),
        // What it says to people.
        stderr: String::from_utf8_lossy(stderr.expose()).trim().to_owned(),
    })
}

/// What a program prints, where nobody but us wants to know; `None` if it does not end in time.
pub(crate) fn stdout_of(program: PathBuf, arguments: &[&str], patience: Duration) -> Option<Secret<Vec<u8>>> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let stdout = Reader::of(child.stdout.take(), LARGEST_ANSWER);
    let ended = wait(&mut child, Deadline::after(patience)).ok();
    Some(stdout.ok()?.end()).filter(|_| ended.is_some())
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

/// A stream that is read to its end beside us.
struct Reader {
    bytes: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    ended: Receiver<()>,
}

impl Reader {
    /// Keeps no more than `largest` of it.
    fn of(stream: Option<impl io::Read + Send + 'static>, largest: usize) -> io::Result<Self> {
        let bytes = Arc::<Mutex<Zeroizing<Vec<u8>>>>::default();
        let (end, ended) = std::sync::mpsc::channel();
        let kept = bytes.clone();
        let mut stream = stream;
        std::thread::Builder::new().spawn(move || {
            let mut chunk = Zeroizing::new(vec![0; CHUNK]);
            // What came before a failure counts.
            while let Some(count) = stream.as_mut().and_then(|stream| read(stream, &mut chunk)) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = largest.saturating_sub(kept.len());
                append(&mut kept, chunk.get(..count.min(room)).unwrap_or_default());
            }
            drop(end);
        })?;
        Ok(Self { bytes, ended })
    }

    /// All of it, once the program has ended. What the program has left behind may hold the stream open for ever: not waited for.
    fn end(self) -> Secret<Vec<u8>> {
        let _ = self.ended.recv_timeout(LAST_WORDS);
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        Secret::new(std::mem::take(&mut **bytes))
    }
}

/// So many bytes more; `None` at the end.
fn read(stream: &mut impl io::Read, chunk: &mut [u8]) -> Option<usize> {
    loop {
        match stream.read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.ok().filter(|count| *count > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Stopwatch;

    #[cfg(unix)]
    #[test]
    fn what_a_program_leaves_behind_is_not_waited_for() {
        let words = ["sh", "-c", "sleep 30 & printf key"].map(str::to_owned);
        let started = Stopwatch::start();
        let deadline = Deadline::after(Duration::from_secs(20));
        let ended = capture(&words, &Env::of_process(), false, deadline).unwrap();
        assert_eq!(
            (ended.is_success, ended.stdout.expose().as_slice()),
            (true, &b"key"[..])
        );
        assert!(started.elapsed() < Duration::from_secs(15));
    }

    #[cfg(unix)]
    #[test]
    fn of_what_never_ends_only_the_beginning_is_kept() {
        let words = ["sh", "-c", "head -c 3000000 /dev/zero"].map(str::to_owned);
        let ended = capture(
            &words,
            &Env::of_process(),
            false,
            Deadline::after(Duration::from_secs(20)),
        );
        assert_eq!(ended.unwrap().stdout.expose().len(), LARGEST_ANSWER);
        let endless = stdout_of("/bin/sh".into(), &["-c", "cat /dev/zero"], Duration::from_millis(100));
        assert!(endless.is_none());
    }
}
