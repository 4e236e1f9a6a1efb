//! How the simulated cloud behaves as long as nobody says otherwise; every field can be changed while it runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{identity_center::CenterBehaviour, provider::ProviderBehaviour};

/// What the cloud does with `expire_at` in a `clustercert` request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpireAt {
    /// It decides the certificate's end, as on Huawei Cloud.
    #[default]
    Supported,
    /// It is not looked at; `duration` is required and decides.
    Ignored,
    /// An unknown field: 400, as on a strict server that knows `duration` only.
    Refused400,
}

/// Which form of `SDK-HMAC-SHA256` the gateway accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureStyle {
    /// `Access=…`, the form of the official SDKs.
    #[default]
    Modern,
    /// `Credential=…/date/region/service/sdk_request` with a derived key, the form of gophertelekomcloud.
    LegacyOnly,
    /// Both.
    Either,
}

/// The certificate that API servers show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApiServerCertificate {
    /// From the cluster's CA, for the internal address, the `kubernetes…` names and the custom SANs.
    #[default]
    Normal,
    /// From the cluster's CA, but for a node.
    NodeName,
    /// Made for the internal address, and for no name.
    AddressOnly,
    /// With the right names, from a CA of the same subject that is not the cluster's.
    OtherCa,
    /// From the cluster's CA with the right names, but for client authentication only.
    ClientAuthOnlyEku,
    /// As it should be, but past its end.
    Expired,
}

/// Which versions of `SelfSubjectReview` API servers know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelfSubjectReviews {
    /// `authentication.k8s.io/v1` and `v1beta1`.
    #[default]
    V1,
    /// `authentication.k8s.io/v1beta1` only, as in 1.27.
    V1beta1Only,
    /// None, as before 1.26.
    Absent,
}

/// How a rotation job ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// `Success`.
    #[default]
    Success,
    /// `Failed` with this reason, and one failing sub-job.
    Failed(String),
    /// The job answers 404 instead of reaching an end.
    Vanished,
}

/// What the metadata service of the ECS does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataMode {
    /// Version 2 only: without a token 401.
    #[default]
    TokenRequired,
    /// Version 2 and version 1: a token is checked if there is one.
    TokenOptional,
    /// Version 1 only: nobody gives out tokens (404).
    WithoutTokens,
    /// Something listens there that is no metadata service: 404 for everything.
    NotFound,
    /// Nothing listens there.
    Refused,
    /// Takes every request and never answers.
    Hangs,
}

/// The name of the agency in an `assume_role` request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgencyKey {
    /// `agency_name`, `xrole_name`, or both if they agree.
    #[default]
    Either,
    /// `agency_name`, as documented; the other one is an unknown field.
    AgencyName,
    /// `xrole_name`, as in OTC's samples; the other one is not looked at.
    XroleName,
}

