//! What requests are authenticated with: the access key at hand, else what IAM issues, which is kept until shortly before it ends.
//!
//! One sign-in across processes: take the lock, look again, sign in, keep, unlock. Under the lock nobody is asked: where a person is needed
//! (a passcode, a browser) it is given back first, and what the person gives goes the same silent way ([`person`]). That happens once for
//! everything: the token that it gives is kept, and tokens for projects are made of it.

pub(crate) mod authenticate;
mod browser;
pub(crate) mod explain;
pub(crate) mod kept;
pub(crate) mod kept_sessions;
mod key_command;
mod lease;
mod person;
pub(crate) mod portal;
pub(crate) mod provider;
pub(crate) mod refused;
pub(crate) mod subject;

use crate::cache::single_flight::{self, LockOutcome, LockTimedOut};
use crate::cache::{CacheKey, tombstone};
use crate::env_vars;
use crate::error::{Error, Result};
use crate::huaweicloud::cloud::Cloud;
use crate::huaweicloud::credentials::Credentials;
use crate::huaweicloud::iam::token_request::{AgencyNaming, Scope};
use crate::huaweicloud::identity_center::PortalSession;
use crate::huaweicloud::observed::Endpoints;
use crate::identity::{Addressee, Identity, IdentityError, PersonalProof, Witnesses};
use crate::ids::{Endpoint, ProjectId, Region};
use crate::plan::CloudSettings;
use crate::session::Session;
use crate::sign_in::authenticate::{CredentialForm, SignInContext};
use crate::sign_in::kept::{IssuedCredentials, TokenOwner};
use crate::sign_in::person::PersonsProof;
use crate::store::CacheMode;
use std::time::Duration;

/// The longest wait for another process's sign-in.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a sign-in with a person is begun anew: somebody else's has come to an end meanwhile, or theirs was of no use to us.
const MOST_ROUNDS: usize = 3;

/// Who wants to ask whom for what.
#[derive(Clone)]
pub(crate) struct SignIn<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) cloud: &'a CloudSettings,
    pub(crate) region: &'a Region,
    /// Where what is issued is kept.
    cache: CacheMode,
    /// What a token must be good for.
    scope: Scope,
    /// A person may be asked, if there is one at a terminal.
    may_ask: bool,
    /// Whoever calls asks the person, where one is needed.
    is_deferred: bool,
    /// One of many callers: a refusal of a moment ago answers for it.
    is_for_client: bool,
}

impl<'a> SignIn<'a> {
    /// To ask IAM itself in `region`, as `identity`; a person may be asked. What is issued is kept in `cache`.
    pub(crate) fn new(identity: &'a Identity, cloud: &'a CloudSettings, region: &'a Region, cache: CacheMode) -> Self {
        Self {
            identity,
            cloud,
            region,
            cache,
            scope: Scope::Account,
            may_ask: true,
            is_deferred: false,
            is_for_client: false,
        }
    }

    /// For a client that calls often. A person's sign-in is always tried.
    pub(crate) fn for_client(self) -> Self {
        Self {
            is_for_client: true,
            ..self
        }
    }

    /// To ask the services of this project.
    pub(crate) fn for_project(self, id: &ProjectId) -> Self {
        Self {
            scope: Scope::Project(id.clone()),
            ..self
        }
    }

    /// To ask IAM itself.
    pub(crate) fn for_account(self) -> Self {
        Self {
            scope: Scope::Account,
            ..self
        }
    }

    /// Nobody is asked for anything.
    pub(crate) fn silent(self) -> Self {
        Self { may_ask: false, ..self }
    }

    /// Nobody is asked for anything, and an error that [needs a person](crate::error::Error::needs_person) says where somebody should be: for
    /// callers who hold a lock, which they give back first.
    pub(crate) fn deferred(self) -> Self {
        Self {
            is_deferred: true,
            ..self
        }
    }

    /// Calls `act` with what requests are authenticated with. What was kept, and is not taken any more (a changed password ends tokens), is
    /// replaced once.
    pub(crate) fn with_credentials<T>(
        &self,
        session: &Session<'_>,
        act: impl Fn(&Credentials) -> Result<T>,
    ) -> Result<T> {
        self.with_credentials_and_owner(session, |credentials, _| act(credentials))
    }

