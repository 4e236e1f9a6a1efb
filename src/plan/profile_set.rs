//! What `profile set` means.

use crate::cli::ProfileSetArgs;
use crate::config::{Profile, ProfileKind};
use crate::env_vars;
use crate::host::Env;
use crate::huaweicloud::cloud::Cloud;
use crate::identity::sign_on::BrowserChoice;
use crate::ids::{AccessKeyId, Endpoint, ProfileName, Region};
use crate::oidc::{RedirectUrl, is_safe_address};
use crate::plan::given::{Given, Sources};
use crate::plan::kept_profile::with_kept;
use crate::plan::{PlanError, absolute};
use crate::sanitize::sanitize;
use crate::store::SecretPlace;
use crate::words::Word as _;
use std::path::Path;

/// A profile's name as it was typed.
pub(crate) fn profile_name(text: &str) -> Result<ProfileName, PlanError> {
    given("NAME", text).parse(ProfileName::parse, crate::ids::InvalidId::hint)
}

/// An access key's id as it was typed at the terminal.
pub fn access_key_id(text: &str) -> Result<AccessKeyId, PlanError> {
    given("access key id", text).parse(AccessKeyId::parse, crate::ids::InvalidId::hint)
}

/// What `profile set` means.
#[derive(Debug, Clone)]
pub struct ProfileSetPlan {
    /// The profile's name.
    pub(crate) name: ProfileName,
    /// How it proves who it is.
    pub(crate) kind: ProfileKind,
    /// What `config.toml` will hold: what was typed, nothing that came from the environment.
    pub(crate) profile: Profile,
    /// The secret comes through stdin.
    pub(crate) is_secret_piped: bool,
}

impl ProfileSetPlan {
    /// The plan, where there may be a profile of this name that says what no flag says.
    pub(crate) fn of_existing(completed: &ProfileSetArgs, existing: Option<&Profile>) -> Result<Self, PlanError> {
        let mut plan = Self::new(completed)?;
        if let Some(existing) = existing {
            let profile = &mut plan.profile;
            if profile.kind == existing.kind {
                profile.client_secret = profile.client_secret.or(existing.client_secret);
            }
        }
        Ok(plan)
    }

    /// The command that sets this profile, but for its secret.
    pub(crate) fn command_line(&self) -> String {
        let nothing = ProfileSetArgs {
            kind: Some(self.profile.kind.clone()),
            ..ProfileSetArgs::default()
        };
        let (_, flags) = with_kept(&nothing, &self.profile);
        let kind = format!("--kind {}", self.profile.kind);
        let mut words = vec![format!("kubectl cce-login profile set {}", self.name), kind];
        words.extend(flags);
        words.join(" ")
    }

    /// Makes the plan of a new profile.
    pub fn new(args: &ProfileSetArgs) -> Result<Self, PlanError> {
        let kind = match &args.kind {
            Some(kind) => given("--kind", kind).one_of()?,
            None => ProfileKind::AccessKey,
        };
        check_flags(args, kind)?;
        let secret_place = match &args.secret_store {
            Some(place) => given("--secret-store", place).one_of()?,
            None => SecretPlace::Keyring,
        };
        let id_hint = crate::ids::InvalidId::hint;
        let key = args
            .access_key_id
            .as_ref()
            .map(|id| given("--access-key-id", id).parse(AccessKeyId::parse, id_hint));
        let region = args
            .region
            .as_ref()
            .map(|region| given("--region", region).parse(Region::parse, id_hint));
        if let Some(cloud) = &args.cloud.cloud {
            given("--cloud", cloud).parse(Cloud::parse, crate::huaweicloud::cloud::InvalidCloud::hint)?;
        }
        let path = |path: &Option<String>| {
            path.as_ref()
                .map(|path| absolute(Path::new(path)).display().to_string())
        };
        let name = profile_name(&args.name)?;
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
                base_profile: base_profile(args, &name)?,
                idp: args.idp.clone(),
                id_token_file: path(&args.id_token_file),
                secret_store: Profile::secret_store_of(secret_place),
                region: region.transpose()?.map(|region| region.to_string()),
                project: args.project.clone(),
                cloud: args.cloud.cloud.clone(),
                cce_endpoint: endpoint("--cce-endpoint", args.cloud.cce_endpoint.as_ref())?,
                iam_endpoint: endpoint("--iam-endpoint", args.cloud.iam_endpoint.as_ref())?,
                ca_file: path(&args.cloud.ca_file),
                proxy: args
                    .proxy
                    .as_deref()
                    .map(|url| crate::plan::login::proxy_url("--proxy", url))
                    .transpose()?,
                ..sign_on_settings(args, kind)?
            },
            name,
            is_secret_piped: args.secret_stdin,
        })
    }
}

