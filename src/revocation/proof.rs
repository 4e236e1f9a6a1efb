//! What a revocation is verified with: a certificate that the API server took until now, and must refuse afterwards.

use crate::api_server::{ApiServer, ApiServerError};
use crate::certificate::ClientCert;
use crate::error::Error;
use crate::host::{Deadline, Stopwatch};
use std::time::Duration;

/// How long the API server has to notice.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first pause between two questions to it; each is twice as long as the one before, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long it has to say whether it takes a certificate now.
const PATIENCE_BEFORE: Duration = Duration::from_secs(10);

/// Which certificate is shown to the API server.
pub(crate) enum RevocationProof {
    /// One that this machine has of the same owner, if there is any.
    OfThisMachine,
    /// The one that was given, which the API server takes now.
    Given(Box<OldCertificate>),
    /// The one that was given can tell nothing: why.
    Silent(String),
}

impl RevocationProof {
    /// The given certificate, if the server takes it now. One that it refuses already proves nothing.
    pub(crate) fn given(cert: ClientCert, called: String, server: ApiServer, deadline: Deadline) -> Self {
        match server.accepts(&cert, deadline.at_most(PATIENCE_BEFORE)) {
            Ok(true) => Self::Given(Box::new(OldCertificate { cert, server, called })),
            Ok(false) => Self::Silent("the API server refuses it already".to_owned()),
            Err(error) => Self::Silent(told(error)),
        }
    }

    /// Why the given certificate can tell nothing.
    pub(crate) fn silent(&self) -> Option<&str> {
        match self {
            Self::Silent(reason) => Some(reason),
            _ => None,
        }
    }

    /// What is known of it beforehand.
    pub(crate) fn preview(&self) -> Option<String> {
        match self {
            Self::OfThisMachine => None,
            Self::Given(given) => Some(format!("the API server takes {} now", given.called)),
            Self::Silent(reason) => Some(format!(
                "it could not be verified with the certificate itself: {reason}"
            )),
        }
    }
}

/// A certificate that was good until now, and the server to show it to.
pub(crate) struct OldCertificate {
    pub(super) cert: ClientCert,
    server: ApiServer,
    /// In a sentence.
    pub(super) called: String,
}

/// What the API server says of it.
pub(super) enum VerificationResult {
    Refused,
    /// Even after so many seconds.
    StillAccepted(u64),
    Unknown(String),
}

impl OldCertificate {
    pub(super) fn of_this_machine(cert: ClientCert, server: ApiServer) -> Self {
        Self {
            cert,
            server,
            called: "the old certificate".to_owned(),
        }
    }

    /// Asks until the answer is no, for a bounded while: nobody promises that a revocation works at once.
    pub(super) fn wait_until_refused(&self, deadline: Deadline) -> VerificationResult {
        let (started, deadline) = (Stopwatch::start(), deadline.at_most(PATIENCE));
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = self.server.accepts(&self.cert, deadline);
            if matches!(answer, Ok(false)) {
                return VerificationResult::Refused;
            }
            if deadline.remaining() < pause {
                return match answer {
                    Ok(_) => VerificationResult::StillAccepted(started.elapsed().as_secs()),
                    Err(error) => VerificationResult::Unknown(told(error)),
                };
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn told(error: ApiServerError) -> String {
    Error::from(error).cause()
}
