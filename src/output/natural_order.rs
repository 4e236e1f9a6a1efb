//! The order in which people expect names: `c2` before `c10`.

use std::cmp::Ordering;

/// Compares two names: digits that follow each other count as the number that they are.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let parts = |text| NameParts(text);
    parts(a).cmp(parts(b)).then_with(|| a.cmp(b))
}

/// A piece of a name; numbers come before words.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum NamePart<'t> {
    /// How many digits it has without leading zeros, and these.
    Number(usize, &'t str),
    Word(&'t str),
}

struct NameParts<'t>(&'t str);

impl<'t> Iterator for NameParts<'t> {
    type Item = NamePart<'t>;

    fn next(&mut self) -> Option<NamePart<'t>> {
        let is_number = self.0.chars().next()?.is_ascii_digit();
        let end = self
            .0
            .find(|c: char| c.is_ascii_digit() != is_number)
            .unwrap_or(self.0.len());
        let (part, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(if is_number {
            let digits = part.trim_start_matches('0');
            NamePart::Number(digits.len(), digits)
        } else {
            NamePart::Word(part)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::natural_order;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let mut names = [
            "c10", "c2", "c", "prod", "c2b", "c02", "10", "9", "c2a10", "c2a9", "a-1.2",
        ];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(
            names,
            [
                "9", "10", "a-1.2", "c", "c02", "c2", "c2a9", "c2a10", "c2b", "c10", "prod"
            ]
        );
    }
}
