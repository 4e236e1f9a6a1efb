//! IAM, as far as access keys need it: which projects there are.

pub mod issued;

use crate::api::{Api, ApiError, Call};
use crate::error::{Exit, Explain};
use crate::ids::{Endpoint, ProjectId};
use serde_json::Value;

/// A project: a region's main one (named like the region) or a sub-project (`eu-de_team`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// What requests need.
    pub id: ProjectId,
    /// What people know.
    pub name: String,
}

/// Why a project was not found.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// IAM did not say.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// No such project.
    #[error("there is no project `{name}` for this identity")]
    NoProject {
        /// What was looked for.
        name: String,
    },
    /// Two projects of this name.
    #[error("{count} projects are called `{name}`")]
    Ambiguous {
        /// What was looked for.
        name: String,
        /// How many there are.
        count: usize,
    },
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
            Self::NoProject { .. } => Some(
                "give the project's name or id with `--project` (a region's main project is named like the region)"
                    .to_owned(),
            ),
            Self::Ambiguous { .. } => Some("give the project's id with `--project`".to_owned()),
        }
    }
}

/// IAM at one endpoint.
pub struct IamClient<'a> {
    /// Signs and sends.
    pub api: &'a Api<'a>,
    /// Where IAM answers.
    pub endpoint: &'a Endpoint,
}

impl IamClient<'_> {
    /// The project of this name (`GET /v3/projects?name=`, api-iam `KeystoneListProjects`).
    pub fn project_by_name(&self, name: &str) -> Result<Project, IamError> {
        let mut projects = self.list(vec![("name".to_owned(), name.to_owned())])?;
        projects.retain(|project| project.name == name);
        let count = projects.len();
        match projects.pop() {
            Some(project) if count == 1 => Ok(project),
            Some(_) => Err(IamError::Ambiguous {
                name: name.to_owned(),
                count,
            }),
            None => Err(IamError::NoProject { name: name.to_owned() }),
        }
    }

    /// The project with this id, from the list of all that this identity can see.
    pub fn project_by_id(&self, id: &ProjectId) -> Result<Project, IamError> {
        let projects = self.projects()?;
        projects
            .into_iter()
            .find(|project| project.id == *id)
            .ok_or_else(|| IamError::NoProject { name: id.to_string() })
    }

    /// All projects that this identity can see.
    pub fn projects(&self) -> Result<Vec<Project>, IamError> {
        self.list(Vec::new())
    }

    fn list(&self, query: Vec<(String, String)>) -> Result<Vec<Project>, IamError> {
        let answer = self.api.call(&Call {
            service: "IAM",
            endpoint: self.endpoint,
            method: "GET",
            path: "/v3/projects".to_owned(),
            query,
            body: None,
            project: None,
            permission: "iam:projects:listProjects",
            is_repeatable: true,
        })?;
        let list = answer.json.get("projects").and_then(Value::as_array);
        let list = list.ok_or_else(|| ApiError::Incomplete {
            service: "IAM",
            what: "a list of projects".to_owned(),
        })?;
        let project = |value: &Value| {
            let text = |name| value.get(name).and_then(Value::as_str);
            Some(Project {
                id: ProjectId::parse(text("id")?).ok()?,
                name: text("name")?.to_owned(),
            })
        };
        Ok(list.iter().filter_map(project).collect())
    }
}
