//! Questions drawn on a terminal. All signs are ASCII, and rows are cut to the window, so that any screen shows them.

use crate::host::prompt::{Cancelled, LONGEST_ANSWER};
use crate::secret::Secret;
use inquire::ui::RenderConfig;
use inquire::validator::Validation;
use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text};

/// What stands before a row: the pointer and its space.
const MARGIN: usize = 3;
/// The most rows of a list that are seen at once.
const MOST_ROWS: usize = 12;
/// What the question, the help and the line below take of a window.
const OTHER_LINES: usize = 4;
/// The window where the terminal does not tell.
const USUAL_WINDOW: (usize, usize) = (80, 24);

pub(super) fn text(question: &str, before: Option<&str>, colours: bool) -> Result<String, Cancelled> {
    let prompt = Text::new(question)
        .with_render_config(look(colours))
        .with_initial_value(before.unwrap_or_default())
        .with_validator(|typed: &str| Ok(check(typed)));
    let answer = prompt.prompt().map_err(cancelled)?;
    Ok(answer.trim().to_owned())
}

pub(super) fn secret(question: &str, colours: bool) -> Result<Secret<String>, Cancelled> {
    let prompt = Password::new(question)
        .without_confirmation()
        .with_display_mode(PasswordDisplayMode::Hidden)
        .with_render_config(look(colours))
        .with_validator(|typed: &str| Ok(check(typed)));
    let answer = Secret::new(prompt.prompt().map_err(cancelled)?);
    Ok(Secret::new(answer.expose().trim().to_owned())) // its white space is cut off, that is all
}

pub(super) fn pick(question: &str, rows: &[String], colours: bool) -> Result<usize, Cancelled> {
    let (width, height) = window();
    let width = width.saturating_sub(MARGIN);
    let shown: Vec<String> = rows.iter().map(|row| row.chars().take(width).collect()).collect();
    let fits =
        |typed: &str, _: &String, _: &str, at: usize| rows.get(at).filter(|row| has_all_words(row, typed)).map(|_| 0);
    let prompt = Select::new(question, shown)
        .with_render_config(look(colours))
        .with_page_size(height.saturating_sub(OTHER_LINES).clamp(1, MOST_ROWS))
        .with_help_message("type to filter, arrow keys, Enter; Esc cancels")
        .with_scorer(&fits);
    Ok(prompt.raw_prompt().map_err(cancelled)?.index)
}

pub(super) fn confirm(question: &str, colours: bool) -> Result<bool, Cancelled> {
    let prompt = Confirm::new(question)
        .with_render_config(look(colours))
        .with_default(true);
    prompt.prompt().map_err(cancelled)
}

/// Whether every word that was typed is somewhere in the row.
pub(super) fn has_all_words(row: &str, typed: &str) -> bool {
    let row = row.to_lowercase();
    typed.to_lowercase().split_whitespace().all(|word| row.contains(word))
}

fn check(typed: &str) -> Validation {
    match typed.trim().len() {
        0 => Validation::Invalid("type something, or press Esc".into()),
        length if length > LONGEST_ANSWER => Validation::Invalid("that is too long".into()),
        _ => Validation::Valid,
    }
}

fn look(colours: bool) -> RenderConfig<'static> {
    if colours {
        RenderConfig::default_colored()
    } else {
        RenderConfig::empty()
    }
}

/// A terminal that fails gives no answer either.
fn cancelled(_: InquireError) -> Cancelled {
    Cancelled
}

/// Columns and lines.
fn window() -> (usize, usize) {
    #[cfg(unix)]
    if let Ok(size) = rustix::termios::tcgetwinsize(std::io::stdin())
        && size.ws_col > 0
        && size.ws_row > 0
    {
        return (usize::from(size.ws_col), usize::from(size.ws_row));
    }
    USUAL_WINDOW
}
