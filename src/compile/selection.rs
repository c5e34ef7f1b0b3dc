//! The versions that a configuration declares.

use super::{World, described};
use crate::config::{self, Cluster, codes};
use crate::lint;
use crate::model::{Version, Versions};
use crd_validate::schema::{Catalogue, Selection, Unknown};
use manifest::diagnostic::{Diagnostic, Sources, Spanned};

/// The versions that a `cluster.toml` declares, whatever other mistakes it contains.
pub fn in_force(name: &str, text: &str, catalogue: &Catalogue) -> Selection {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    declared(config::load(&sources, id).0.as_ref(), catalogue)
}

/// Like [`in_force`], for the cluster of a world.
pub fn in_force_for(name: &str, text: &str, world: &dyn World, catalogue: &Catalogue) -> Selection {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let described = described(&mut sources, id, world);
    declared(described.cluster.as_ref(), catalogue)
}

fn declared(cluster: Option<&Cluster>, catalogue: &Catalogue) -> Selection {
    let mut selection = Selection::newest(catalogue);
    if let Some(cluster) = cluster {
        select(cluster, catalogue, &mut selection, &mut Vec::new());
    }
    selection
}

/// The name that diagnostics show for the source of a declared version.
const DECLARED_BY: &str = "cluster.toml";

/// Selects the declared versions. If the catalogue lacks a version, the nearest one is used for the remaining
/// checks.
pub(super) fn select(
    cluster: &Cluster,
    catalogue: &Catalogue,
    selection: &mut Selection,
    problems: &mut Vec<Diagnostic>,
) -> Versions {
    let chart = cluster.chart.version.as_ref();
    let channel = cluster.versions.gateway_api_channel.as_ref();
    let envoy_gateway = cluster.versions.envoy_gateway.as_ref().or(chart);
    let declared = envoy_gateway.map(|version| ("envoy-gateway", version));
    for (project, version) in declared.into_iter().chain(cluster.versions.declared()) {
        let channel = channel.filter(|_| project == "gateway-api");
        let asked = channel.map(|channel| channel.as_str());
        let Err(unknown) = selection.declare(catalogue, project, version, asked, DECLARED_BY)
        else {
            let chosen = selection.of(project);
            let nearest = chosen.and_then(lint::version::nearest_release::declared_elsewhere);
            problems.extend(nearest.map(|note| note.at(version.span)));
            continue;
        };
        if let Unknown::Version { known, .. } = &unknown
            && let Some(nearest) = known.first()
        {
            let nearest = nearest.as_str().to_owned();
            // This version was just listed as known.
            let _ = selection.declare(catalogue, project, &nearest, asked, DECLARED_BY);
        }
        let at_channel = matches!(unknown, Unknown::Channel { .. });
        let span = if at_channel {
            channel.and_then(|channel| channel.span)
        } else {
            version.span
        };
        let help = match project {
            "envoy-gateway" if !at_channel && cluster.versions.envoy_gateway.is_none() => format!(
                "{}; set `versions.envoy_gateway` to one of them to check against it",
                unknown.help()
            ),
            _ => unknown.help(),
        };
        problems.push(
            Diagnostic::new(codes::VERSION_UNKNOWN, unknown.to_string())
                .at(span)
                .why("objects can't be checked against an unknown version")
                .help(help),
        );
    }
    if let (Some(channel), None) = (channel, &cluster.versions.gateway_api)
        && let Some(version) = selection
            .of("gateway-api")
            .map(|chosen| chosen.set.version.as_str().to_owned())
        && let Err(unknown) = selection.declare(
            catalogue,
            "gateway-api",
            &version,
            Some(channel),
            DECLARED_BY,
        )
    {
        problems.push(
            Diagnostic::new(codes::VERSION_UNKNOWN, unknown.to_string())
                .at(channel.span)
                .why("objects can't be checked against an unknown channel")
                .help(unknown.help()),
        );
    }
    if chart.is_none() {
        problems.push(
            Diagnostic::new(codes::CONFIG_MISSING_KEY, "the chart has no version")
                .why("the version selects the schemas, and without it Flux would install the newest chart")
                .help("add `version = \"1.9.0\"` to [chart], with the version that runs in your cluster")
                .with_pointer("/chart/version"),
        );
    }
    let of = |project: &str| {
        let chosen = selection.of(project)?;
        Version::parse(chosen.set.version.as_str())
    };
    let newest = Version::new(u64::MAX, 0, 0);
    let written = |text: Option<&config::Text>| text.and_then(|text| Version::parse(text));
    let envoy_gateway = written(envoy_gateway)
        .or(of("envoy-gateway"))
        .unwrap_or(newest);
    Versions {
        envoy_gateway: Spanned::new(envoy_gateway, chart.and_then(|version| version.span)),
        gateway_api: of("gateway-api").unwrap_or(newest),
        cilium: written(cluster.versions.cilium.as_ref())
            .or(of("cilium"))
            .unwrap_or(newest),
    }
}