    /// [`SignIn::with_credentials`], and whose they are as far as IAM has said.
    pub(crate) fn with_credentials_and_owner<T>(
        &self,
        session: &Session<'_>,
        act: impl Fn(&Credentials, Option<&TokenOwner>) -> Result<T>,
    ) -> Result<T> {
        self.check_vouched(session)?;
        let secrets = |place| session.secrets(place);
        if let Some(credentials) = self.identity.static_credentials(&secrets)? {
            return act(&credentials, None);
        }
        self.with_issued(session, |issued| act(&issued.credentials, issued.owner.as_ref()))
    }

    /// Refuses to sign for an endpoint that only kubectl's arguments name.
    pub(crate) fn check_vouched(&self, session: &Session<'_>) -> Result<()> {
        if !session.is_for_client {
            return Ok(());
        }
        let witnesses = Witnesses {
            env: &session.host.env,
            directories: &session.directories,
        };
        let identity = self.identity;
        if self.scope == Scope::Account || identity.has_agency() {
            identity.check_vouched(&self.iam(), env_vars::IAM_ENDPOINT, &witnesses)?;
        }
        if self.scope != Scope::Account {
            identity.check_vouched(&self.cloud.cce(self.region), env_vars::CCE_ENDPOINT, &witnesses)?;
        }
        Ok(())
    }

    fn addressee<'s>(&'s self, endpoint: &'s Endpoint) -> Addressee<'s> {
        Addressee {
            endpoint,
            region: self.region,
            ca_file: self.cloud.ca_file.as_deref(),
        }
    }

    /// Drops what is kept, so that the next sign-in proves who we are.
    pub(crate) fn forget(&self, session: &Session<'_>) {
        let store = session.store(self.cache);
        session.cache(&store).forget_issued(&self.key(&self.iam()));
    }

    /// Calls `act` with what IAM has issued; once more with something new if what was kept is refused.
    fn with_issued<T>(&self, session: &Session<'_>, act: impl Fn(IssuedCredentials) -> Result<T>) -> Result<T> {
        self.with_fresh(session, || self.issued(session), act)
    }

    /// Calls `act` with what `issue` gives; once more if that was kept and is refused.
    fn with_fresh<T>(
        &self,
        session: &Session<'_>,
        issue: impl Fn() -> Result<(IssuedCredentials, bool)>,
        act: impl Fn(IssuedCredentials) -> Result<T>,
    ) -> Result<T> {
        let (issued, is_kept) = issue()?;
        match act(issued) {
            Err(error) if is_kept && error.is_unauthorized() => {
                session.log.info(|| format!("{error}: signing in again"));
                self.forget(session);
                act(issue()?.0)
            }
            result => result,
        }
    }

    /// What IAM has issued, and whether it was kept from an earlier run; with a person where one is needed.
    fn issued(&self, session: &Session<'_>) -> Result<(IssuedCredentials, bool)> {
        let mut given = person::GivenByPerson::default();
        for _ in 0..MOST_ROUNDS {
            match self.issued_silently(session, given.proof.as_ref()) {
                Err(error) if error.needs_person() && !self.is_deferred => {
                    given = person::ask(session, self.identity, self.may_ask)?;
                }
                result => return result,
            }
        }
        self.issued_silently(session, given.proof.as_ref())
    }

