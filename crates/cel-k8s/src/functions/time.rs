//! Durations and timestamps.

use super::{Function, global, member, no_overload};
use crate::eval::{Answer, Fault};
use crate::value::Value;

const SECOND: i128 = 1_000_000_000;
const DAY: i128 = 86_400;

/// The units of a duration, in nanoseconds.
const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
];

/// Parses a duration as Go's `time.ParseDuration` does: `1h30m`, `1.5s`, `-2ms`, `0`. Returns nanoseconds.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == unit)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        let digits = fraction.get(..15.min(fraction.len()))?;
        let part: i128 = if digits.is_empty() {
            0
        } else {
            digits.parse().ok()?
        };
        let scale = 10_i128.checked_pow(u32::try_from(digits.len()).ok()?)?;
        let span = whole.checked_mul(*unit)?.checked_add(part * unit / scale)?;
        total = total.checked_add(span)?;
        rest = after;
    }
    i64::try_from(sign * total).ok()
}

/// Converts a duration as `string` does, in seconds.
pub(super) fn duration_text(span: i64) -> String {
    let whole = span / 1_000_000_000;
    let rest = (span % 1_000_000_000).unsigned_abs();
    if rest == 0 {
        return format!("{whole}s");
    }
    let sign = if span < 0 && whole == 0 { "-" } else { "" };
    let fraction = format!("{rest:09}");
    format!("{sign}{whole}.{}s", fraction.trim_end_matches('0'))
}

/// The days since 1970-01-01 (Howard Hinnant's `days_from_civil`).
fn days(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The year, month and day of a number of days since 1970-01-01.
fn date(days: i128) -> (i128, i128, i128) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i128::from(month <= 2);
    (year, month, day)
}

/// Parses a date with a time (RFC 3339), or only a date. Returns nanoseconds since 1970.
pub fn parse_timestamp(text: &str) -> Option<i128> {
    let number = |from: usize, to: usize| -> Option<i128> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let sign = |at: usize| text.as_bytes().get(at).copied();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let start = days(year, month, day);
    if sign(4)? != b'-' || sign(7)? != b'-' || date(start) != (year, month, day) {
        return None;
    }
    if text.len() == 10 {
        return Some(start * DAY * SECOND);
    }
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let holds = matches!(sign(10)?, b'T' | b't' | b' ')
        && sign(13)? == b':'
        && sign(16)? == b':'
        && hour < 24
        && minute < 60
        && second < 60;
    if !holds {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = fraction.split_at(end);
        let digits = digits.get(..9.min(digits.len()))?;
        nanos = format!("{digits:0<9}").parse().ok()?;
        rest = after;
    }
    let zone = match rest {
        "Z" | "z" => 0,
        _ => {
            let (first, zone) = rest.split_at_checked(1)?;
            let (hours, minutes) = zone.split_once(':')?;
            let two = |text: &str| -> Option<i128> {
                let holds = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
                holds.then(|| text.parse().ok())?
            };
            let minutes = two(hours)? * 60 + two(minutes)?;
            match first {
                "+" => minutes * 60,
                "-" => -minutes * 60,
                _ => return None,
            }
        }
    };
    let seconds = start * DAY + hour * 3600 + minute * 60 + second - zone;
    Some(seconds * SECOND + nanos)
}

/// Converts a timestamp as `string` does; `None` after the year 9999.
pub(super) fn timestamp_text(at: i128) -> Option<String> {
    let parts = Parts::of(at);
    if !(0..=9999).contains(&parts.year) {
        return None;
    }
    let fraction = match parts.nanos {
        0 => String::new(),
        nanos => format!(".{}", format!("{nanos:09}").trim_end_matches('0')),
    };
    Some(format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}Z",
        parts.year, parts.month, parts.day, parts.hour, parts.minute, parts.second
    ))
}

struct Parts {
    year: i128,
    month: i128,
    day: i128,
    hour: i128,
    minute: i128,
    second: i128,
    nanos: i128,
    days: i128,
}

impl Parts {
    fn of(at: i128) -> Parts {
        let seconds = at.div_euclid(SECOND);
        let days = seconds.div_euclid(DAY);
        let of_day = seconds.rem_euclid(DAY);
        let (year, month, day) = date(days);
        Parts {
            year,
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanos: at.rem_euclid(SECOND),
            days,
        }
    }
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("duration", 1, 1, |_, it| match it {
        [Value::Duration(span)] => Ok(Value::Duration(*span)),
        [Value::String(text)] => parse_duration(text)
            .map(Value::Duration)
            .ok_or_else(|| Fault::Error(format!("{text:?} is not a duration"))),
        _ => Err(no_overload("duration", it)),
    }),
    global("timestamp", 1, 1, |_, it| match it {
        [Value::Timestamp(at)] => Ok(Value::Timestamp(*at)),
        [Value::Int(seconds)] => Ok(Value::Timestamp(i128::from(*seconds) * SECOND)),
        [Value::String(text)] if text.len() > 10 => parse_timestamp(text)
            .map(Value::Timestamp)
            .ok_or_else(|| Fault::Error(format!("{text:?} is not a date with a time"))),
        _ => Err(no_overload("timestamp", it)),
    }),
    member("getFullYear", 0, 0, |_, it| part(it, |at| at.year, None)),
    member("getMonth", 0, 0, |_, it| part(it, |at| at.month - 1, None)),
    member("getDate", 0, 0, |_, it| part(it, |at| at.day, None)),
    member("getDayOfMonth", 0, 0, |_, it| {
        part(it, |at| at.day - 1, None)
    }),
    member("getDayOfWeek", 0, 0, |_, it| {
        part(it, |at| (at.days + 4).rem_euclid(7), None)
    }),
    member("getDayOfYear", 0, 0, |_, it| {
        part(it, |at| at.days - days(at.year, 1, 1), None)
    }),
    member("getHours", 0, 0, |_, it| {
        part(it, |at| at.hour, Some(3600 * SECOND))
    }),
    member("getMinutes", 0, 0, |_, it| {
        part(it, |at| at.minute, Some(60 * SECOND))
    }),
    member("getSeconds", 0, 0, |_, it| {
        part(it, |at| at.second, Some(SECOND))
    }),
    member("getMilliseconds", 0, 0, |_, it| {
        part(it, |at| at.nanos / 1_000_000, Some(1_000_000))
    }),
];

/// A component of a timestamp (UTC), or a duration in a unit, without its fraction.
fn part(it: &[Value], part: fn(&Parts) -> i128, unit: Option<i128>) -> Answer {
    let number = match (it, unit) {
        ([Value::Timestamp(at)], _) => part(&Parts::of(*at)),
        ([Value::Duration(span)], Some(1_000_000)) => i128::from(*span) % SECOND / 1_000_000,
        ([Value::Duration(span)], Some(unit)) => i128::from(*span) / unit,
        _ => return Err(no_overload("get", it)),
    };
    Ok(Value::Int(i64::try_from(number).unwrap_or(i64::MAX)))
}
