//! Tells the program which commit it is built from. Nothing else of the machine or the time gets in, so that the same commit gives the same
//! program.

use std::path::Path;
use std::process::Command;

/// What decides about the program besides the commit.
const SOURCES: [&str; 4] = ["src", "Cargo.toml", "Cargo.lock", "build.rs"];
/// What `cargo package` notes.
const NOTE_OF_PACKAGE: &str = ".cargo_vcs_info.json";
/// So many digits of a commit tell it from all others.
const SHOWN: usize = 12;

fn main() {
    let (commit, is_modified) = match checkout() {
        Some(commit) => {
            let changes = git(&[&["--no-optional-locks", "status", "--porcelain", "--"][..], &SOURCES].concat());
            (commit, changes.is_none_or(|changes| !changes.is_empty()))
        }
        None => (package().unwrap_or_default(), false),
    };
    println!("cargo::rustc-env=CCE_LOGIN_BUILT_FROM={commit}");
    println!("cargo::rustc-env=CCE_LOGIN_BUILT_MODIFIED={is_modified}");
    for file in SOURCES {
        println!("cargo::rerun-if-changed={file}");
    }
}

/// The commit of this checkout; a repository around it that has something else in it does not count.
fn checkout() -> Option<String> {
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let is_ours = Path::new(&root).canonicalize().ok()? == Path::new(".").canonicalize().ok()?;
    if !is_ours {
        return None;
    }
    git(&["ls-files", "--error-unmatch", "--", "Cargo.toml"])?;
    // What moves with the commit.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists());
        if let Some(path) = path {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "HEAD"]).map(|commit| commit.chars().take(SHOWN).collect())
}

/// The commit that a source package was made of, if it says so.
fn package() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a file of the package, when it is built")]
    let note = std::fs::read_to_string(NOTE_OF_PACKAGE).ok()?;
    let (_, after) = note.split_once("\"sha1\"")?;
    let commit: String = after.chars().filter(char::is_ascii_hexdigit).take(SHOWN).collect();
    (commit.len() == SHOWN).then_some(commit)
}

fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
