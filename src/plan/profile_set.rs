//! What `profile set` means.

use crate::cli::ProfileSetArgs;
use crate::config::Profile;
use crate::env_vars;
use crate::host::Env;
use crate::huaweicloud::cloud::Cloud;
use crate::identity::KINDS;
use crate::ids::{AccessKeyId, Endpoint, ProfileName, Region};
use crate::plan::given::{Given, Sources};
use crate::plan::{PlanError, absolute};
use crate::secret::SecretShape;
use std::path::Path;

/// A profile's name as it was typed.
pub fn profile_name(text: &str) -> Result<ProfileName, PlanError> {
    given("NAME", text).parse(ProfileName::parse, crate::ids::InvalidId::hint)
}

/// An access key's id as it was typed at the terminal.
pub fn access_key_id(text: &str) -> Result<AccessKeyId, PlanError> {
    given("access key id", text).parse(AccessKeyId::parse, crate::ids::InvalidId::hint)
}

/// How a profile proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    /// With an access key.
    AccessKey,
    /// As an IAM user, with a password.
    Password,
    /// As an agency that another profile assumes.
    Agency,
    /// With an identity provider's id token.
    Federation,
    /// As an ECS.
    Metadata,
}

impl ProfileKind {
    const ALL: [Self; 5] = [
        Self::AccessKey,
        Self::Password,
        Self::Agency,
        Self::Federation,
        Self::Metadata,
    ];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access-key",
            Self::Password => "password",
            Self::Agency => "agency",
            Self::Federation => "federation",
            Self::Metadata => "metadata",
        }
    }

    /// What its secret may consist of.
    pub fn secret_shape(self) -> SecretShape {
        match self {
            Self::Password => SecretShape::Password,
            _ => SecretShape::Key,
        }
    }

    /// What its secret is called; `None` where it has none of its own.
    pub fn secret(self) -> Option<&'static str> {
        match self {
            Self::AccessKey => Some("secret access key"),
            Self::Password => Some("password"),
            Self::Agency | Self::Federation | Self::Metadata => None,
        }
    }
}

/// What `profile set` means.
#[derive(Debug, Clone)]
pub struct ProfileSetPlan {
    /// The profile's name.
    pub name: ProfileName,
    /// How it proves who it is.
    pub kind: ProfileKind,
    /// What `config.toml` will hold: what was typed, nothing that came from the environment.
    pub profile: Profile,
    /// The secret comes through stdin.
    pub is_secret_piped: bool,
}

impl ProfileSetPlan {
    /// Makes the plan.
    pub fn new(args: &ProfileSetArgs) -> Result<Self, PlanError> {
        let kind = args.kind.as_deref().unwrap_or("access-key");
        let kind = given("--kind", kind).one_of(ProfileKind::parse, KINDS)?;
        check_flags(args, kind)?;
        let store = args.secret_store.as_deref().unwrap_or("keyring");
        let is_file = |word: &str| ["keyring", "file"].contains(&word).then_some(word == "file");
        let is_secret_in_file = given("--secret-store", store).one_of(is_file, "keyring or file")?;
        let id_hint = crate::ids::InvalidId::hint;
        let endpoint = |flag, url: &Option<String>| {
            let endpoint = url
                .as_ref()
                .map(|url| given(flag, url).parse(Endpoint::parse, crate::ids::InvalidEndpoint::hint));
            endpoint
                .transpose()
                .map(|endpoint| endpoint.map(|endpoint| endpoint.to_string()))
        };
        let key = args
            .access_key_id
            .as_ref()
            .map(|id| given("--access-key-id", id).parse(AccessKeyId::parse, id_hint));
        let region = args
            .region
            .as_ref()
            .map(|region| given("--region", region).parse(Region::parse, id_hint));
        let base = args
            .base_profile
            .as_ref()
            .map(|name| given("--base-profile", name).parse(ProfileName::parse, id_hint));
        if let Some(cloud) = &args.cloud.cloud {
            given("--cloud", cloud).parse(Cloud::parse, crate::huaweicloud::cloud::InvalidCloud::hint)?;
        }
        let path = |path: &Option<String>| {
            path.as_ref()
                .map(|path| absolute(Path::new(path)).display().to_string())
        };
        let name = profile_name(&args.name)?;
        let base_profile = base.transpose()?.map(|name| name.to_string());
        if base_profile.as_deref() == Some(name.as_str()) {
            return Err(PlanError::Invalid {
                origin: "--base-profile".to_owned(),
                problem: format!("profile `{name}` would be its own base"),
                cure: "name the profile that may assume the agency".to_owned(),
            });
        }
        Ok(Self {
            kind,
            profile: Profile {
                kind: kind.as_str().to_owned(),
                access_key_id: key.transpose()?.map(|id| id.to_string()),
                username: args.username.clone(),
                user_id: args.user_id.clone(),
                domain: args.domain.clone(),
                totp: args.totp.then_some(true),
                agency: args.agency.clone(),
                base_profile,
                idp: args.idp.clone(),
                id_token_file: path(&args.id_token_file),
                secret_store: is_secret_in_file.then(|| "file".to_owned()),
                region: region.transpose()?.map(|region| region.to_string()),
                project: args.project.clone(),
                cloud: args.cloud.cloud.clone(),
                cce_endpoint: endpoint("--cce-endpoint", &args.cloud.cce_endpoint)?,
                iam_endpoint: endpoint("--iam-endpoint", &args.cloud.iam_endpoint)?,
                ca_file: path(&args.cloud.ca_file),
                proxy: args
                    .proxy
                    .as_deref()
                    .map(|url| crate::plan::login::proxy_url("--proxy", url))
                    .transpose()?,
                shared_cache: None,
                shared_key_file: None,
                vault: None,
                origin: None,
            },
            name,
            is_secret_piped: args.secret_stdin,
        })
    }
}

