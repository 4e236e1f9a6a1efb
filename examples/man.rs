//! Writes a man page for each command into a directory: `cargo run --example man -- DIR`.

use clap::CommandFactory as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os()
        .nth(1)
        .ok_or("usage: cargo run --example man -- DIR")?;
    let mut command = cce_login::cli::Cli::command();
    command.build(); // what is deferred, too
    clap_mangen::generate_to(command, Path::new(&dir))?;
    Ok(())
}
