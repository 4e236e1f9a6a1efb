//! A simulated Huawei Cloud on loopback: IAM and CCE over TLS, and for every cluster a Kubernetes API server that asks for client certificates.
//!
//! ```text
//!  client ──TLS──► server ─► gateway ─► signature ─► iam | cce        (record, faults, clock; strict about every request)
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

mod admin;
mod answer;
mod api_server;
mod behaviour;
mod cce;
mod clock;
mod cluster;
mod directory;
mod door;
mod errors;
mod faults;
mod gateway;
mod iam;
mod jobs;
mod keys;
mod pki;
mod records;
mod server;
mod signature;
mod sim;
mod spec;
mod tls;
mod world;

pub use behaviour::{ApiServerCertificate, Behaviour, ExpireAt, JobOutcome, SelfSubjectReviews, SignatureStyle};
pub use directory::AccessKey;
pub use faults::Fault;
pub use records::{ApiRecorded, Recorded};
pub use sim::{IssuedCertificate, Sim};
pub use spec::{ClusterInfo, ClusterSpec, EndpointsShape, KeyFormat};
