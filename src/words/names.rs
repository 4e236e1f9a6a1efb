//! Names in a sentence: listed, and what a mistyped one may mean. One way for clusters, contexts, profiles, projects and regions.

use crate::sanitize::sanitize;

/// The most names in a sentence.
const MOST_NAMES: usize = 8;
/// How alike two names must be for one to be proposed in place of the other (0 to 1).
const ALIKE: f64 = 0.7;

/// Names in a sentence: the first few, and how many more there are.
pub(crate) fn quoted(names: &[&str]) -> String {
    let shown = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| format!("`{}`", sanitize(name)))
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The names that are at least so `alike` (0 to 1) to what was typed, the nearest first.
pub(crate) fn near<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>, alike: f64) -> Vec<&'n str> {
    let likeness = |name: &str| strsim::jaro_winkler(typed, name);
    let mut near: Vec<&str> = names.into_iter().filter(|name| likeness(name) >= alike).collect();
    near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    near
}

/// The question that is the hint where no name is the one that was typed; `None` where none is near it.
pub(crate) fn did_you_mean<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let near = near(typed, names, ALIKE);
    (!near.is_empty()).then(|| format!("did you mean {}?", quoted(&near)))
}
