//! What users are called: certificates, and API servers with them, know their ids alone.

use super::{read, write};
use crate::host::Directories;
use serde::{Deserialize, Serialize};

/// The directory of the files.
const KIND: &str = "users";

#[derive(PartialEq, Serialize, Deserialize)]
struct NamedUser {
    id: String,
    name: String,
}

/// Notes what the user with this id is called.
pub(crate) fn remember_user(directories: &Directories, id: &str, name: &str) {
    if id.is_empty() || name.is_empty() || user_name(directories, id).as_deref() == Some(name) {
        return;
    }
    let user = NamedUser {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    write(directories, KIND, id, &user);
}

/// What the user with this id is called, if that was ever told.
pub(crate) fn user_name(directories: &Directories, id: &str) -> Option<String> {
    let user: NamedUser = read(directories, KIND, id)?;
    (user.id == id).then_some(user.name)
}
