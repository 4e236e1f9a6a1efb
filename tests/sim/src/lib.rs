//! A simulated Huawei Cloud on loopback: IAM and CCE over TLS, and for every cluster a Kubernetes API server that asks for client certificates.
//!
//! ```text
//!  client ──TLS──► server ─► gateway ─► principal ─► iam | cce | sts  (record, faults, clock; strict about every request)
//!  client ──TLS──► server ─► gateway ─► identity_center | provider   (people who sign in with a browser)
//!  client ──HTTP─► server ─► gateway ─► metadata | pod_identity | actions   (what an ECS, a node, a CI job finds next to it)
//!  client ─proxy─► proxy ──► server                                          (the names of the real clouds)
//!  kubectl ─mTLS─► server ─► api_server ─► authentication ─► objects  (one per cluster, certificates from pki)
//!  tests ─────────► Sim ───► world      ◄── admin (the same over plain HTTP, in the binary)
//! ```
//!
//! Nothing here calls the plugin: the signature check is written from the specification, so that a common misreading cannot pass.
//! Every address it names or listens on is a loopback address.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a broken test world should stop the test; what a client sends never reaches an `expect`, and only JSON written here is indexed"
)]

mod access_keys;
mod accounts;
mod actions;
mod admin;
mod answer;
mod api_server;
mod behaviour;
mod cce;
mod clock;
mod cluster;
mod directory;
mod errors;
mod faults;
mod gateway;
mod iam;
mod id_token;
mod identity_center;
mod jobs;
mod keys;
mod listener;
mod metadata;
mod pki;
mod pod_identity;
mod principal;
mod provider;
mod proxy;
mod records;
mod server;
mod signature;
mod sim;
mod spec;
mod sts;
mod tls;
mod tokens;
mod totp;
mod world;

pub use access_keys::AccessKey;
pub use accounts::{AgencySpec, IdTokenSpec, ProviderSpec, Trust, UserSpec};
pub use behaviour::{
    AgencyKey, ApiServerCertificate, Behaviour, ExpireAt, JobOutcome, MetadataMode, SelfSubjectReviews, SignatureStyle,
};
pub use faults::Fault;
pub use identity_center::{Approval, CenterBehaviour, PollWords};
pub use provider::{ProviderBehaviour, Quirk};
pub use proxy::{Proxy, ProxyKind};
pub use records::{ApiRecorded, Recorded};
pub use sim::{IssuedCertificate, Sim};
pub use spec::{ClusterInfo, ClusterSpec, Elsewhere, EndpointsShape, KeyFormat};
