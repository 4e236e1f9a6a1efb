//! What requests are authenticated with: the access key at hand, else what IAM issues, which is kept until shortly before it ends.
//!
//! One sign-in across processes: take the lock, look again, sign in, keep, unlock. A person is asked for a passcode only where that is
//! allowed, and once for everything: the token that it gives is kept, and tokens for projects are made of it.

pub(crate) mod authenticate;
pub(crate) mod explain;
pub(crate) mod kept;

use crate::cache::single_flight::{self, LockOutcome};
use crate::cache::{CacheKey, index};
use crate::error::{Exit, Explain, Result};
use crate::http::Http;
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::token_request::{AgencyNaming, Scope};
use crate::huaweicloud::observed::Endpoints;
use crate::identity::{Identity, IdentityError};
use crate::ids::{Endpoint, Region};
use crate::plan::CloudSettings;
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::authenticate::{CredentialForm, IssuedCredentials, SignInContext, TokenOwner};
use crate::store::{CacheMode, LayeredStore};
use std::time::Duration;

/// The longest wait for another process's sign-in.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);

/// Who wants to ask whom for what.
#[derive(Clone)]
pub(crate) struct SignIn<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) cloud: &'a CloudSettings,
    pub(crate) region: &'a Region,
    /// What a token must be good for.
    pub(crate) scope: Scope,
    /// Where what is issued is kept.
    pub(crate) cache: CacheMode,
    /// A person may be asked for a passcode, if there is one at a terminal.
    pub(crate) may_ask: bool,
}

/// Another process signs in and does not come to an end.
#[derive(Debug, thiserror::Error)]
#[error("another process is signing in and does not come to an end")]
struct LockTimedOut;

impl Explain for LockTimedOut {
    fn exit(&self) -> Exit {
        Exit::Temporary
    }

    fn hint(&self) -> Option<String> {
        Some("try again; if it stays so, look for a hanging `kubectl-cce_login` process".to_owned())
    }
}

/// [`with_credentials_and_owner`], for whom that does not matter.
pub(crate) fn with<T>(
    session: &Session<'_>,
    wanted: &SignIn<'_>,
    act: impl Fn(&Credentials) -> Result<T>,
) -> Result<T> {
    with_credentials_and_owner(session, wanted, |credentials, _| act(credentials))
}

/// Calls `act` with what requests are authenticated with, and whose that is as far as IAM has said. What was kept, and is not taken any
/// more (a changed password ends tokens), is replaced once.
pub(crate) fn with_credentials_and_owner<T>(
    session: &Session<'_>,
    wanted: &SignIn<'_>,
    act: impl Fn(&Credentials, Option<&TokenOwner>) -> Result<T>,
) -> Result<T> {
    let secrets = |kind: Option<&str>| session.secrets(kind);
    if let Some(credentials) = wanted.identity.static_credentials(&secrets)? {
        return act(&credentials, None);
    }
    let (issued, is_kept) = issued(session, wanted)?;
    match act(&issued.credentials, issued.who.as_ref()) {
        Err(error) if is_kept && error.is_unauthorized() => {
            session.log.info(|| format!("{error}: signing in again"));
            forget(session, wanted);
            let (issued, _) = self::issued(session, wanted)?;
            act(&issued.credentials, issued.who.as_ref())
        }
        result => result,
    }
}

/// What IAM has issued, and whether it was kept from an earlier run.
pub(crate) fn issued(session: &Session<'_>, wanted: &SignIn<'_>) -> Result<(IssuedCredentials, bool)> {
    let iam = wanted.cloud.iam(wanted.region);
    // Asked first, and whatever is kept: an address from elsewhere gets nothing.
    wanted.identity.check_iam(&iam, wanted.region)?;
    let key = wanted.key(&iam);
    let store = session.store(wanted.cache);
    let cache = session.cache(&store);
    if let Some(issued) = cache.issued(&key) {
        return Ok((issued, true));
    }
    let patience = session.deadline.at_most(LOCK_TIMEOUT);
    let _lock = match single_flight::wait(&session.directories, &key, patience, || cache.issued(&key)) {
        LockOutcome::Acquired(lock) => lock,
        LockOutcome::AppearedMeanwhile(issued) => return Ok((issued, true)),
        LockOutcome::TimedOut => return Err(LockTimedOut.into()),
    };
    if let Some(issued) = cache.issued(&key) {
        return Ok((issued, true));
    }
    let generation = index::generation(&session.directories, &key);
    let http = session.cloud_http(wanted.cloud)?;
    let issued = wanted.fetch(session, &http, &iam)?;
    if let Some(expires_at) = issued.expires_at {
        let clock = &session.host.clock;
        let skew = Endpoints::new(&session.directories, clock).traits(&iam).skew.now(clock);
        let pin = wanted.identity.identity_argument();
        cache.keep_issued(&key, &issued, expires_at - skew, generation, &pin);
    }
    Ok((issued, false))
}

