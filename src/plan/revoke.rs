//! What `revoke` means.

use crate::cli::RevokeArgs;
use crate::ids::{InvalidId, UserId};
use crate::plan::given::Given;
use crate::plan::{ClusterSelection, InputFile, PlanError};

/// The fewest letters and digits of an id of IAM: 32 on all known clouds.
const SHORTEST_ID: usize = 32;
/// The most signs of a name.
const LONGEST_NAME: usize = 64;

/// Somebody as IAM knows them, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdOrName {
    /// An id: it is taken as it is, since somebody who was deleted cannot be looked up any more.
    Id(UserId),
    /// Too short for an id: to be looked up.
    Name(String),
}

impl IdOrName {
    fn parse(text: &str) -> Result<Self, InvalidId> {
        let digits = text.chars().filter(char::is_ascii_alphanumeric).count();
        let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '@');
        match UserId::parse(text) {
            Ok(id) if digits >= SHORTEST_ID => Ok(Self::Id(id)),
            Err(error) if text.trim().is_empty() || text.len() > LONGEST_NAME || !text.chars().all(is_of_name) => {
                Err(error)
            }
            _ => Ok(Self::Name(text.to_owned())),
        }
    }
}

/// Whose certificates are revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those of the identity that acts.
    Own,
    /// Those of this user.
    User(IdOrName),
    /// Those of this agency.
    Agency(IdOrName),
    /// Those of whoever this certificate is.
    FromCertificate(InputFile),
}

/// Whether the API server is asked afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// It must be seen to refuse the old certificate.
    Required,
    /// Where there is an old certificate to ask with.
    IfPossible,
    None,
}

/// On which clusters.
#[derive(Debug, Clone)]
pub(crate) enum RevokedOn {
    /// Those that were named.
    Chosen(ClusterSelection),
    /// The one that issued the certificate.
    Issuer,
}

/// What `revoke` means.
#[derive(Debug, Clone)]
pub(crate) struct RevokePlan {
    /// Whose certificates.
    pub(crate) whose: Whose,
    /// On which clusters.
    pub(crate) on: RevokedOn,
    /// Whether that is looked at.
    pub(crate) verification: Verification,
}

impl RevokePlan {
    /// Makes the plan.
    pub(crate) fn new(args: &RevokeArgs) -> Result<Self, PlanError> {
        let id = |flag: &str, text: &Option<String>| {
            let given = text.as_ref().map(|text| Given {
                text: text.clone(),
                origin: flag.to_owned(),
            });
            given
                .map(|given| given.parse(IdOrName::parse, InvalidId::hint))
                .transpose()
        };
        let user = id("--user-id", &args.user_id)?.map(Whose::User);
        let agency = id("--agency-id", &args.agency_id)?.map(Whose::Agency);
        let file = args.from_cert.as_deref().map(InputFile::new);
        let is_open = !args.all && args.choice.cluster.is_empty() && args.choice.context.is_empty();
        Ok(Self {
            on: match &file {
                Some(_) if is_open => RevokedOn::Issuer,
                _ => RevokedOn::Chosen(ClusterSelection::new(&args.choice, args.all)?),
            },
            whose: user
                .or(agency)
                .or_else(|| file.map(Whose::FromCertificate))
                .unwrap_or(Whose::Own),
            verification: match (args.verify, args.no_verify) {
                (true, _) => Verification::Required,
                (_, true) => Verification::None,
                _ => Verification::IfPossible,
            },
        })
    }
}
