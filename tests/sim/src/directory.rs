//! What IAM knows: accounts, their projects, users, agencies and identity providers, and who holds which access key.

use crate::{
    access_keys::AccessKeys,
    accounts::{AgencySpec, ProviderSpec, Trust, UserSpec},
    pki,
    principal::{Identity, Principal},
    totp,
};

/// The account of all that has no other.
pub(crate) const FIRST_ACCOUNT: &str = "example-account";

/// An account, which Keystone calls a domain.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) id: String,
}

/// A user of an account.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct User {
    pub(crate) name: String,
    /// 32 hexadecimal digits: the common name of certificates.
    pub(crate) id: String,
    pub(crate) account_id: String,
    /// The organizations of certificates.
    pub(crate) groups: Vec<String>,
    pub(crate) password: Option<String>,
    pub(crate) totp_secret: Option<totp::Secret>,
    /// May revoke others.
    pub(crate) is_administrator: bool,
    /// May use CCE at all.
    pub(crate) may_use_cce: bool,
    /// Has the role `Agent Operator`.
    pub(crate) may_assume_agencies: bool,
    pub(crate) is_enabled: bool,
    /// Ids of the projects open to this user.
    pub(crate) projects: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) account_id: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Agency {
    pub(crate) name: String,
    pub(crate) id: String,
    /// The delegating account.
    pub(crate) account_id: String,
    /// Names are resolved: an account by its id.
    pub(crate) trust: Trust,
    pub(crate) projects: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) may_use_cce: bool,
    pub(crate) is_refused: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) account_id: String,
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) signing_key: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) projects: Vec<String>,
}

/// Everything IAM knows.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    pub(crate) accounts: Vec<Account>,
    pub(crate) projects: Vec<Project>,
    pub(crate) users: Vec<User>,
    pub(crate) agencies: Vec<Agency>,
    pub(crate) providers: Vec<Provider>,
    pub(crate) access_keys: AccessKeys,
}

impl Directory {
    /// `example-account` with `alice` (administrator), `bob` (ordinary, not in the team's project) and `carol` (no permission for CCE,
    /// nor to assume agencies); `other-account` with its main project and nobody.
    pub(crate) fn new(region: &str) -> Self {
        let mut directory = Self::default();
        let first = directory.add_account(FIRST_ACCOUNT, region);
        directory.add_project(&first, &format!("{region}_team"));
        directory.add_account("other-account", region);
        let main = vec![region.to_owned()];
        let all = vec![region.to_owned(), format!("{region}_team")];
        directory.add_user(&UserSpec {
            projects: all,
            is_administrator: true,
            ..UserSpec::named("alice")
        });
        directory.add_user(&UserSpec {
            projects: main.clone(),
            ..UserSpec::named("bob")
        });
        directory.add_user(&UserSpec {
            projects: main,
            may_use_cce: false,
            may_assume_agencies: false,
            ..UserSpec::named("carol")
        });
        if let Some(alice) = directory.user_mut("alice") {
            alice.groups.push("system:masters".to_owned());
        }
        directory
    }

    /// An account with a main project; returns the id.
    pub(crate) fn add_account(&mut self, name: &str, region: &str) -> String {
        let id = pki::random_id();
        self.accounts.push(Account {
            name: name.to_owned(),
            id: id.clone(),
        });
        self.add_project(&id, region);
        id
    }

    /// A user with an access key; returns the id.
    pub(crate) fn add_user(&mut self, spec: &UserSpec) -> String {
        let account_id = self.account(&spec.account).expect("the account exists").id.clone();
        let user = User {
            name: spec.name.clone(),
            id: pki::random_id(),
            groups: vec![pki::random_id()],
            password: spec.password.clone(),
            totp_secret: spec.totp_secret.as_deref().map(totp::Secret::new),
            is_administrator: spec.is_administrator,
            may_use_cce: spec.may_use_cce,
            may_assume_agencies: spec.may_assume_agencies,
            is_enabled: spec.is_enabled,
            projects: self.project_ids(&account_id, &spec.projects),
            account_id,
        };
        let id = user.id.clone();
        self.access_keys.add_permanent(&id);
        self.users.push(user);
        id
    }

