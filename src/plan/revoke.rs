//! What `revoke` means.

use crate::cli::RevokeArgs;
use crate::huaweicloud::cce::revocation::CertificateOwner;
use crate::ids::UserId;
use crate::plan::given::Given;
use crate::plan::{ClusterSelection, InputFile, PlanError};

/// Whose certificates are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of the identity that acts.
    Own,
    /// Those of this one.
    Of(CertificateOwner),
    /// Those of whoever this certificate is.
    FromCertificate(InputFile),
}

/// Whether the API server is asked afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// It must be seen to refuse the old certificate.
    Required,
    /// Where there is an old certificate to ask with.
    IfPossible,
    /// Not.
    None,
}

/// What `revoke` means.
#[derive(Debug, Clone)]
pub struct RevokePlan {
    /// Whose certificates.
    pub whose: Whose,
    /// On which clusters.
    pub choice: ClusterSelection,
    /// Whether that is looked at.
    pub verification: Verification,
}

impl RevokePlan {
    /// Makes the plan.
    pub fn new(args: &RevokeArgs) -> Result<Self, PlanError> {
        let id = |flag: &str, text: &Option<String>| {
            let given = text.as_ref().map(|text| Given {
                text: text.clone(),
                origin: flag.to_owned(),
            });
            given
                .map(|given| given.parse(UserId::parse, crate::ids::InvalidId::hint))
                .transpose()
        };
        let user = id("--user-id", &args.user_id)?.map(CertificateOwner::User);
        let agency = id("--agency-id", &args.agency_id)?.map(CertificateOwner::Agency);
        Ok(Self {
            whose: match (user.or(agency), &args.from_cert) {
                (Some(holder), _) => Whose::Of(holder),
                (None, Some(file)) => Whose::FromCertificate(InputFile::new(file)),
                (None, None) => Whose::Own,
            },
            choice: ClusterSelection::new(&args.choice, args.all)?,
            verification: match (args.verify, args.no_verify) {
                (true, _) => Verification::Required,
                (_, true) => Verification::None,
                _ => Verification::IfPossible,
            },
        })
    }
}
