//! The commands; `login` has a folder of its own, `get-credential` is everywhere.

mod clusters;
mod completion;
mod convert;
mod doctor;
mod logout;
mod mistyped;
mod profile;
mod refresh;
mod revoke;
mod revoke_leaked;
mod rotate;
#[cfg(target_os = "linux")]
mod status;
mod usable;
