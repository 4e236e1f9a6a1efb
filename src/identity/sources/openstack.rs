//! What OpenStack's clients know of an identity, be it from `OS_*` or from `clouds.yaml`: access key, token or password.

use crate::config::Profile;
use crate::huaweicloud::iam::token_request::{Account, Agency, User};
use crate::identity::IdentityError;
use crate::identity::fingerprint::{Fingerprint, account_parts};
use crate::identity::found::{AuthMethod, FoundIdentity, Passcode};
use crate::identity::home::own_domains;
use crate::identity::reading::{access_key_id, auth_url, malformed_source, one_line, secret};
use crate::identity::secret_record::SecretRef;
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretShape};

/// A value and the name under which it was given. Some are secrets: all are treated as such.
#[derive(Debug)]
pub(crate) struct OpenStackSettings {
    text: Secret<String>,
    name: String,
}

impl OpenStackSettings {
    pub(crate) fn new(text: String, name: &str) -> Self {
        Self {
            text: Secret::new(text),
            name: name.to_owned(),
        }
    }

    pub(crate) fn secret(text: Secret<String>, name: &str) -> Self {
        Self {
            text,
            name: name.to_owned(),
        }
    }

    /// The value of what is one: broken ones are said here.
    fn checked(&self, wording: &Wording<'_>, shape: SecretShape) -> Result<Secret<String>, IdentityError> {
        secret(wording.source, &self.name, shape, &self.text)
    }

    /// The value of what is no secret.
    fn plain(&self) -> String {
        self.text.expose().clone() // a name, an id, a URL
    }
}

/// What there is.
#[derive(Debug, Default)]
pub(crate) struct Openstack {
    /// How OpenStack's clients would sign in; without it what there is decides.
    pub(crate) auth_type: Option<OpenStackSettings>,
    pub(crate) access_key: Option<OpenStackSettings>,
    pub(crate) secret_key: Option<OpenStackSettings>,
    pub(crate) security_token: Option<OpenStackSettings>,
    pub(crate) token: Option<OpenStackSettings>,
    pub(crate) user_id: Option<OpenStackSettings>,
    pub(crate) username: Option<OpenStackSettings>,
    pub(crate) password: Option<OpenStackSettings>,
    pub(crate) passcode: Option<OpenStackSettings>,
    pub(crate) domain_name: Option<OpenStackSettings>,
    pub(crate) domain_id: Option<OpenStackSettings>,
    pub(crate) project_name: Option<OpenStackSettings>,
    pub(crate) project_id: Option<OpenStackSettings>,
    pub(crate) region: Option<OpenStackSettings>,
    pub(crate) auth_url: Option<OpenStackSettings>,
    pub(crate) ca_file: Option<OpenStackSettings>,
    pub(crate) agency: Option<OpenStackSettings>,
    pub(crate) agency_domain: Option<OpenStackSettings>,
}

/// The kinds of proof.
#[derive(Clone, Copy)]
enum SignInKind {
    AccessKey,
    Token,
    Password,
    /// `auth_type` names another one.
    Unknown,
}

/// How messages name things: variables or keys.
pub(crate) struct Wording<'a> {
    /// The source.
    pub(crate) source: &'a str,
    /// Where it all comes from.
    pub(crate) origin: String,
    pub(crate) user_id: &'a str,
    pub(crate) username: &'a str,
    pub(crate) password: &'a str,
    pub(crate) secret_key: &'a str,
    pub(crate) access_key: &'a str,
    pub(crate) domain: &'a str,
    pub(crate) passcode: &'a str,
}

impl Wording<'_> {
    /// One half of an identity is there.
    fn half(&self, set: &OpenStackSettings, unset: &str) -> IdentityError {
        malformed_source(
            self.source,
            format!("`{}` is set, `{unset}` is not", set.name),
            format!("set `{unset}` too, or unset `{}` to use another identity", set.name),
        )
    }
}

/// An identity as its four parts: the means, the fingerprint, what it is called, what to check.
type Proof = (AuthMethod, Fingerprint, String, String);

