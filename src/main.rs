//! Hands the real world to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    cce_login::host::protect_process(); // before anything that is worth protecting is in memory
    cce_login::main(std::env::args_os(), &cce_login::host::Host::real())
}
