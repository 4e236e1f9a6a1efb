//! The device authorization grant (RFC 8628), as far as it is the same everywhere: what is shown to a person, and how the polls are answered.

use crate::host::{Clock, is_moment, moment};
use crate::secret::Secret;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// Where nobody says (RFC 8628, 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// What a `slow_down` adds (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// No code lives longer, whatever is said.
const LONGEST_LIFE: TimeDelta = TimeDelta::hours(1);
/// A larger number of seconds is no span but a moment since 1970: the Identity Center gives moments.
const LARGEST_SPAN: i64 = 1_000_000_000;

/// What a person is shown, and what we poll with.
pub(crate) struct DeviceAuthorization {
    pub(crate) device_code: Secret<String>,
    /// The person's: shown and typed.
    pub(crate) user_code: String,
    /// Where it is typed.
    pub(crate) verification_uri: String,
    /// The same with the code in it, if there is one.
    pub(crate) verification_uri_complete: Option<String>,
    /// When to ask.
    pub(crate) pace: PollPace,
}

impl DeviceAuthorization {
    /// Reads an answer, RFC 8628's or the Identity Center's; `None` where a part is missing.
    pub(crate) fn from_json(json: &serde_json::Value, now: DateTime<Utc>) -> Option<Self> {
        let text = |name: &str| {
            let text = json.get(name)?.as_str()?;
            (!text.is_empty()).then(|| text.to_owned())
        };
        let user_code = text("user_code").filter(|code| code.chars().all(|c| c.is_ascii_graphic() || c == ' '));
        Some(Self {
            device_code: Secret::new(text("device_code")?),
            user_code: user_code?,
            // Entra once called it so.
            verification_uri: text("verification_uri").or_else(|| text("verification_url"))?,
            verification_uri_complete: text("verification_uri_complete"),
            pace: PollPace::new(
                json.get("interval").and_then(serde_json::Value::as_u64),
                end_of(json.get("expires_in")?, now)?,
                now,
            ),
        })
    }
}

/// When something ends of which `expires_in` speaks: a span in seconds, or a moment.
pub(crate) fn end_of(expires_in: &serde_json::Value, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let number = expires_in.as_i64().or_else(|| expires_in.as_str()?.parse().ok())?;
    match number {
        ..=0 => None,
        1..=LARGEST_SPAN => now
            .checked_add_signed(TimeDelta::try_seconds(number)?)
            .filter(|end| is_moment(*end)),
        since_1970 => moment(since_1970),
    }
}

/// How often to ask, and until when.
#[derive(Debug, Clone)]
pub(crate) struct PollPace {
    interval: Duration,
    /// When the code ends.
    pub(crate) ends_at: DateTime<Utc>,
}

/// What one poll brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PollAnswer<T> {
    /// What was waited for.
    Done(T),
    /// Nobody has said anything yet.
    Pending,
    /// Ask less often.
    SlowDown,
    /// The person said no.
    Denied,
    /// The code has ended.
    Expired,
}

impl PollPace {
    fn new(interval: Option<u64>, ends_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let interval = interval.map_or(INTERVAL, |seconds| Duration::from_secs(seconds.clamp(1, 60)));
        Self {
            interval,
            ends_at: ends_at.min(now + LONGEST_LIFE),
        }
    }

    /// Asks until something else than "not yet" comes; `None` when the code has ended. Waits first: nobody is that fast.
    pub(crate) fn poll<T, E>(
        &self,
        clock: &Clock,
        mut ask: impl FnMut() -> Result<PollAnswer<T>, E>,
    ) -> Result<Option<PollAnswer<T>>, E> {
        let mut interval = self.interval;
        let mut waited = Duration::ZERO;
        let life = (self.ends_at - clock.now()).to_std().unwrap_or_default();
        loop {
            std::thread::sleep(interval);
            waited += interval;
            match ask()? {
                PollAnswer::Pending => {}
                PollAnswer::SlowDown => interval += SLOWER,
                end => return Ok(Some(end)),
            }
            if waited >= life {
                return Ok(None);
            }
        }
    }
}

/// What the words of a refused poll mean, in any case and as an exception's name too; `None` where they mean something else.
pub(crate) fn classify_poll<T>(texts: &[&str]) -> Option<PollAnswer<T>> {
    let letters = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let all: Vec<String> = texts.iter().map(|text| letters(text).to_ascii_lowercase()).collect();
    let says = |word: &str| all.iter().any(|text| text.contains(word));
    if says("authorizationpending") {
        Some(PollAnswer::Pending)
    } else if says("slowdown") {
        Some(PollAnswer::SlowDown)
    } else if says("expiredtoken") || says("codeexpired") || says("expiredcode") {
        Some(PollAnswer::Expired)
    } else if says("accessdenied") || says("authorizationdeclined") {
        Some(PollAnswer::Denied)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_and_moments_are_told_apart() {
        let now = DateTime::from_timestamp(1_764_000_000, 0).expect("a moment");
        let read = |expires_in: serde_json::Value, interval: serde_json::Value| {
            let json = json!({"device_code": "d", "user_code": "A-B", "verification_uri": "https://x", "expires_in": expires_in, "interval": interval});
            DeviceAuthorization::from_json(&json, now)
                .map(|read| (read.pace.ends_at - now, read.pace.interval.as_secs()))
        };
        assert_eq!(read(json!(600), json!(10)), Some((TimeDelta::seconds(600), 10)));
        assert_eq!(
            read(json!(1_764_000_600_i64), json!(null)),
            Some((TimeDelta::seconds(600), 5))
        );
        assert_eq!(read(json!("600"), json!(0)), Some((TimeDelta::seconds(600), 1)));
        assert_eq!(read(json!(90_000), json!(1)), Some((TimeDelta::hours(1), 1)));
        assert_eq!(read(json!(0), json!(1)), None);
        assert_eq!(read(json!(-5), json!(1)), None);
        assert_eq!(read(json!(8_210_266_876_799_i64), json!(1)), None);
    }

    #[test]
    fn polls_are_understood_however_they_are_worded() {
        let of = |texts: &[&str]| classify_poll::<()>(texts);
        assert_eq!(of(&["authorization_pending", ""]), Some(PollAnswer::Pending));
        assert_eq!(
            of(&[
                "IIC.1402",
                "creating access token failed: AuthorizationPendingException"
            ]),
            Some(PollAnswer::Pending)
        );
        assert_eq!(of(&["", "Slow-Down please"]), Some(PollAnswer::SlowDown));
        assert_eq!(of(&["expired_token"]), Some(PollAnswer::Expired));
        assert_eq!(
            of(&["IIC.1404", "Access denied: by the user"]),
            Some(PollAnswer::Denied)
        );
        assert_eq!(of(&["IIC.1402", "creating access token failed"]), None);
    }
}
