//! The access key that a program of the user's prints as JSON, as AWS's `credential_process` has it: a password manager, a vault, a company's
//! broker. It comes from `config.toml` alone, never from an argument or a kubeconfig.

use crate::error::{Exit, Explain};
use crate::host::captured::{Captured, capture};
use crate::huaweicloud::credentials::{AccessKey, Credentials};
use crate::identity::sign_on::KeyCommand;
use crate::ids::AccessKeyId;
use crate::sanitize::sanitize;
use crate::secret::{Secret, SecretJson};
use crate::session::Session;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// What each part may be called: our name first, then those of the SDKs, of IAM and of other clouds' tools.
const ID: [&str; 6] = [
    "accessKeyId",
    "access_key_id",
    "AccessKeyId",
    "access",
    "ak",
    "HUAWEICLOUD_SDK_AK",
];
const SECRET: [&str; 6] = [
    "secretAccessKey",
    "secret_access_key",
    "SecretAccessKey",
    "secret",
    "sk",
    "HUAWEICLOUD_SDK_SK",
];
const SECURITY_TOKEN: [&str; 7] = [
    "securityToken",
    "security_token",
    "SecurityToken",
    "SessionToken",
    "securitytoken",
    "sessionToken",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
];
const EXPIRATION: [&str; 5] = ["expiration", "Expiration", "expiresAt", "expires_at", "expireAt"];

/// Why the program gave no access key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyCommandError {
    #[error("cannot run `{program}`")]
    CannotRun {
        program: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{program}` did not end in time")]
    TimedOut { program: String },
    #[error("`{program}` failed ({status}){}", if message.is_empty() { String::new() } else { format!(": {message}") })]
    Failed {
        program: String,
        status: String,
        message: String,
    },
    #[error("`{program}` {problem}")]
    Unusable { program: String, problem: String },
}

impl Explain for KeyCommandError {
    fn exit(&self) -> Exit {
        match self {
            Self::TimedOut { .. } => Exit::Temporary,
            _ => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::CannotRun { .. } => "write the program's whole path: it is run without a shell",
                Self::TimedOut { .. } => "run it yourself; if it waits for you, sign in there first",
                Self::Failed { .. } => "run it yourself to see what it wants",
                Self::Unusable { .. } => {
                    "it must print a JSON object with `accessKeyId` and `secretAccessKey`, and for a temporary key `securityToken` and `expiration`"
                }
            }
            .to_owned(),
        )
    }
}

/// Runs the program; the end is `None` where it names none.
pub(super) fn access_key(
    session: &Session<'_>,
    command: &KeyCommand,
) -> Result<(Credentials, Option<DateTime<Utc>>), KeyCommandError> {
    let program = sanitize(command.words.first().map_or("", String::as_str));
    let is_shown = session.is_interactive;
    let ended = capture(&command.words, &session.host.env, is_shown, session.deadline);
    let ended = ended.map_err(|source| match source.kind() {
        std::io::ErrorKind::TimedOut => KeyCommandError::TimedOut {
            program: program.clone(),
        },
        _ => KeyCommandError::CannotRun {
            program: program.clone(),
            source,
        },
    })?;
    if !ended.is_success {
        return Err(KeyCommandError::Failed {
            program,
            message: last_line(&ended),
            status: ended.status,
        });
    }
    if !ended.stderr.is_empty() {
        session.log.info(|| format!("{program}: {}", sanitize(&ended.stderr)));
    }
    // Parsed here; what is secret in it goes into `Secret`s.
    read(ended.stdout.expose()).map_err(|problem| KeyCommandError::Unusable { program, problem })
}

fn last_line(ended: &Captured) -> String {
    sanitize(ended.stderr.lines().next_back().unwrap_or_default())
}

fn read(bytes: &[u8]) -> Result<(Credentials, Option<DateTime<Utc>>), String> {
    let json = SecretJson::parse(bytes).map_err(|_| "printed something else than JSON".to_owned())?;
    let inner = ["credential", "credentials", "Credentials"]
        .iter()
        .find_map(|name| json.get(name));
    let object = inner.unwrap_or(&json);
    let text = |names: &[&str]| {
        let text = names.iter().find_map(|name| object.get(name)?.as_str());
        text.map(str::trim).filter(|text| !text.is_empty())
    };
    let id = text(&ID).ok_or("printed no `accessKeyId`")?;
    let key = AccessKey {
        id: AccessKeyId::parse(id).map_err(|error| format!("printed as `accessKeyId`: {error}"))?,
        secret: Secret::new(text(&SECRET).ok_or("printed no `secretAccessKey`")?.to_owned()),
        security_token: text(&SECURITY_TOKEN).map(|token| Secret::new(token.to_owned())),
    };
    let end = EXPIRATION
        .iter()
        .find_map(|name| object.get(name))
        .filter(|end| !end.is_null());
    let end =
        end.map(|end| moment(end).ok_or("printed an `expiration` that is no time, such as `2026-11-26T18:00:00Z`"));
    Ok((Credentials::AccessKey(key), end.transpose()?))
}

/// RFC 3339, or seconds since 1970.
fn moment(value: &Value) -> Option<DateTime<Utc>> {
    match value {
        Value::Number(seconds) => crate::host::moment(seconds.as_i64()?),
        Value::String(text) => DateTime::parse_from_rfc3339(text.trim())
            .ok()
            .map(|time| time.with_timezone(&Utc)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_other_tools_are_understood() {
        let good = [
            r#"{"accessKeyId":"AK1","secretAccessKey":"s"}"#,
            r#"{"Version":1,"AccessKeyId":"AK1","SecretAccessKey":"s","SessionToken":"t","Expiration":"2026-11-26T18:00:00Z"}"#,
            r#"{"credential":{"access":"AK1","secret":"s","securitytoken":"t","expires_at":"2026-11-26T18:00:00.000000Z"}}"#,
            r#"{"ak":"AK1","sk":"s","expiration":1764180000}"#,
        ];
        for text in good {
            assert!(read(text.as_bytes()).is_ok(), "{text}");
        }
        for bad in [
            "",
            "AK1 s",
            "{}",
            r#"{"accessKeyId":"AK1"}"#,
            r#"{"ak":"A K","sk":"s"}"#,
            r#"{"ak":"AK1","sk":"s","expiration":"soon"}"#,
            r#"{"ak":"AK1","sk":"s","expiration":8210266876799}"#,
        ] {
            let problem = read(bad.as_bytes()).expect_err("it is refused");
            assert!(!problem.contains("\"s\""), "{problem}");
        }
    }
}
