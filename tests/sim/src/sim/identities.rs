//! Who there is: accounts, projects, users with their keys, passwords and tokens, agencies, identity providers.

use chrono::{DateTime, Utc};

use super::Sim;
use crate::{
    access_keys::AccessKey,
    accounts::{AgencySpec, IdTokenSpec, ProviderSpec, UserSpec},
    directory::{FIRST_ACCOUNT, User},
    principal::Identity,
    tokens::{Lifetime, Scope},
    totp,
    world::{REGION, lock},
};

/// Of temporary access keys made past the API; the longest that IAM gives.
const TEMPORARY_KEY_SECONDS: i64 = 24 * 3600;

impl Sim {
    /// The user's access key.
    pub fn access_key(&self, user: &str) -> AccessKey {
        let id = self.user_id(user);
        let directory = lock(&self.world.directory);
        let key = directory.access_keys.of_user(&id);
        key.expect("the user has an access key")
    }

    /// A new temporary access key of this user, with its security token.
    pub fn temporary_access_key(&self, user: &str) -> AccessKey {
        let identity = Identity::User(self.user_id(user));
        let end = self.world.temporary_key_end(TEMPORARY_KEY_SECONDS);
        lock(&self.world.directory).access_keys.add_temporary(identity, end)
    }

    /// The access key is unknown from now on.
    pub fn remove_access_key(&self, id: &str) {
        lock(&self.world.directory).access_keys.remove(id);
    }

    /// Every temporary access key has expired from now on.
    pub fn expire_temporary_access_keys(&self) {
        let now = self.world.now();
        lock(&self.world.directory).access_keys.expire_temporary(now);
    }

    /// The user's id: 32 hexadecimal digits, the common name of certificates.
    pub fn user_id(&self, user: &str) -> String {
        let directory = lock(&self.world.directory);
        directory.user(user).expect("the user exists").id.clone()
    }

    /// Adds an ordinary user with an access key, in these projects; returns the id.
    pub fn add_user(&self, name: &str, projects: &[&str]) -> String {
        let projects = projects.iter().map(|project| self.project_id(project)).collect();
        self.create_user(&UserSpec {
            projects,
            ..UserSpec::named(name)
        })
    }

    /// Adds a user with an access key; returns the id.
    pub fn create_user(&self, spec: &UserSpec) -> String {
        lock(&self.world.directory).add_user(spec)
    }

    /// The user is gone, and with it what its keys and tokens are good for.
    pub fn remove_user(&self, user: &str) {
        let id = self.user_id(user);
        lock(&self.world.directory).users.retain(|user| user.id != id);
    }

    /// Sets the password; tokens issued until now are revoked, as documented.
    pub fn set_password(&self, user: &str, password: &str) {
        self.change_user(user, |user| user.password = Some(password.to_owned()));
        self.revoke_tokens(user);
    }

    /// From now on passwords need a passcode (base32 secret), or with `None` do not.
    pub fn set_totp(&self, user: &str, secret: Option<&str>) {
        let secret = secret.map(totp::Secret::new);
        self.change_user(user, |user| user.totp_secret = secret);
    }

    /// What the user's virtual MFA device shows, by the cloud's clock.
    pub fn passcode(&self, user: &str) -> String {
        self.passcode_if_any(user).expect("the user has a TOTP secret")
    }

    pub(crate) fn passcode_if_any(&self, user: &str) -> Option<String> {
        let now = self.world.now();
        let directory = lock(&self.world.directory);
        let secret = directory.user(user)?.totp_secret.as_ref();
        secret.map(|secret| secret.passcode(now))
    }

    /// Whether IAM lets the user in at all.
    pub fn set_enabled(&self, user: &str, is_enabled: bool) {
        self.change_user(user, |user| user.is_enabled = is_enabled);
    }

    /// A new token of this user past the API: of a project (name or id), or of the account.
    pub fn token(&self, user: &str, project: Option<&str>) -> String {
        let scope = match project {
            Some(project) => Scope::Project(self.project_id(project)),
            None => Scope::Domain(self.account_id(&self.account_of(user))),
        };
        let issued_at = self.world.now();
        let lifetime = self.behaviour().token_lifetime;
        let lifetime = lifetime.and_then(|lifetime| chrono::Duration::from_std(lifetime).ok());
        let expires_at = issued_at + lifetime.unwrap_or_else(|| chrono::Duration::hours(24));
        let identity = Identity::User(self.user_id(user));
        let lifetime = Lifetime { issued_at, expires_at };
        let methods = vec!["password".to_owned()];
        lock(&self.world.tokens).issue(identity, scope, methods, lifetime).text
    }

    /// Whether there was such a token; it is good for nothing from now on.
    pub fn revoke_token(&self, token: &str) -> bool {
        lock(&self.world.tokens).revoke(token)
    }

