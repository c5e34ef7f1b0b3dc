//! The date of today.

use std::time::{SystemTime, UNIX_EPOCH};

use k8s_syntax::time::utc;

/// Today in UTC, as `YYYY-MM-DD`. `SOURCE_DATE_EPOCH` (<https://reproducible-builds.org>) counts in place of the clock.
pub(super) fn today() -> Option<String> {
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    let given = given.and_then(|text| text.trim().parse().ok());
    let now = || Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs());
    given.or_else(now).and_then(date)
}

/// The date of a time, given in seconds since 1970; `None` if it is beyond the year 9999.
fn date(seconds: u64) -> Option<String> {
    const NANOSECONDS: i128 = 1_000_000_000;
    Some(utc(i128::from(seconds) * NANOSECONDS)?.date().to_string())
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
            assert_eq!(date(seconds).as_deref(), Some(want), "{seconds}");
        }
    }
}
