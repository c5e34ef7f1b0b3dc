//! The OCIRepository, HelmRelease and bootstrap helmfile of the `gateway-helm` chart.

use serde::Serialize;

use super::delivery;
use super::names::{self, Rule};
use super::version::LUA_OFF_BY_DEFAULT;
use super::{ObjectInput, Version};
use crate::config::chart::Deploy;
use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use crate::config::{Cluster, Text};
use manifest::diagnostic::{Diagnostic, Spanned};
use manifest::value::Node;

/// The scheme of addresses in a registry.
const OCI: &str = "oci://";

/// The OCIRepository and HelmRelease of the chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The OCIRepository; `None` if it is not written.
    pub source: Option<ObjectInput<Source>>,
    /// The release of the chart: a HelmRelease, a part of an Application, or a file of values. `None` if none is
    /// written, because the chart is installed in another way.
    pub release: Option<ObjectInput<Release>>,
    /// Merged over the values of the release.
    pub values: Option<Node>,
    /// The OCI address of the chart.
    pub url: Text,
    /// The version of the chart, as it is written in `cluster.toml`.
    pub version: Text,
    /// The helmfile that installs the CRDs in a new cluster.
    pub bootstrap: Option<Bootstrap>,
}

/// The values for the template of the helmfile with the chart's CRDs.
#[derive(Clone, Debug, Serialize)]
pub struct Bootstrap {
    /// The path of the file, relative to the root.
    #[serde(skip)]
    pub path: Text,
    /// The name of the release.
    pub name: Text,
    /// The namespace of the release.
    pub namespace: Text,
    /// The OCI address of the chart.
    pub chart: Text,
    /// The version of the chart, as it is written in `cluster.toml`.
    pub version: Text,
}

/// The values for the template of the OCIRepository.
#[derive(Clone, Debug, Serialize)]
pub struct Source {
    /// The name of the OCIRepository.
    pub name: Text,
    /// How often Flux checks the registry.
    pub interval: Text,
    /// The version of the chart, as it is written in `cluster.toml`.
    pub tag: Text,
    /// The digest of the chart.
    pub digest: Option<Text>,
    /// The OCI address of the chart.
    pub url: Text,
}

/// The values for the template of the HelmRelease.
#[derive(Clone, Debug, Serialize)]
pub struct Release {
    /// The name of the HelmRelease.
    pub name: Text,
    /// The name of the OCIRepository.
    pub source: Text,
    /// How often Flux reconciles the release.
    pub interval: Text,
    /// The settings of the release from `cluster.toml`.
    pub set: crate::config::chart::Release,
    /// The service that counts global rate limits.
    pub rate_limit: crate::config::rate_limit::RateLimitService,
    /// A registry for the images that the chart uses.
    pub image_registry: Option<Text>,
    /// The deploy mode, if it differs from the chart's default.
    pub deploy: Option<Spanned<Deploy>>,
    /// `extensionApis.enableBackend`.
    pub enable_backend: Option<Spanned<bool>>,
    /// `extensionApis.enableLua`.
    pub enable_lua: Option<Spanned<bool>>,
    /// `extensionApis.enableEnvoyPatchPolicy`.
    pub enable_patch: Option<Spanned<bool>>,
}

/// Builds the chart's objects for the given chart version.
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
    let kind = delivery::kind(cluster);
    check_url(&url, kind, problems);
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
    let enable_backend = enable_backend(cluster, problems);
    Chart {
        bootstrap,
        url: url.clone(),
        version: tag.clone(),
        source: (kind == DeliveryKind::Flux && on(&table.source.enabled)).then(|| ObjectInput {
            values: Source {
                name: source.clone(),
                interval: or(&table.source.interval, "15m"),
                tag,
                digest: table.digest.clone(),
                url,
            },
            overlay: table.source.overlay(),
        }),
        release: on(&table.release.enabled).then(|| ObjectInput {
            values: Release {
                name,
                source,
                interval: or(&table.release.interval, "1h"),
                set: table.release.clone(),
                rate_limit: table.rate_limit.clone(),
                image_registry: table.image_registry.clone(),
                deploy: (deploy.value == Deploy::GatewayNamespace).then_some(deploy),
                enable_backend,
                enable_lua,
                enable_patch,
            },
            overlay: table.release.overlay(),
        }),
        values: table.values.clone(),
    }
}

