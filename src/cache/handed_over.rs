//! The form in which a certificate is handed over in a file, by whoever keeps it to whoever reads it (`--cache-from`).
//!
//! One PEM file per cluster, `CLUSTER-ID.pem`: the certificate, its chain and its key, and before them lines that say what it is for. One
//! file, so that certificate and key are always of one piece, however it is mounted or copied.

use crate::cache::entry::CacheEntry;
use crate::cache::tombstone::Generation;
use crate::certificate::{ClientCert, ClientCertError};
use crate::error::{Exit, Explain};
use crate::host::Skew;
use crate::ids::ClusterId;
use crate::sanitize::sanitize;
use crate::secret::Secret;
use chrono::{DateTime, SecondsFormat, Utc};
use std::path::{Path, PathBuf};

/// Why what somebody has handed over is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandedOverError {
    /// It cannot be read.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No certificate with its key.
    #[error("`{path}`: {source}", path = path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: ClientCertError,
    },
    /// It does not say that it is for this cluster.
    #[error("`{path}` holds no certificate for this cluster", path = path.display())]
    OtherCluster {
        /// Which file.
        path: PathBuf,
    },
    /// It is past its end, or before its beginning.
    #[error("the certificate in `{path}` is valid from {from} until {until}", path = path.display())]
    NotValid {
        /// Which file.
        path: PathBuf,
        /// Its beginning.
        from: DateTime<Utc>,
        /// Its end.
        until: DateTime<Utc>,
    },
}

impl Explain for HandedOverError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotValid { .. } => Exit::Temporary,
            Self::Unreadable { .. } | Self::Malformed { .. } | Self::OtherCluster { .. } => Exit::Identity,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NotValid { .. } => {
                    "whoever keeps it must renew it: look at the job that runs `kubectl cce-login refresh --to DIR`"
                }
                _ => "`kubectl cce-login refresh --to DIR` writes such files; give an identity to do without them",
            }
            .to_owned(),
        )
    }
}

/// The file of this cluster's certificate.
pub(crate) fn file(directory: &Path, cluster: &ClusterId) -> PathBuf {
    directory.join(format!("{cluster}.pem"))
}

/// The whole file.
pub(crate) fn to_text(entry: &CacheEntry, cluster: &ClusterId) -> Secret<String> {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut text = format!(
        "cluster: {cluster}\nuser: {}\nfetched: {}\nends: {}\n",
        sanitize(&entry.cert.common_name),
        time(entry.fetched_at),
        time(entry.cert.not_after)
    );
    text.push_str(&entry.cert.certificates_pem());
    text.push_str(entry.cert.key_pem().expose()); // into the file that was asked for
    Secret::new(text)
}

/// Reads and checks the text of `path`: it is for this cluster, certificate and key belong together, and it is valid at `now`.
pub(crate) fn from_text(
    text: &Secret<Vec<u8>>,
    path: &Path,
    cluster: &ClusterId,
    now: DateTime<Utc>,
) -> Result<CacheEntry, HandedOverError> {
    let path = || path.to_owned();
    let bytes = text.expose(); // the key goes into a `Secret`
    let cert =
        ClientCert::from_pem(bytes, bytes).map_err(|source| HandedOverError::Malformed { path: path(), source })?;
    let head = String::from_utf8_lossy(bytes);
    let head = head.split("-----BEGIN").next().unwrap_or_default();
    let said = |name: &str| {
        head.lines()
            .find_map(|line| line.trim().strip_prefix(name))
            .map(str::trim)
    };
    if said("cluster:") != Some(cluster.as_str()) {
        return Err(HandedOverError::OtherCluster { path: path() });
    }
    if now < cert.not_before || now >= cert.not_after {
        let (from, until) = (cert.not_before, cert.not_after);
        return Err(HandedOverError::NotValid {
            path: path(),
            from,
            until,
        });
    }
    let fetched = said("fetched:").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let fetched_at = fetched
        .map_or(cert.not_before, |time| time.to_utc())
        .min(cert.not_after);
    Ok(CacheEntry {
        cert,
        requested_at: fetched_at,
        fetched_at,
        generation: Generation::default(),
        skew: Skew::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::fixtures::entry;
    use chrono::TimeDelta;

    fn cluster(id: &str) -> ClusterId {
        ClusterId::parse(id).unwrap()
    }

    fn read(text: &str, now: DateTime<Utc>) -> Result<CacheEntry, HandedOverError> {
        let text = Secret::new(text.as_bytes().to_vec());
        from_text(&text, Path::new("c1.pem"), &cluster("c1"), now)
    }

    #[test]
    fn what_is_handed_over_is_taken_while_it_is_valid() {
        let entry = CacheEntry {
            fetched_at: entry().cert.not_before + TimeDelta::seconds(7),
            ..entry()
        };
        let (from, until) = (entry.cert.not_before, entry.cert.not_after);
        let text = to_text(&entry, &cluster("c1"));
        let text = text.expose();
        assert!(text.starts_with(&format!("cluster: c1\nuser: {}\n", entry.cert.common_name)));
        let taken = read(text, from).unwrap();
        assert_eq!((taken.cert, taken.fetched_at), (entry.cert, entry.fetched_at));
        assert!(read(text, until - TimeDelta::seconds(1)).is_ok());
        for now in [from - TimeDelta::seconds(1), until, until + TimeDelta::seconds(1)] {
            let error = read(text, now).unwrap_err();
            assert!(matches!(&error, HandedOverError::NotValid { .. }), "{error}");
            assert_eq!(error.exit(), Exit::Temporary);
            assert!(error.hint().unwrap().contains("must renew it"));
        }
        assert_eq!(
            file(Path::new("/run/certs"), &cluster("c1")),
            Path::new("/run/certs/c1.pem")
        );
    }

    #[test]
    fn a_file_that_says_less_or_more_than_it_should_is_not_believed() {
        let entry = entry();
        let (from, until) = (entry.cert.not_before, entry.cert.not_after);
        let text = to_text(&entry, &cluster("c1"));
        let text = text.expose();
        for other in [
            text.replace("cluster: c1", "cluster: c2"),
            text.replace("cluster: c1\n", ""),
        ] {
            let error = read(&other, from).unwrap_err();
            assert!(matches!(&error, HandedOverError::OtherCluster { .. }), "{error}");
            assert_eq!(error.exit(), Exit::Identity);
            assert!(error.hint().unwrap().contains("writes such files"));
        }
        let error = read("cluster: c1\n", from).unwrap_err();
        assert!(matches!(&error, HandedOverError::Malformed { .. }), "{error}");
        let undated: Vec<&str> = text.lines().filter(|line| !line.starts_with("fetched:")).collect();
        let undated = undated.join("\n");
        assert_eq!(read(&undated, from).unwrap().fetched_at, from);
        let (before, behind) = text.split_once("fetched: ").unwrap();
        let (_, later) = behind.split_once('\n').unwrap();
        let of_the_future = format!("{before}fetched: 2999-01-01T00:00:00Z\n{later}");
        assert_eq!(read(&of_the_future, from).unwrap().fetched_at, until);
    }
}
