//! The one place that reads the real time; the cloud's own clock is this plus [`Behaviour::clock_offset`](crate::Behaviour).

use chrono::{DateTime, Utc};

/// The machine's time.
pub(crate) fn real_now() -> DateTime<Utc> {
    Utc::now()
}

/// `Thu, 15 Jan 2026 09:30:00 GMT`, as in a `Date` header.
pub(crate) fn http_date(moment: DateTime<Utc>) -> String {
    moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `2026-01-15 09:30:00.123456 +0000 UTC`, as Go prints a time and CCE an object's timestamps.
pub(crate) fn go_time(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S%.6f +0000 UTC").to_string()
}

/// `2026-01-15T09:30:00.123000Z`, as in IAM's bodies.
pub(crate) fn iam_time(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `2026-01-15T10:30:00.000Z`, as in STS' bodies.
pub(crate) fn sts_time(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
