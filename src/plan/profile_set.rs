//! What `profile set` means.

use super::given::{Given, Sources, none};
use super::settings::CloudSettings;
use super::{PlanError, absolute, missing_region};
use crate::cli::ProfileSetArgs;
use crate::config::Profile;
use crate::env_vars;
use crate::host::Env;
use crate::ids::{AccessKeyId, ProfileName, Region};
use std::path::Path;

/// A profile's name as it was typed.
pub fn profile_name(text: &str) -> Result<ProfileName, PlanError> {
    Given {
        text: text.to_owned(),
        origin: "NAME".to_owned(),
    }
    .parse(ProfileName::parse, crate::ids::InvalidId::hint)
}

/// What `profile set` means.
#[derive(Debug, Clone)]
pub struct ProfileSetPlan {
    /// The profile's name.
    pub name: ProfileName,
    /// AK.
    pub access_key_id: AccessKeyId,
    /// Where the key is verified.
    pub region: Region,
    /// Where the cloud answers.
    pub cloud: CloudSettings,
    /// Keep the secret in a file.
    is_secret_in_file: bool,
    typed: CloudTyped,
    typed_region: Option<String>,
}

#[derive(Debug, Clone)]
struct CloudTyped {
    cloud: Option<String>,
    cce_endpoint: Option<String>,
    iam_endpoint: Option<String>,
    ca_file: Option<String>,
}

impl ProfileSetPlan {
    /// Makes the plan.
    pub fn new(args: &ProfileSetArgs, env: &Env) -> Result<Self, PlanError> {
        let sources = Sources { env, profile: None };
        let typed = |flag: &str, text: &str| Given {
            text: text.to_owned(),
            origin: flag.to_owned(),
        };
        let region = sources
            .find("--region", args.region.as_deref(), Some(env_vars::REGION), none)
            .ok_or_else(missing_region)?;
        let store = args.secret_store.as_deref().unwrap_or("keyring");
        let is_file = |word: &str| ["keyring", "file"].contains(&word).then_some(word == "file");
        Ok(Self {
            name: profile_name(&args.name)?,
            access_key_id: typed("--access-key-id", &args.access_key_id)
                .parse(AccessKeyId::parse, crate::ids::InvalidId::hint)?,
            region: region.parse(Region::parse, crate::ids::InvalidId::hint)?,
            cloud: CloudSettings::new(&args.cloud, &sources)?,
            is_secret_in_file: typed("--secret-store", store).one_of(is_file, "keyring or file")?,
            typed: CloudTyped {
                cloud: args.cloud.cloud.clone(),
                cce_endpoint: args.cloud.cce_endpoint.clone(),
                iam_endpoint: args.cloud.iam_endpoint.clone(),
                ca_file: args
                    .cloud
                    .ca_file
                    .as_ref()
                    .map(|p| absolute(Path::new(p)).display().to_string()),
            },
            typed_region: args.region.clone(),
        })
    }

    /// The profile as `config.toml` keeps it: what was typed, nothing that came from the environment.
    pub fn profile(&self) -> Profile {
        let typed = self.typed.clone();
        Profile {
            kind: "access-key".to_owned(),
            access_key_id: Some(self.access_key_id.to_string()),
            secret_store: self.is_secret_in_file.then(|| "file".to_owned()),
            region: self.typed_region.clone(),
            project: None,
            cloud: typed.cloud,
            cce_endpoint: typed.cce_endpoint,
            iam_endpoint: typed.iam_endpoint,
            ca_file: typed.ca_file,
            ..Profile::default()
        }
    }
}
