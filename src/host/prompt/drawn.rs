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
    let answer = ask(question, has_colours, OneLine::new(question, before, Answered::Shown))?;
    Ok(answer.expose().clone()) // everybody saw it
}

pub(super) fn secret(question: &str, has_colours: bool) -> Result<Secret<String>, Cancelled> {
    ask(question, has_colours, OneLine::new(question, None, Answered::Hidden))
}

pub(super) fn pick(question: &str, rows: &[String], has_colours: bool) -> Result<usize, Cancelled> {
    let chosen = ask(question, has_colours, FromList::new(question, rows, Several::No))?;
    chosen.into_iter().next().ok_or(Cancelled::Stop)
}

pub(super) fn pick_several(question: &str, rows: &[String], has_colours: bool) -> Result<Vec<usize>, Cancelled> {
    ask(question, has_colours, FromList::new(question, rows, Several::Yes))
}

pub(super) fn confirm(question: &str, default: bool, has_colours: bool) -> Result<bool, Cancelled> {
    ask(question, has_colours, YesOrNo { question, default })
}

/// A question while it is being answered.
trait DrawnQuestion {
    type Answer;

    /// Its lines, and line and column of the cursor.
    fn picture(&mut self) -> (Vec<Line>, (usize, usize));

    /// Takes what was typed; the answer, once there is one, and what stays of it on the screen.
    fn typed(&mut self, typed: Typed) -> Option<(Self::Answer, String)>;
}

/// Asks until there is an answer.
fn ask<A: DrawnQuestion>(question: &str, has_colours: bool, mut asked: A) -> Result<A::Answer, Cancelled> {
    let mut screen = Screen::open(has_colours).map_err(broken)?;
    loop {
        let (lines, cursor) = asked.picture();
        screen.draw(&lines, cursor).map_err(broken)?;
        let cancelled = match screen::read().map_err(broken)? {
            Typed::Interrupt => Cancelled::Stop,
            Typed::Key(Key::Escape) => Cancelled::Back,
            typed => match asked.typed(typed) {
                None => continue,
                Some((answer, shown)) => {
                    finish(screen, question, Some(&shown))?;
                    return Ok(answer);
                }
            },
        };
        finish(screen, question, None)?;
        return Err(cancelled);
    }
}

struct YesOrNo<'q> {
    question: &'q str,
    default: bool,
}

impl DrawnQuestion for YesOrNo<'_> {
    type Answer = bool;

    fn picture(&mut self) -> (Vec<Line>, (usize, usize)) {
        let choice = if self.default { " (Y/n) " } else { " (y/N) " };
        let line = vec![
            part(Look::Chosen, "? "),
            part(Look::Strong, self.question),
            part(Look::Faint, choice),
        ];
        let cursor = (0, width(&line));
        (vec![line], cursor)
    }

    fn typed(&mut self, typed: Typed) -> Option<(bool, String)> {
        let answer = match typed {
            Typed::Key(Key::Enter) => self.default,
            Typed::Key(Key::Sign('y' | 'Y')) => true,
            Typed::Key(Key::Sign('n' | 'N')) => false,
            _ => return None,
        };
        Some((answer, if answer { "Yes" } else { "No" }.to_owned()))
    }
}

/// Whether an answer can be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answered {
    Shown,
    Hidden,
}

struct OneLine<'q> {
    question: &'q str,
    editor: Editor,
    kind: Answered,
    wrong: Option<&'static str>,
}

impl<'q> OneLine<'q> {
    fn new(question: &'q str, before: Option<&str>, kind: Answered) -> Self {
        Self {
            question,
            editor: Editor::new(before.unwrap_or_default()),
            kind,
            wrong: None,
        }
    }
}

impl DrawnQuestion for OneLine<'_> {
    type Answer = Secret<String>;

    fn picture(&mut self) -> (Vec<Line>, (usize, usize)) {
        let mut lines: Vec<Line> = Vec::new();
        if let Some(wrong) = self.wrong.take() {
            lines.push(vec![part(Look::Wrong, format!("# {wrong}"))]);
        }
        let (asked, column) = match self.kind {
            Answered::Shown => with_editor(self.question, &self.editor),
            Answered::Hidden => {
                let mut asked = start_of(self.question);
                asked.push(part(Look::Plain, hidden(self.editor.signs().len())));
                let column = width(&asked);
                (asked, column)
            }
        };
        lines.push(asked);
        let cursor = (lines.len() - 1, column);
        (lines, cursor)
    }

    fn typed(&mut self, typed: Typed) -> Option<(Secret<String>, String)> {
        match typed {
            Typed::Key(Key::Enter) => {}
            Typed::Key(key) => {
                self.editor.press(key);
                return None;
            }
            Typed::Pasted(text) => {
                self.editor.insert(&text);
                return None;
            }
            _ => return None,
        }
        let answer = Secret::new(self.editor.text().trim().to_owned());
        // Only how long it is.
        self.wrong = match answer.expose().len() {
            0 => Some("type something, or press Esc"),
            length if length > LONGEST_ANSWER => Some("that is too long"),
            _ => None,
        };
        let shown = match self.kind {
            Answered::Shown => answer.expose().clone(), // everybody saw it
            Answered::Hidden => hidden(answer.expose().chars().count()), // only how long it is
        };
        self.wrong.is_none().then_some((answer, shown))
    }
}

