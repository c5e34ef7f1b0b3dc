//! Features that objects use although the chart's values don't enable them: Backends, EnvoyPatchPolicies and Lua.
//!
//! Envoy Gateway reads the switches from `config.envoyGateway.extensionApis`. Objects that use a disabled feature are
//! refused, not ignored (`internal/gatewayapi`, 1.5 to 1.9). If no release of the chart is given, or not all of its
//! values, nothing is reported.

use crate::lint::{LintContext, field};
use envoy_gateway::controller::features::LUA_OFF_FROM;
use envoy_gateway::controller::{ASSUMED, ControllerRelease, Feature, State};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::path::nearest;
use manifest::value::{Node, Pointer};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"extension-disabled", Error, "A feature that the chart's values leave disabled.",
    r#"
Backends, EnvoyPatchPolicies and Lua are disabled unless the values of the `gateway-helm` chart enable them
(Lua from Envoy Gateway 1.9.0 on). Objects that use a disabled feature are refused, not ignored: requests for
a Backend get status 500, and so does every route that a policy with Lua targets.

The values of the nearest HelmRelease are used, together with those from ConfigMaps among the manifests
(`valuesFrom`). If values come from elsewhere, this is not reported.

## Wrong

```yaml
kind: HelmRelease
spec:
  chartRef: { kind: OCIRepository, name: envoy-gateway }
  values: {}
```

## Right

```yaml
kind: HelmRelease
spec:
  chartRef: { kind: OCIRepository, name: envoy-gateway }
  values:
    config: { envoyGateway: { extensionApis: { enableLua: true } } }
```
"#
}

const GROUP: &str = "gateway.envoyproxy.io";

/// A feature that the chart's values can enable.
struct Extension {
    /// The feature, as the first words of a sentence.
    what: &'static str,
    feature: Feature,
    /// Its key in `[chart]`.
    config: &'static str,
    /// What happens while it is disabled.
    why: &'static str,
    /// Finds the places where an object uses it.
    uses: fn(&Object) -> Vec<Pointer>,
}

const EXTENSIONS: &[Extension] = &[
    Extension {
        what: "a Backend is used",
        feature: Feature::Backend,
        config: "enable_backend",
        why: "Envoy Gateway refuses the reference: what would go to the Backend is answered with 500",
        uses: backends,
    },
    Extension {
        what: "an EnvoyPatchPolicy is used",
        feature: Feature::EnvoyPatchPolicy,
        config: "enable_envoy_patch_policy",
        why: "Envoy Gateway sets the policy's status to `Disabled` and applies none of its patches",
        uses: |object| of_kind(object, "EnvoyPatchPolicy"),
    },
    Extension {
        what: "a Lua script is used",
        feature: Feature::Lua,
        config: "enable_lua",
        why: "Envoy Gateway refuses the policy, and every route of its targets is answered with 500",
        uses: |object| match of_kind(object, "EnvoyExtensionPolicy").is_empty() {
            true => Vec::new(),
            false => scripts(object),
        },
    },
];

fn of_kind(object: &Object, kind: &str) -> Vec<Pointer> {
    let is = object.kind() == kind && object.group() == GROUP;
    is.then(|| Pointer::root().key("kind"))
        .into_iter()
        .collect()
}

fn scripts(object: &Object) -> Vec<Pointer> {
    let some = object.node.path(&["spec", "lua"]).and_then(Node::as_list);
    let some = some.is_some_and(|list| !list.is_empty());
    let pointer = Pointer::root().key("spec").key("lua");
    some.then_some(pointer).into_iter().collect()
}

/// Finds references to Backends in routes, in policies, and in Helm values from which charts create routes.
fn backends(object: &Object) -> Vec<Pointer> {
    let mut found = Vec::new();
    for key in ["backendRefs[]", "backendRef"] {
        for pointer in field::find(&object.node, &format!("**.{key}.kind")) {
            let reference = pointer.parent().and_then(|at| object.node.at(&at));
            let text = |key: &str| reference.and_then(|it| it.get(key)?.as_str());
            if text("kind") == Some("Backend") && text("group") == Some(GROUP) {
                found.push(pointer);
            }
        }
    }
    found
}

/// Reports the use of features that are disabled.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let releases = context.controllers();
    let mut found = Vec::new();
    for extension in EXTENSIONS {
        let is_off = |release: &ControllerRelease<'_>| {
            let minor = context.minor_in_force(release).unwrap_or(ASSUMED);
            extension.feature.state(release, minor) == State::Off
        };
        if !releases.iter().any(is_off) {
            continue;
        }
        for object in context.objects {
            let uses = (extension.uses)(object);
            if uses.is_empty() {
                continue;
            }
            let nearest = nearest(&object.file, releases, |it| &it.release.file);
            let all_off = nearest.iter().all(|release| is_off(release));
            if let Some(release) = nearest.first().filter(|_| all_off) {
                let said = uses
                    .iter()
                    .map(|at| said(context, object, at, extension, release));
                found.extend(said);
            }
        }
    }
    found
}

