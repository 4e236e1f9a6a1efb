//! Why no answer came, and what to do about it.

use crate::error::{Exit, Explain};

/// What the file of roots is called in messages.
pub(super) const CA_FILE: &str = "the CA file";

/// Why no answer came. Nothing in it is secret: hosts and reasons only.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The deadline or the connect time-out passed.
    #[error("`{host}` did not answer in time")]
    Timeout {
        /// Whom we asked.
        host: String,
    },
    /// Its name is not known to the resolver, which answered.
    #[error("there is no host `{host}`")]
    UnknownHost {
        /// Whom we wanted to ask.
        host: String,
    },
    /// No connection: refused, unreachable.
    #[error("cannot connect to `{host}`")]
    Connect {
        /// Whom we asked.
        host: String,
        /// The system's reason.
        #[source]
        source: Reason,
    },
    /// No connection through the proxy.
    #[error("cannot connect to `{host}` through the proxy `{proxy}`")]
    Proxy {
        /// Whom we asked.
        host: String,
        /// The proxy, without user and password.
        proxy: String,
        /// The reason.
        #[source]
        source: Reason,
    },
    /// The peer is not who it should be, or speaks no TLS.
    #[error("the TLS connection to `{host}` failed")]
    Tls {
        /// Whom we asked.
        host: String,
        /// rustls's reason.
        #[source]
        source: Reason,
    },
    /// The connection broke while the answer was on its way.
    #[error("the connection to `{host}` broke off")]
    Broken {
        /// Whom we asked.
        host: String,
        /// The reason.
        #[source]
        source: Reason,
    },
    /// The answer is larger than any we expect.
    #[error("the answer of `{host}` is too large")]
    TooLarge {
        /// Whom we asked.
        host: String,
    },
    /// A proxy's URL is none; it may hold a password.
    #[error("`{setting}` is not a proxy's URL")]
    BadProxy {
        /// Where it comes from.
        setting: &'static str,
    },
    /// A file of certificates is unusable.
    #[error("cannot use {what}")]
    Settings {
        /// Which setting, with its value.
        what: String,
        /// The reason.
        #[source]
        source: Reason,
    },
}

/// The innermost reason of a failure, as text.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Reason(pub(super) String);

impl Reason {
    /// The resolver answered that there is no such name: hickory's words, and those of the systems.
    pub(super) fn is_unknown_name(&self) -> bool {
        let says = |words: &&str| self.0.contains(words);
        [
            "no records found for Query",
            "Name or service not known",
            "nodename nor servname",
        ]
        .iter()
        .any(says)
    }
}

impl Explain for HttpError {
    fn exit(&self) -> Exit {
        match self {
            Self::Settings { .. } | Self::BadProxy { .. } => Exit::Usage,
            Self::Tls { .. } | Self::TooLarge { .. } => Exit::Failed,
            _ => Exit::Temporary,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Timeout { .. } | Self::Broken { .. } => "try again; check the network, or allow more time with `--timeout`".to_owned(),
            Self::UnknownHost { .. } => {
                "check the region, the endpoint and the network's name service (DNS, VPN)".to_owned()
            }
            Self::Connect { .. } => {
                "check the network and the region; behind a proxy set `HTTPS_PROXY`, for another installation `CCE_LOGIN_CCE_ENDPOINT` and `CCE_LOGIN_IAM_ENDPOINT`"
                    .to_owned()
            }
            Self::Proxy { .. } => "check `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`".to_owned(),
            Self::Tls { .. } => "for a private certificate authority give its PEM file with `--ca-file` or `SSL_CERT_FILE`".to_owned(),
            Self::TooLarge { .. } => "check that the endpoint is the right one".to_owned(),
            Self::BadProxy { setting } => format!("correct `{setting}`: a proxy looks like `http://proxy.example.com:3128`"),
            Self::Settings { what, .. } if what.starts_with(CA_FILE) => {
                "`--ca-file`, `CCE_LOGIN_CA_FILE` or `SSL_CERT_FILE` must name a file of PEM certificates".to_owned()
            }
            Self::Settings { .. } => "correct this setting, then try again".to_owned(),
        })
    }
}

impl HttpError {
    /// The request surely did not reach the server, or asking again may help.
    pub(crate) fn is_temporary(&self) -> bool {
        self.exit() == Exit::Temporary
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn what_the_resolvers_say_of_a_name_that_nobody_knows_is_recognised() {
        for says in [
            "no records found for Query { name: Name(\"iam.eu-dee.myhuaweicloud.com.\"), query_type: AAAA, query_class: IN }",
            "failed to lookup address information: Name or service not known",
            "failed to lookup address information: nodename nor servname provided, or not known",
        ] {
            assert!(Reason(says.to_owned()).is_unknown_name(), "{says}");
        }
        assert!(!Reason("Connection refused (os error 111)".to_owned()).is_unknown_name());
    }
}
