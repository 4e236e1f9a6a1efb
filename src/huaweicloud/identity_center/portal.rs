//! What a session may become: accounts, the permission sets in them, and a temporary access key of one.

use super::{IdentityCenterError, refusal};
use crate::host::moment;
use crate::huaweicloud::api::{Answer, Api, ApiError, Call};
use crate::huaweicloud::credentials::AccessKey;
use crate::huaweicloud::iam::token_answer::TemporaryAccessKey;
use crate::ids::{AccessKeyId, Endpoint};
use crate::secret::Secret;
use serde_json::Value;

/// How much is asked for at a time.
const PAGE: &str = "200";
/// More pages than this are a mistake of the service.
const MOST_PAGES: usize = 100;
/// A moment that is larger than this is in milliseconds.
const LARGEST_SECONDS: i64 = 100_000_000_000;

/// An account that somebody may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortalAccount {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

/// What somebody may be in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PermissionSet {
    /// What people call it.
    pub(crate) name: String,
    /// The agency that it is in this account: `iam::ACCOUNT:agency:NAME`.
    pub(crate) agency_urn: String,
}

/// The portal, for somebody with a session.
pub(crate) struct Portal<'a> {
    /// Sends with the session's token.
    pub(crate) api: &'a Api<'a>,
    /// `https://portal-identitycenter.…`
    pub(crate) endpoint: &'a Endpoint,
}

impl Portal<'_> {
    /// The accounts that are assigned to the person.
    pub(crate) fn accounts(&self) -> Result<Vec<PortalAccount>, IdentityCenterError> {
        self.all("/v1/assigned-accounts", "account_list", &[], |row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            let id = text("account_id")?.to_owned();
            Some(PortalAccount {
                name: text("account_name").unwrap_or(&id).to_owned(),
                id,
            })
        })
    }

    /// The permission sets that are assigned to the person in an account.
    pub(crate) fn permission_sets(&self, account_id: &str) -> Result<Vec<PermissionSet>, IdentityCenterError> {
        let about = [("account_id", account_id)];
        self.all("/v1/assigned-agencies", "agency_list", &about, |row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            Some(PermissionSet {
                name: text("permission_set_name").or_else(|| text("agency_name"))?.to_owned(),
                agency_urn: text("agency_urn")?.to_owned(),
            })
        })
    }

    /// A temporary access key.
    pub(crate) fn access_key(
        &self,
        account_id: &str,
        agency_urn: &str,
    ) -> Result<TemporaryAccessKey, IdentityCenterError> {
        let about = [("target_account_id", account_id), ("agency_urn", agency_urn)];
        let answer = self.call("GET", "/v1/credentials", &about)?;
        let key = || {
            let object = answer.json.get("agency_credentials")?;
            let text = |name: &str| object.get(name)?.as_str().filter(|text| !text.is_empty());
            let end = object.get("expiration")?.as_i64()?;
            let end = if end > LARGEST_SECONDS { end / 1000 } else { end };
            Some(TemporaryAccessKey {
                key: AccessKey {
                    id: AccessKeyId::parse(text("access_key_id")?).ok()?,
                    secret: Secret::new(text("secret_access_key")?.to_owned()),
                    security_token: Some(Secret::new(text("session_token")?.to_owned())),
                },
                expires_at: moment(end)?,
            })
        };
        Ok(key().ok_or_else(|| incomplete("a whole temporary access key"))?)
    }

    /// Ends the session.
    pub(crate) fn log_out(&self) -> Result<(), IdentityCenterError> {
        self.call("POST", "/v1/logout", &[]).map(drop)
    }

    fn all<T>(
        &self,
        path: &str,
        list: &str,
        about: &[(&str, &str)],
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, IdentityCenterError> {
        let mut rows = Vec::new();
        let mut marker: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = about.to_vec();
            query.push(("limit", PAGE));
            query.extend(marker.as_deref().map(|marker| ("marker", marker)));
            let answer = self.call("GET", path, &query)?;
            let page = answer.json.get(list).and_then(Value::as_array);
            rows.extend(page.ok_or_else(|| incomplete(list))?.iter().filter_map(&read));
            let next = answer.json.pointer("/page_info/next_marker").and_then(Value::as_str);
            let next = next
                .filter(|next| !next.is_empty() && marker.as_deref() != Some(*next))
                .map(str::to_owned);
            match next {
                Some(next) => marker = Some(next),
                None => break,
            }
        }
        Ok(rows)
    }

    fn call(&self, method: &'static str, path: &str, query: &[(&str, &str)]) -> Result<Answer, IdentityCenterError> {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let answer = self.api.call(&Call {
            service: "IAM Identity Center",
            endpoint: self.endpoint,
            method,
            path: path.to_owned(),
            query: query.iter().map(pair).collect(),
            body: None,
            project: None,
            identity_provider: None,
            permission: "",
            is_repeatable: method == "GET",
        });
        answer.map_err(|error| match refusal(&error) {
            Some((401, ..)) => IdentityCenterError::SessionEnded,
            Some((403, _, message)) if says_expired(message) => IdentityCenterError::SessionEnded,
            Some((403, _, message)) => IdentityCenterError::NotAssigned(message.to_owned()),
            _ => error.into(),
        })
    }
}

/// A 403 that is about the session and not about what it may do.
fn says_expired(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("expired") || message.contains("access token") || message.contains("access-token")
}

fn incomplete(what: &str) -> ApiError {
    ApiError::Incomplete {
        service: "IAM Identity Center",
        what: what.to_owned(),
    }
}
