//! `version`: which version this is.

use crate::cli::VersionArgs;
use crate::error::Result;
use crate::host::Host;
use crate::output::{self, Format};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    version: &'static str,
    platform: String,
}

/// Prints the version.
pub(super) fn run(args: &VersionArgs, host: &Host) -> Result<()> {
    let format = Format::parse(&args.output)?;
    let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    let version = VersionView {
        version: env!("CARGO_PKG_VERSION"),
        platform,
    };
    let text = match format {
        Format::Json => output::json(&version),
        Format::Yaml => output::yaml(&version),
        Format::Table | Format::Wide | Format::Name => {
            format!("kubectl cce-login {} {}\n", version.version, version.platform)
        }
    };
    output::print(host, &text)
}
