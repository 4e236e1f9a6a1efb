//! How large an answer may be: in bytes, and in values, each of which takes up to a hundred times its bytes once it is read.

/// No answer has more values: two thousand clusters have fewer.
const MOST_VALUES: usize = 250_000;

/// What is asked of a server, and so how large its answers may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AnswerSize {
    /// Lists, too: a thousand clusters are about 2 MB.
    #[default]
    Listing,
    /// A token, a key, a name.
    Short,
}

impl AnswerSize {
    /// In bytes.
    pub(super) fn largest(self) -> usize {
        match self {
            Self::Listing => 16 << 20,
            Self::Short => 1 << 20,
        }
    }
}

/// Whether a body, read as JSON, would have more values than any answer has. One that is not JSON is only counted.
pub(super) fn has_too_many_values(body: &[u8]) -> bool {
    let mut values = 1_usize;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            // Each but the first value of a list or an object stands behind a comma, the first one behind its bracket.
            b',' | b'[' | b'{' => values += 1,
            _ => {}
        }
    }
    values > MOST_VALUES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_what_stands_in_texts_is_not() {
        let list = |count: usize| format!("[{}]", vec!["{\"a\":0}"; count].join(","));
        let most = (MOST_VALUES - 1) / 2;
        assert!(!has_too_many_values(list(most).as_bytes()));
        assert!(has_too_many_values(list(most + 1).as_bytes()));
        let text = format!(
            "{{\"text\":\"{}\\\"{}\"}}",
            ",".repeat(MOST_VALUES),
            "[".repeat(MOST_VALUES)
        );
        assert!(!has_too_many_values(text.as_bytes()));
        for other in ["", "\"", "\"\\", "<html>"] {
            assert!(!has_too_many_values(other.as_bytes()), "{other}");
        }
    }
}
