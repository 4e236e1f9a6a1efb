//! What tells one identity from another, offline and without a secret: parts with their lengths, so that no two lists of parts read the same.

use crate::huaweicloud::iam::token_request::{Account, Agency};
use crate::secret::Secret;

/// A list of parts as one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    /// Of a kind of identity, and what tells it from others of its kind: what counts for the cloud first.
    pub(crate) fn of<'p>(kind: &'p str, parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut fingerprint = Self(String::new());
        for part in std::iter::once(kind).chain(parts) {
            fingerprint.push(part);
        }
        fingerprint
    }

    /// Of an access key. A temporary one's id is the only thing that is known of it offline: the next one is somebody else for all we know.
    pub(crate) fn of_access_key(id: &crate::ids::AccessKeyId) -> Self {
        Self::of("ak", [id.as_str()])
    }

    /// Of somebody of whom nothing is known but the secret; only a hash of it is shown.
    pub(crate) fn of_secret(kind: &str, secret: &Secret<String>) -> Self {
        let hash = crate::huaweicloud::signing::short_hash(secret.expose().as_bytes()); // as said
        Self::of(kind, [hash.as_str()])
    }

    /// Of whoever assumes the agency in the end.
    #[must_use]
    pub(crate) fn assuming(mut self, agency: &Agency) -> Self {
        let [kind, account] = account_parts(Some(&agency.account));
        for part in ["agency", kind, account, &agency.name] {
            self.push(part);
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn push(&mut self, part: &str) {
        self.0.push_str(&part.len().to_string());
        self.0.push(':');
        self.0.push_str(part);
    }
}

/// An account's name and an account's id may be the same text.
pub(crate) fn account_parts(account: Option<&Account>) -> [&str; 2] {
    match account {
        None => ["", ""],
        Some(Account::Id(id)) => ["id", id],
        Some(Account::Name(name)) => ["name", name],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_read_the_same() {
        let all = [
            Fingerprint::of("user", ["a|b", "c"]),
            Fingerprint::of("user", ["a", "b|c"]),
            Fingerprint::of("user", ["a", "b", "c"]),
            Fingerprint::of("user", ["a1:b", "c"]),
            Fingerprint::of("user", ["a", "1:b", "c"]),
            Fingerprint::of("user", ["", "a|b", "c"]),
            Fingerprint::of("usera", ["|b", "c"]),
        ];
        let texts: std::collections::BTreeSet<&str> = all.iter().map(Fingerprint::as_str).collect();
        assert_eq!(texts.len(), all.len(), "{texts:?}");
    }
}
