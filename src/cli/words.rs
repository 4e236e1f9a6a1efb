//! The words that flags take: those of the rooms below, and those that no room below knows.

use crate::config::ProfileKind;
use crate::exec_credential::ApiVersion;
use crate::huaweicloud::cce::rotation::Component;
use crate::huaweicloud::cloud::Cloud;
use crate::identity::SourceName;
use crate::identity::sign_on::BrowserChoice;
use crate::store::{CacheMode, SecretPlace};
use crate::words::{self, Word};

/// The form of a report: `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// For people, 80 columns wide.
    #[default]
    Table,
    /// The same with everything that there is.
    Wide,
    /// For programs; the keys are stable.
    Json,
    /// The same as YAML.
    Yaml,
    /// Names alone, one a line.
    Name,
}

impl Word for Format {
    const ALL: &'static [Self] = &[Self::Table, Self::Wide, Self::Json, Self::Yaml, Self::Name];

    fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Name => "name",
        }
    }
}

/// Which of a cluster's endpoints: `--access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessChoice {
    /// The first that answers.
    Auto,
    /// The VPC's.
    Internal,
    /// The elastic IP's.
    External,
}

impl Word for AccessChoice {
    const ALL: &'static [Self] = &[Self::Auto, Self::Internal, Self::External];

    fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Internal => "internal",
            Self::External => "external",
        }
    }
}

/// What `refresh --to` writes: `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HandOverForm {
    /// For `--cache-from`.
    Certificate,
    /// For tools that run no plugins.
    Kubeconfig,
}

impl Word for HandOverForm {
    const ALL: &'static [Self] = &[Self::Certificate, Self::Kubeconfig];

    fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Kubeconfig => "kubeconfig",
        }
    }
}

/// The words that an argument takes, by clap's id of it: for completion.
pub(crate) fn of_argument(id: &str) -> Option<Vec<&'static str>> {
    Some(match id {
        "access" => words::all::<AccessChoice>(),
        "cache" => words::all::<CacheMode>(),
        "cloud" => Cloud::NAMES.to_vec(),
        "component" => words::all::<Component>(),
        "exec_api_version" => words::all::<ApiVersion>(),
        "format" => words::all::<HandOverForm>(),
        "identity" => words::all::<SourceName>(),
        "kind" => words::all::<ProfileKind>(),
        "output" => words::all::<Format>(),
        "secret_store" => words::all::<SecretPlace>(),
        "sign_in" => words::all::<BrowserChoice>(),
        _ => return None,
    })
}

/// A line of help: the words of the list where it says `{words}`.
pub(super) fn help<W: Word>(text: &str) -> String {
    text.replace("{words}", &words::listed::<W>())
}

/// A line of help that says something of each word: each `{}` is the next one.
pub(super) fn help_of_each<W: Word>(text: &str) -> String {
    let mut parts = text.split("{}");
    let first = parts.next().unwrap_or_default().to_owned();
    let words = words::all::<W>().into_iter();
    words.zip(parts).fold(first, |line, (word, part)| line + word + part)
}

#[cfg(test)]
mod tests {
    use super::of_argument;
    use clap::CommandFactory as _;

    #[test]
    fn help_names_every_word_that_a_flag_takes() {
        let mut seen = std::collections::BTreeSet::new();
        let mut commands = vec![crate::cli::Cli::command()];
        while let Some(mut command) = commands.pop() {
            command.build();
            for argument in command.get_arguments() {
                let Some(words) = of_argument(argument.get_id().as_str()) else {
                    continue;
                };
                seen.insert(argument.get_id().to_string());
                let help = argument.get_help().unwrap().to_string();
                let named: Vec<&str> = help.split([' ', ',', '(', ')']).collect();
                for word in words {
                    assert!(
                        named.contains(&word),
                        "{}: {word} is not in: {help}",
                        command.get_name()
                    );
                }
            }
            commands.extend(command.get_subcommands().cloned());
        }
        assert_eq!(seen.len(), 11, "{seen:?}");
    }
}
