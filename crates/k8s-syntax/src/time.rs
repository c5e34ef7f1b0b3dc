//! Parses durations, dates and timestamps in the same way as Go in the API server and in controllers.
//!
//! The calendar comes from `jiff`. Its parsers are not used, because they accept forms that Go refuses (leap seconds,
//! dates without hyphens, `1 hour`), and refuse some that Go accepts (`1.5h30m`, more than nine digits of a fraction).

use std::str::FromStr;

use jiff::SignedDuration;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// The units of a duration, in nanoseconds.
const UNITS: &[(&str, i128)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The start of Unix time, in UTC.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Parses a duration like Go's `time.ParseDuration`: `1h30m`, `1.5s`, `-2ms`, `0`. The result is in nanoseconds.
pub fn duration(text: &str) -> Option<i64> {
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

/// The names of units in `loose_duration`, in nanoseconds. A word that begins with the last name of a row is of that unit,
/// too: `minutes`.
const WORDS: &[(&[&str], i128)] = &[
    (&["ns", "nano"], 1),
    (&["us", "µs", "micro"], 1_000),
    (&["ms", "milli"], 1_000_000),
    (&["s", "sec"], 1_000_000_000),
    (&["m", "min"], 60_000_000_000),
    (&["h", "hr", "hour"], 3_600_000_000_000),
    (&["d", "day"], 86_400_000_000_000),
    (&["w", "wk", "week"], 604_800_000_000_000),
];

/// Parses the format `duration` of a CRD (kube-openapi's `strfmt.ParseDuration`): a duration of Go, or numbers with
/// words for units anywhere in the text, like `2 days`. The result is in nanoseconds.
pub fn loose_duration(text: &str) -> Option<i64> {
    if let Some(duration) = duration(text) {
        return Some(duration);
    }
    let (mut total, mut is_found) = (0_i128, false);
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let after = rest.get(start..)?;
        let end = after
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(after.len());
        let (number, after) = after.split_at(end);
        let unit = after.trim_start_matches(['\t', '\n', '\u{c}', '\r', ' ']);
        let end = unit
            .find(|c: char| !c.is_ascii_alphabetic() && c != 'µ')
            .unwrap_or(unit.len());
        let (unit, after) = match end {
            0 => ("", after),
            _ => unit.split_at(end),
        };
        rest = after;
        if unit.is_empty() {
            continue;
        }
        let number: i64 = number.parse().ok()?;
        let unit = unit.to_lowercase();
        for (names, size) in WORDS {
            let has_name = names.contains(&unit.as_str())
                || names.last().is_some_and(|last| unit.starts_with(last));
            if has_name {
                is_found = true;
                total += i128::from(number) * size;
            }
        }
    }
    is_found.then(|| i64::try_from(total).ok())?
}

/// Parses a date such as `2026-01-31`.
pub fn date(text: &str) -> Option<Date> {
    let [year, month, day] = parts(text, '-')?;
    Date::new(digits(year, 4)?, digits(month, 2)?, digits(day, 2)?).ok()
}

/// Parses a timestamp (RFC 3339); its letters may be lowercase. The result is in nanoseconds since 1970.
pub fn date_time(text: &str) -> Option<i128> {
    let (day, rest) = text.split_once(['T', 't'])?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let [hour, minute, second] = parts(clock, ':')?;
    let (nanoseconds, zone) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (fraction, zone) = rest.split_at(end);
            // Like in Go, digits after the nanoseconds are ignored.
            let nanoseconds = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
            (!fraction.is_empty()).then_some((nanoseconds, zone))?
        }
    };
    let clock = Time::new(
        digits(hour, 2)?,
        digits(minute, 2)?,
        digits(second, 2)?,
        nanoseconds,
    );
    let local = date(day)?.to_datetime(clock.ok()?);
    Some(local.duration_since(EPOCH).as_nanos() - offset(zone)?.as_nanos())
}

/// Whether Go's `time.Parse` reads a text with the layout of RFC 3339, as it does for times in metadata: letters are
/// uppercase, an hour may have one digit, and a comma may stand before the fraction.
pub fn is_rfc3339(text: &str) -> bool {
    let Some((day, clock)) = text.split_once('T') else {
        return false;
    };
    let Some((hour, rest)) = clock.split_once(':') else {
        return false;
    };
    let clock = format!("{day}T{hour:0>2}:{}", rest.replacen(',', ".", 1));
    (1..=2).contains(&hour.len())
        && text.bytes().all(|byte| !matches!(byte, b't' | b'z'))
        && date_time(&clock).is_some()
        && is_offset(rest)
}

/// Whether the offset at the end of a time is in the range that Go reads.
fn is_offset(clock: &str) -> bool {
    match clock.rsplit_once(['+', '-']) {
        Some((_, offset)) => offset.split_once(':').is_some_and(|(hours, minutes)| {
            digits::<u8>(hours, 2).is_some_and(|hours| hours <= 24)
                && digits::<u8>(minutes, 2).is_some_and(|minutes| minutes <= 60)
        }),
        None => clock.ends_with('Z'),
    }
}

/// The offset of a time zone (`Z`, `+01:00`) from UTC.
fn offset(zone: &str) -> Option<SignedDuration> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(SignedDuration::ZERO);
    }
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_once(':')?;
    let minutes = digits::<i64>(hours, 2)? * 60 + digits::<i64>(minutes, 2)?;
    match sign {
        "+" => Some(SignedDuration::from_mins(minutes)),
        "-" => Some(SignedDuration::from_mins(-minutes)),
        _ => None,
    }
}

