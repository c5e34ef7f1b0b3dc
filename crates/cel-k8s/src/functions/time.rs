//! Durations and timestamps.

use jiff::civil::DateTime;

use super::{Function, global, member, no_overload};
use crate::eval::{Answer, Fault};
use crate::value::Value;
use k8s_syntax::time::{self, utc};

/// The nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

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

/// A point in time as `string` writes it; `None` before the year 0 and past the year 9999.
pub(super) fn timestamp_text(at: i128) -> Option<String> {
    let at = utc(at).filter(|at| at.year() >= 0)?;
    Some(format!("{at}Z"))
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("duration", 1, 1, |_, it| match it {
        [Value::Duration(span)] => Ok(Value::Duration(*span)),
        [Value::String(text)] => time::duration(text)
            .map(Value::Duration)
            .ok_or_else(|| Fault::Error(format!("{text:?} is not a duration"))),
        _ => Err(no_overload("duration", it)),
    }),
    global("timestamp", 1, 1, |_, it| match it {
        [Value::Timestamp(at)] => Ok(Value::Timestamp(*at)),
        [Value::Int(seconds)] => Ok(Value::Timestamp(i128::from(*seconds) * SECOND)),
        [Value::String(text)] if text.len() > 10 => time::date_time(text)
            .map(Value::Timestamp)
            .ok_or_else(|| Fault::Error(format!("{text:?} is not a date with a time"))),
        _ => Err(no_overload("timestamp", it)),
    }),
    member("getFullYear", 0, 1, |_, it| {
        part(it, |at| at.year().into(), None)
    }),
    member("getMonth", 0, 1, |_, it| {
        part(it, |at| i64::from(at.month()) - 1, None)
    }),
    member("getDate", 0, 1, |_, it| {
        part(it, |at| at.day().into(), None)
    }),
    member("getDayOfMonth", 0, 1, |_, it| {
        part(it, |at| i64::from(at.day()) - 1, None)
    }),
    member("getDayOfWeek", 0, 1, |_, it| {
        part(it, |at| at.weekday().to_sunday_zero_offset().into(), None)
    }),
    member("getDayOfYear", 0, 1, |_, it| {
        part(it, |at| i64::from(at.day_of_year()) - 1, None)
    }),
    member("getHours", 0, 1, |_, it| {
        part(it, |at| at.hour().into(), Some(3600 * SECOND))
    }),
    member("getMinutes", 0, 1, |_, it| {
        part(it, |at| at.minute().into(), Some(60 * SECOND))
    }),
    member("getSeconds", 0, 1, |_, it| {
        part(it, |at| at.second().into(), Some(SECOND))
    }),
    member("getMilliseconds", 0, 1, |_, it| {
        part(it, |at| at.millisecond().into(), Some(1_000_000))
    }),
];

/// A part of a point in time, in UTC or in the given time zone, or a whole duration in a unit.
fn part(it: &[Value], part: fn(&DateTime) -> i64, unit: Option<i128>) -> Answer {
    let number = match (it, unit) {
        ([Value::Timestamp(at), Value::String(zone)], _) => {
            let local = time::local(*at, zone);
            part(&local.ok_or_else(|| Fault::Error(format!("unknown time zone {zone}")))?)
        }
        ([Value::Timestamp(at)], _) => {
            let at = utc(*at).ok_or_else(|| Fault::Error("the date is out of range".to_owned()))?;
            part(&at)
        }
        ([Value::Duration(span)], Some(1_000_000)) => span % 1_000_000_000 / 1_000_000,
        ([Value::Duration(span)], Some(unit)) => {
            i64::try_from(i128::from(*span) / unit).unwrap_or(i64::MAX)
        }
        _ => return Err(no_overload("get", it)),
    };
    Ok(Value::Int(number))
}
