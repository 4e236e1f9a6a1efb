//! The SDKs' file of credentials as they read it: an INI file, by Python's `configparser` and by Go's `ini.v1`.
//!
//! The two differ. What only one of them reads is read as that one does, for the file works with that SDK; what neither reads is an
//! error with its line.

use crate::secret::Secret;

/// Python: what is here counts in every section.
const DEFAULTS: &str = "DEFAULT";
/// As Python has it: so deep may `%(name)s` lead.
const DEEPEST: usize = 10;

/// A line that is nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) problem: &'static str,
}

/// One section's keys, the file's defaults behind them.
#[derive(Debug)]
pub(crate) struct Section {
    /// The line of its name, from 1.
    pub(crate) line: usize,
    pairs: Vec<Pair>,
}

/// A key with its value. Any value may be a secret.
#[derive(Debug)]
struct Pair {
    key: String,
    line: usize,
    value: Secret<String>,
}

/// A value and its line.
#[derive(Debug)]
pub(crate) struct Value {
    pub(crate) line: usize,
    pub(crate) text: Secret<String>,
}

impl Section {
    /// Reads the section of this name; `None` where there is none.
    pub(crate) fn read(text: &str, name: &str) -> Result<Option<Self>, Malformed> {
        let mut reader = IniReader::default();
        let mut lines = (1..).zip(text.lines());
        while let Some((line, raw)) = lines.next() {
            let mut whole = raw.trim_end().to_owned();
            // Go: a line that ends so goes on in the next one.
            while !is_comment(&whole) && whole.ends_with('\\') {
                whole.pop();
                match lines.next() {
                    // A slip: the value would swallow a secret, and whatever shows the value would show it.
                    Some((_, next)) if is_pair(next.trim()) => {
                        let problem =
                            "it ends with `\\`, which makes the next line, with a key of its own, a part of it";
                        return Err(Malformed { line, problem });
                    }
                    Some((_, next)) if !next.trim().is_empty() => whole.push_str(next.trim()),
                    _ => break,
                }
            }
            reader.take(line, &whole)?;
            zeroize::Zeroize::zeroize(&mut whole);
        }
        Ok(reader.section(name))
    }

    /// A key's value; a blank one counts as unset.
    pub(crate) fn get(&self, key: &str) -> Option<Value> {
        let pair = self.pair(key)?;
        let text = self.filled(&pair.value, DEEPEST);
        // Only its length is looked at.
        (!text.expose().is_empty()).then_some(Value { line: pair.line, text })
    }

    fn pair(&self, key: &str) -> Option<&Pair> {
        self.pairs.iter().rev().find(|pair| pair.key == key)
    }

    /// The value with every `%(name)s` replaced, which both SDKs do.
    fn filled(&self, value: &Secret<String>, depth: usize) -> Secret<String> {
        let mut filled = String::new();
        let mut rest = value.expose().as_str(); // into another secret
        while let Some((before, after)) = rest.split_once('%') {
            filled.push_str(before);
            let named = after.strip_prefix('(').and_then(|after| after.split_once(")s"));
            let other = named.and_then(|(name, _)| self.pair(&name.to_lowercase()));
            match (named, other) {
                (Some((_, behind)), Some(other)) if depth > 0 => {
                    filled.push_str(self.filled(&other.value, depth - 1).expose()); // into another secret
                    rest = behind;
                }
                _ => {
                    filled.push('%');
                    rest = after.strip_prefix('%').unwrap_or(after);
                }
            }
        }
        filled.push_str(rest);
        Secret::new(filled)
    }
}

/// What has been read so far.
#[derive(Default)]
struct IniReader {
    sections: Vec<(String, Section)>,
    /// The key that an indented line goes on with stands so far to the right.
    indent: Option<usize>,
}

impl IniReader {
    fn take(&mut self, line: usize, raw: &str) -> Result<(), Malformed> {
        let content = raw.trim();
        if content.is_empty() || is_comment(content) {
            return Ok(());
        }
        let malformed = |problem| Err(Malformed { line, problem });
        let indent = raw.len() - raw.trim_start().len();
        let goes_on = self.indent.is_some_and(|of_key| indent > of_key);
        if let Some(name) = content.strip_prefix('[') {
            match name.rsplit_once(']') {
                // `[1, 2]` below a key is a value that goes on.
                Some((name, _)) if !goes_on || is_word(name.trim()) => self.open(line, name.trim()),
                None if !goes_on => return malformed("the section's name has no `]`"),
                _ => self.go_on(content),
            }
            return Ok(());
        }
        let pair = content.split_once(['=', ':']);
        let pair = pair.map(|(key, value)| (unquoted(key.trim()), value.trim()));
        match pair {
            Some((key, value)) if !goes_on || (is_word(key) && !value.trim_matches('=').is_empty()) => {
                if key.is_empty() {
                    return malformed("it has no key before the `=`");
                }
                self.indent = Some(indent);
                let pair = Pair {
                    key: key.to_lowercase(),
                    line,
                    value: Secret::new(unquoted(without_comment(value)).to_owned()),
                };
                if let Some((_, section)) = self.sections.last_mut() {
                    section.pairs.push(pair);
                }
            }
            _ if goes_on => self.go_on(content),
            _ => return malformed("it is neither a section nor `key = value`"),
        }
        Ok(())
    }

    fn open(&mut self, line: usize, name: &str) {
        self.indent = None;
        let pairs = Vec::new();
        self.sections.push((name.to_owned(), Section { line, pairs }));
    }

    /// Python: an indented line belongs to the value above it.
    fn go_on(&mut self, content: &str) {
        let pair = self
            .sections
            .last_mut()
            .and_then(|(_, section)| section.pairs.last_mut());
        if let Some(pair) = pair {
            // Into another secret.
            pair.value = Secret::new(format!("{}\n{content}", pair.value.expose()));
        }
    }

    /// Go: several sections of one name are one.
    fn section(self, name: &str) -> Option<Section> {
        let mut defaults = Vec::new();
        let mut found: Option<Section> = None;
        for (other, section) in self.sections {
            match &mut found {
                _ if other == DEFAULTS => defaults.extend(section.pairs),
                Some(found) if other == name => found.pairs.extend(section.pairs),
                None if other == name => found = Some(section),
                _ => {}
            }
        }
        let found = found?;
        defaults.extend(found.pairs);
        Some(Section {
            line: found.line,
            pairs: defaults,
        })
    }
}

fn is_comment(content: &str) -> bool {
    content.trim_start().starts_with(['#', ';'])
}

/// `key = value`, whatever the key looks like; a URL is none, nor is what base64 ends with.
fn is_pair(content: &str) -> bool {
    content.split_once(['=', ':']).is_some_and(|(_, value)| {
        let value = value.trim();
        !value.trim_matches('=').is_empty() && !value.starts_with("//")
    })
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Go: what stands behind ` #` or ` ;` is a comment, unless it is quoted.
fn without_comment(value: &str) -> &str {
    if unquoted(value) != value {
        return value;
    }
    let mut before = ' ';
    for (at, sign) in value.char_indices() {
        if matches!(sign, '#' | ';') && before.is_whitespace() {
            return value.get(..at).unwrap_or(value).trim_end();
        }
        before = sign;
    }
    value
}

/// Go: a pair of quotes around it is not part of it.
fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    ['"', '\'', '`'].into_iter().find_map(inside).unwrap_or(text)
}
