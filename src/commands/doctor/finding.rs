//! One finding: what was looked at, how it is, and what to do about it.

use crate::error::Error;
use crate::output::{self, Format};
use crate::sanitize::sanitize;
use serde::Serialize;

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    Ok,
    /// It works, but not as well as it could.
    Warning,
    /// It does not work.
    Problem,
}

/// A line of the report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    check: &'static str,
    context: Option<String>,
    pub(super) result: Level,
    message: String,
    cure: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self {
            check,
            context: None,
            result: Level::Ok,
            message: message.into(),
            cure: None,
        }
    }

    pub(super) fn warning(check: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            result: Level::Warning,
            cure: Some(cure.into()),
            ..Self::ok(check, message)
        }
    }

    pub(super) fn problem(check: &'static str, message: impl Into<String>, cure: impl Into<String>) -> Self {
        Self {
            result: Level::Problem,
            ..Self::warning(check, message, cure)
        }
    }

    /// What failed is a problem, with the cure that it names itself.
    pub(super) fn failed(check: &'static str, error: &Error) -> Self {
        Self {
            cure: error.hint(),
            result: Level::Problem,
            ..Self::ok(check, error.to_string())
        }
    }

    #[must_use]
    pub(super) fn of_context(self, name: &str) -> Self {
        Self {
            context: Some(name.to_owned()),
            ..self
        }
    }

    /// It is a problem with which kubectl cannot run us for this context.
    pub(super) fn hinders_kubectl(&self, context: &str) -> bool {
        let is_about_it = self.context.as_deref().is_none_or(|about| about == context);
        self.result == Level::Problem
            && is_about_it
            && ["kubeconfig", "kubectl", "path", "policy"].contains(&self.check)
    }

    fn lines(&self) -> String {
        let result = match self.result {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Problem => "problem",
        };
        let context = self
            .context
            .as_ref()
            .map_or(String::new(), |name| format!("{}: ", sanitize(name)));
        let cure = self
            .cure
            .as_ref()
            .map_or(String::new(), |cure| format!("{:9}-> {}\n", "", sanitize(cure)));
        format!(
            "{result:7}  {}: {context}{}\n{cure}",
            self.check,
            sanitize(&self.message)
        )
    }
}

/// The findings in this form; as names those that are problems.
pub(super) fn render(findings: &[Finding], format: Format) -> String {
    match format {
        Format::Json => output::json(&findings),
        Format::Yaml => output::yaml(&findings),
        Format::Name => {
            let problems = findings.iter().filter(|finding| finding.result == Level::Problem);
            problems.flat_map(|finding| [finding.check, "\n"]).collect()
        }
        Format::Table | Format::Wide => findings.iter().map(Finding::lines).collect(),
    }
}