/// The date and time in UTC of a timestamp in nanoseconds since 1970; `None` if it is outside of the calendar, which
/// ends with the year 9999.
pub fn utc(nanoseconds: i128) -> Option<DateTime> {
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    let rest = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?;
    EPOCH.checked_add(SignedDuration::new(seconds, rest)).ok()
}

/// The date and time in a time zone of a timestamp in nanoseconds since 1970: an offset (`+02:00`), or a name in the
/// database of time zones. `None` if there is no such zone, or the date is outside of the calendar.
pub fn local(nanoseconds: i128, zone: &str) -> Option<DateTime> {
    if let Some((hours, minutes)) = zone.split_once(':') {
        let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
        let minutes = if zone.starts_with('-') {
            -minutes
        } else {
            minutes
        };
        let offset = i128::from(hours.checked_mul(60)?.checked_add(minutes)?) * 60_000_000_000;
        return utc(nanoseconds + offset);
    }
    let at = Timestamp::from_nanosecond(nanoseconds).ok()?;
    Some(time_zone(zone)?.to_datetime(at))
}

/// A time zone by its name, as Go's `time.LoadLocation` finds it.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    match name {
        "" | "UTC" => Some(TimeZone::UTC),
        // Names are not case-sensitive to `jiff`, but they are names of files to Go.
        _ => TimeZone::get(name)
            .ok()
            .filter(|zone| zone.iana_name() == Some(name)),
    }
}

/// Splits a text at a separator; `None` if there are not exactly three parts.
fn parts(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = text.split(separator);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

/// A number with exactly `length` digits.
fn digits<N: FromStr>(text: &str, length: usize) -> Option<N> {
    let is_number = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, want) in [
            ("1s", 1_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("0", 0),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("300ms", 300_000_000),
            ("-2m", -120_000_000_000),
            ("+1µs2ns", 1_002),
        ] {
            assert_eq!(duration(text), Some(want), "{text}");
        }
        for text in [
            "", "-", "1", "5sec", "20kib", "s", "1.2.3s", ".", ".s", "1 h", "1d", "3000000h",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn times_in_metadata_are_those_of_go() {
        for text in [
            "2026-01-31T08:00:00Z",
            "2026-01-31T8:00:00.5+02:00",
            "2026-01-31T08:00:00,5Z",
        ] {
            assert!(is_rfc3339(text), "{text}");
        }
        for text in [
            "",
            "2026-01-31",
            "2026-01-31t08:00:00z",
            "2026-01-31 08:00:00Z",
            "2026-02-30T08:00:00Z",
            "2026-01-31T08:00:60Z",
            "2026-01-31T08:00:00+25:00",
        ] {
            assert!(!is_rfc3339(text), "{text}");
        }
    }

    #[test]
    fn hours_differ_between_time_zones() {
        let noon = date_time("2026-07-01T12:00:00Z").expect("a point in time");
        for (zone, hour) in [
            ("UTC", 12),
            ("", 12),
            ("+02:00", 14),
            ("-3:30", 8),
            ("Europe/Berlin", 14),
            ("America/New_York", 8),
        ] {
            assert_eq!(local(noon, zone).map(|at| at.hour()), Some(hour), "{zone}");
        }
        for zone in ["Europe/Nowhere", "europe/berlin", "x:y"] {
            assert_eq!(local(noon, zone), None, "{zone}");
        }
    }

    #[test]
    fn durations_in_words_are_those_of_the_servers_library() {
        let second = 1_000_000_000;
        for (text, want) in [
            ("1h30m", 5400 * second),
            ("2 days", 172_800 * second),
            ("about 1 Hour and 2 min", 3720 * second),
            ("1.5 hours", 18_000 * second),
            ("3µs", 3000),
        ] {
            assert_eq!(loose_duration(text), Some(want), "{text}");
        }
        for text in ["", "1", "days", "5 x", "99999999999999999999 days"] {
            assert_eq!(loose_duration(text), None, "{text}");
        }
    }

    #[test]
    fn points_in_time_are_those_of_rfc_3339() {
        for (text, want) in [
            ("1970-01-01T00:00:01Z", 1_000_000_000),
            ("1970-01-01t00:00:00.5z", 500_000_000),
            ("1970-01-01T00:00:00.1234567891Z", 123_456_789),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:59:00-00:01", 0),
            ("9999-12-31T23:59:59-99:99", 253_402_663_139_000_000_000),
        ] {
            assert_eq!(date_time(text), Some(want), "{text}");
        }
        for text in [
            "1970-01-01",
            "1970-01-01 00:00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T24:00:00Z",
            "1970-1-01T00:00:00Z",
            "1970-01-01T00:00:00+1:00",
            "1970-01-01T00:00:00+01",
            "1970-01-01T00:00:00Z[UTC]",
            "19700101T000000Z",
            "1970-01-01T00:00:0éZ",
        ] {
            assert_eq!(date_time(text), None, "{text}");
        }
        assert!(date("2024-02-29").is_some() && date("2023-02-29").is_none());
        assert!(date("2026-1-31").is_none() && date("2026-01-31-01").is_none());
    }

    #[test]
    fn the_calendar_ends_with_the_year_9999() {
        let last = date_time("9999-12-31T23:59:59.5Z").expect("a point in time");
        let last = utc(last).expect("a date");
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.5");
        assert_eq!(utc(253_402_300_800_000_000_000), None);
        assert_eq!(utc(i128::MAX), None);
        assert_eq!(utc(-1).map(|at| at.year()), Some(1969));
    }
}
