//! The id of a region's main project, as IAM has told it to an identity. It never changes.

use super::{read, write};
use crate::host::Directories;
use crate::ids::{Endpoint, ProjectId, Region};

/// The directory of the files.
const KIND: &str = "projects";

/// The id that was told.
pub(crate) fn main_project(
    directories: &Directories,
    iam: &Endpoint,
    fingerprint: &str,
    region: &Region,
) -> Option<ProjectId> {
    let id: String = read(directories, KIND, &name(iam, fingerprint, region))?;
    ProjectId::parse(&id).ok()
}

/// Remembers the id.
pub(crate) fn is_main_project(
    directories: &Directories,
    iam: &Endpoint,
    fingerprint: &str,
    region: &Region,
    id: &ProjectId,
) {
    write(directories, KIND, &name(iam, fingerprint, region), &id.as_str());
}

fn name(iam: &Endpoint, fingerprint: &str, region: &Region) -> String {
    [iam.as_str(), fingerprint, region.as_str()].join("\0")
}
