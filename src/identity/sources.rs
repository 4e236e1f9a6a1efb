//! The sources of an identity, one file each.

pub(crate) mod clouds;
pub(crate) mod env;
pub(crate) mod hcloud;
pub(crate) mod metadata;
pub(crate) mod oidc;
pub(crate) mod openstack;
pub(crate) mod pod;
pub(crate) mod profile;
pub(crate) mod sdk_file;
mod sign_on;
