//! A list that narrows while one types: which rows are left, which one is pointed at, which ones are marked.

use std::collections::BTreeSet;

/// The state; rows are known by their number from 0.
pub(super) struct List<'r> {
    rows: &'r [String],
    left: Vec<usize>,
    /// Where among those that are left.
    at: usize,
    marked: BTreeSet<usize>,
}

impl<'r> List<'r> {
    pub(super) fn new(rows: &'r [String]) -> Self {
        Self {
            left: (0..rows.len()).collect(),
            rows,
            at: 0,
            marked: BTreeSet::new(),
        }
    }

    /// Only rows with all these words are left. The row that was pointed at stays so, if it is one of them.
    pub(super) fn filter(&mut self, typed: &str) {
        let pointed = self.pointed();
        self.left = matching(self.rows, typed);
        self.at = self.left.iter().position(|row| Some(*row) == pointed).unwrap_or(0);
    }

    /// So many rows down, or up where it is negative; one step beyond an end leads to the other one.
    pub(super) fn step(&mut self, by: isize) {
        let last = self.left.len().saturating_sub(1);
        self.at = match self.at.checked_add_signed(by) {
            None if by == -1 => last,
            None => 0,
            Some(at) if at > last && by == 1 => 0,
            Some(at) => at.min(last),
        };
    }

    pub(super) fn pointed(&self) -> Option<usize> {
        self.left.get(self.at).copied()
    }

    /// Marks the row that is pointed at, or takes its mark, and goes on to the next one.
    pub(super) fn mark(&mut self) {
        if let Some(row) = self.pointed() {
            if !self.marked.remove(&row) {
                self.marked.insert(row);
            }
            self.step(1);
        }
    }

    pub(super) fn marked(&self) -> &BTreeSet<usize> {
        &self.marked
    }

    /// What was chosen: what is marked, else what is pointed at.
    pub(super) fn chosen(&self) -> Vec<usize> {
        if self.marked.is_empty() {
            self.pointed().into_iter().collect()
        } else {
            self.marked.iter().copied().collect()
        }
    }

    /// The rows of one page, the one that is pointed at among them, and whether there are more above and below.
    pub(super) fn page(&self, height: usize) -> (&[usize], bool, bool) {
        let start = self.at.saturating_sub(height / 2);
        let start = start.min(self.left.len().saturating_sub(height));
        let end = (start + height).min(self.left.len());
        (
            self.left.get(start..end).unwrap_or_default(),
            start > 0,
            end < self.left.len(),
        )
    }
}

/// The rows with all the words that were typed, wherever in the row.
pub(super) fn matching(rows: &[String], typed: &str) -> Vec<usize> {
    let typed = typed.to_lowercase();
    let has_all = |row: &String| {
        let row = row.to_lowercase();
        typed.split_whitespace().all(|word| row.contains(word))
    };
    (0..rows.len())
        .filter(|at| rows.get(*at).is_some_and(has_all))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<String> {
        ["eu-de  Frankfurt", "eu-nl  Amsterdam", "cn-north-4  Beijing 4 (北京四)"]
            .map(str::to_owned)
            .into()
    }

    #[test]
    fn words_narrow_the_list_whatever_their_order() {
        let rows = rows();
        assert_eq!(matching(&rows, "FRANK eu"), [0]);
        assert_eq!(matching(&rows, "北京"), [2]);
        assert_eq!(matching(&rows, "  "), [0, 1, 2]);
        assert_eq!(matching(&rows, "nowhere"), [0; 0]);
    }

    #[test]
    fn the_pointer_stays_with_its_row() {
        let rows = rows();
        let mut list = List::new(&rows);
        list.step(1);
        list.filter("eu");
        assert_eq!(list.pointed(), Some(1));
        list.filter("beijing");
        assert_eq!(list.pointed(), Some(2));
        list.filter("nowhere");
        assert_eq!((list.pointed(), list.chosen()), (None, vec![]));
        list.filter("");
        list.step(-1);
        assert_eq!(list.pointed(), Some(2), "one step above the first is the last");
        list.step(1);
        assert_eq!(list.pointed(), Some(0));
        list.step(100);
        assert_eq!(list.pointed(), Some(2));
    }

    #[test]
    fn several_can_be_marked_under_any_filter() {
        let rows = rows();
        let mut list = List::new(&rows);
        assert_eq!(list.chosen(), [0]);
        list.filter("beijing");
        list.mark();
        list.filter("");
        list.step(-100);
        list.mark();
        assert_eq!(list.chosen(), [0, 2]);
        list.step(-1);
        list.mark();
        assert_eq!(list.chosen(), [2]);
    }

    #[test]
    fn a_page_shows_the_row_that_is_pointed_at() {
        let rows: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let mut list = List::new(&rows);
        assert_eq!(list.page(5), (&[0, 1, 2, 3, 4][..], false, true));
        list.step(50);
        assert_eq!(list.page(5), (&[48, 49, 50, 51, 52][..], true, true));
        list.step(100);
        assert_eq!(list.page(5), (&[95, 96, 97, 98, 99][..], true, false));
    }
}
