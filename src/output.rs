//! How reports are written: `-o table|wide|json|yaml|name`, and what several commands say.

pub(crate) mod confirm;
pub(crate) mod natural_order;
pub(crate) mod some_failed;

pub(crate) use crate::cli::words::Format;
pub(crate) use crate::words::names::quoted as names;

use crate::error::{Exit, Explain, Result};
use crate::host::Host;
use crate::sanitize;
use serde::Serialize;

/// A value as indented JSON with a line end.
pub(crate) fn json(value: &impl Serialize) -> String {
    sanitize::json(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// A value as YAML with a line end.
pub(crate) fn yaml(value: &impl Serialize) -> String {
    serde_saphyr::to_string(value).unwrap_or_default()
}

/// Columns wide enough for their longest cell, two spaces apart.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|cell| columns_of(cell))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let padded =
            |(cell, width): (&String, &usize)| cell.clone() + &" ".repeat(width.saturating_sub(columns_of(cell)));
        let cells = row.iter().zip(&widths).map(padded);
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The same as rows of a list.
pub(crate) fn table_rows(rows: &[Vec<String>]) -> Vec<String> {
    table(rows).lines().map(str::to_owned).collect()
}

/// The columns of a terminal that nobody has made wider.
const USUAL_WIDTH: usize = 80;

/// A table that fits a terminal, if that can be had by leaving out columns that have one of these heads, the first ones first.
pub(crate) fn narrow_table(rows: &[Vec<String>], dispensable: &[&str]) -> String {
    let mut rows = rows.to_vec();
    for head in dispensable {
        let is_narrow = table(&rows).lines().all(|line| columns_of(line) <= USUAL_WIDTH);
        let at = rows.first().and_then(|row| row.iter().position(|cell| cell == head));
        if let (false, Some(at)) = (is_narrow, at) {
            for row in rows.iter_mut().filter(|row| at < row.len()) {
                row.remove(at);
            }
        }
    }
    table(&rows)
}

/// The columns that a text takes on a terminal: Chinese signs take two.
fn columns_of(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// Why the answer could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to stdout")]
struct OutputError(#[source] std::io::Error);

impl Explain for OutputError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some("check the disk and the pipe that stdout goes to".to_owned())
    }
}

/// Writes one complete document to stdout, once.
pub(crate) fn print(host: &Host, text: &str) -> Result<()> {
    Ok(host.print(text).map_err(OutputError)?)
}
