//! The cloud's protocol, usable on its own: regions and hosts, credentials, signing, the calls of IAM, of the Identity Center and of CCE, and what its answers have
//! taught us. Nothing here knows of commands, identities or kubeconfigs.

pub(crate) mod api;
pub mod cce;
pub mod cloud;
pub(crate) mod credentials;
pub mod iam;
pub(crate) mod identity_center;
pub(crate) mod observed;
pub mod signing;
