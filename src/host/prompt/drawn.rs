//! Questions drawn on a terminal that can move its cursor. What an answer becomes stays on the screen as one line.

use crate::host::prompt::editor::{Editor, Key};
use crate::host::prompt::list::List;
use crate::host::prompt::screen::{self, Line, Look, Screen, Typed, columns, part};
use crate::host::prompt::{Cancelled, LONGEST_ANSWER};
use crate::secret::Secret;
use std::io;
use zeroize::Zeroizing;

/// The most rows of a list that are seen at once.
const MOST_ROWS: usize = 12;
/// What question, help and the line below take of a window.
const OTHER_LINES: usize = 4;

pub(super) fn text(question: &str, before: Option<&str>, has_colours: bool) -> Result<String, Cancelled> {
    let answer = line(question, before, has_colours, Answered::Shown)?;
    Ok(answer.expose().clone()) // everybody saw it
}

pub(super) fn secret(question: &str, has_colours: bool) -> Result<Secret<String>, Cancelled> {
    line(question, None, has_colours, Answered::Hidden)
}

pub(super) fn pick(question: &str, rows: &[String], has_colours: bool) -> Result<usize, Cancelled> {
    let chosen = choose(question, rows, has_colours, Several::No)?;
    chosen.into_iter().next().ok_or(Cancelled::Stop)
}

pub(super) fn pick_several(question: &str, rows: &[String], has_colours: bool) -> Result<Vec<usize>, Cancelled> {
    choose(question, rows, has_colours, Several::Yes)
}

pub(super) fn confirm(question: &str, default: bool, has_colours: bool) -> Result<bool, Cancelled> {
    let mut screen = Screen::open(has_colours).map_err(broken)?;
    let choice = if default { " (Y/n) " } else { " (y/N) " };
    let answer = loop {
        let line = vec![
            part(Look::Chosen, "? "),
            part(Look::Strong, question),
            part(Look::Faint, choice),
        ];
        let cursor = (0, width(&line));
        screen.draw(&[line], cursor).map_err(broken)?;
        match screen::read().map_err(broken)? {
            Typed::Interrupt => break Err(Cancelled::Stop),
            Typed::Key(Key::Escape) => break Err(Cancelled::Back),
            Typed::Key(Key::Enter) => break Ok(default),
            Typed::Key(Key::Sign('y' | 'Y')) => break Ok(true),
            Typed::Key(Key::Sign('n' | 'N')) => break Ok(false),
            _ => {}
        }
    };
    let shown = answer.map(|yes| if yes { "Yes" } else { "No" }.to_owned());
    finish(screen, question, shown.as_deref().ok())?;
    answer
}

/// Whether an answer can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    Shown,
    Hidden,
}

fn line(question: &str, before: Option<&str>, has_colours: bool, kind: Answered) -> Result<Secret<String>, Cancelled> {
    let mut screen = Screen::open(has_colours).map_err(broken)?;
    let mut editor = Editor::new(before.unwrap_or_default());
    let mut wrong = None;
    loop {
        let mut lines: Vec<Line> = Vec::new();
        if let Some(wrong) = wrong.take() {
            lines.push(vec![part(Look::Wrong, format!("# {wrong}"))]);
        }
        let mut asked = vec![part(Look::Chosen, "? "), part(Look::Strong, format!("{question} "))];
        let start = width(&asked);
        let column = match kind {
            Answered::Shown => {
                let (window, _) = Screen::window();
                let (shown, column) = around_cursor(&editor, window.saturating_sub(start + 1).max(1));
                asked.push((Look::Plain, shown));
                start + column
            }
            Answered::Hidden => {
                asked.push(part(Look::Plain, hidden(editor.signs().len())));
                width(&asked)
            }
        };
        lines.push(asked);
        let cursor = (lines.len() - 1, column);
        screen.draw(&lines, cursor).map_err(broken)?;
        match screen::read().map_err(broken)? {
            Typed::Interrupt => {
                finish(screen, question, None)?;
                return Err(Cancelled::Stop);
            }
            Typed::Key(Key::Escape) => {
                finish(screen, question, None)?;
                return Err(Cancelled::Back);
            }
            Typed::Key(Key::Enter) => {
                let text = editor.text();
                let answer = Secret::new(text.trim().to_owned());
                // Only how long it is.
                wrong = match answer.expose().len() {
                    0 => Some("type something, or press Esc"),
                    length if length > LONGEST_ANSWER => Some("that is too long"),
                    _ => None,
                };
                if wrong.is_none() {
                    let shown = match kind {
                        Answered::Shown => answer.expose().clone(), // everybody saw it
                        Answered::Hidden => hidden(answer.expose().chars().count()), // only how long it is
                    };
                    finish(screen, question, Some(&shown))?;
                    return Ok(answer);
                }
            }
            Typed::Key(key) => drop(editor.press(key)),
            Typed::Pasted(text) => editor.insert(&text),
            Typed::Resized => {}
        }
    }
}

/// That something was typed, and how much.
pub(super) fn hidden(length: usize) -> String {
    match length {
        0 => String::new(),
        1 => "•••• 1 character".to_owned(),
        length => format!("•••• {length} characters"),
    }
}