    /// Returns the id.
    pub(crate) fn add_agency(&mut self, spec: &AgencySpec) -> String {
        let account_id = self.account(&spec.account).expect("the account exists").id.clone();
        let trust = match &spec.trust {
            Trust::Account(name) => Trust::Account(self.account(name).expect("the account exists").id.clone()),
            other => other.clone(),
        };
        let id = pki::random_id();
        self.agencies.push(Agency {
            name: spec.name.clone(),
            id: id.clone(),
            trust,
            projects: self.project_ids(&account_id, &spec.projects),
            groups: spec.groups.clone(),
            may_use_cce: spec.may_use_cce,
            is_refused: spec.is_refused,
            account_id,
        });
        id
    }

    pub(crate) fn add_provider(&mut self, spec: &ProviderSpec) {
        let account_id = self.account(&spec.account).expect("the account exists").id.clone();
        self.providers.push(Provider {
            name: spec.name.clone(),
            issuer: spec.issuer.clone(),
            audiences: spec.audiences.clone(),
            signing_key: spec.signing_key.clone(),
            groups: spec.groups.clone(),
            projects: self.project_ids(&account_id, &spec.projects),
            account_id,
        });
    }

    /// A project of this account, open to its administrators; returns the id.
    pub(crate) fn add_project(&mut self, account_id: &str, name: &str) -> String {
        let id = pki::random_id();
        self.projects.push(Project {
            name: name.to_owned(),
            id: id.clone(),
            account_id: account_id.to_owned(),
        });
        let users = self.users.iter_mut();
        for user in users.filter(|user| user.is_administrator && user.account_id == account_id) {
            user.projects.push(id.clone());
        }
        id
    }

    /// By name or id.
    pub(crate) fn account(&self, name_or_id: &str) -> Option<&Account> {
        let mut accounts = self.accounts.iter();
        accounts.find(|account| account.name == name_or_id || account.id == name_or_id)
    }

    /// By name or id.
    pub(crate) fn user(&self, name_or_id: &str) -> Option<&User> {
        let mut users = self.users.iter();
        users.find(|user| user.name == name_or_id || user.id == name_or_id)
    }

    pub(crate) fn user_mut(&mut self, name_or_id: &str) -> Option<&mut User> {
        let mut users = self.users.iter_mut();
        users.find(|user| user.name == name_or_id || user.id == name_or_id)
    }

    /// By name or id.
    pub(crate) fn project(&self, name_or_id: &str) -> Option<&Project> {
        let mut projects = self.projects.iter();
        projects.find(|project| project.name == name_or_id || project.id == name_or_id)
    }

    /// By name or id.
    pub(crate) fn agency(&self, name_or_id: &str) -> Option<&Agency> {
        let mut agencies = self.agencies.iter();
        agencies.find(|agency| agency.name == name_or_id || agency.id == name_or_id)
    }

    pub(crate) fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    /// Who this is now; `None` if there is no such identity any more, or it is disabled.
    pub(crate) fn principal(&self, identity: &Identity) -> Option<Principal> {
        match identity {
            Identity::User(id) => {
                let user = self.users.iter().find(|user| user.id == *id);
                user.filter(|user| user.is_enabled).map(Principal::of_user)
            }
            Identity::Agency { id, .. } => {
                let agency = self.agencies.iter().find(|agency| agency.id == *id)?;
                let account = self.account(&agency.account_id)?;
                Some(Principal::of_agency(agency, &account.name, identity.clone()))
            }
            Identity::Federated {
                provider,
                subject,
                user_id,
            } => {
                let provider = self.provider(provider)?;
                Some(Principal::of_federated(provider, subject, user_id, identity.clone()))
            }
        }
    }

    /// Of names or ids; a name means the project of this account.
    fn project_ids(&self, account_id: &str, names_or_ids: &[String]) -> Vec<String> {
        let id = |wanted: &String| {
            let of_account = |project: &&Project| project.account_id == account_id && project.name == *wanted;
            let mut projects = self.projects.iter();
            let found = self.projects.iter().find(of_account);
            let found = found.or_else(|| projects.find(|project| project.id == *wanted));
            found.expect("the project exists").id.clone()
        };
        names_or_ids.iter().map(id).collect()
    }
}
