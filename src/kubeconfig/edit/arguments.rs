//! The arguments of an exec block of ours: those that we write, one by one; what a person has put beside them stays where it is.

/// The flags that we write; two that say who kubectl is are one and the same thing. All others are somebody's own.
const OURS: [&str; 16] = [
    "--region",
    "--project-id",
    "--cluster-id",
    PROFILE,
    IDENTITY,
    "--principal",
    "--duration",
    "--cache",
    "--cache-from",
    "--shared-cache",
    "--cloud",
    "--cce-endpoint",
    "--iam-endpoint",
    "--ca-file",
    AUTOPILOT,
    STRICT_DURATION,
];
const PROFILE: &str = "--profile";
const IDENTITY: &str = "--identity";
const AUTOPILOT: &str = "--autopilot";
const STRICT_DURATION: &str = "--strict-duration";

/// One argument: a flag with its value, in one word or two, or any other word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Argument<'a> {
    words: &'a [String],
    /// What it is about, if it is one of ours.
    flag: Option<&'static str>,
}

impl<'a> Argument<'a> {
    /// Our flag at the beginning of these words, or the first of them as it is.
    fn first_of(words: &'a [String]) -> Option<(Self, &'a [String])> {
        let word = words.first()?;
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        let flag = OURS.into_iter().find(|flag| *flag == name);
        let is_switch = [AUTOPILOT, STRICT_DURATION].contains(&name);
        let has_value_behind = flag.is_some() && !is_switch && name == word && words.len() > 1;
        let (words, rest) = words.split_at_checked(if has_value_behind { 2 } else { 1 })?;
        let flag = flag.map(|flag| if flag == PROFILE { IDENTITY } else { flag });
        Some((Self { words, flag }, rest))
    }

    fn all_of(mut words: &'a [String]) -> Vec<Self> {
        let mut all = Vec::new();
        while let Some((argument, rest)) = Self::first_of(words) {
            all.push(argument);
            words = rest;
        }
        all
    }

    /// In one word, as we write it.
    fn text(&self) -> String {
        self.words.join("=")
    }
}

/// The arguments of an entry as they are to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MergedArguments {
    pub(crate) words: Vec<String>,
    /// Ours that were others before, or are gone: for people.
    pub(crate) changes: Vec<String>,
}

impl MergedArguments {
    /// `wanted` in an entry that has `existing`: what means the same stays as it is written, where it stands; what a person has added stays.
    pub(crate) fn of(wanted: &[String], existing: &[String]) -> Self {
        let wanted = Argument::all_of(wanted);
        let mut left = wanted.clone();
        let mut merged: Vec<Argument<'_>> = Vec::new();
        let mut changes = Vec::new();
        for old in Argument::all_of(existing) {
            let is_it = |new: &Argument<'_>| match old.flag {
                Some(_) => new.flag == old.flag,
                None => new.words == old.words,
            };
            let new = left.iter().position(is_it).map(|at| left.remove(at));
            match new {
                Some(new) if new.text() != old.text() => {
                    changes.push(format!("`{}` is now `{}`", old.text(), new.text()));
                    merged.push(new);
                }
                None if old.flag.is_some() => changes.push(format!("`{}` is gone", old.text())),
                _ => merged.push(old),
            }
        }
        for new in left {
            // In front of those that stand behind it as we write them.
            let behind = wanted.iter().skip_while(|other| **other != new).skip(1);
            let behind: Vec<_> = behind.filter_map(|argument| argument.flag).collect();
            let at = merged
                .iter()
                .position(|old| old.flag.is_some_and(|flag| behind.contains(&flag)));
            merged.insert(at.unwrap_or(merged.len()), new);
        }
        Self {
            words: merged.iter().flat_map(|argument| argument.words).cloned().collect(),
            changes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_has_added_stays_and_what_changes_is_told() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let wanted = "get-credential --region=r --cluster-id=1 --profile=p --duration=8h";
        for (existing, merged, changes) in [
            (wanted, wanted, &[][..]),
            (
                "get-credential --timeout=20s --region r --cluster-id=1 -v --profile p --duration 8h",
                "get-credential --timeout=20s --region r --cluster-id=1 -v --profile p --duration 8h",
                &[],
            ),
            (
                "get-credential --identity=env --timeout 20s --cluster-id=1 --region=r --autopilot --duration=8h",
                "get-credential --profile=p --timeout 20s --cluster-id=1 --region=r --duration=8h",
                &["`--identity=env` is now `--profile=p`", "`--autopilot` is gone"],
            ),
            (
                "get-credential --cluster-id=1 -v",
                "get-credential --region=r --cluster-id=1 -v --profile=p --duration=8h",
                &[],
            ),
            (
                "get-credential --region=r --region=s --cluster-id=1",
                "get-credential --region=r --cluster-id=1 --profile=p --duration=8h",
                &["`--region=s` is gone"],
            ),
            (
                "get-credential --region=r --cluster-id=1 --duration=8h --profile",
                "get-credential --region=r --cluster-id=1 --duration=8h --profile=p",
                &["`--profile` is now `--profile=p`"],
            ),
        ] {
            let found = MergedArguments::of(&words(wanted), &words(existing));
            assert_eq!(found.words.join(" "), merged, "{existing}");
            assert_eq!(found.changes, changes, "{existing}");
            let again = MergedArguments::of(&words(wanted), &found.words);
            assert_eq!((again.words, again.changes.len()), (found.words, 0), "{existing}");
        }
    }
}
