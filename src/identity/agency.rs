//! An agency as people name it.

use crate::iam::sign_in::{Account, Agency};

/// Reads `NAME` or `ACCOUNT/NAME`; `None` where the account is named in neither place.
pub(super) fn parse(text: &str, account: Option<&str>) -> Option<Agency> {
    let (account, name) = match text.split_once('/') {
        Some((account, name)) => (account, name),
        None => (account?, text),
    };
    Some(Agency {
        name: name.to_owned(),
        account: Account::parse(account),
        seconds: None,
    })
}

/// What the agency adds to the fingerprint of whoever assumes it.
pub(super) fn fingerprint(agency: &Agency) -> String {
    format!(">agency:{}/{}", agency.account.as_str(), agency.name)
}
