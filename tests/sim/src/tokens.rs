//! IAM tokens: who, in which scope, until when.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};

use crate::{pki, principal::Identity};

/// What a token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// To get a scoped token and to list what there is to scope to.
    Unscoped,
    /// The account's id: global services.
    Domain(String),
    /// The project's id.
    Project(String),
}

/// A token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) identity: Identity,
    pub(crate) scope: Scope,
    pub(crate) methods: Vec<String>,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    is_revoked: bool,
}

impl Token {
    pub(crate) fn is_good(&self, now: DateTime<Utc>) -> bool {
        !self.is_revoked && now < self.expires_at
    }
}

/// From when to when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Every token.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Vec<Token>);

impl Tokens {
    pub(crate) fn issue(
        &mut self,
        identity: Identity,
        scope: Scope,
        methods: Vec<String>,
        lifetime: Lifetime,
    ) -> Token {
        let token = Token {
            text: new_text(),
            identity,
            scope,
            methods,
            issued_at: lifetime.issued_at,
            expires_at: lifetime.expires_at,
            is_revoked: false,
        };
        self.0.push(token.clone());
        token
    }

    pub(crate) fn find(&self, text: &str) -> Option<&Token> {
        self.0.iter().find(|token| token.text == text)
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|token| token.text.clone())
    }

    /// Whether there is such a token.
    pub(crate) fn revoke(&mut self, text: &str) -> bool {
        let found = self.0.iter_mut().find(|token| token.text == text);
        found.map(|token| token.is_revoked = true).is_some()
    }

    /// Every token until now, of one user or of everybody.
    pub(crate) fn revoke_all(&mut self, user_id: Option<&str>) {
        let theirs = self.0.iter_mut();
        let theirs = theirs.filter(|token| user_id.is_none_or(|id| token.identity.is_user(id)));
        theirs.for_each(|token| token.is_revoked = true);
    }
}

/// Begins as a real one, and is about as long: some 2,000 characters.
fn new_text() -> String {
    let random: Vec<u8> = (0..48).flat_map(|_| pki::random_bytes::<32>()).collect();
    format!("MIIPAgYJKoZIhvcNAQcCo{}", STANDARD.encode(random))
}
