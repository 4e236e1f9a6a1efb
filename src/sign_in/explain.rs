//! A cloud that refuses an identity is explained by where that identity is configured.

use crate::error::Error;
use crate::huaweicloud::api::ApiError;
use crate::huaweicloud::cce::CceError;
use crate::huaweicloud::iam::IamError;
use crate::identity::Identity;

/// A refused identity is cured where it is configured.
pub(crate) fn explain(error: impl Into<ExplainedBy>, identity: &Identity) -> Error {
    let ExplainedBy {
        error,
        is_identity_refused,
    } = error.into();
    if is_identity_refused {
        error.with_hint(identity.cure_when_refused())
    } else {
        error
    }
}

/// An error, and whether the cloud refused the identity as such.
pub(crate) struct ExplainedBy {
    error: Error,
    is_identity_refused: bool,
}

fn refuses_identity(error: &ApiError) -> bool {
    matches!(error, ApiError::Refused(refusal) if refusal.status == 401 && refusal.clock_offset.is_none())
}

impl From<CceError> for ExplainedBy {
    fn from(error: CceError) -> Self {
        let is_identity_refused = matches!(&error, CceError::Api(api) if refuses_identity(api));
        Self {
            error: error.into(),
            is_identity_refused,
        }
    }
}

impl From<IamError> for ExplainedBy {
    fn from(error: IamError) -> Self {
        let is_identity_refused = matches!(&error, IamError::Api(api) if refuses_identity(api));
        Self {
            error: error.into(),
            is_identity_refused,
        }
    }
}
