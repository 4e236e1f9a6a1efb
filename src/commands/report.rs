//! How reports are written: `-o table|json|yaml|name`.

use crate::cli::OutputArgs;
use crate::error::{Exit, Explain, Result};
use crate::host::Host;
use crate::plan::PlanError;
use serde::Serialize;
use serde_json::Value;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// For people.
    Table,
    /// For programs; the keys are stable.
    Json,
    /// The same for people who read YAML.
    Yaml,
    /// Names alone, one a line.
    Name,
}

impl Format {
    /// By `-o`.
    pub(super) fn parse(args: &OutputArgs) -> std::result::Result<Self, PlanError> {
        match args.output.as_deref() {
            None | Some("table") => Ok(Self::Table),
            Some("json") => Ok(Self::Json),
            Some("yaml") => Ok(Self::Yaml),
            Some("name") => Ok(Self::Name),
            Some(other) => Err(PlanError::Invalid {
                origin: "--output".to_owned(),
                problem: format!(
                    "`{}` is not one of table, json, yaml or name",
                    crate::sanitize::sanitize(other)
                ),
                cure: "use table, json, yaml or name".to_owned(),
            }),
        }
    }
}

/// A value as indented JSON with a line end.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// A value as YAML.
pub(super) fn yaml(value: &impl Serialize) -> String {
    let mut text = String::new();
    write_yaml(&mut text, &serde_json::to_value(value).unwrap_or_default(), 0);
    text
}

/// Writes a value at this indentation. Texts are quoted as JSON does it, which YAML reads alike.
fn write_yaml(text: &mut String, value: &Value, indentation: usize) {
    let lead = " ".repeat(indentation);
    let lead = lead.as_str();
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                text.extend([lead, key.as_str(), ":"]);
                write_yaml_below(text, value, indentation);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let mut below = String::new();
                write_yaml(&mut below, item, indentation + 2);
                // The first line follows the dash.
                text.extend([lead, "- ", below.trim_start()]);
            }
        }
        other => text.extend([lead, other.to_string().as_str(), "\n"]),
    }
}

fn write_yaml_below(text: &mut String, value: &Value, indentation: usize) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            text.push('\n');
            write_yaml(text, value, indentation + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write_yaml(text, value, indentation);
        }
        other => text.extend([" ", other.to_string().as_str(), "\n"]),
    }
}

/// Columns wide enough for their longest cell, two spaces apart.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| {
            rows.iter()
                .filter_map(|row| row.get(i))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
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
pub(super) fn print(host: &Host, text: &str) -> Result<()> {
    Ok(host.print(text).map_err(OutputError)?)
}
