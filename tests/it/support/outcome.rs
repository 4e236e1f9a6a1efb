//! How a run ended.

use cce_login::error::Exit;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::fmt;

/// Exit, stdout and stderr of one run.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) args: Vec<String>,
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// It went well.
    #[track_caller]
    pub(crate) fn is_done(&self) -> &Self {
        assert_eq!(self.exit, Exit::Done, "{self}");
        self
    }

    /// It failed with this exit code, one line that names what, and nothing on stdout.
    #[track_caller]
    pub(crate) fn fails(&self, exit: Exit, what: &str) -> &Self {
        assert_eq!(self.exit, exit, "{self}");
        assert_eq!(self.stdout, "", "{self}");
        assert!(self.stderr.contains(what), "`{what}` is not said in:\n{self}");
        self
    }

    /// The credential that kubectl takes: all of stdout, and not a word on stderr.
    #[track_caller]
    pub(crate) fn credential(&self) -> Credential {
        self.is_done();
        assert_eq!(self.stderr, "", "{self}");
        self.shown_credential()
    }

    /// The credential on stdout, whatever stderr says.
    #[track_caller]
    pub(crate) fn shown_credential(&self) -> Credential {
        let json: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"));
        let status = |name: &str| json["status"][name].as_str().unwrap().to_owned();
        let (_, certificate) = x509_parser::pem::parse_x509_pem(status("clientCertificateData").as_bytes()).unwrap();
        let validity = certificate.parse_x509().unwrap().validity().clone();
        let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        Credential {
            certificate: status("clientCertificateData"),
            key: status("clientKeyData"),
            expires: status("expirationTimestamp"),
            not_before: time(validity.not_before.timestamp()),
            not_after: time(validity.not_after.timestamp()),
            json,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ kubectl cce-login {}", self.args.join(" "))?;
        writeln!(f, "exit {}", self.exit.code())?;
        if !self.stdout.is_empty() {
            write!(f, "--- stdout\n{}", self.stdout)?;
        }
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        Ok(())
    }
}

/// What `get-credential` printed.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) certificate: String,
    pub(crate) key: String,
    /// `expirationTimestamp` as it stands there.
    pub(crate) expires: String,
    pub(crate) not_before: DateTime<Utc>,
    pub(crate) not_after: DateTime<Utc>,
    pub(crate) json: Value,
}

impl Credential {
    pub(crate) fn expires_at(&self) -> DateTime<Utc> {
        self.expires.parse().unwrap()
    }
}
