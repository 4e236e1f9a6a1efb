//! IAM: which projects there are, who somebody is; `sign_in` and `sts` issue tokens and temporary access keys.

pub(crate) mod sts;
pub mod token_answer;
pub(crate) mod token_request;

use crate::error::{Exit, Explain, UNUSABLE_FOR};
use crate::huaweicloud::api::{Answer, Api, ApiError, Call};
use crate::ids::{AccessKeyId, Endpoint, ProjectId, ProjectName, UserId};
use crate::sanitize::sanitize;
use crate::words::names::did_you_mean;
use chrono::TimeDelta;
use serde_json::Value;

/// A project: a region's main one (named like the region) or a sub-project (`eu-de_team`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What requests need.
    pub(crate) id: ProjectId,
    /// What people know.
    pub name: String,
}

/// Somebody or something with an id and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdAndName {
    /// What machines know.
    pub(crate) id: String,
    /// What people know.
    pub(crate) name: String,
}

impl IdAndName {
    fn from_json(value: &Value) -> Option<Self> {
        let text = |name| value.get(name).and_then(Value::as_str).map(sanitize);
        Some(Self {
            id: text("id")?,
            name: text("name")?,
        })
    }
}

/// Why a project was not found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IamError {
    /// IAM did not say.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No such project.
    #[error("there is no project `{name}` for this identity")]
    NoProject {
        /// What was looked for.
        name: String,
        /// What it may mean.
        meant: Option<String>,
    },
    /// Two projects of this name.
    #[error("{} projects are called `{name}`", ids.len())]
    Ambiguous {
        /// What was looked for.
        name: String,
        ids: Vec<ProjectId>,
    },
}

impl IamError {
    /// There is no project of this name or id among those with the names that are known.
    pub(crate) fn no_project<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        Self::NoProject {
            name: sanitize(name),
            meant: did_you_mean(name, known),
        }
    }
}

impl Explain for IamError {
    fn exit(&self) -> Exit {
        match self {
            Self::Api(error) => error.exit(),
            Self::NoProject { .. } | Self::Ambiguous { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Api(error) => error.hint(),
            Self::NoProject { meant, .. } => Some(meant.clone().unwrap_or_else(|| {
                "give the project's name or id with `--project` (a region's main project is named like the region)"
                    .to_owned()
            })),
            Self::Ambiguous { ids, .. } => {
                let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
                Some(format!("give the project's id with `--project`: {}", ids.join(" or ")))
            }
        }
    }

    fn retry_after(&self) -> Option<TimeDelta> {
        match self {
            Self::Api(error) => error.retry_after(),
            _ => None,
        }
    }

    fn is_throttled(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_throttled())
    }

    fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_unauthorized())
    }

    fn holds_for(&self) -> TimeDelta {
        match self {
            Self::Api(error) => error.holds_for(),
            _ => UNUSABLE_FOR,
        }
    }
}

/// IAM at one endpoint.
pub(crate) struct IamClient<'a> {
    /// Signs and sends.
    pub(crate) api: &'a Api<'a>,
    /// Where IAM answers.
    pub(crate) endpoint: &'a Endpoint,
}

