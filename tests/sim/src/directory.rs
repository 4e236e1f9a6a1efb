//! The account: users, their access keys, projects.

use serde::Serialize;

use crate::pki;

/// A permanent or, with a security token, a temporary access key.
#[derive(Clone, Debug, Serialize)]
pub struct AccessKey {
    /// AK.
    pub id: String,
    /// SK.
    pub secret: String,
    /// Present in temporary access keys: must be sent along.
    pub security_token: Option<String>,
}

/// A user of the account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    /// 32 hexadecimal digits: the common name of certificates.
    pub(crate) id: String,
    /// The organizations of certificates.
    pub(crate) groups: Vec<String>,
    /// May revoke others.
    pub(crate) is_administrator: bool,
    /// May use CCE at all.
    pub(crate) may_use_cce: bool,
    /// Ids of the projects open to this user.
    pub(crate) projects: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) name: String,
    pub(crate) id: String,
}

#[derive(Clone, Debug)]
struct KeyOf {
    key: AccessKey,
    user_id: String,
}

/// Everything IAM knows.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) domain_id: String,
    pub(crate) domain_name: String,
    pub(crate) projects: Vec<Project>,
    pub(crate) users: Vec<User>,
    access_keys: Vec<KeyOf>,
}

impl Directory {
    /// One account: `alice` (administrator), `bob` (ordinary, not in the team's project), `carol` (no permission for CCE).
    pub(crate) fn new(region: &str) -> Self {
        let projects: Vec<_> = [region.to_owned(), format!("{region}_team")]
            .into_iter()
            .map(|name| Project {
                name,
                id: pki::random_id(),
            })
            .collect();
        let mut directory = Self {
            domain_id: pki::random_id(),
            domain_name: "example-account".to_owned(),
            projects,
            users: Vec::new(),
            access_keys: Vec::new(),
        };
        let all: Vec<_> = directory.projects.iter().map(|project| project.id.clone()).collect();
        let main: Vec<_> = all.iter().take(1).cloned().collect();
        directory.add_user("alice", vec![pki::random_id(), "system:masters".to_owned()], all, true);
        directory.add_user("bob", vec![pki::random_id()], main.clone(), false);
        directory.add_user("carol", vec![pki::random_id()], main, false);
        for user in &mut directory.users {
            user.is_administrator = user.name == "alice";
            user.may_use_cce = user.name != "carol";
        }
        directory
    }

    pub(crate) fn add_user(&mut self, name: &str, groups: Vec<String>, projects: Vec<String>, is_administrator: bool) {
        let user = User {
            name: name.to_owned(),
            id: pki::random_id(),
            groups,
            is_administrator,
            may_use_cce: true,
            projects,
        };
        self.access_keys.push(KeyOf {
            key: new_access_key("AK", None),
            user_id: user.id.clone(),
        });
        self.users.push(user);
    }

    /// By name or id.
    pub(crate) fn user(&self, name_or_id: &str) -> Option<&User> {
        let mut users = self.users.iter();
        users.find(|user| user.name == name_or_id || user.id == name_or_id)
    }

    /// By name or id.
    pub(crate) fn project(&self, name_or_id: &str) -> Option<&Project> {
        let mut projects = self.projects.iter();
        projects.find(|project| project.name == name_or_id || project.id == name_or_id)
    }

    /// Returns the project's id.
    pub(crate) fn add_project(&mut self, name: &str) -> String {
        let id = pki::random_id();
        self.projects.push(Project {
            name: name.to_owned(),
            id: id.clone(),
        });
        for user in self.users.iter_mut().filter(|user| user.is_administrator) {
            user.projects.push(id.clone());
        }
        id
    }

    /// The first access key of a user.
    pub(crate) fn access_key_of(&self, user_id: &str) -> Option<AccessKey> {
        let mut keys = self.access_keys.iter();
        keys.find(|entry| entry.user_id == user_id)
            .map(|entry| entry.key.clone())
    }

    pub(crate) fn access_key(&self, id: &str) -> Option<(&AccessKey, &User)> {
        let entry = self.access_keys.iter().find(|entry| entry.key.id == id)?;
        Some((&entry.key, self.user(&entry.user_id)?))
    }

    pub(crate) fn add_temporary_access_key(&mut self, user_id: &str) -> AccessKey {
        let key = new_access_key("ST", Some(pki::random_id().repeat(20)));
        self.access_keys.push(KeyOf {
            key: key.clone(),
            user_id: user_id.to_owned(),
        });
        key
    }

    pub(crate) fn remove_access_key(&mut self, id: &str) {
        self.access_keys.retain(|entry| entry.key.id != id);
    }
}

/// Twenty and forty characters, as real ones have.
fn new_access_key(prefix: &str, security_token: Option<String>) -> AccessKey {
    let digits = pki::random_id().to_uppercase();
    AccessKey {
        id: format!("{prefix}{}", digits.get(..18).unwrap_or_default()),
        secret: pki::hex(&pki::random_bytes::<20>()),
        security_token,
    }
}