fn said(
    context: &LintContext<'_>,
    object: &Object,
    pointer: &Pointer,
    extension: &Extension,
    controller: &ControllerRelease<'_>,
) -> Diagnostic {
    let release = controller.release.name();
    let key = extension.feature.key();
    let (a, b) = ("config.envoyGateway.extensionApis", extension.config);
    let help = match context.model {
        Some(_) => format!("add `{b} = true` to [chart]"),
        None => format!("set `{a}.{key}: true` in the values of HelmRelease {release}"),
    };
    let minor = context.minor_in_force(controller);
    let is_lua = extension.feature == Feature::Lua;
    let by_default = if is_lua && minor >= Some(LUA_OFF_FROM) {
        "; from Envoy Gateway 1.9.0 on, Lua is off unless it is switched on"
    } else {
        ""
    };
    let message = format!(
        "{}, and `{key}` is off in the values of HelmRelease {release}",
        extension.what
    );
    let place = controller.place(&extension.feature.path());
    let is_known = controller.version.is_some() || context.declares_envoy_gateway();
    let severity = match is_lua && !is_known {
        true => Severity::Warning,
        false => Severity::Error,
    };
    finding(CODE, object, pointer, message)
        .severity(severity)
        .related(controller.release.span(&place), "the values")
        .why(format!("{}{by_default}", extension.why))
        .help(help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::{found, told};

    const SOURCE: &str = "apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: envoy-gateway}
spec: {interval: 1h, url: 'oci://example.com/envoyproxy/gateway-helm', ref: {tag: 1.9.0}}
";

    fn release(values: &str) -> String {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: envoy-gateway}}
spec:
  interval: 1h
  chartRef: {{kind: OCIRepository, name: envoy-gateway}}
  {values}
"
        )
    }

    fn switched(key: &str) -> String {
        release(&format!(
            "values: {{config: {{envoyGateway: {{extensionApis: {{{key}}}}}}}}}"
        ))
    }

    const LUA: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata: {name: x}
spec: {lua: [{type: Inline, inline: 'function envoy_on_request(h) end'}]}
";

    const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: nas}
spec:
  rules:
  - backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: nas}]
";

    const PATCH: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata: {name: p}
";

    fn with(version: &str, release: &str, object: &str) -> Vec<String> {
        let tree = [
            ("app/source.yaml", SOURCE),
            ("app/release.yaml", release),
            ("app/object.yaml", object),
        ];
        told(check, version, &tree)
    }

    #[test]
    fn what_is_off_is_an_error_where_it_is_used() {
        let off = release("values: {}");
        let route = "error reference/extension-disabled /spec/rules/0/backendRefs/0/kind: a Backend is used, and \
                     `enableBackend` is off in the values of HelmRelease envoy-gateway";
        assert_eq!(with("1.8.3", &off, ROUTE), [route]);
        assert_eq!(with("1.9.0", &off, PATCH).len(), 1);
        assert_eq!(with("1.9.0", &off, LUA).len(), 1);
        for (key, object) in [
            ("enableBackend: true", ROUTE),
            ("enableEnvoyPatchPolicy: true", PATCH),
            ("enableLua: true", LUA),
        ] {
            assert_eq!(with("1.9.0", &switched(key), object), [""; 0], "{key}");
        }
    }

    #[test]
    fn lua_is_on_before_1_9_unless_it_is_switched_off() {
        let off = release("values: {}");
        assert_eq!(with("1.8.3", &off, LUA), [""; 0]);
        assert_eq!(with("1.8.3", &switched("disableLua: true"), LUA).len(), 1);
        assert_eq!(with("1.9.0", &switched("disableLua: false"), LUA), [""; 0]);
    }

    #[test]
    fn values_from_elsewhere_count_where_they_are_given_and_silence_where_not() {
        let release = release("valuesFrom: [{kind: ConfigMap, name: values}]");
        assert_eq!(with("1.9.0", &release, ROUTE), [""; 0]);
        let map = |on: bool| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: values}}\ndata:\n  values.yaml: |\n    config:\n      \
                 envoyGateway:\n        extensionApis: {{enableBackend: {on}}}\n"
            )
        };
        for (on, findings) in [(true, 0), (false, 1)] {
            let map = map(on);
            let tree = [
                ("app/source.yaml", SOURCE),
                ("app/release.yaml", &release),
                ("app/object.yaml", ROUTE),
                ("app/values.yaml", &map),
            ];
            assert_eq!(found(check, "1.9.0", &tree).len(), findings);
        }
    }

    #[test]
    fn a_patch_that_may_switch_it_on_silences() {
        let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [source.yaml, release.yaml, object.yaml]
patches:
- target: {kind: HelmRelease}
  patch: |
    - {op: add, path: /spec/values/config/envoyGateway/extensionApis/enableBackend, value: true}
";
        let off = release("values: {}");
        let tree = [
            ("app/kustomization.yaml", kustomization),
            ("app/source.yaml", SOURCE),
            ("app/release.yaml", &off),
            ("app/object.yaml", ROUTE),
        ];
        assert_eq!(told(check, "1.9.0", &tree), [""; 0]);
    }

    #[test]
    fn without_a_release_nothing_is_said() {
        assert_eq!(told(check, "1.9.0", &[("lua.yaml", LUA)]), [""; 0]);
        let open = switched("enableBackend: '${BACKEND}'");
        assert_eq!(with("1.9.0", &open, ROUTE), [""; 0]);
    }
}