/// The registry and folder of an address without `oci://`, and its last part.
pub(super) fn address_parts(url: &Text) -> (Text, Text) {
    let rest = url.strip_prefix(OCI).unwrap_or(url);
    let (registry, name) = rest.rsplit_once('/').unwrap_or(("", rest));
    (url.with(registry.to_owned()), url.with(name.to_owned()))
}

fn check_url(url: &Text, kind: DeliveryKind, problems: &mut Vec<Diagnostic>) {
    let reader = match kind {
        DeliveryKind::Flux => "Flux's OCIRepository",
        DeliveryKind::ArgoCd => "an Application with a chart from a registry",
        DeliveryKind::Kustomize => "`helm upgrade` with a chart from a registry",
    };
    if !url.starts_with(OCI) || address_parts(url).0.is_empty() {
        problems.push(
            Diagnostic::new(codes::CONFIG_INVALID_VALUE, format!("{:?} is not the address of an OCI registry", url.value))
                .at(url.span)
                .why(format!("{reader} accepts only OCI addresses"))
                .help("write `oci://registry.example.com/charts/gateway-helm`, or set `registry` to the host alone"),
        );
    }
}

/// The setting for Lua as it is written; `true` if a policy uses Lua and the chart disables it by default.
fn enable_lua(
    cluster: &Cluster,
    version: Version,
    problems: &mut Vec<Diagnostic>,
) -> Option<Spanned<bool>> {
    let lua = cluster.lua.as_ref();
    match (&cluster.chart.enable_lua, lua) {
        (Some(flag), Some(lua)) if !flag.value && version >= LUA_OFF_BY_DEFAULT => {
            let span = lua.script.as_ref().and_then(|script| script.span);
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "Lua is disabled, but [lua] uses it",
                )
                .at(flag.span)
                .related(span.or(lua.block_user_agents.span), "used here")
                .why("every route of these gateways would respond with status 500")
                .help("remove `enable_lua`: Lua is enabled automatically where it is needed"),
            );
            Some(flag.clone())
        }
        (Some(flag), _) => Some(flag.clone()),
        (None, Some(_)) if version >= LUA_OFF_BY_DEFAULT => Some(Spanned::unwritten(true)),
        (None, _) => None,
    }
}

/// The setting for EnvoyPatchPolicies as it is written; `true` if there are any.
fn enable_patch(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Option<Spanned<bool>> {
    let first = cluster.patch_policies.first();
    match (&cluster.chart.enable_envoy_patch_policy, first) {
        (Some(flag), Some((name, _))) if !flag.value => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "EnvoyPatchPolicies are disabled, but one is defined",
                )
                .at(flag.span)
                .related(name.span, "the policy")
                .why("Envoy Gateway would ignore it")
                .help("remove `enable_envoy_patch_policy`: it is enabled automatically where it is needed"),
            );
            Some(flag.clone())
        }
        (None, Some(_)) => Some(Spanned::unwritten(true)),
        (flag, _) => flag.clone(),
    }
}

/// The setting for Backends as it is written; `true` if there are external hosts.
fn enable_backend(cluster: &Cluster, problems: &mut Vec<Diagnostic>) -> Option<Spanned<bool>> {
    let first = cluster.external.first();
    match (&cluster.chart.enable_backend, first) {
        (Some(flag), Some((name, _))) if !flag.value => {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_CONTRADICTION,
                    "Backends are disabled, but an external host needs one",
                )
                .at(flag.span)
                .related(name.span, "the external host")
                .why("Envoy Gateway would refuse its route, and answer with status 500")
                .help("remove `enable_backend`: it is enabled automatically where it is needed"),
            );
            Some(flag.clone())
        }
        (None, Some(_)) => Some(Spanned::unwritten(true)),
        (flag, _) => flag.clone(),
    }
}