impl IamClient<'_> {
    /// The project of this name (`GET /v3/projects?name=`, api-iam `KeystoneListProjects`).
    pub(crate) fn project_by_name(&self, name: &str) -> Result<Project, IamError> {
        let mut projects = self.list(vec![("name".to_owned(), name.to_owned())])?;
        projects.retain(|project| project.name == name);
        let known = if projects.is_empty() {
            self.projects().unwrap_or_default()
        } else {
            Vec::new()
        };
        only_project(name, projects, known.iter().map(|project| project.name.as_str()))
    }

    /// The project with this id, from the list of all that this identity can see.
    pub(crate) fn project_by_id(&self, id: &ProjectId) -> Result<Project, IamError> {
        let projects = self.projects()?;
        projects
            .into_iter()
            .find(|project| project.id == *id)
            .ok_or_else(|| IamError::no_project(id.as_str(), []))
    }

    /// All projects that this identity can see.
    pub(crate) fn projects(&self) -> Result<Vec<Project>, IamError> {
        self.list(Vec::new())
    }

    /// `GET /v3/projects`, which takes a permission that federated users lack; what is open to those is in `GET /v3/auth/projects`.
    fn list(&self, query: Vec<(String, String)>) -> Result<Vec<Project>, IamError> {
        let answer = match self.get("/v3/projects", query, "iam:projects:listProjects") {
            Err(ApiError::Refused(refusal)) if refusal.status == 403 => {
                let open = self.get("/v3/auth/projects", Vec::new(), "iam:projects:listProjects");
                open.map_err(|_| ApiError::Refused(refusal))?
            }
            answer => answer?,
        };
        let list = answer.json.get("projects").and_then(Value::as_array);
        let list = list.ok_or_else(|| incomplete("a list of projects"))?;
        let project = |value: &Value| {
            let text = |name| value.get(name).and_then(Value::as_str);
            Some(Project {
                id: ProjectId::parse(text("id")?).ok()?,
                name: ProjectName::parse(text("name")?).ok()?.to_string(),
            })
        };
        Ok(list.iter().filter_map(project).collect())
    }

    /// The account of this identity: id and name (`GET /v3/auth/domains`).
    pub(crate) fn account(&self) -> Result<IdAndName, IamError> {
        let answer = self.get("/v3/auth/domains", Vec::new(), "iam:users:listDomains")?;
        let account = answer.json.pointer("/domains/0").and_then(IdAndName::from_json);
        Ok(account.ok_or_else(|| incomplete("an account"))?)
    }

    /// The user that a permanent access key belongs to (`GET /v3.0/OS-CREDENTIAL/credentials/{id}`, `GET /v3/users/{id}`).
    pub(crate) fn user_of_access_key(&self, key: &AccessKeyId) -> Result<IdAndName, IamError> {
        let path = format!("/v3.0/OS-CREDENTIAL/credentials/{key}");
        let answer = self.get(&path, Vec::new(), "iam:credentials:getCredential")?;
        let id = answer.json.pointer("/credential/user_id").and_then(Value::as_str);
        let id = id.and_then(|id| UserId::parse(id).ok());
        let id = id.ok_or_else(|| incomplete("the access key's user"))?;
        self.known_user(&id)
    }

    /// The agency with this id (`GET /v3.0/OS-AGENCY/agencies/{id}`), as far as this identity may know.
    pub(crate) fn agency(&self, id: &UserId) -> Option<IdAndName> {
        let path = format!("/v3.0/OS-AGENCY/agencies/{id}");
        let answer = self.get(&path, Vec::new(), "iam:agencies:getAgency").ok()?;
        answer.json.get("agency").and_then(IdAndName::from_json)
    }

    /// The user with this id (`GET /v3/users/{id}`), as far as this identity may know.
    pub(crate) fn user(&self, id: &UserId) -> Option<IdAndName> {
        self.known_user(id).ok()
    }

    fn known_user(&self, id: &UserId) -> Result<IdAndName, IamError> {
        let answer = self.get(&format!("/v3/users/{id}"), Vec::new(), "iam:users:getUser")?;
        let user = answer.json.get("user").and_then(IdAndName::from_json);
        Ok(user.ok_or_else(|| incomplete("a user"))?)
    }

    /// The users of the account with this name (`GET /v3/users?name=`, api-iam `KeystoneListUsers`).
    pub(crate) fn users_by_name(&self, name: &str) -> Result<Vec<IdAndName>, IamError> {
        let query = vec![("name".to_owned(), name.to_owned())];
        let answer = self.get("/v3/users", query, "iam:users:listUsers")?;
        named(&answer, "users", name)
    }

    /// The agencies of the account with this name (`GET /v3.0/OS-AGENCY/agencies?domain_id=&name=`, api-iam `ListAgencies`).
    pub(crate) fn agencies_by_name(&self, name: &str) -> Result<Vec<IdAndName>, IamError> {
        let query = vec![
            ("domain_id".to_owned(), self.account()?.id),
            ("name".to_owned(), name.to_owned()),
        ];
        let answer = self.get("/v3.0/OS-AGENCY/agencies", query, "iam:agencies:listAgencies")?;
        named(&answer, "agencies", name)
    }

    fn get(&self, path: &str, query: Vec<(String, String)>, permission: &'static str) -> Result<Answer, ApiError> {
        self.api.call(&Call {
            service: "IAM",
            endpoint: self.endpoint,
            method: "GET",
            path: path.to_owned(),
            query,
            body: None,
            project: None,
            identity_provider: None,
            permission,
            is_repeatable: true,
        })
    }
}

/// Those of a list that have exactly this name: some installations look for a part of it, or do not look at it at all.
fn named(answer: &Answer, list: &str, name: &str) -> Result<Vec<IdAndName>, IamError> {
    let found = answer.json.get(list).and_then(Value::as_array);
    let found = found.ok_or_else(|| incomplete(&format!("a list of {list}")))?;
    let found = found.iter().filter_map(IdAndName::from_json);
    Ok(found.filter(|found| found.name == name).collect())
}

fn incomplete(what: &str) -> ApiError {
    ApiError::Incomplete {
        service: "IAM",
        what: what.to_owned(),
    }
}

/// The one project that `name` can mean; an error if there is none, or more. `known` are the names of all.
pub(crate) fn only_project<'n>(
    name: &str,
    mut matching: Vec<Project>,
    known: impl IntoIterator<Item = &'n str>,
) -> Result<Project, IamError> {
    match (matching.pop(), matching.as_slice()) {
        (Some(project), []) => Ok(project),
        (Some(last), others) => {
            let ids = others.iter().chain([&last]).map(|project| project.id.clone()).collect();
            let name = sanitize(name);
            Err(IamError::Ambiguous { name, ids })
        }
        (None, _) => Err(IamError::no_project(name, known)),
    }
}
