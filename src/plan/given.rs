//! One setting as it was given, and where it came from: flag, then `CCE_LOGIN_*`, then profile.

use crate::config::Profile;
use crate::host::Env;
use crate::plan::PlanError;
use crate::sanitize::sanitize;
use crate::words::{Word, listed};

/// A value and where it came from, for messages.
pub(super) struct Given {
    pub(super) text: String,
    pub(super) origin: String,
}

impl Given {
    pub(super) fn parse<T, E: std::fmt::Display>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        cure: impl FnOnce(&E) -> String,
    ) -> Result<T, PlanError> {
        parse(&self.text).map_err(|error| PlanError::Invalid {
            origin: self.origin.clone(),
            problem: error.to_string(),
            cure: cure(&error),
        })
    }

    /// A flag that can be repeated: what was typed, else the one value of the variable, else the profile's.
    pub(super) fn list(
        flag: &str,
        typed: &[String],
        sources: &Sources<'_>,
        variable: &str,
        of_profile: fn(&Profile) -> Option<&String>,
    ) -> Vec<Self> {
        if typed.is_empty() {
            return sources
                .find(flag, None, Some(variable), of_profile)
                .into_iter()
                .collect();
        }
        let typed = typed.iter().map(|text| Self {
            text: text.clone(),
            origin: flag.to_owned(),
        });
        typed.collect()
    }

    /// A closed list of words.
    pub(super) fn one_of<W: Word>(&self) -> Result<W, PlanError> {
        self.of_form(W::parse, &listed::<W>())
    }

    /// One of these forms.
    pub(super) fn of_form<T>(&self, parse: impl FnOnce(&str) -> Option<T>, words: &str) -> Result<T, PlanError> {
        let shown = sanitize(&self.text);
        parse(&self.text).ok_or_else(|| PlanError::Invalid {
            origin: self.origin.clone(),
            problem: format!("`{shown}` is not one of {words}"),
            cure: format!("use {words}"),
        })
    }
}

/// Where values come from, in order.
pub(super) struct Sources<'a> {
    pub(super) env: &'a Env,
    pub(super) profile: Option<&'a Profile>,
}

impl Sources<'_> {
    pub(super) fn find(
        &self,
        flag: &str,
        typed: Option<&str>,
        variable: Option<&str>,
        of_profile: fn(&Profile) -> Option<&String>,
    ) -> Option<Given> {
        let typed = typed.map(|text| Given {
            text: text.to_owned(),
            origin: flag.to_owned(),
        });
        let from_env = || {
            variable.and_then(|name| {
                Some(Given {
                    text: self.env.var(name)?,
                    origin: name.to_owned(),
                })
            })
        };
        let from_profile = || {
            let profile = self.profile?;
            let key = flag.trim_start_matches('-').replace('-', "_");
            let place = profile.origin.as_deref().unwrap_or("config.toml");
            Some(Given {
                text: of_profile(profile)?.clone(),
                origin: format!("{key} in {place}"),
            })
        };
        typed.or_else(from_env).or_else(from_profile)
    }
}

/// No profile key for this setting.
pub(super) fn none(_: &Profile) -> Option<&String> {
    None
}
