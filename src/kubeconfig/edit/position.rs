//! Where things are in the text: lines, columns, colons and dashes.

use crate::kubeconfig::edit::document::{Content, DocumentText};
use crate::kubeconfig::edit::splice::{Obstacle, Splice, Splicer};

impl Splicer<'_> {
    pub(crate) fn replace(&mut self, start: usize, end: usize, text: String) {
        self.splices.push(Splice { start, end, text });
    }

    /// Inserts text (which begins with a line break) at the end of the line at `at`.
    pub(crate) fn insert_after_line(&mut self, at: usize, text: String) {
        let end = self.line_end(at);
        self.replace(end, end, text);
    }

    /// Removes the lines from `start`, which must begin its line, to the one that holds `end`.
    pub(crate) fn remove_lines(&mut self, start: usize, end: usize) -> Result<(), Obstacle> {
        let prefix = self.line_prefix(start);
        if !prefix.chars().all(|c| c == ' ') {
            return Err("an entry does not begin on a line of its own".to_owned());
        }
        // With the line break before, not the one behind: the last line of a file may have none.
        let before = self.text.get(..start - prefix.len()).unwrap_or_default();
        let kept = before.strip_suffix('\n').unwrap_or(before);
        let kept = kept.strip_suffix('\r').unwrap_or(kept).len();
        self.replace(kept, self.line_end(end), String::new());
        Ok(())
    }

    /// The end of the line at `at`, before its line break.
    pub(crate) fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let line = rest.find('\n').and_then(|end| rest.get(..end)).unwrap_or(rest);
        at + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// What stands before `at` on its line.
    pub(crate) fn line_prefix(&self, at: usize) -> &str {
        let before = self.text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        before.get(start..).unwrap_or_default()
    }

    pub(crate) fn column(&self, at: usize) -> usize {
        self.line_prefix(at).chars().count()
    }

    /// The place behind the colon of a key.
    pub(crate) fn after_colon(&self, key: &DocumentText<'_>) -> Result<usize, Obstacle> {
        let rest = self.text.get(key.end..).unwrap_or_default();
        let trimmed = rest.trim_start_matches([' ', '\t']);
        if trimmed.starts_with(':') {
            Ok(key.end + rest.len() - trimmed.len() + 1)
        } else {
            Err("a key is written in an unusual way".to_owned())
        }
    }

    /// Where a pair's text ends: without a value behind its colon.
    pub(crate) fn pair_end(&self, (key, value): &(DocumentText<'_>, DocumentText<'_>)) -> usize {
        let colon = self.after_colon(key).unwrap_or(key.end);
        value.end.max(colon)
    }

    /// The dash of a block list's first item.
    pub(crate) fn first_dash(&self, key: &DocumentText<'_>, list: &DocumentText<'_>) -> Result<usize, Obstacle> {
        // Behind the colon there may be an anchor, a tag or a comment; the dash is on a line of its own.
        let colon = self.after_colon(key)?;
        let dash = self.next_dash(self.line_end(colon))?;
        if dash <= list.end.max(list.start) {
            Ok(dash)
        } else {
            Err("a list is written in an unusual way".to_owned())
        }
    }

    /// The dash that begins the next line that is neither empty nor a comment.
    pub(crate) fn next_dash(&self, from: usize) -> Result<usize, Obstacle> {
        let mut at = from;
        for line in self.text.get(from..).unwrap_or_default().split_inclusive('\n') {
            let body = line.trim_start();
            if body.starts_with('-') {
                return Ok(at + line.len() - body.len());
            }
            if !(body.is_empty() || body.starts_with('#')) {
                break;
            }
            at += line.len();
        }
        Err("a list is written in an unusual way".to_owned())
    }

    /// The column of the dashes of the first block list among the three.
    pub(crate) fn dash_column(&self, root: &DocumentText<'_>) -> Option<usize> {
        crate::kubeconfig::edit::kind::Kind::ALL.iter().find_map(|kind| {
            let (_, (key, list)) = root.pair(kind.list_key())?;
            matches!(list.content, Content::List { flow: false, .. })
                .then(|| self.first_dash(key, list).ok())
                .flatten()
                .map(|dash| self.column(dash))
        })
    }
}
