//! `completion install`: the program that kubectl looks for, which is a link to this one.

use crate::cli::CompletionInstallArgs;
use crate::error::{Exit, Explain, Result};
use crate::host::{Host, programs};
use std::io;
use std::path::{Path, PathBuf};

/// The program that kubectl asks for completions of `kubectl cce-login`.
pub(crate) const COMPLETER: &str = "kubectl_complete-cce_login";

/// Why it is not there.
#[derive(Debug, thiserror::Error)]
enum InstallError {
    #[error("it is not known where this program is")]
    Nowhere,
    #[error("`{}` is there already, and is not ours", .0.display())]
    Foreign(PathBuf),
    #[error("cannot make `{}`", path.display())]
    Link { path: PathBuf, source: io::Error },
}

impl Explain for InstallError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Nowhere => "run it by its full path",
                Self::Foreign(_) => "move it away, or choose another directory on your PATH with `--dir`",
                Self::Link { .. } => {
                    "choose a directory on your PATH that you may write to, such as `--dir ~/.local/bin`"
                }
            }
            .to_owned(),
        )
    }
}

/// Places the link.
pub(crate) fn run(args: &CompletionInstallArgs, host: &Host) -> Result<()> {
    let program = programs::stable_path(host).ok_or(InstallError::Nowhere)?;
    let dir = match &args.dir {
        Some(dir) => crate::plan::absolute(Path::new(dir)),
        None => program.parent().ok_or(InstallError::Nowhere)?.to_owned(),
    };
    let path = dir.join(format!("{COMPLETER}{}", std::env::consts::EXE_SUFFIX));
    place(&program, &path)?;
    host.say(&format!("`{}` placed", path.display()));
    if !programs::find(host, COMPLETER).any(|found| found == path) {
        host.say(&format!(
            "warning: `{}` is not on your PATH, so kubectl does not find it",
            dir.display()
        ));
    }
    host.say("`kubectl cce-login <Tab>` completes where kubectl itself does: `kubectl completion --help`");
    Ok(())
}

/// Removes the links on PATH that are ours.
pub(crate) fn remove(host: &Host) {
    let Some(program) = programs::stable_path(host) else {
        return;
    };
    for link in programs::find(host, COMPLETER).filter(|link| is_ours(link, &program)) {
        if std::fs::remove_file(&link).is_ok() {
            host.say(&format!("`{}` removed", link.display()));
        }
    }
}

/// Makes `path` lead to `program`. What is there and is not ours stays.
fn place(program: &Path, path: &Path) -> std::result::Result<(), InstallError> {
    let failed = |source| InstallError::Link {
        path: path.to_owned(),
        source,
    };
    if path.symlink_metadata().is_ok() {
        if !is_ours(path, program) {
            return Err(InstallError::Foreign(path.to_owned()));
        }
        std::fs::remove_file(path).map_err(failed)?;
    }
    link(program, path).map_err(failed)
}

#[cfg(unix)]
fn is_ours(path: &Path, _program: &Path) -> bool {
    let target = std::fs::read_link(path).ok();
    target.is_some_and(|target| target.file_name() == Some(programs::COMMAND.as_ref()))
}

#[cfg(unix)]
fn link(program: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, path)
}

/// A copy of an older version cannot be told from another program but by its name, which is ours alone.
#[cfg(not(unix))]
fn is_ours(_path: &Path, _program: &Path) -> bool {
    true
}

/// Symbolic links need a privilege there.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "our own program, to a new name")]
fn link(program: &Path, path: &Path) -> io::Result<()> {
    std::fs::hard_link(program, path).or_else(|_| std::fs::copy(program, path).map(|_| ()))
}
