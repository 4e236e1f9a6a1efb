//! A command line as a person would type it again, for messages that say how to go on.

use crate::cli::ChoiceArgs;
use crate::sanitize::shell_word;

/// The words of one.
pub(crate) struct CommandLine(Vec<String>);

impl CommandLine {
    /// `kubectl cce-login COMMAND`.
    pub(crate) fn new(command: &str) -> Self {
        Self(vec![format!("kubectl cce-login {command}")])
    }

    /// Adds a flag with its value.
    pub(crate) fn flag(&mut self, flag: &str, value: &str) {
        self.0.push(format!("--{flag} {}", shell_word(value)));
    }

    /// Adds a flag without a value.
    pub(crate) fn switch(&mut self, flag: &str) {
        self.0.push(format!("--{flag}"));
    }

    /// Adds where the clusters are looked for, and as whom; which ones they are is left out.
    pub(crate) fn search(&mut self, choice: &ChoiceArgs) {
        let search = &choice.search;
        for (flag, value) in [
            ("kubeconfig", &choice.kubeconfig),
            ("project", &search.project),
            ("profile", &search.identity.profile),
            ("identity", &search.identity.identity),
            ("cloud", &search.cloud.cloud),
            ("cce-endpoint", &search.cloud.cce_endpoint),
            ("iam-endpoint", &search.cloud.iam_endpoint),
            ("ca-file", &search.cloud.ca_file),
        ] {
            if let Some(value) = value {
                self.flag(flag, value);
            }
        }
        for region in &search.region {
            self.flag("region", region);
        }
    }

    /// The line.
    pub(crate) fn line(&self) -> String {
        self.0.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::CommandLine;

    #[test]
    fn a_value_with_odd_signs_is_quoted() {
        let mut line = CommandLine::new("revoke");
        line.flag("context", "prod");
        line.flag("context", "it's mine");
        assert_eq!(
            line.line(),
            r"kubectl cce-login revoke --context prod --context 'it'\''s mine'"
        );
    }
}
