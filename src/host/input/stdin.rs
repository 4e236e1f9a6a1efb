//! The process's own stdin: what is not typed there by a person is waited for until the run's deadline, like any other pipe.

use super::Inputs;
use std::io::{self, IsTerminal as _, Read};

/// The process's stdin.
pub(in crate::host) struct Stdin(Inputs);

impl Stdin {
    /// For the run that reads these inputs.
    pub(in crate::host) fn of(inputs: &Inputs) -> Self {
        Self(inputs.clone())
    }
}

impl Read for Stdin {
    #[cfg(unix)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            super::read::wait_for(&stdin, self.0.deadline())?;
        }
        // Past the buffer of the standard library, which could hold what we wait for.
        Ok(rustix::io::read(stdin, buffer)?)
    }

    #[cfg(not(unix))]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let _ = (self.0.deadline(), io::stdin().is_terminal());
        io::stdin().read(buffer)
    }
}