/// Settings of the whole simulated cloud. All offsets are in seconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own, named where it is used"
)]
pub struct Behaviour {
    /// What happens to `expire_at`.
    pub expire_at_supported: ExpireAt,
    /// Every certificate lives this long, whatever was asked for; whole seconds.
    #[serde(with = "seconds")]
    pub certificate_lifetime: Option<Duration>,
    /// Added to `NotBefore`: `3600` is not yet valid, `-120` backdated.
    pub not_before_offset: i64,
    /// Certificates ended an hour ago.
    pub expired_certificate: bool,
    /// The cloud's clock relative to the machine's: `Date` headers, skew checks, validity, the API servers' checks.
    pub clock_offset: i64,
    /// The key in a `clustercert` answer is not the certificate's.
    pub wrong_key: bool,
    /// The certificate in a `clustercert` answer is no certificate.
    pub malformed_certificate: bool,
    /// `clustercert` answers carry an `exec` user, `proxy-url`, `tls-server-name` and extensions of somebody with bad intentions.
    pub smuggle: bool,
    /// `clustercert` answers name no authorities.
    pub no_authorities: bool,
    /// The server URL in every cluster of a `clustercert` answer.
    pub server_override: Option<String>,
    /// The accepted form of the signature.
    pub signature_style: SignatureStyle,
    /// The certificate that API servers show to new connections.
    pub api_server_certificate: ApiServerCertificate,
    /// All external clusters of a `clustercert` answer are called `externalCluster`.
    pub duplicate_external_clusters: bool,
    /// Replaces `current-context` of a `clustercert` answer.
    pub current_context: Option<String>,
    /// `clustercert` requests an identity may make in any 60 seconds; more are throttled.
    pub clustercert_limit: Option<u32>,
    /// Known versions of `SelfSubjectReview`.
    pub self_subject_reviews: SelfSubjectReviews,
    /// Milliseconds between the changes that watches tell of, and between the lines of a log.
    pub stream_interval_ms: u64,
    /// API servers end a stream when its client's certificate ends; kube-apiserver does not.
    pub end_streams_with_certificate: bool,
    /// API servers end a stream after so many milliseconds.
    pub stream_timeout_ms: Option<u64>,
    /// Polls right after the submission that do not find the job.
    pub job_missing_polls: u32,
    /// Polls that a job answers with `Initializing`.
    pub job_initializing_polls: u32,
    /// Polls that a job answers with `Running`.
    pub job_running_polls: u32,
    /// How jobs end.
    pub job_outcome: JobOutcome,
    /// The endpoints for revocation and rotation do not exist, as documented for OTC.
    pub no_revoke_and_rotate: bool,
    /// The cloud's ports are closed: connections are refused.
    pub cloud_down: bool,
    /// Tokens live this long instead of 24 hours; whole seconds.
    #[serde(with = "seconds")]
    pub token_lifetime: Option<Duration>,
    /// Temporary access keys live this long, whatever was asked for; whole seconds.
    #[serde(with = "seconds")]
    pub temporary_key_lifetime: Option<Duration>,
    /// Answers that bring a token lack their `X-Subject-Token`.
    pub no_subject_token: bool,
    /// How `assume_role` names the agency.
    pub agency_key: AgencyKey,
    /// What the metadata service does.
    pub metadata: MetadataMode,
    /// IAM knows only the older path for id tokens (`OS-FEDERATION`), as otc-auth uses it on OTC.
    pub only_federation_path: bool,
    /// IAM takes no id token with more characters than this.
    pub longest_id_token: Option<usize>,
    /// The Identity Center.
    pub identity_center: CenterBehaviour,
    /// The company's identity provider.
    pub provider: ProviderBehaviour,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            expire_at_supported: ExpireAt::default(),
            certificate_lifetime: None,
            not_before_offset: 0,
            expired_certificate: false,
            clock_offset: 0,
            wrong_key: false,
            malformed_certificate: false,
            smuggle: false,
            no_authorities: false,
            server_override: None,
            signature_style: SignatureStyle::default(),
            api_server_certificate: ApiServerCertificate::default(),
            duplicate_external_clusters: false,
            current_context: None,
            clustercert_limit: None,
            self_subject_reviews: SelfSubjectReviews::default(),
            stream_interval_ms: 200,
            end_streams_with_certificate: false,
            stream_timeout_ms: None,
            job_missing_polls: 0,
            job_initializing_polls: 1,
            job_running_polls: 1,
            job_outcome: JobOutcome::default(),
            no_revoke_and_rotate: false,
            cloud_down: false,
            token_lifetime: None,
            temporary_key_lifetime: None,
            no_subject_token: false,
            agency_key: AgencyKey::default(),
            metadata: MetadataMode::default(),
            only_federation_path: false,
            longest_id_token: None,
            identity_center: CenterBehaviour::default(),
            provider: ProviderBehaviour::default(),
        }
    }
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        value.map(|lifetime| lifetime.as_secs()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}

pub(crate) mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_secs().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}