impl Openstack {
    /// The identity: by access key, else by token, else by password; `None` where there is none of them.
    pub(crate) fn find(self, wording: &Wording<'_>) -> Result<Option<FoundIdentity>, IdentityError> {
        self.check_lines(wording)?;
        let settings = self.settings(wording)?;
        let agency = self.agency(wording)?;
        let mut proof = None;
        for kind in self.kinds() {
            proof = match (proof, kind) {
                (Some(proof), _) => Some(proof),
                (None, SignInKind::AccessKey) => self.access_key(wording)?,
                (None, SignInKind::Token) => self.token(wording)?,
                (None, SignInKind::Password) => self.password(wording, &settings)?,
                (None, SignInKind::Unknown) if self.has_any() => return Err(self.unknown_auth_type(wording)),
                (None, SignInKind::Unknown) => None,
            };
        }
        Ok(proof.map(|(means, fingerprint, described, cure)| FoundIdentity {
            name: None,
            means,
            agency,
            settings,
            fingerprint,
            described,
            cure,
        }))
    }

    /// What may be shown has swallowed nothing.
    fn check_lines(&self, wording: &Wording<'_>) -> Result<(), IdentityError> {
        let shown = [
            &self.auth_type,
            &self.user_id,
            &self.username,
            &self.domain_name,
            &self.domain_id,
            &self.project_name,
            &self.project_id,
            &self.region,
            &self.ca_file,
            &self.agency,
            &self.agency_domain,
        ];
        let mut given = shown.into_iter().flatten();
        given.try_for_each(|given| one_line(wording.source, &given.name, &given.plain()))
    }

    /// What is tried: as `auth_type` says, else what there is. An access key only signs, so it may answer for any of them.
    fn kinds(&self) -> Vec<SignInKind> {
        use SignInKind::{AccessKey, Password, Token, Unknown};
        let Some(auth_type) = &self.auth_type else {
            return vec![AccessKey, Token, Password];
        };
        match auth_type.plain().to_ascii_lowercase().as_str() {
            "password" | "v3password" | "v3multifactor" | "v3totp" => vec![Password, AccessKey],
            "token" | "v3token" => vec![Token, AccessKey],
            _ => vec![AccessKey, Unknown],
        }
    }

    fn has_any(&self) -> bool {
        let all = [
            &self.access_key,
            &self.secret_key,
            &self.token,
            &self.username,
            &self.user_id,
            &self.password,
        ];
        all.into_iter().any(Option::is_some)
    }

    fn unknown_auth_type(&self, wording: &Wording<'_>) -> IdentityError {
        let (name, value) = match &self.auth_type {
            Some(given) => (given.name.as_str(), sanitize(&given.plain())),
            None => Default::default(),
        };
        let problem = format!("`{name}` is `{value}`, which IAM of this cloud does not have");
        let cure = format!("use `password` or `token`, or leave `{name}` out and give an access key");
        malformed_source(wording.source, problem, cure)
    }

    fn access_key(&self, wording: &Wording<'_>) -> Result<Option<Proof>, IdentityError> {
        let (id, secret) = match (&self.access_key, &self.secret_key) {
            (None, None) => return Ok(None),
            (Some(id), None) => return Err(wording.half(id, wording.secret_key)),
            (None, Some(secret)) => return Err(wording.half(secret, wording.access_key)),
            (Some(id), Some(secret)) => (id, secret),
        };
        let cure = format!(
            "check `{}` and `{}`: they must belong together and be active",
            id.name, secret.name
        );
        let id = access_key_id(wording.source, &id.name, &id.plain())?;
        let described = format!("access key `{id}` from {}", wording.origin);
        let fingerprint = Fingerprint::of_access_key(&id);
        let means = AuthMethod::AccessKey {
            id,
            secret: SecretRef::Inline(secret.checked(wording, SecretShape::Key)?),
            security_token: match &self.security_token {
                Some(token) => Some(token.checked(wording, SecretShape::Key)?),
                None => None,
            },
        };
        Ok(Some((means, fingerprint, described, cure)))
    }

    fn token(&self, wording: &Wording<'_>) -> Result<Option<Proof>, IdentityError> {
        let Some(token) = &self.token else { return Ok(None) };
        let cure = format!("`{}` must be a token that has not expired: get a new one", token.name);
        let secret = token.checked(wording, SecretShape::Key)?;
        // A new token is a new identity as far as we know.
        let fingerprint = Fingerprint::of_secret("token", &secret);
        let described = format!("a token from {}", wording.origin);
        Ok(Some((AuthMethod::Token(secret), fingerprint, described, cure)))
    }

