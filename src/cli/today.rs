//! The date of today.

use std::time::{SystemTime, UNIX_EPOCH};

/// The seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// The days of 400 years of the Gregorian calendar.
const ERA: u64 = 146_097;

/// Today in UTC, as `YYYY-MM-DD`. `SOURCE_DATE_EPOCH` (<https://reproducible-builds.org>) counts in place of the clock.
pub(super) fn today() -> Option<String> {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let given = given.and_then(|text| text.trim().parse().ok());
    let now = || Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs());
    given.or_else(now).map(date)
}

/// The date of a time, given in seconds since 1970. The year begins in March here, so that a leap day is the last of its
/// year.
fn date(seconds: u64) -> String {
    let days = seconds / DAY + 719_468;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + era * 400 + next;
    format!("{year:04}-{month:02}-{of_month:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn seconds_are_days_of_the_calendar() {
        for (seconds, want) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_735_689_599, "2024-12-31"),
            (1_735_689_600, "2025-01-01"),
            (1_795_910_400, "2026-11-29"),
        ] {
            assert_eq!(date(seconds), want, "{seconds}");
        }
    }
}
