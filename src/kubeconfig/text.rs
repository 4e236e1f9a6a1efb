//! A file's text, and how it is encoded: kubectl reads UTF-8 and UTF-16, with a mark; what is changed stays as it was encoded.

use crate::host::text_of;
use crate::kubeconfig::KubeconfigError;
use std::path::Path;

/// What a file says, without its byte order mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) text: String,
    encoding: Encoding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf8WithMark,
    Utf16LittleEndian,
    Utf16BigEndian,
}

impl Encoding {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0xef, 0xbb, 0xbf, ..] => Self::Utf8WithMark,
            [0xff, 0xfe, ..] => Self::Utf16LittleEndian,
            [0xfe, 0xff, ..] => Self::Utf16BigEndian,
            _ => Self::Utf8,
        }
    }
}

impl Text {
    /// Reads what is in the file at `path`.
    pub(crate) fn decode(path: &Path, bytes: Vec<u8>) -> Result<Self, KubeconfigError> {
        let encoding = Encoding::of(&bytes);
        let good = std::str::from_utf8(&bytes).err().map_or(0, |error| error.valid_up_to());
        let line = bytes
            .get(..good)
            .map_or(1, |good| good.split(|byte| *byte == b'\n').count());
        let text = text_of(bytes).map_err(|source| match encoding {
            Encoding::Utf8 | Encoding::Utf8WithMark => KubeconfigError::NotUtf8 {
                path: path.to_owned(),
                line,
            },
            _ => KubeconfigError::Shape {
                path: path.to_owned(),
                what: source.to_string(),
            },
        })?;
        Ok(Self {
            // A file of the user: most of it is no secret, and it is written as it was read.
            text: text.expose().clone(),
            encoding,
        })
    }

    /// Another text, encoded as this one is.
    pub(crate) fn with(&self, text: String) -> Self {
        Self {
            text,
            encoding: self.encoding,
        }
    }

    /// A new file's text.
    pub(crate) fn new(text: String) -> Self {
        Self {
            text,
            encoding: Encoding::Utf8,
        }
    }

    /// The bytes of the file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let marked = || "\u{feff}".encode_utf16().chain(self.text.encode_utf16());
        match self.encoding {
            Encoding::Utf8 => self.text.as_bytes().to_vec(),
            Encoding::Utf8WithMark => ["\u{feff}", &self.text].concat().into_bytes(),
            Encoding::Utf16LittleEndian => marked().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16BigEndian => marked().flat_map(u16::to_be_bytes).collect(),
        }
    }
}