/// Each flag goes with some kinds only, and some kinds need some flags. The access key's id may still be typed at the terminal.
fn check_flags(args: &ProfileSetArgs, kind: ProfileKind) -> Result<(), PlanError> {
    use ProfileKind::{AccessKey, Agency, Federation, Metadata, Password};
    let flags: [(&str, bool, &[ProfileKind]); 9] = [
        ("--access-key-id", args.access_key_id.is_some(), &[AccessKey]),
        ("--username", args.username.is_some(), &[Password]),
        ("--user-id", args.user_id.is_some(), &[Password]),
        ("--totp", args.totp, &[Password]),
        (
            "--domain",
            args.domain.is_some(),
            &[Password, Agency, AccessKey, Federation, Metadata],
        ),
        ("--base-profile", args.base_profile.is_some(), &[Agency]),
        ("--idp", args.idp.is_some(), &[Federation]),
        ("--id-token-file", args.id_token_file.is_some(), &[Federation]),
        ("--secret-stdin", args.secret_stdin, &[AccessKey, Password]),
    ];
    for (flag, is_given, kinds) in flags {
        if is_given && !kinds.contains(&kind) {
            let names: Vec<_> = kinds.iter().map(|kind| format!("`--kind {}`", kind.as_str())).collect();
            return Err(PlanError::Invalid {
                origin: flag.to_owned(),
                problem: format!("it does not go with the kind `{}`", kind.as_str()),
                cure: format!("leave it out, or give {}", names.join(" or ")),
            });
        }
    }
    let needs = |what, cure: &str, is_there| {
        let cure = cure.to_owned();
        if is_there {
            Ok(())
        } else {
            Err(PlanError::Missing { what, cure })
        }
    };
    match kind {
        AccessKey | Metadata => Ok(()),
        Password => {
            needs(
                "user",
                "give it with `--username` and `--domain`, or with `--user-id`",
                args.username.is_some() || args.user_id.is_some(),
            )?;
            needs(
                "user's account",
                "give it with `--domain`",
                args.domain.is_some() || args.user_id.is_some(),
            )?;
            needs(
                "user's id",
                "a passcode goes with the user's id only: give it with `--user-id`",
                !args.totp || args.user_id.is_some(),
            )
        }
        Agency => {
            needs("agency", "give its name with `--agency`", args.agency.is_some())?;
            let has_account = args.domain.is_some() || args.agency.as_ref().is_some_and(|agency| agency.contains('/'));
            needs(
                "account that delegates the agency",
                "give it with `--domain`",
                has_account,
            )?;
            needs(
                "profile that may assume the agency",
                "give it with `--base-profile`",
                args.base_profile.is_some(),
            )
        }
        Federation => needs(
            "identity provider",
            "give its name at IAM with `--idp`",
            args.idp.is_some(),
        ),
    }
}

fn given(flag: &str, text: &str) -> Given {
    Given {
        text: text.to_owned(),
        origin: flag.to_owned(),
    }
}

/// The region whose IAM is asked about an identity: flag, variable, the identity's own; for a cloud or an IAM that was named any will do.
pub fn region_of_identity(typed: Option<&str>, env: &Env, profile: Option<&Profile>) -> Result<Region, PlanError> {
    let sources = Sources { env, profile };
    let own = sources.find("--region", typed, Some(env_vars::REGION), |profile| {
        profile.region.as_ref()
    });
    if let Some(given) = own {
        return given.parse(Region::parse, crate::ids::InvalidId::hint);
    }
    let project = profile.and_then(|profile| Region::of_project(profile.project.as_deref()?));
    if let Some(region) = project.filter(|region| region.as_str().contains('-')) {
        return Ok(region);
    }
    let cloud = sources.find("--cloud", None, Some(env_vars::CLOUD), |profile| profile.cloud.as_ref());
    let iam = sources.find("--iam-endpoint", None, Some(env_vars::IAM_ENDPOINT), |profile| {
        profile.iam_endpoint.as_ref()
    });
    let stand_in = match (cloud.map(|given| given.text).as_deref(), iam) {
        (Some("otc"), _) => Some("eu-de"),
        (Some("huawei"), _) | (_, Some(_)) => Some("cn-north-4"),
        _ => None,
    };
    let region = stand_in.and_then(|text| Region::parse(text).ok());
    region.ok_or_else(crate::plan::missing_region)
}
