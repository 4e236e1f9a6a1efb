//! `kubectl cce-login`: short-lived client certificates for Huawei Cloud CCE and Open Telekom Cloud CCE.

pub mod kubeconfig;
pub mod secret;
pub mod store;
