//! Clients that run us once, when they are set up, and use that certificate to its end: told by the program that runs us.
//!
//! The libraries for Python and Java do so (docs/clients.md). A library that is part of a program of any name, as those for Rust, cannot
//! be told.

/// Whether a program of this name is an interpreter or a virtual machine whose libraries never ask again: `python3.13`, `pypy3`, `java`.
pub(crate) fn is_known(program: &str) -> bool {
    let version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
    let name = program.strip_suffix(".exe").unwrap_or(program);
    name == "java"
        || ["python", "pypy"]
            .iter()
            .any(|interpreter| name.strip_prefix(interpreter).is_some_and(version))
}

#[cfg(test)]
mod tests {
    use super::is_known;

    #[test]
    fn interpreters_are_known_in_all_versions_and_nothing_that_begins_like_them() {
        for program in [
            "python",
            "python3",
            "python3.13",
            "python2.7",
            "pypy",
            "pypy3.10",
            "java",
        ] {
            assert!(is_known(program), "{program}");
        }
        for program in [
            "kubectl",
            "helm",
            "node",
            "javac",
            "python-argcomplete",
            "pythonista",
            "py",
            "bash",
            "",
        ] {
            assert!(!is_known(program), "{program}");
        }
    }
}
