//! How long a certificate shall live: what `--duration` means.

use crate::sanitize::sanitize;
use chrono::TimeDelta;
use std::fmt;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The shortest lifetime that CCE grants (`expire_at`: 15 minutes ahead at least).
const SHORTEST: i64 = 15 * MINUTE;
/// The longest: five years in days, as the API's own limit counts them.
const LONGEST: i64 = 1827 * DAY;

/// A lifetime between 15 minutes and 1,827 days, or the longest that the cloud grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertLifetime {
    /// `max`: whatever the cloud's maximum is (`duration: -1`).
    Max,
    /// So many seconds.
    Seconds(i64),
}

/// Why a `--duration` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidLifetime {
    /// Not a number with a unit.
    #[error("`{0}` is not a duration")]
    Malformed(String),
    /// Less than 15 minutes.
    #[error("`{0}` is shorter than 15 minutes, the shortest lifetime that CCE grants")]
    TooShort(String),
    /// More than 1,827 days.
    #[error("`{0}` is longer than 1,827 days, the longest lifetime that CCE grants")]
    TooLong(String),
}

impl Default for CertLifetime {
    /// A working day.
    fn default() -> Self {
        Self::Seconds(8 * HOUR)
    }
}

impl CertLifetime {
    /// Parses `15m`, `8h`, `7d`, `1h30m`, `max`.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidLifetime> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let shown = || sanitize(text);
        let seconds = parse_seconds(text).ok_or_else(|| InvalidLifetime::Malformed(shown()))?;
        match seconds {
            ..SHORTEST => Err(InvalidLifetime::TooShort(shown())),
            SHORTEST..=LONGEST => Ok(Self::Seconds(seconds)),
            _ => Err(InvalidLifetime::TooLong(shown())),
        }
    }

    /// The lifetime as a span of time; `None` for `max`.
    pub(crate) fn span(self) -> Option<TimeDelta> {
        match self {
            Self::Max => None,
            Self::Seconds(seconds) => TimeDelta::try_seconds(seconds),
        }
    }

    /// What the API's `duration` takes: whole days, rounded up; -1 for the maximum.
    pub(crate) fn whole_days(self) -> i64 {
        match self {
            Self::Max => -1,
            Self::Seconds(seconds) => (seconds + DAY - 1) / DAY,
        }
    }
}

/// A span such as `90s`, `15m`, `1h30m`, in seconds; `None` when malformed or absurdly large.
pub(crate) fn parse_seconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = rest.split_at_checked(unit_at)?;
        let mut after = after.chars();
        let unit = match after.next()? {
            's' => 1,
            'm' => MINUTE,
            'h' => HOUR,
            'd' => DAY,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = after.as_str();
    }
    (!text.is_empty()).then_some(total)
}

/// A span in its two largest units: `1d 2h`, `7h 59m`, `45s`.
pub(crate) fn span(time: TimeDelta) -> String {
    let (days, hours, minutes, seconds) = (
        time.num_days(),
        time.num_hours() % 24,
        time.num_minutes() % 60,
        time.num_seconds() % 60,
    );
    let parts = [(days, 'd'), (hours, 'h'), (minutes, 'm'), (seconds, 's')];
    let shown = parts
        .iter()
        .skip_while(|(n, _)| *n == 0)
        .take(2)
        .filter(|(n, _)| *n != 0);
    let shown = shown
        .map(|(n, unit)| format!("{n}{unit}"))
        .collect::<Vec<_>>()
        .join(" ");
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

/// A lifetime as people say it: to the nearest minute, because the certificate was on its way for a moment.
pub(crate) fn about(lifetime: TimeDelta) -> String {
    if lifetime < TimeDelta::minutes(2) {
        return span(lifetime);
    }
    span(TimeDelta::minutes((lifetime.num_seconds() + 30).div_euclid(60)))
}

impl fmt::Display for CertLifetime {
    /// The shortest form that parses back: `8h`, `90m`, `7d`, `max`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Seconds(seconds) = *self else {
            return f.write_str("max");
        };
        let units = [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')];
        let (unit, letter) = units
            .into_iter()
            .find(|(unit, _)| seconds % unit == 0)
            .unwrap_or((1, 's'));
        write!(f, "{}{letter}", seconds / unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_and_shown() {
        for (text, shown, days) in [
            ("15m", "15m", 1),
            ("8h", "8h", 1),
            ("1h30m", "90m", 1),
            ("24h", "1d", 1),
            ("25h", "25h", 2),
            ("1827d", "1827d", 1827),
            ("max", "max", -1),
            ("1801s", "1801s", 1),
        ] {
            let lifetime = CertLifetime::parse(text).unwrap();
            assert_eq!(
                (lifetime.to_string().as_str(), lifetime.whole_days()),
                (shown, days),
                "{text}"
            );
            assert_eq!(CertLifetime::parse(shown).unwrap(), lifetime);
        }
    }

    #[test]
    fn a_duration_out_of_bounds_or_malformed_is_refused() {
        assert!(matches!(CertLifetime::parse("14m"), Err(InvalidLifetime::TooShort(_))));
        assert!(matches!(CertLifetime::parse("1828d"), Err(InvalidLifetime::TooLong(_))));
        for text in [
            "",
            "8",
            "h",
            "8y",
            "-8h",
            "8h 3m",
            "99999999999999999999d",
            "9223372036854775807d",
            "8ä",
        ] {
            assert!(
                matches!(CertLifetime::parse(text), Err(InvalidLifetime::Malformed(_))),
                "{text}"
            );
        }
    }
}
