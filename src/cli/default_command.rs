//! Which command is meant when none was typed.

use std::ffi::OsString;

/// Puts `login` where no command was typed: `kubectl cce-login --cluster prod` means `kubectl cce-login login --cluster prod`.
///
/// `help COMMAND` means `COMMAND --help`.
///
/// A command of its own, so that the other commands need not put the many flags of `login` together.
pub fn with_default_command(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let mut at = 1;
    while let Some(text) = args.get(at).and_then(|arg| arg.to_str()) {
        match text {
            "--timeout" => at += 2,
            "--no-input" | "--verbose" => at += 1,
            _ if text.starts_with("--timeout=") => at += 1,
            _ if text.starts_with("-v") && text.trim_start_matches('-').bytes().all(|b| b == b'v') => at += 1,
            _ => break,
        }
    }
    if args.get(at).is_some_and(|arg| arg == "help") {
        args.remove(at);
        args.push("--help".into());
        return args;
    }
    let is_command_missing = match args.get(at).map(|arg| arg.to_string_lossy()) {
        None => true,
        Some(next) => next.starts_with('-') && !matches!(&*next, "-h" | "--help" | "-V" | "--version"),
    };
    if is_command_missing {
        args.insert(at.min(args.len()), "login".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::with_default_command;

    #[test]
    fn login_is_what_is_meant_when_no_command_is_typed() {
        for (typed, meant) in [
            ("x", "x login"),
            ("x --cluster prod", "x login --cluster prod"),
            (
                "x -vv --timeout 5s --cluster version",
                "x -vv --timeout 5s login --cluster version",
            ),
            ("x --timeout=5s", "x --timeout=5s login"),
            ("x --timeout", "x --timeout login"),
            ("x -v version", "x -v version"),
            (
                "x --no-input get-credential --region r",
                "x --no-input get-credential --region r",
            ),
            ("x --help", "x --help"),
            ("x -V", "x -V"),
            ("x nonsense", "x nonsense"),
            ("x help", "x --help"),
            ("x help login", "x login --help"),
            ("x -v help profile set", "x -v profile set --help"),
        ] {
            let args = typed.split(' ').map(Into::into);
            assert_eq!(
                with_default_command(args).join(std::ffi::OsStr::new(" ")),
                meant,
                "{typed}"
            );
        }
    }
}
