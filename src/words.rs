//! Closed lists of words. What a flag, a variable or a file takes of them is an enum; its words are written once, and help, plan and
//! completion read them here.

pub(crate) mod names;

/// An enum whose values are words.
pub(crate) trait Word: Copy + 'static {
    /// All of them, in the order in which people read them.
    const ALL: &'static [Self];

    /// The word.
    fn as_str(self) -> &'static str;

    /// Reads a word.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }
}

/// All words of a list.
pub(crate) fn all<W: Word>() -> Vec<&'static str> {
    W::ALL.iter().map(|word| word.as_str()).collect()
}

/// All words of a list, for a sentence: `one, two or three`.
pub(crate) fn listed<W: Word>() -> String {
    match all::<W>().split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => all::<W>().concat(),
    }
}
