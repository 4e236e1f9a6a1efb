//! Writes a man page for each command into a directory, which is made: `cargo run --example man -- DIR`.

use clap::CommandFactory as _;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os()
        .nth(1)
        .ok_or("usage: cargo run --example man -- DIR")?;
    Ok(write_into(Path::new(&dir))?)
}

pub(crate) fn write_into(dir: &Path) -> std::io::Result<()> {
    let mut command = cce_login::cli::Cli::command();
    command.build(); // what is deferred, too
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(command, dir)
}
