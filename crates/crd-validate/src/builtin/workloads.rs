//! Deployments, ReplicaSets, DaemonSets and StatefulSets.

use super::forms::PERCENT_OR_COUNT;
use super::place::Place;
use super::{BuiltinWalk, selectors};

/// Checks what all controllers of pods have in common: a selector that selects their pods.
pub(super) fn controller(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let spec = object.get("spec");
    let selector = spec.get("selector");
    let found = walk.found.len();
    selectors::selector(walk, &selector);
    let is_valid = found == walk.found.len();
    if selector.is_null() {
        walk.missing(&selector);
    }
    // The server takes any history of a StatefulSet.
    let is_kept = object.get("kind").text() != Some("StatefulSet");
    let history = is_kept.then_some("revisionHistoryLimit");
    for key in ["replicas", "minReadySeconds"].into_iter().chain(history) {
        let number = spec.get(key);
        if number.number().is_some_and(|number| number < 0) {
            walk.wrong(&number, "a number of at least 0");
        }
    }
    let (labels, expressions) = (
        selector.get("matchLabels"),
        selector.get("matchExpressions"),
    );
    if selector.is_null() {
        return;
    }
    if labels.len() + expressions.len() == 0 {
        walk.says(
            &selector,
            "selects nothing",
            "write `matchLabels` with the labels of the pods",
        );
        return;
    }
    let (template, metadata) = (spec.get("template"), "metadata");
    let metadata = template.get(metadata);
    let labels = metadata.get("labels");
    if is_valid
        && !template.is_null()
        && selectors::selects(walk, &selector, &labels) == Some(false)
    {
        let help = "give the pods the labels in `spec.selector`";
        walk.says(&labels, "are not selected by `spec.selector`", help);
    }
}

/// Checks how a Deployment replaces its pods.
pub(super) fn deployment(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let spec = object.get("spec");
    let strategy = spec.get("strategy");
    let rolling = strategy.get("rollingUpdate");
    if strategy.get("type").text() == Some("Recreate") {
        if !rolling.is_null() {
            walk.says(
                &rolling,
                "can't be given if `type` is `Recreate`",
                "remove it",
            );
        }
    } else {
        rolling_update(walk, &rolling);
    }
    let (deadline, ready) = (
        spec.get("progressDeadlineSeconds"),
        spec.get("minReadySeconds"),
    );
    if let Some(seconds) = deadline.number()
        && seconds <= ready.number().unwrap_or_default()
    {
        walk.wrong(&deadline, "more than `minReadySeconds`");
    }
}

/// Checks how a DaemonSet replaces its pods.
pub(super) fn daemon_set(walk: &mut BuiltinWalk<'_>, object: &Place<'_, '_>) {
    let spec = object.get("spec");
    let strategy = spec.get("updateStrategy");
    let rolling = strategy.get("rollingUpdate");
    rolling_update(walk, &rolling);
    let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
    let is_some = |place: &Place<'_, '_>| match place.text() {
        Some(text) => super::forms::is_percent(text) && text != "0%",
        None => place.number().is_some_and(|number| number > 0),
    };
    // The server writes one unavailable pod if there is nothing.
    if is_some(&surge) && (unavailable.is_null() || is_some(&unavailable)) {
        walk.says(
            &surge,
            "can only be given if `maxUnavailable` is 0",
            "write `maxUnavailable: 0`, or remove it",
        );
    }
}

fn rolling_update(walk: &mut BuiltinWalk<'_>, rolling: &Place<'_, '_>) {
    let (unavailable, surge) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
    count_or_percent(walk, &unavailable);
    count_or_percent(walk, &surge);
    if let Some(percent) = unavailable.text().and_then(|text| text.strip_suffix('%'))
        && percent.parse::<u32>().is_ok_and(|percent| percent > 100)
    {
        walk.wrong(&unavailable, "at most `100%`");
    }
    let is_none = |place: &Place<'_, '_>| place.number() == Some(0) || place.text() == Some("0%");
    if is_none(&unavailable) && is_none(&surge) {
        walk.says(
            &unavailable,
            "can't be 0 if `maxSurge` is 0, too",
            "allow one of the two",
        );
    }
}

/// Checks a number of pods, or a percentage of them.
pub(super) fn count_or_percent(walk: &mut BuiltinWalk<'_>, at: &Place<'_, '_>) {
    let is_percent = |text: &str| super::forms::is_percent(text);
    let is_wrong = match (at.text(), at.number()) {
        (Some(text), _) => !walk.is_open(text) && !is_percent(text),
        (None, Some(number)) => number < 0,
        (None, None) => false,
    };
    if is_wrong {
        walk.wrong(at, PERCENT_OR_COUNT.want);
    }
}
