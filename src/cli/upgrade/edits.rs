//! What has to be changed for an upgrade, in `cluster.toml` and in manifests.

use super::edit::Edit;
use super::installed::{Installed, chart_version, installed};
use super::targets::Target;
use crate::compile::Compiled;
use crate::lint::upgrade::{Move, Upgrade, crds_stay_old};
use crd_validate::codes::SCHEMA_DEPRECATED_VERSION;
use crd_validate::schema::bundle::{ENVOY_GATEWAY, GATEWAY_API, gateway_api_of};
use crd_validate::schema::{Selection, Version};
use envoy_gateway::controller::CHART;
use envoy_gateway::controller::helm_charts::{HelmCharts, admits};
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Sources, Span};
use manifest::value::{Kind, Node, Pointer};

/// The versions to change in manifests.
pub(super) fn of_versions(objects: &[Object], sources: &Sources, target: &Target) -> Vec<Edit> {
    let to = chart_version(&target.project, target.version.as_str());
    let found = installed(objects, &target.project);
    let settings = found.iter().filter(|one| one.is_setting);
    let mut edits: Vec<Edit> = settings
        .filter_map(|one| of_version(one, sources, &to))
        .collect();
    if target.project == ENVOY_GATEWAY {
        edits.extend(kept_crds(objects, sources, &to));
    }
    edits
}

fn of_version(one: &Installed<'_>, sources: &Sources, to: &str) -> Option<Edit> {
    let span = one.object.span(&one.pointer)?;
    let (path, shown) = (one.pointer.dotted(), one.shown());
    let is_digest = path.ends_with("digest");
    if shown == to {
        return None;
    }
    if is_digest {
        let what = format!("`{path}`: set it to that of {to}, or write `tag: {to}` instead");
        return Some(Edit::at(sources, span, what));
    }
    if admits(shown, to) {
        let what = format!("`{path}`: {shown} allows {to}, so it is installed without a change");
        return Some(Edit::at(sources, span, what));
    }
    let to = match shown.strip_suffix(".x").or(shown.strip_suffix(".*")) {
        // `1.8.x` becomes `1.9.x`.
        Some(start) if start.split('.').count() == 2 => {
            let minor: Vec<&str> = to.split('.').take(2).collect();
            let sign = shown.strip_prefix(start).unwrap_or_default();
            format!("{}{sign}", minor.join("."))
        }
        _ => match shown.strip_prefix('~') {
            Some(_) => format!("~{to}"),
            None => to.to_owned(),
        },
    };
    let what = format!("`{path}`: {shown} becomes {to}");
    Some(Edit::at(sources, span, what).replacing(sources, span, shown, &to))
}

/// The releases of the chart that keep the CRDs of the old version (`spec.upgrade.crds: Skip`).
fn kept_crds(objects: &[Object], sources: &Sources, to: &str) -> Vec<Edit> {
    let path = ["spec", "upgrade", "crds"];
    let pointer = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let all: Vec<&Object> = objects.iter().collect();
    let charts = HelmCharts::new(&all, |_, _| true);
    let releases = charts.releases(CHART).iter();
    let edits = releases.filter_map(|release| {
        let release = objects.get(release.at)?;
        let crds = release.node.path(&path).and_then(Node::as_str);
        let what = format!(
            "`{}`: Skip, so the release keeps the old CRDs: apply those of {to} before it",
            pointer.dotted()
        );
        let span = release.span(&pointer).filter(|_| crds == Some("Skip"))?;
        Some(Edit::at(sources, span, what))
    });
    edits.collect()
}

/// What findings and changes want to be written otherwise in manifests.
pub(super) fn of_findings(
    objects: &[Object],
    sources: &Sources,
    upgrade: &Upgrade,
    moves: &[Move],
) -> Vec<Edit> {
    let mends = upgrade.mends.iter().map(|mend| {
        let what = format!("`{}`: `{}` becomes `{}`", mend.path, mend.old, mend.new);
        Edit::at(sources, mend.span, what).replacing(sources, mend.span, &mend.old, mend.new)
    });
    let mut edits: Vec<Edit> = mends.collect();
    let object_of = |finding: &Diagnostic| {
        let mut objects = objects.iter().filter(|it| it.origins.is_none());
        objects.find(|it| {
            finding.file.as_deref() == Some(&*it.file)
                && finding
                    .object
                    .as_ref()
                    .is_some_and(|object| (&*object.kind, &*object.name) == (it.kind(), it.name()))
        })
    };
    for finding in &upgrade.deprecated {
        let is_version = finding.code == SCHEMA_DEPRECATED_VERSION;
        if let Some(object) = object_of(finding).filter(|_| is_version) {
            edits.extend(newer_api_version(object, sources, finding));
        }
    }
    let to = moves
        .iter()
        .find(|it| it.project == ENVOY_GATEWAY)
        .map(|it| &it.to);
    let stays = |it: &&Diagnostic| it.code == crds_stay_old::CODE && it.is_error();
    for finding in upgrade.breaks.iter().filter(stays) {
        if let (Some(release), Some(to)) = (object_of(finding), to) {
            edits.extend(updated_crds(release, sources, to));
        }
    }
    edits
}

/// The API version that replaces a deprecated one.
fn newer_api_version(object: &Object, sources: &Sources, finding: &Diagnostic) -> Option<Edit> {
    let help = finding.help.as_deref()?;
    let new = help
        .strip_prefix("write `apiVersion: ")?
        .strip_suffix('`')?;
    let (span, old) = (finding.span?, object.api_version());
    let what = format!("`apiVersion`: {old} becomes {new}");
    Some(Edit::at(sources, span, what).replacing(sources, span, old, new))
}

