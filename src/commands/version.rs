//! `version`: which version this is, and which commit it was built from (`build.rs` finds out).

use crate::cli::VersionArgs;
use crate::error::Result;
use crate::host::Host;
use crate::output::{self, Format};
use crate::plan;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionView {
    version: &'static str,
    /// `None`: built where nothing tells it.
    commit: Option<&'static str>,
    /// The sources differed from those of the commit.
    is_modified: bool,
    platform: String,
}

impl VersionView {
    fn new() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: Some(env!("CCE_LOGIN_BUILT_FROM")).filter(|commit| !commit.is_empty()),
            is_modified: env!("CCE_LOGIN_BUILT_MODIFIED") == "true",
            platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

/// In one line, for people.
pub(super) fn text() -> String {
    let view = VersionView::new();
    let sources = match view.commit {
        Some(commit) if view.is_modified => format!("commit {commit} with changes"),
        Some(commit) => format!("commit {commit}"),
        None => "built from sources without git, so no commit is known".to_owned(),
    };
    format!("kubectl cce-login {} {}, {sources}\n", view.version, view.platform)
}

/// Prints the version.
pub(super) fn run(args: &VersionArgs, host: &Host) -> Result<()> {
    let format = plan::format(&args.output)?;
    let text = match format {
        Format::Json => output::json(&VersionView::new()),
        Format::Yaml => output::yaml(&VersionView::new()),
        Format::Table | Format::Wide | Format::Name => text(),
    };
    output::print(host, &text)
}
