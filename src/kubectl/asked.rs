//! The kubectl on PATH, asked whether it can use a context: nobody knows better.

use crate::env_vars;
use crate::host::captured::{Captured, capture};
use crate::host::{Deadline, Host};
use crate::kubeconfig::{Kubeconfig, OurContext};
use crate::kubectl::Kubectl;
use crate::kubectl::rules::{self, Unusable};
use crate::sanitize::sanitize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest that it may take to read the kubeconfig.
const PATIENCE_READING: Duration = Duration::from_secs(10);
/// The longest that one call may take.
const PATIENCE_CALLING: Duration = Duration::from_secs(15);

/// How kubectl finds the kubeconfig: by this file, else by its own rules.
#[derive(Clone, Copy)]
pub(crate) struct KubectlQuestion<'a> {
    pub(crate) host: &'a Host,
    pub(crate) file: Option<&'a Path>,
    pub(crate) deadline: Deadline,
}

/// Why kubectl cannot read the kubeconfig: by client-go's rules, then in its own words where there is one.
pub(crate) fn refused_file(
    kubectl: Option<&Kubectl>,
    question: KubectlQuestion<'_>,
    kubeconfig: &Kubeconfig,
) -> Option<Unusable> {
    rules::refused_file(kubeconfig).or_else(|| {
        let answer = ask(
            kubectl?,
            question,
            &["config", "view", "--output=json"],
            PATIENCE_READING,
        )?;
        (!answer.is_success).then(|| Unusable::FileSaysKubectl(last_words(&answer)))
    })
}

/// Why a context that looks right is of no use to it: one call through it, as any other would be. `None` also where it was not answered in
/// time, which says nothing of the context.
pub(crate) fn no_answer(
    kubectl: &Kubectl,
    question: KubectlQuestion<'_>,
    context: &OurContext<'_>,
) -> Option<Unusable> {
    // What every authenticated person may read, and nobody else.
    let arguments = ["--context", context.name, "--request-timeout=10s", "get", "--raw=/api"];
    let answer = ask(kubectl, question, &arguments, PATIENCE_CALLING)?;
    let words = last_words(&answer);
    let is_known = words.contains("(Forbidden)") && !words.contains("system:anonymous");
    (!answer.is_success && !is_known).then_some(Unusable::NoAnswer(words))
}

fn ask(kubectl: &Kubectl, question: KubectlQuestion<'_>, arguments: &[&str], patience: Duration) -> Option<Captured> {
    if !can_be_read_again(question) {
        return None;
    }
    let mut words = vec![kubectl.path.display().to_string()];
    if let Some(file) = question.file {
        words.push(format!("--kubeconfig={}", file.display()));
    }
    words.extend(arguments.iter().map(|&argument| argument.to_owned()));
    capture(&words, &question.host.env, false, question.deadline.at_most(patience)).ok()
}

/// A pipe has given us what was in it: there is nothing left for kubectl.
fn can_be_read_again(question: KubectlQuestion<'_>) -> bool {
    let listed = || question.host.env.var_os(env_vars::KUBECONFIG);
    let files: Vec<PathBuf> = match question.file {
        Some(file) => vec![file.to_owned()],
        None => listed().map_or(Vec::new(), |list| std::env::split_paths(&list).collect()),
    };
    files
        .iter()
        .all(|file| file.metadata().map_or(true, |metadata| metadata.is_file()))
}

/// The last line of what it says: before it come its libraries' own.
fn last_words(answer: &Captured) -> String {
    let mut lines = answer.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines.next_back().unwrap_or(&answer.status);
    sanitize(last.strip_prefix("error: ").unwrap_or(last))
}