/// The setting with which a release updates its CRDs.
fn updated_crds(release: &Object, sources: &Sources, to: &Version) -> Option<Edit> {
    let spec = release.node.get("spec")?;
    let what =
        format!("add `upgrade: {{crds: CreateReplace}}`, so that the CRDs are those of {to}");
    let span = spec.span?;
    if let Some(crds) = release.node.path(&["spec", "upgrade", "crds"]) {
        let (span, old) = (crds.span?, crds.as_str()?);
        return Some(Edit::at(sources, span, what).replacing(sources, span, old, "CreateReplace"));
    }
    let (key, below) = match spec.get("upgrade") {
        Some(upgrade) => (["spec", "upgrade"].as_slice(), upgrade),
        None => (["spec"].as_slice(), spec),
    };
    let setting = match key.len() {
        1 => "upgrade: {crds: CreateReplace}",
        _ => "crds: CreateReplace",
    };
    let edit = Edit::at(sources, below.span.unwrap_or(span), what);
    let text = sources.get(span.source).text();
    let Kind::Map(map) = &below.kind else {
        return Some(edit);
    };
    let Some(first) = map.entries().next().and_then(|(_, entry)| entry.key_span) else {
        return Some(edit);
    };
    if let Some(below) = below
        .span
        .filter(|it| text.get(it.range()).is_some_and(|it| it.starts_with('{')))
    {
        let brace = Span::new(below.source, below.range().start, below.range().start + 1);
        return Some(edit.replacing(sources, brace, "{", &format!("{{{setting}, ")));
    }
    let above = text.get(..first.range().start)?;
    let indent = above
        .rsplit('\n')
        .next()
        .filter(|it| it.chars().all(|c| c == ' '))?;
    let line = key_span(release, key)?;
    Some(edit.inserting(sources, line, &format!("{indent}{setting}\n")))
}

fn key_span(object: &Object, path: &[&str]) -> Option<Span> {
    let (last, above) = path.split_last()?;
    let above = above.iter().fold(Pointer::root(), |at, key| at.key(*key));
    object.node.at(&above)?.as_map()?.entry(last)?.key_span
}

/// What to change in `cluster.toml`.
pub(super) fn in_configuration(
    written: &Compiled,
    after: &Selection,
    targets: &[Target],
) -> Vec<Edit> {
    let mut edits = Vec::new();
    for target in targets {
        edits.extend(match &*target.project {
            ENVOY_GATEWAY => of_chart(written, after, target),
            _ => of_declared(written, target),
        });
    }
    edits
}

/// What to change for another chart of Envoy Gateway.
fn of_chart(written: &Compiled, after: &Selection, target: &Target) -> Vec<Edit> {
    let (sources, to) = (&written.sources, target.version.as_str());
    let source = written
        .model
        .as_ref()
        .and_then(|model| model.chart.source.as_ref());
    let Some(source) = source.map(|source| &source.values) else {
        return Vec::new();
    };
    let version = source
        .tag
        .span
        .filter(|_| source.tag.value != to)
        .map(|span| {
            let old = &source.tag.value;
            let what = format!("`version`: {old} becomes {to}");
            Edit::at(sources, span, what).replacing(sources, span, old, to)
        });
    let digest = source.digest.as_ref().and_then(|digest| {
        let what =
            "set `digest` to that of the new chart, or remove it: Flux prefers it to the version";
        Some(Edit::at(sources, digest.span?, what.to_owned()))
    });
    let checked = after.of(ENVOY_GATEWAY).map(|chosen| &chosen.set.version);
    let judged = checked.filter(|it| **it != target.version).and_then(|checked| {
        let what = format!(
            "set `envoy_gateway = \"{checked}\"` in [versions], because this program has no schemas of {to}"
        );
        Some(Edit::at(sources, source.tag.span?, what))
    });
    let gateway_api = gateway_api_edit(written, checked);
    [version, digest, judged, gateway_api]
        .into_iter()
        .flatten()
        .collect()
}

/// The change to `gateway_api`, if it is declared and differs from the release that the new chart brings.
fn gateway_api_edit(written: &Compiled, chart: Option<&Version>) -> Option<Edit> {
    let declared = written.cluster.as_ref()?.versions.gateway_api.as_ref()?;
    let brought = gateway_api_of(chart?)?.version;
    let what = format!(
        "`gateway_api`: {}; the chart brings {brought}, so remove this line if the chart installs the CRDs",
        declared.value
    );
    let is_other = Version::new(&declared.value) != brought;
    is_other.then_some(Edit::at(&written.sources, declared.span?, what))
}

/// The change to a version in `[versions]`.
fn of_declared(written: &Compiled, target: &Target) -> Vec<Edit> {
    let Some(versions) = written.cluster.as_ref().map(|cluster| &cluster.versions) else {
        return Vec::new();
    };
    let external_dns = versions
        .external_dns
        .as_ref()
        .map(|it| ("external-dns", it));
    let mut declared = versions.declared().chain(external_dns);
    let found = declared.find(|(project, _)| *project == target.project);
    let edit = found.and_then(|(_, text)| {
        let (span, to) = (text.span?, target.version.as_str());
        let key = if target.project == GATEWAY_API {
            "gateway_api"
        } else {
            &target.project.replace('-', "_")
        };
        let what = format!("`{key}`: {} becomes {to}", text.value);
        let is_other = Version::new(&text.value) != target.version;
        is_other.then(|| {
            Edit::at(&written.sources, span, what).replacing(
                &written.sources,
                span,
                &text.value,
                to,
            )
        })
    });
    edit.into_iter().collect()
}