/// Drops what is kept, so that the next sign-in proves who we are.
pub(crate) fn forget(session: &Session<'_>, wanted: &SignIn<'_>) {
    let store = session.store(wanted.cache);
    let key = wanted.key(&wanted.cloud.iam(wanted.region));
    session.cache(&store).forget_issued(&key);
}

impl SignIn<'_> {
    /// An endpoint that must not see a token gets signatures.
    fn form(&self) -> CredentialForm {
        let is_for_iam = self.scope == Scope::Account;
        if is_for_iam || self.identity.trusts_cce(&self.cloud.cce(self.region), self.region) {
            CredentialForm::Any
        } else {
            CredentialForm::AccessKey
        }
    }

    fn key(&self, iam: &Endpoint) -> CacheKey {
        let purpose = match (&self.scope, self.form()) {
            _ if self.identity.signs() => "key".to_owned(),
            (Scope::Account, _) => "account".to_owned(),
            (Scope::Project(id), CredentialForm::Any) => format!("token:{id}"),
            (Scope::Project(id), CredentialForm::AccessKey) => format!("key:{id}"),
        };
        CacheKey::of_sign_in(iam, self.identity.fingerprint(), &purpose)
    }

    fn fetch(&self, session: &Session<'_>, http: &Http, iam: &Endpoint) -> Result<IssuedCredentials> {
        let secrets = |kind: Option<&str>| -> LayeredStore { session.secrets(kind) };
        let ask = |who: &str| self.ask_passcode(session, who);
        let desk = SignInContext {
            http,
            env: &session.host.env,
            directories: &session.directories,
            clock: &session.host.clock,
            log: &session.log,
            deadline: session.deadline,
            iam,
            region: self.region,
            naming: match self.cloud.cloud_of(self.region) {
                Cloud::Otc => AgencyNaming::Otc,
                _ => AgencyNaming::Huawei,
            },
            secrets: &secrets,
            ask_passcode: &ask,
        };
        let is_base_enough = self.scope == Scope::Account && !self.identity.has_agency();
        if self.identity.has_passcode() && !is_base_enough {
            return self.exchange_kept_token(session, &desk);
        }
        // An agency is assumed with what is good for IAM; the agency's token is for the project.
        let scope_of_base = if self.identity.has_agency() {
            Scope::Account
        } else {
            self.scope.clone()
        };
        let base = self.identity.base(&desk, &scope_of_base)?;
        self.identity
            .refine(&desk, base, &scope_of_base, &self.scope, self.form())
    }

    /// Makes it of the one token that a passcode gave, which is kept.
    fn exchange_kept_token(&self, session: &Session<'_>, desk: &SignInContext<'_>) -> Result<IssuedCredentials> {
        let base_identity = self.identity.without_agency();
        let base = SignIn {
            identity: &base_identity,
            scope: Scope::Account,
            ..self.clone()
        };
        let refine = |issued: IssuedCredentials| {
            self.identity
                .refine(desk, issued, &Scope::Account, &self.scope, self.form())
        };
        let (issued, is_kept) = issued(session, &base)?;
        match refine(issued) {
            Err(error) if is_kept && error.is_unauthorized() => {
                session.log.info(|| format!("{error}: signing in again"));
                forget(session, &base);
                refine(self::issued(session, &base)?.0)
            }
            result => result,
        }
    }

    fn ask_passcode(&self, session: &Session<'_>, who: &str) -> std::result::Result<Secret<String>, IdentityError> {
        if !self.may_ask || !session.is_interactive {
            return Err(IdentityError::NeedsPerson {
                who: who.to_owned(),
                command: "kubectl cce-login refresh".to_owned(),
            });
        }
        session
            .host
            .ask_secret(&format!("passcode for {who}: "))
            .ok_or(IdentityError::NoPasscode)
    }
}
