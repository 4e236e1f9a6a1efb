//! What a browser brings back from the provider, judged: is it this attempt's, is it of this issuer, is it a code or a no.

use super::pkce::{Attempt, is_same};
use super::{Provider, form};
use crate::sanitize::sanitize;
use crate::secret::Secret;

/// What the answer of one attempt must be like.
#[derive(Clone)]
pub(super) struct ExpectedAnswer {
    state: Secret<String>,
    issuer: String,
    /// The provider has announced that its answers name it (RFC 9207).
    is_issuer_announced: bool,
}

/// An answer, judged.
pub(super) enum BrowserAnswer {
    /// The code of this attempt.
    Code(Secret<String>),
    /// This attempt's, and it is a no.
    Refused { error: String, description: String },
    /// This attempt's, but another issuer answers (RFC 9207).
    OtherIssuer,
    /// Anything else.
    NotOurs,
}

impl ExpectedAnswer {
    pub(super) fn new(attempt: &Attempt, provider: &Provider) -> Self {
        Self {
            state: attempt.state.clone(),
            issuer: provider.issuer.clone(),
            is_issuer_announced: provider.names_issuer,
        }
    }

    /// Judges what stands behind the `?` of the address.
    pub(super) fn judge(&self, query: &str) -> BrowserAnswer {
        let pairs = form::decode(query);
        let only = |name: &str| {
            let mut values = pairs.iter().filter(|(other, _)| other == name);
            let value = values.next().map(|(_, value)| value.clone());
            value.filter(|_| values.next().is_none())
        };
        // Compared, nothing more.
        let is_ours = only("state").is_some_and(|state| is_same(&state, self.state.expose()));
        let is_named = pairs.iter().any(|(name, _)| name == "iss");
        let is_of_issuer = if is_named {
            only("iss").as_ref() == Some(&self.issuer)
        } else {
            !self.is_issuer_announced
        };
        match (is_ours, only("code"), only("error")) {
            (true, ..) if !is_of_issuer => BrowserAnswer::OtherIssuer,
            (true, Some(code), None) if !code.is_empty() => BrowserAnswer::Code(Secret::new(code)),
            (true, None, Some(error)) => BrowserAnswer::Refused {
                error: sanitize(&error),
                description: sanitize(&only("error_description").unwrap_or_default()),
            },
            _ => BrowserAnswer::NotOurs,
        }
    }
}