/// The part of a line that fits, and the column of the cursor in it.
fn around_cursor(editor: &Editor, width: usize) -> (Zeroizing<String>, usize) {
    let of = |signs: &[char]| Zeroizing::new(signs.iter().collect::<String>());
    let signs = editor.signs();
    let mut start = 0;
    let taken = |start: usize| columns(&of(signs.get(start..editor.cursor()).unwrap_or_default()));
    while taken(start) > width {
        start += 1;
    }
    let shown = of(signs.get(start..).unwrap_or_default());
    (Zeroizing::new(screen::cut(&shown, width + 1)), taken(start))
}

/// Whether several rows can be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Several {
    Yes,
    No,
}

fn choose(question: &str, rows: &[String], has_colours: bool, several: Several) -> Result<Vec<usize>, Cancelled> {
    let mut screen = Screen::open(has_colours).map_err(broken)?;
    let mut list = List::new(rows);
    let mut filter = Editor::new("");
    loop {
        let (_, height) = Screen::window();
        let height = height.saturating_sub(OTHER_LINES).clamp(1, MOST_ROWS);
        let (lines, column) = picture(question, rows, &list, &filter, height, several);
        screen.draw(&lines, (0, column)).map_err(broken)?;
        match screen::read().map_err(broken)? {
            Typed::Interrupt => {
                finish(screen, question, None)?;
                return Err(Cancelled::Stop);
            }
            Typed::Key(Key::Escape) => {
                finish(screen, question, None)?;
                return Err(Cancelled::Back);
            }
            Typed::Key(Key::Enter) => {
                let chosen = list.chosen();
                if !chosen.is_empty() {
                    let shown = match chosen.as_slice() {
                        [one] => rows.get(*one).cloned().unwrap_or_default(),
                        several => format!("{} of {}", several.len(), rows.len()),
                    };
                    finish(screen, question, Some(&shown))?;
                    return Ok(chosen);
                }
            }
            Typed::Key(Key::Tab) if several == Several::Yes => list.mark(),
            Typed::Key(Key::Up | Key::Control('p')) => list.step(-1),
            Typed::Key(Key::Down | Key::Control('n') | Key::Tab) => list.step(1),
            Typed::Key(Key::PageUp) => list.step(-height.cast_signed()),
            Typed::Key(Key::PageDown) => list.step(height.cast_signed().max(2)),
            Typed::Key(Key::Home) => list.step(isize::MIN),
            Typed::Key(Key::End) => list.step(isize::MAX),
            Typed::Key(key) => {
                if filter.press(key) {
                    list.filter(&filter.text());
                }
            }
            Typed::Pasted(text) => {
                filter.insert(&text);
                list.filter(&filter.text());
            }
            Typed::Resized => {}
        }
    }
}

/// The lines of a list, and the column of the cursor in the first one.
fn picture(
    question: &str,
    rows: &[String],
    list: &List<'_>,
    filter: &Editor,
    height: usize,
    several: Several,
) -> (Vec<Line>, usize) {
    let mut asked = vec![part(Look::Chosen, "? "), part(Look::Strong, format!("{question} "))];
    let start = width(&asked);
    let (window, _) = Screen::window();
    let (shown, column) = around_cursor(filter, window.saturating_sub(start + 1).max(1));
    asked.push((Look::Plain, shown));
    let mut lines = vec![asked];
    let (page, is_more_above, is_more_below) = list.page(height);
    for (number, row) in page.iter().enumerate() {
        let is_pointed = list.pointed() == Some(*row);
        let more = match number {
            0 if is_more_above => "^",
            number if is_more_below && number + 1 == page.len() => "v",
            _ => " ",
        };
        let pointer = if is_pointed { ">" } else { more };
        let mark = match several {
            Several::Yes if list.marked().contains(row) => "* ",
            Several::Yes if !list.marked().is_empty() => "  ",
            _ => "",
        };
        let look = if is_pointed { Look::Chosen } else { Look::Plain };
        let text = rows.get(*row).map_or("", String::as_str);
        lines.push(vec![part(look, format!("{pointer} {mark}{text}"))]);
    }
    if page.is_empty() {
        let typed = filter.text();
        lines.push(vec![part(
            Look::Wrong,
            format!("  nothing has `{}` in it", typed.trim()),
        )]);
    }
    let help = match several {
        Several::No => "[type to filter, arrow keys, Enter; Esc goes back]",
        Several::Yes => "[type to filter, arrow keys, Tab marks several, Enter; Esc goes back]",
    };
    lines.push(vec![part(Look::Faint, help)]);
    (lines, start + column)
}

fn width(line: &Line) -> usize {
    line.iter().map(|(_, text)| columns(text)).sum()
}

/// One line says how it ended.
fn finish(screen: Screen, question: &str, answer: Option<&str>) -> Result<(), Cancelled> {
    let line = match answer {
        Some(answer) => vec![
            part(Look::Chosen, "> "),
            part(Look::Strong, format!("{question} ")),
            part(Look::Chosen, answer),
        ],
        None => vec![part(Look::Wrong, "< "), part(Look::Strong, question)],
    };
    screen.leave(&line).map_err(broken)
}

/// A terminal that fails gives no answer either.
fn broken(_: io::Error) -> Cancelled {
    Cancelled::Stop
}