/// What a line begins with.
fn start_of(question: &str) -> Line {
    vec![part(Look::Chosen, "? "), part(Look::Strong, format!("{question} "))]
}

/// A question and what is typed behind it, and the column of the cursor.
fn with_editor(question: &str, editor: &Editor) -> (Line, usize) {
    let mut line = start_of(question);
    let start = width(&line);
    let (window, _) = Screen::window();
    let (shown, column) = around_cursor(editor, window.saturating_sub(start + 1).max(1));
    line.push((Look::Plain, shown));
    (line, start + column)
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

struct FromList<'q> {
    question: &'q str,
    rows: &'q [String],
    list: List<'q>,
    filter: Editor,
    several: Several,
}

impl<'q> FromList<'q> {
    fn new(question: &'q str, rows: &'q [String], several: Several) -> Self {
        Self {
            question,
            rows,
            list: List::new(rows),
            filter: Editor::new(""),
            several,
        }
    }

    /// How many rows are seen at once.
    fn height() -> usize {
        let (_, height) = Screen::window();
        height.saturating_sub(OTHER_LINES).clamp(1, MOST_ROWS)
    }

    fn chosen(&self) -> Option<(Vec<usize>, String)> {
        let chosen = self.list.chosen();
        let shown = match chosen.as_slice() {
            [] => return None,
            [one] => self.rows.get(*one).cloned().unwrap_or_default(),
            several => format!("{} of {}", several.len(), self.rows.len()),
        };
        Some((chosen, shown))
    }

    /// The rows that are seen, each a line.
    fn page(&self) -> Vec<Line> {
        let (page, is_more_above, is_more_below) = self.list.page(Self::height());
        let count = page.len();
        let lines = page.iter().enumerate().map(|(number, row)| {
            let is_pointed = self.list.pointed() == Some(*row);
            let more = match number {
                0 if is_more_above => "^",
                number if is_more_below && number + 1 == count => "v",
                _ => " ",
            };
            let pointer = if is_pointed { ">" } else { more };
            let mark = match self.several {
                Several::Yes if self.list.marked().contains(row) => "* ",
                Several::Yes if !self.list.marked().is_empty() => "  ",
                _ => "",
            };
            let look = if is_pointed { Look::Chosen } else { Look::Plain };
            let text = self.rows.get(*row).map_or("", String::as_str);
            vec![part(look, format!("{pointer} {mark}{text}"))]
        });
        lines.collect()
    }
}

impl DrawnQuestion for FromList<'_> {
    type Answer = Vec<usize>;

    fn picture(&mut self) -> (Vec<Line>, (usize, usize)) {
        let (asked, column) = with_editor(self.question, &self.filter);
        let mut lines = vec![asked];
        lines.extend(self.page());
        if lines.len() == 1 {
            let typed = self.filter.text();
            let nothing = format!("  nothing has `{}` in it", typed.trim());
            lines.push(vec![part(Look::Wrong, nothing)]);
        }
        let help = match self.several {
            Several::No => "[type to filter, arrow keys, Enter; Esc goes back]",
            Several::Yes => "[type to filter, arrow keys, Tab marks several, Enter; Esc goes back]",
        };
        lines.push(vec![part(Look::Faint, help)]);
        (lines, (0, column))
    }

    fn typed(&mut self, typed: Typed) -> Option<(Vec<usize>, String)> {
        let page = Self::height().cast_signed();
        match typed {
            Typed::Key(Key::Enter) => return self.chosen(),
            Typed::Key(Key::Tab) if self.several == Several::Yes => self.list.mark(),
            Typed::Key(Key::Up | Key::Control('p')) => self.list.step(-1),
            Typed::Key(Key::Down | Key::Control('n') | Key::Tab) => self.list.step(1),
            Typed::Key(Key::PageUp) => self.list.step(-page),
            Typed::Key(Key::PageDown) => self.list.step(page.max(2)),
            Typed::Key(Key::Home) => self.list.step(isize::MIN),
            Typed::Key(Key::End) => self.list.step(isize::MAX),
            Typed::Key(key) => {
                if self.filter.press(key) {
                    self.list.filter(&self.filter.text());
                }
            }
            Typed::Pasted(text) => {
                self.filter.insert(&text);
                self.list.filter(&self.filter.text());
            }
            Typed::Interrupt | Typed::Resized => {}
        }
        None
    }
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
