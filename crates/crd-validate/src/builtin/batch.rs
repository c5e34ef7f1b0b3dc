//! Jobs and CronJobs.

use super::forms::TIME_ZONE;
use super::place::Place;
use super::{BuiltinWalk, job};

/// The fields of a schedule: the range of each, and the names that it may have.
const FIELDS: [(u32, u32, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (
        1,
        12,
        &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    ),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

const DESCRIPTORS: &[&str] = &[
    "@yearly",
    "@annually",
    "@monthly",
    "@weekly",
    "@daily",
    "@midnight",
    "@hourly",
];

/// Checks the numbers of a Job.
pub(super) fn job(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        let number = spec.get(key);
        if number.number().is_some_and(|number| number < 0) {
            walk.wrong(&number, "a number of at least 0");
        }
    }
    job::completion(walk, spec);
}

/// A CronJob's Jobs get their selectors from the controller.
pub(super) fn no_own_selector(walk: &mut BuiltinWalk<'_>, spec: &Place<'_, '_>) {
    let manual = spec.get("manualSelector");
    if manual.is_true() {
        walk.wrong(&manual, "`false`, or remove it");
    }
}

/// Checks a schedule.
pub(super) fn schedule(walk: &mut BuiltinWalk<'_>, at: &Place<'_, '_>) {
    let Some(text) = walk.known_text(at) else {
        return;
    };
    if text.contains("TZ") {
        walk.says(
            at,
            "can't have a time zone",
            "write the time zone in `timeZone`",
        );
    } else if !is_schedule(text) {
        walk.wrong(
            at,
            "five fields, like `*/5 * * * *`: minute, hour, day, month, weekday",
        );
    }
}

/// Checks a time zone, which can't be empty.
pub(super) fn time_zone(walk: &mut BuiltinWalk<'_>, at: &Place<'_, '_>) {
    if at.text() == Some("") {
        walk.wrong(at, TIME_ZONE.want);
    }
    walk.form(at, TIME_ZONE);
}

/// Whether a text is a schedule (`ParseStandard` of github.com/robfig/cron).
fn is_schedule(text: &str) -> bool {
    if text.starts_with('@') {
        let every = text.strip_prefix("@every ");
        return DESCRIPTORS.contains(&text)
            || every.is_some_and(|every| k8s_syntax::time::duration(every).is_some());
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    fields.len() == FIELDS.len()
        && fields.iter().zip(FIELDS).all(|(field, bounds)| {
            let mut parts = field.split(',').filter(|part| !part.is_empty());
            parts.all(|part| is_range(part, bounds))
        })
}

fn is_range(part: &str, (least, most, names): (u32, u32, &[&str])) -> bool {
    let number = |text: &str| -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        match names.iter().position(|name| *name == lower) {
            Some(at) => Some(least + u32::try_from(at).ok()?),
            None => text
                .parse()
                .ok()
                .filter(|_| text.bytes().all(|b| b.is_ascii_digit())),
        }
    };
    let mut sides = part.split('/');
    let (Some(range), step, None) = (sides.next(), sides.next(), sides.next()) else {
        return false;
    };
    let mut ends = range.split('-');
    let (Some(first), last, None) = (ends.next(), ends.next(), ends.next()) else {
        return false;
    };
    let (start, end) = match (first, last) {
        ("*" | "?", _) => (Some(least), Some(most)),
        (first, Some(last)) => (number(first), number(last)),
        (first, None) if step.is_some() => (number(first), Some(most)),
        (first, None) => (number(first), number(first)),
    };
    let is_step = step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0));
    is_step
        && matches!((start, end), (Some(start), Some(end)) if least <= start && start <= end && end <= most)
}

#[cfg(test)]
mod tests {
    use super::is_schedule;

    #[test]
    fn schedules_are_those_of_the_servers_library() {
        for text in [
            "*/5 * * * *",
            "0 0 1 jan sun",
            "1-5,7 * ? * *",
            "@daily",
            "@every 1h",
            "5/15 * * * *",
        ] {
            assert!(is_schedule(text), "{text}");
        }
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* * 0 * *",
            "* * * * 7",
            "a * * * *",
            "@often",
            "*/0 * * * *",
            "5-1 * * * *",
        ] {
            assert!(!is_schedule(text), "{text}");
        }
    }
}
