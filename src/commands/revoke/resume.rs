//! The command that does the rest, when some of many clusters are left.

use crate::cli::RevokeArgs;
use crate::cli::command_line::CommandLine;
use crate::revocation::Revocation;

/// The same command for these clusters only.
pub(super) fn line<'a>(args: &RevokeArgs, left: impl Iterator<Item = &'a Revocation<'a>>) -> String {
    let mut line = CommandLine::new("revoke");
    for (flag, value) in [
        ("user-id", &args.user_id),
        ("agency-id", &args.agency_id),
        ("from-cert", &args.from_cert),
    ] {
        if let Some(value) = value {
            line.flag(flag, value);
        }
    }
    line.search(&args.choice);
    for revocation in left {
        let (flag, value) = revocation.flag();
        line.flag(flag, value);
    }
    format!("the rest: `{}`", line.line())
}
