//! Which endpoints a login on this machine has used: what a person has typed there, kubectl may use.

use super::{read, write};
use crate::host::Directories;
use crate::ids::Endpoint;
use serde::{Deserialize, Serialize};

/// The directory of the files.
const KIND: &str = "login-endpoints";

#[derive(Serialize, Deserialize)]
struct Used {
    endpoint: String,
}

/// Notes that a login has used the endpoint.
pub(crate) fn used_by_login(directories: &Directories, endpoint: &Endpoint) {
    let used = Used {
        endpoint: endpoint.to_string(),
    };
    write(directories, KIND, endpoint.as_str(), &used);
}

/// Whether a login has.
pub(crate) fn was_used_by_login(directories: &Directories, endpoint: &Endpoint) -> bool {
    let used: Option<Used> = read(directories, KIND, endpoint.as_str());
    used.is_some_and(|used| used.endpoint == endpoint.as_str())
}