    /// [`SignIn::issued`] without asking anybody: an error that [needs a person](crate::error::Error::needs_person) where that is not possible.
    fn issued_silently(
        &self,
        session: &Session<'_>,
        proof: Option<&PersonsProof>,
    ) -> Result<(IssuedCredentials, bool)> {
        let iam = self.iam();
        // Asked first, and whatever is kept: an address from elsewhere gets nothing.
        self.identity.check_iam(&self.addressee(&iam))?;
        let key = self.key(&iam);
        let store = session.store(self.cache);
        let cache = session.cache(&store);
        // What was issued, or refused, a moment ago.
        let found = || {
            let issued = cache.issued(&key).map(|issued| Ok((issued, true)));
            issued.or_else(|| self.recent_refusal(session, &iam).map(Err))
        };
        if let Some(found) = found() {
            return found;
        }
        let patience = session.deadline.at_most(LOCK_TIMEOUT);
        let one_at_a_time = if self.is_for_client && !self.is_made_of_base() {
            refused::key(self.identity, &iam)
        } else {
            key.clone()
        };
        let _lock = match single_flight::wait(&session.directories, &one_at_a_time, patience, found) {
            LockOutcome::Acquired(lock) => lock,
            LockOutcome::AppearedMeanwhile(found) => return found,
            LockOutcome::TimedOut => return Err(LockTimedOut::SigningIn.into()),
        };
        if let Some(found) = found() {
            return found;
        }
        let generation = tombstone::generation(&session.directories, &key);
        let issued = self.sign_in(session, &iam, proof);
        match &issued {
            Ok(_) => refused::clear(session, self.identity, &iam),
            Err(error) => refused::record(session, self.identity, &iam, error),
        }
        let issued = issued?;
        if let Some(expires_at) = issued.expires_at {
            let clock = &session.host.clock;
            let skew = Endpoints::new(&session.directories, clock).traits(&iam).skew.now(clock);
            let pin = self.identity.identity_argument();
            cache.keep_issued(&key, &issued, expires_at - skew, generation, &pin);
        }
        Ok((issued, false))
    }

    fn recent_refusal(&self, session: &Session<'_>, iam: &Endpoint) -> Option<Error> {
        let is_asked = self.is_for_client;
        is_asked.then(|| refused::recent(session, self.identity, iam)).flatten()
    }

    /// Signs in anew. What a person has given their proof for serves all that is made of it.
    fn sign_in(
        &self,
        session: &Session<'_>,
        iam: &Endpoint,
        proof: Option<&PersonsProof>,
    ) -> Result<IssuedCredentials> {
        let http = session.cloud_http(self.cloud)?;
        let context = SignInContext {
            session,
            http: &http,
            iam,
            region: self.region,
            ca_file: self.cloud.ca_file.as_deref(),
            naming: match self.cloud.cloud_of(self.region) {
                Cloud::Otc => AgencyNaming::Otc,
                _ => AgencyNaming::Huawei,
            },
            proof,
        };
        if !self.is_made_of_base() {
            return self.identity.sign_in(&context, &self.scope, self.form());
        }
        let base_identity = self.identity.without_agency();
        let base = SignIn {
            identity: &base_identity,
            scope: Scope::Account,
            ..self.clone()
        };
        let issue = || base.issued_silently(session, proof);
        base.with_fresh(session, issue, |issued| {
            self.identity
                .exchange(&context, issued, &Scope::Account, &self.scope, self.form())
        })
    }

    /// It is made of the one token that a person's proof gave, which is a sign-in of its own.
    fn is_made_of_base(&self) -> bool {
        let is_base_enough = self.scope == Scope::Account && !self.identity.has_agency();
        self.identity.keeps_base_token() && !is_base_enough
    }

    fn iam(&self) -> Endpoint {
        self.cloud.iam(self.region)
    }

    /// An endpoint that must not see a token gets signatures.
    fn form(&self) -> CredentialForm {
        let is_for_iam = self.scope == Scope::Account;
        if is_for_iam || self.identity.trusts_cce(&self.addressee(&self.cloud.cce(self.region))) {
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
}

/// The session of a portal: kept, or with a person.
pub(crate) fn portal_session(session: &Session<'_>, identity: &Identity) -> Result<PortalSession> {
    let PersonalProof::Portal(at) = identity.personal_proof() else {
        return Err(IdentityError::SignInNeeded.into());
    };
    for _ in 0..MOST_ROUNDS {
        if let Some(kept) = kept_sessions::portal_session(session, at) {
            return Ok(kept);
        }
        if let Some(PersonsProof::Portal(fresh)) = person::ask(session, identity, true)?.proof {
            return Ok(fresh);
        }
    }
    Err(IdentityError::SignInNeeded.into())
}
