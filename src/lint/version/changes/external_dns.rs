//! external-dns: its release notes from 0.20 to 0.22. Its chart has the versions 1.20 to 1.22.

use super::{Change, Effect, Instead, Project, Seen, Touches, change, mended};
use crate::lint::words::each_text_or_key;
use manifest::Object;
use manifest::value::{Node, Pointer};

pub(super) const PROJECT: Project = Project {
    name: "external-dns",
    title: "external-dns",
    covers: ("0.20.0", "0.22.0"),
    changes: CHANGES,
};

/// The prefix of annotations before 0.22.
const OLD: &str = "external-dns.alpha.kubernetes.io/";

/// Whether a HelmRelease installs the chart of external-dns.
fn is_chart(objects: &[Object], release: &Object) -> bool {
    let text = |object: &'_ Object, path: &[&str]| {
        let node = object.node.path(path).and_then(Node::as_str);
        node.unwrap_or_default().to_owned()
    };
    let source = text(release, &["spec", "chartRef", "name"]);
    let is_source = |it: &Object| {
        it.name() == source
            && [text(it, &["spec", "url"]), text(it, &["spec", "chart"])]
                .iter()
                .any(|url| url.ends_with("external-dns"))
    };
    text(release, &["spec", "chart", "spec", "chart"]).ends_with("external-dns")
        || !source.is_empty() && objects.iter().any(is_source)
}

/// Whether nothing sets the old prefix.
fn is_default_prefix(objects: &[Object]) -> bool {
    let sets = |text: &str| {
        text == OLD || text.contains("--annotation-prefix=external-dns.alpha.kubernetes.io/")
    };
    let mut found = false;
    for object in objects {
        each_text_or_key(&object.node, &mut Pointer::root(), &mut |_, text| {
            found |= sets(text)
        });
    }
    !found
}

fn has_no_policy(seen: &Seen<'_>) -> bool {
    let values = seen.object.node.path(&["spec", "values"]);
    let policy = values.and_then(|values| values.get("policy"));
    // `valuesFrom` may set it.
    let is_open = seen.object.node.path(&["spec", "valuesFrom"]).is_some();
    is_chart(seen.objects, seen.object) && policy.is_none() && !is_open
}

const CHANGES: &[Change] = &[
    mended(
        change(
            &["0.22.0"],
            Effect::Breaks,
            Touches::Words(&[], &[OLD], is_default_prefix),
            "annotations with the prefix `external-dns.alpha.kubernetes.io/` are not read",
            "names and targets from annotations are forgotten, and with `policy: sync` their records are deleted, which may be all of them",
            "write `external-dns.kubernetes.io/`, or set `annotationPrefix: external-dns.alpha.kubernetes.io/` in the values of external-dns before the upgrade",
        ),
        Instead::Start("external-dns.kubernetes.io/"),
    ),
    change(
        &["0.22.0"],
        Effect::Breaks,
        Touches::Field(&["HelmRelease"], "spec.chart", has_no_policy),
        "`policy` has no default",
        "the chart is not rendered without it; before, it was `upsert-only`",
        "add `policy: upsert-only` to the values to keep it as it was",
    ),
    change(
        &["0.22.0"],
        Effect::Breaks,
        Touches::Field(&["HelmRelease"], "spec.chartRef", has_no_policy),
        "`policy` has no default",
        "the chart is not rendered without it; before, it was `upsert-only`",
        "add `policy: upsert-only` to the values to keep it as it was",
    ),
];