    fn password(&self, wording: &Wording<'_>, settings: &Profile) -> Result<Option<Proof>, IdentityError> {
        let (named, password) = match (self.username.as_ref().or(self.user_id.as_ref()), &self.password) {
            (None, None) => return Ok(None),
            (Some(user), None) => return Err(wording.half(user, wording.password)),
            (None, Some(password)) => return Err(wording.half(password, wording.username)),
            (Some(user), Some(password)) => (user, password),
        };
        let account = self.domain_id.as_ref().map(|id| Account::Id(id.plain()));
        let account = account.or_else(|| self.domain_name.as_ref().map(|name| Account::Name(name.plain())));
        if self.user_id.is_none() && account.is_none() {
            let problem = format!("`{}` is set, the user's account is not", named.name);
            return Err(malformed_source(
                wording.source,
                problem,
                format!("set `{}` too", wording.domain),
            ));
        }
        if let (Some(passcode), None) = (&self.passcode, &self.user_id) {
            return Err(wording.half(passcode, wording.user_id));
        }
        let user = User {
            id: self.user_id.as_ref().map(OpenStackSettings::plain),
            name: self.username.as_ref().map(OpenStackSettings::plain),
            account,
        };
        let cure = format!(
            "check `{}`, the account and `{}`; with a virtual MFA device set `{}` and `{}` too",
            named.name, password.name, wording.user_id, wording.passcode
        );
        let fingerprint = user_fingerprint(settings, &user);
        let described = format!("user `{}` from {}", shown(&user), wording.origin);
        let means = AuthMethod::Password {
            user,
            password: SecretRef::Inline(password.checked(wording, SecretShape::Password)?),
            passcode: match &self.passcode {
                Some(passcode) => Passcode::Given(passcode.checked(wording, SecretShape::Key)?),
                None => Passcode::None,
            },
        };
        Ok(Some((means, fingerprint, described, cure)))
    }

    fn settings(&self, wording: &Wording<'_>) -> Result<Profile, IdentityError> {
        let plain = |given: &Option<OpenStackSettings>| given.as_ref().map(OpenStackSettings::plain);
        let iam_endpoint = match &self.auth_url {
            Some(url) => Some(auth_url(wording.source, &url.name, &url.plain())?.to_string()),
            None => None,
        };
        Ok(Profile {
            region: plain(&self.region),
            project: plain(&self.project_id).or_else(|| plain(&self.project_name)),
            iam_endpoint,
            ca_file: plain(&self.ca_file),
            origin: Some(wording.origin.clone()),
            ..Profile::default()
        })
    }

    fn agency(&self, wording: &Wording<'_>) -> Result<Option<Agency>, IdentityError> {
        let Some(name) = &self.agency else { return Ok(None) };
        let account = self.agency_domain.as_ref().map(OpenStackSettings::plain);
        let agency = Agency::parse(&name.plain(), account.as_deref());
        agency.map(Some).ok_or_else(|| {
            let problem = format!(
                "`{}` is set, the account that delegates the agency is not named",
                name.name
            );
            malformed_source(
                wording.source,
                problem,
                "name the account too, or write the agency as `ACCOUNT/NAME`",
            )
        })
    }
}

/// What tells one user from another offline: the id, or the name in its account; and where that counts.
pub(crate) fn user_fingerprint(settings: &Profile, user: &User) -> Fingerprint {
    let cloud = own_domains(settings).join(" ");
    let place = settings.iam_endpoint.as_deref().unwrap_or(&cloud);
    if let Some(id) = &user.id {
        return Fingerprint::of("user-id", [place, id]);
    }
    let [kind, account] = account_parts(user.account.as_ref());
    Fingerprint::of("user", [place, kind, account, user.name.as_deref().unwrap_or_default()])
}

/// The user's name, else the id.
pub(crate) fn shown(user: &User) -> String {
    let text = user.name.as_deref().or(user.id.as_deref()).unwrap_or_default();
    sanitize(text)
}
