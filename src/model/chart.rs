//! The `gateway-helm` chart.

use serde::Serialize;

use super::names::{self, Rule};
use super::version::LUA_OFF_BY_DEFAULT;
use super::{Laid, Version};
use crate::codes;
use crate::config::chart::Deploy;
use crate::config::{Cluster, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;

/// The chart: its OCIRepository and its HelmRelease.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The OCIRepository, where it is written.
    pub source: Option<Laid<Source>>,
    /// The HelmRelease, where it is written.
    pub release: Option<Laid<Release>>,
    /// Laid over the release's values.
    pub values: Option<Node>,
    /// The helmfile that a new cluster starts with.
    pub bootstrap: Option<Bootstrap>,
}

/// The helmfile with the chart's CRDs, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Bootstrap {
    /// Where it is written.
    #[serde(skip)]
    pub path: Text,
    /// The release's name.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
    /// The chart's address.
    pub chart: Text,
    /// The chart's version, as written.
    pub version: Text,
}

/// The OCIRepository, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// Its name.
    pub name: Text,
    /// How often the registry is asked.
    pub interval: Text,
    /// The chart's version, as written.
    pub tag: Text,
    /// The chart's digest.
    pub digest: Option<Text>,
    /// The chart's address.
    pub url: Text,
}

/// The HelmRelease, as its template sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// Its name.
    pub name: Text,
    /// The OCIRepository's name.
    pub source: Text,
    /// How often it is reconciled.
    pub interval: Text,
    /// A registry for images.
    pub image_registry: Option<Text>,
    /// The deploy mode, where it is not the chart's default.
    pub deploy: Option<Spanned<Deploy>>,
    /// `extensionApis.enableBackend`.
    pub enable_backend: Option<Spanned<bool>>,
    /// `extensionApis.enableLua`.
    pub enable_lua: Option<Spanned<bool>>,
    /// `extensionApis.enableEnvoyPatchPolicy`.
    pub enable_patch: Option<Spanned<bool>>,
}

/// The chart of a cluster whose version is `version`.
pub fn build(
    cluster: &Cluster,
    version: Version,
    namespace: &Text,
    problems: &mut Vec<Diagnostic>,
) -> Chart {
    let table = &cluster.chart;
    let or = |text: &Option<Text>, default: &str| {
        text.clone()
            .unwrap_or_else(|| Spanned::unwritten(default.to_owned()))
    };
    let name = or(&table.name, "envoy-gateway");
    names::check(Rule::Subdomain, "the chart's name", &name, problems);
    let source = table.source.name.clone().unwrap_or_else(|| name.clone());
    if let Some(own) = &table.source.name {
        names::check(Rule::Subdomain, "an OCIRepository's name", own, problems);
    }
    let on = |flag: &Option<Spanned<bool>>| flag.as_ref().is_none_or(|flag| flag.value);
    let registry = or(&table.registry, "docker.io");
    let url = table.url.clone().unwrap_or_else(|| {
        registry.with(format!("oci://{}/envoyproxy/gateway-helm", registry.value))
    });
    check_url(&url, problems);
    let deploy = table
        .deploy
        .clone()
        .unwrap_or(Spanned::unwritten(Deploy::default()));
    let tag = or(&table.version, &version.to_string());
    let bootstrap = table.bootstrap.clone().map(|path| {
        names::check_path("the helmfile's path", &path, problems);
        Bootstrap {
            path,
            name: name.clone(),
            namespace: namespace.clone(),
            chart: url.clone(),
            version: tag.clone(),
        }
    });
    let enable_lua = enable_lua(cluster, version, problems);
    let enable_patch = enable_patch(cluster, problems);
    Chart {
        bootstrap,
        source: on(&table.source.enabled).then(|| Laid {
            of: Source {
                name: source.clone(),
                interval: or(&table.source.interval, "15m"),
                tag,
                digest: table.digest.clone(),
                url,
            },
            overlay: table.source.overlay(),
        }),
        release: on(&table.release.enabled).then(|| Laid {
            of: Release {
                name,
                source,
                interval: or(&table.release.interval, "1h"),
                image_registry: table.image_registry.clone(),
                deploy: (deploy.value == Deploy::GatewayNamespace).then_some(deploy),
                enable_backend: table.enable_backend.clone(),
                enable_lua,
                enable_patch,
            },
            overlay: table.release.overlay(),
        }),
        values: table.values.clone(),
    }
}

fn check_url(url: &Text, problems: &mut Vec<Diagnostic>) {
    if !url.starts_with("oci://") {
        problems.push(
            Diagnostic::new(codes::CONFIG_INVALID_VALUE, format!("{:?} is no address of an OCI registry", url.value))
                .at(url.span)
                .why("Flux's OCIRepository takes no other")
                .help("write `oci://registry.example.com/charts/gateway-helm`, or give `registry` its host alone"),
        );
    }
}

/// Lua as asked for; on where a policy uses it and the chart has it off by default.
fn enable_lua(
    cluster: &Cluster,
    version: Version,
    problems: &mut Vec<Diagnostic>,
) -> Option<Spanned<bool>> {
    let lua = cluster.lua.as_ref();
    match (&cluster.chart.enable_lua, lua) {
        (Some(flag), Some(lua)) if !flag.value && version >= LUA_OFF_BY_DEFAULT => {
            let place = lua.script.as_ref().and_then(|script| script.span);
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "Lua is switched off, and [lua] uses it",
                )
                .at(flag.span)
                .related(place.or(lua.block_user_agents.span), "used here")
                .why("every route of these gateways would answer 500")
                .help("take `enable_lua` out: it is switched on where it is needed"),
            );
            Some(flag.clone())
        }
        (Some(flag), _) => Some(flag.clone()),
        (None, Some(_)) if version >= LUA_OFF_BY_DEFAULT => Some(Spanned::unwritten(true)),
        (None, _) => None,
    }
}

/// Patch policies as asked for; on where there are any.
fn enable_patch(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Option<Spanned<bool>> {
    let first = cluster.patch_policies.first();
    match (&cluster.chart.enable_envoy_patch_policy, first) {
        (Some(flag), Some((name, _))) if !flag.value => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "patch policies are switched off, and there is one",
                )
                .at(flag.span)
                .related(name.span, "the policy")
                .why("Envoy Gateway would ignore it")
                .help("take `enable_envoy_patch_policy` out: it is switched on where it is needed"),
            );
            Some(flag.clone())
        }
        (None, Some(_)) => Some(Spanned::unwritten(true)),
        (flag, _) => flag.clone(),
    }
}