/// The profile that may assume the agency: another one.
fn base_profile(args: &ProfileSetArgs, name: &ProfileName) -> Result<Option<String>, PlanError> {
    let Some(base) = &args.base_profile else {
        return Ok(None);
    };
    let base = given("--base-profile", base).parse(ProfileName::parse, crate::ids::InvalidId::hint)?;
    if base == *name {
        return Err(PlanError::Invalid {
            origin: "--base-profile".to_owned(),
            problem: format!("profile `{name}` would be its own base"),
            cure: "name the profile that may assume the agency".to_owned(),
        });
    }
    Ok(Some(base.to_string()))
}

/// Each flag goes with some kinds only, and some kinds need some flags. The access key's id may still be typed at the terminal.
fn check_flags(args: &ProfileSetArgs, kind: ProfileKind) -> Result<(), PlanError> {
    use ProfileKind::{AccessKey, Agency, Command, Federation, Metadata, Oidc, Password, Sso};
    let flags: [(&str, bool, &[ProfileKind]); 24] = [
        ("--access-key-id", args.access_key_id.is_some(), &[AccessKey]),
        ("--username", args.username.is_some(), &[Password]),
        ("--user-id", args.user_id.is_some(), &[Password]),
        ("--totp", args.totp, &[Password]),
        (
            "--domain",
            args.domain.is_some(),
            &[Password, Agency, AccessKey, Sso, Oidc, Federation, Metadata, Command],
        ),
        ("--base-profile", args.base_profile.is_some(), &[Agency]),
        ("--idp", args.idp.is_some(), &[Oidc, Federation]),
        ("--start-url", args.start_url.is_some(), &[Sso]),
        ("--sso-region", args.sso_region.is_some(), &[Sso]),
        ("--account", args.account.is_some(), &[Sso]),
        ("--permission-set", args.permission_set.is_some(), &[Sso]),
        ("--sso-endpoint", args.sso_endpoint.is_some(), &[Sso]),
        ("--portal-endpoint", args.portal_endpoint.is_some(), &[Sso]),
        ("--issuer", args.issuer.is_some(), &[Oidc]),
        ("--client-id", args.client_id.is_some(), &[Oidc]),
        ("--sign-in", args.sign_in.is_some(), &[Oidc]),
        ("--scope", !args.scope.is_empty(), &[Oidc]),
        ("--redirect-url", args.redirect_url.is_some(), &[Oidc]),
        ("--auth-param", !args.auth_param.is_empty(), &[Oidc]),
        ("--issuer-ca-file", args.issuer_ca_file.is_some(), &[Oidc]),
        ("--browser", args.browser.is_some(), &[Sso, Oidc]),
        ("-- PROGRAM", !args.command.is_empty(), &[Command]),
        ("--id-token-file", args.id_token_file.is_some(), &[Federation]),
        ("--secret-stdin", args.secret_stdin, &[AccessKey, Password, Oidc]),
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
    check_needs(args, kind)
}

fn check_needs(args: &ProfileSetArgs, kind: ProfileKind) -> Result<(), PlanError> {
    use ProfileKind::{AccessKey, Agency, Command, Federation, Metadata, Oidc, Password, Sso};
    let is_user_named = args.username.is_some() || args.user_id.is_some();
    let names_account = |agency: &String| agency.contains('/');
    let is_delegator_named = args.domain.is_some() || args.agency.as_ref().is_some_and(names_account);
    let idp = args.idp.is_some();
    let needs: &[(&str, &str, bool)] = match kind {
        AccessKey | Metadata => &[],
        Sso => &[
            (
                "portal's address",
                "give it with `--start-url`",
                args.start_url.is_some(),
            ),
            (
                "region of the Identity Center",
                "give it with `--sso-region`",
                args.sso_region.is_some(),
            ),
        ],
        Oidc => &[
            (
                "identity provider's address",
                "give it with `--issuer`",
                args.issuer.is_some(),
            ),
            ("client's id", "give it with `--client-id`", args.client_id.is_some()),
            ("identity provider's name at IAM", "give it with `--idp`", idp),
        ],
        Command => &[(
            "program",
            "give it and its arguments behind `--`",
            !args.command.is_empty(),
        )],
        Password => &[
            (
                "user",
                "give it with `--username` and `--domain`, or with `--user-id`",
                is_user_named,
            ),
            (
                "user's account",
                "give it with `--domain`",
                args.domain.is_some() || args.user_id.is_some(),
            ),
            (
                "user's id",
                "a passcode goes with the user's id only: give it with `--user-id`",
                !args.totp || args.user_id.is_some(),
            ),
        ],
        Agency => &[
            ("agency", "give its name with `--agency`", args.agency.is_some()),
            (
                "account that delegates the agency",
                "give it with `--domain`",
                is_delegator_named,
            ),
            (
                "profile that may assume the agency",
                "give it with `--base-profile`",
                args.base_profile.is_some(),
            ),
        ],
        Federation => &[("identity provider", "give its name at IAM with `--idp`", idp)],
    };
    match needs.iter().find(|(_, _, is_there)| !is_there) {
        None => Ok(()),
        Some((what, cure, _)) => Err(PlanError::Missing {
            what,
            cure: (*cure).to_owned(),
        }),
    }
}

/// What goes with people who sign in with a browser, and with programs that answer for them.
fn sign_on_settings(args: &ProfileSetArgs, kind: ProfileKind) -> Result<Profile, PlanError> {
    let region = args
        .sso_region
        .as_ref()
        .map(|region| given("--sso-region", region).parse(Region::parse, crate::ids::InvalidId::hint));
    if let Some(how) = &args.sign_in {
        given("--sign-in", how).one_of::<BrowserChoice>()?;
    }
    if let Some(url) = &args.redirect_url {
        given("--redirect-url", url).parse(RedirectUrl::parse, |_| RedirectUrl::HINT.to_owned())?;
    }
    let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let file = args.issuer_ca_file.as_ref();
    Ok(Profile {
        start_url: sign_in_address("--start-url", args.start_url.as_deref())?,
        sso_region: region.transpose()?.map(|region| region.to_string()),
        account: args.account.clone(),
        permission_set: args.permission_set.clone(),
        sso_endpoint: endpoint("--sso-endpoint", args.sso_endpoint.as_ref())?,
        portal_endpoint: endpoint("--portal-endpoint", args.portal_endpoint.as_ref())?,
        issuer: sign_in_address("--issuer", args.issuer.as_deref())?,
        client_id: args.client_id.clone(),
        client_secret: (kind == ProfileKind::Oidc && args.secret_stdin).then_some(true),
        scope: list(&args.scope),
        redirect_url: args.redirect_url.clone(),
        sign_in: args.sign_in.clone(),
        auth_param: list(&args.auth_param),
        issuer_ca_file: file.map(|path| absolute(Path::new(path)).display().to_string()),
        browser: args.browser.clone(),
        command: list(&args.command),
        ..Profile::default()
    })
}

fn endpoint(flag: &str, url: Option<&String>) -> Result<Option<String>, PlanError> {
    let endpoint = url.map(|url| given(flag, url).parse(Endpoint::parse, crate::ids::InvalidEndpoint::hint));
    Ok(endpoint.transpose()?.map(|endpoint| endpoint.to_string()))
}

/// An address at which people sign in: encrypted, or on this machine.
fn sign_in_address(flag: &str, typed: Option<&str>) -> Result<Option<String>, PlanError> {
    let parse = |text: &str| {
        let text = text.trim();
        let is_safe = is_safe_address(text);
        is_safe
            .then(|| text.to_owned())
            .ok_or_else(|| format!("`{}` is not an `https://` address", sanitize(text)))
    };
    let hint = |_: &String| {
        "give it as your company names it, such as `https://idcenter.huaweicloud.com/d-…/portal`".to_owned()
    };
    typed.map(|text| given(flag, text).parse(parse, hint)).transpose()
}

fn given(flag: &str, text: &str) -> Given {
    Given {
        text: text.to_owned(),
        origin: flag.to_owned(),
    }
}

/// The region whose IAM is asked about an identity: flag, variable, the identity's own; for a cloud or an IAM that was named any will do.
pub(crate) fn region_of_identity(
    typed: Option<&str>,
    env: &Env,
    profile: Option<&Profile>,
) -> Result<Region, PlanError> {
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
    let sso_region = profile.and_then(|profile| profile.sso_region.as_deref());
    if let (None, Some(Ok(region))) = (&cloud, sso_region.map(Region::parse)) {
        return Ok(region); // it is Huawei Cloud's, and any of its IAMs will do
    }
    let cloud = cloud.and_then(|given| Cloud::parse(&given.text).ok());
    let stand_in = match (cloud, iam) {
        (Some(Cloud::Otc), _) => Some("eu-de"),
        (Some(Cloud::Huawei), _) | (_, Some(_)) => Some("cn-north-4"),
        _ => None,
    };
    let region = stand_in.and_then(|text| Region::parse(text).ok());
    region.ok_or_else(crate::plan::missing_region)
}
