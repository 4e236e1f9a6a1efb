//! What the cloud's answers have taught us, kept for the next run: what an endpoint can do, how its clock stands, whom it throttles,
//! what users are called, which project is a region's main one.
//!
//! One small file each in the state directory, without any secret. A file that is missing, unreadable or too old teaches nothing: the
//! next run finds out again, at the price of one more request.

mod endpoint;
mod login;
mod project;
mod throttle;
mod user;

pub(crate) use endpoint::{EndpointTraits, Endpoints, SignatureForm};
pub(crate) use login::{used_by_login, was_used_by_login};
pub(crate) use project::{is_main_project, main_project};
pub(crate) use throttle::Throttle;
pub(crate) use user::remember_user;
pub(crate) use user::user_name;

use crate::host::{Directories, read_private, write_private};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;

fn file(directories: &Directories, kind: &str, name: &str) -> Option<PathBuf> {
    let hash = crate::huaweicloud::signing::short_hash(name.as_bytes());
    Some(directories.state.as_ref()?.join(kind).join(format!("{hash}.json")))
}

fn read<T: DeserializeOwned>(directories: &Directories, kind: &str, name: &str) -> Option<T> {
    serde_json::from_slice(&read_private(&file(directories, kind, name)?).ok()??).ok()
}

/// Best effort: what cannot be written is not remembered.
fn write<T: Serialize>(directories: &Directories, kind: &str, name: &str, value: &T) {
    if let (Some(path), Ok(text)) = (file(directories, kind, name), serde_json::to_vec(value)) {
        let _ = write_private(&path, &text);
    }
}
