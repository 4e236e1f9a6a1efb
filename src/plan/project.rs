//! A project as a person names it.

use crate::ids::ProjectId;
use crate::plan::PlanError;
use crate::plan::given::Given;

/// A project, by its name or its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ProjectChoice {
    /// By its name.
    Name(String),
    /// By its id: 32 hexadecimal digits.
    Id(ProjectId),
}

/// A project by its id where it looks like one, else by its name.
pub(super) fn project_choice(given: &Given) -> Result<ProjectChoice, PlanError> {
    let text = given.text.as_str();
    if text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit()) {
        return Ok(ProjectChoice::Id(
            given.parse(ProjectId::parse, crate::ids::InvalidId::hint)?,
        ));
    }
    if text.chars().any(char::is_control) || text.len() > 128 {
        return Err(PlanError::Invalid {
            origin: given.origin.clone(),
            problem: "it is not a project's name or id".to_owned(),
            cure: "give a project's name such as `eu-de_team`, or its id".to_owned(),
        });
    }
    Ok(ProjectChoice::Name(text.to_owned()))
}
