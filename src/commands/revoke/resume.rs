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
    let is_by_context = !args.all && args.choice.cluster.is_empty();
    for revocation in left {
        if is_by_context {
            line.flag("context", &revocation.label());
        } else {
            line.flag("cluster", revocation.cluster_id());
        }
    }
    format!("the rest: `{}`", line.line())
}