    /// Every token of this user issued until now is good for nothing.
    pub fn revoke_tokens(&self, user: &str) {
        let id = self.user_id(user);
        lock(&self.world.tokens).revoke_all(Some(&id));
    }

    /// Every token issued until now, agencies' and federated users' too, is good for nothing.
    pub fn revoke_all_tokens(&self) {
        lock(&self.world.tokens).revoke_all(None);
    }

    /// Adds an account with a main project; returns the id.
    pub fn add_account(&self, name: &str) -> String {
        lock(&self.world.directory).add_account(name, REGION)
    }

    /// The account's id.
    pub fn account_id(&self, name: &str) -> String {
        let directory = lock(&self.world.directory);
        directory.account(name).expect("the account exists").id.clone()
    }

    /// The first account's project of this name, or any of this id; returns the id.
    pub fn project_id(&self, name: &str) -> String {
        let directory = lock(&self.world.directory);
        directory.project(name).expect("the project exists").id.clone()
    }

    /// The account's project of this name; returns the id.
    pub fn project_id_in(&self, account: &str, name: &str) -> String {
        let account_id = self.account_id(account);
        let directory = lock(&self.world.directory);
        let mut projects = directory.projects.iter();
        let project = projects.find(|project| project.account_id == account_id && project.name == name);
        project.expect("the project exists").id.clone()
    }

    /// Adds a project to the first account, open to its administrators; returns the id. A name that is taken makes a second project of that name.
    pub fn add_project(&self, name: &str) -> String {
        self.add_project_in(FIRST_ACCOUNT, name)
    }

    /// Adds a project to this account, as [`Self::add_project`].
    pub fn add_project_in(&self, account: &str, name: &str) -> String {
        let account_id = self.account_id(account);
        lock(&self.world.directory).add_project(&account_id, name)
    }

    /// Adds an agency; returns the id: the common name of certificates issued through it.
    pub fn add_agency(&self, spec: &AgencySpec) -> String {
        lock(&self.world.directory).add_agency(spec)
    }

    /// The agency's id.
    pub fn agency_id(&self, name: &str) -> String {
        let directory = lock(&self.world.directory);
        directory.agency(name).expect("the agency exists").id.clone()
    }

    /// `iam::{account}:agency:{name}`
    pub fn agency_urn(&self, name: &str) -> String {
        let directory = lock(&self.world.directory);
        let agency = directory.agency(name).expect("the agency exists");
        format!("iam::{}:agency:{}", agency.account_id, agency.name)
    }

    /// Whether nobody may assume the agency any more; keys and tokens issued before stay good.
    pub fn set_agency_refused(&self, name: &str, is_refused: bool) {
        let id = self.agency_id(name);
        let mut directory = lock(&self.world.directory);
        let agencies = directory.agencies.iter_mut();
        agencies
            .filter(|agency| agency.id == id)
            .for_each(|agency| agency.is_refused = is_refused);
    }

    /// IAM knows this identity provider from now on.
    pub fn add_identity_provider(&self, spec: &ProviderSpec) {
        lock(&self.world.directory).add_provider(spec);
    }

    /// `iam::{account}:oidcProvider:{name}`
    pub fn provider_urn(&self, name: &str) -> String {
        let directory = lock(&self.world.directory);
        let provider = directory.provider(name).expect("the identity provider exists");
        format!("iam::{}:oidcProvider:{}", provider.account_id, provider.name)
    }

    /// An id token, whether IAM knows its issuer or not.
    pub fn id_token(&self, spec: &IdTokenSpec) -> String {
        self.world.id_token(spec)
    }

    /// Everything that must never be seen where it does not belong: secret keys, security tokens, tokens of every kind, passwords.
    pub fn secrets(&self) -> Vec<String> {
        let mut secrets = lock(&self.world.bearer_texts).clone();
        let directory = lock(&self.world.directory);
        secrets.extend(directory.access_keys.secrets());
        secrets.extend(directory.users.iter().filter_map(|user| user.password.clone()));
        secrets.extend(lock(&self.world.tokens).texts());
        secrets.push(self.world.actions_request_token.clone());
        secrets.extend(lock(&self.world.center).secrets());
        secrets.extend(lock(&self.world.provider).secrets.iter().cloned());
        secrets
    }

    /// The cloud's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.world.now()
    }

    pub(crate) fn has_account(&self, name_or_id: &str) -> bool {
        lock(&self.world.directory).account(name_or_id).is_some()
    }

    pub(crate) fn has_agency(&self, name_or_id: &str) -> bool {
        lock(&self.world.directory).agency(name_or_id).is_some()
    }

    fn account_of(&self, user: &str) -> String {
        let directory = lock(&self.world.directory);
        directory.user(user).expect("the user exists").account_id.clone()
    }

    fn change_user(&self, user: &str, change: impl FnOnce(&mut User)) {
        let mut directory = lock(&self.world.directory);
        change(directory.user_mut(user).expect("the user exists"));
    }
}
