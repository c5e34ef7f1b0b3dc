//! Fields and kinds that have another meaning, or none, in the versions in force.
//!
//! If the schema of a version refuses something, [`structure`](crd_validate::structure) and
//! [`rules`](crd_validate::rules) report it. This module reports what is accepted but then not done.

use crate::lint::{LintContext, field};
use crd_validate::schema::bundle::GATEWAY_API;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding;
use manifest::value::{Kind, Node, Pointer};

manifest::code! {
    "version"/"gate", Warning, "A setting that the selected version accepts but doesn't implement.",
    r#"
The API server accepts the object, but the selected version of Envoy Gateway doesn't do what it says: it skips
a route, ignores a field, or refuses a configuration. The finding says which, and what happens in the cluster.

## Wrong

```toml
[chart]
version = "1.9.0"

# Envoy Gateway 1.9 reads TCPRoute as v1, which these CRDs don't have.
[versions]
gateway_api = "1.5.1"
```

## Right

```toml
[chart]
version = "1.9.0"
```
"#
}

/// The major and minor number of a version.
type Minor = (u64, u64);

/// Something that some versions of Envoy Gateway accept, but don't do as written.
struct Gate {
    /// The kinds of objects that it is about.
    kinds: &'static [&'static str],
    /// The path of the field, in the syntax of [`field`].
    path: &'static str,
    /// A further condition on the object and the node at the path.
    when: fn(&Object, &Node) -> bool,
    /// The first version of Envoy Gateway that it is true for.
    from: Minor,
    /// The first later version of Envoy Gateway that it is not true for any more.
    until: Option<Minor>,
    /// If given, it is true only with versions of the Gateway API before this one.
    gateway_api_before: Option<Minor>,
    severity: Severity,
    message: &'static str,
    why: &'static str,
    help: &'static str,
}

const DISABLE_LUA: &str = "spec.values.config.envoyGateway.extensionApis.disableLua";

/// Sources: the release notes of Envoy Gateway 1.8.0 and 1.9.0, and the code of both (`internal/gatewayapi`,
/// `internal/provider/kubernetes`, `api/v1alpha1/validation`).
const GATES: &[Gate] = &[
    Gate {
        kinds: &["TCPRoute", "UDPRoute"],
        path: "kind",
        // For `v1`, the CRDs themselves show that it doesn't exist.
        when: |object, _| object.group() == "gateway.networking.k8s.io" && object.version() != "v1",
        from: (1, 9),
        until: None,
        gateway_api_before: Some((1, 6)),
        severity: Severity::Error,
        message: "Envoy Gateway reads this kind only as `v1`, which Gateway API has from 1.6 on",
        why: "it skips the route without a word, and the listener's port refuses connections",
        help: "install the CRDs of Gateway API 1.6, which the chart of Envoy Gateway 1.9 brings",
    },
    Gate {
        kinds: &["BackendTrafficPolicy", "SecurityPolicy"],
        path: "spec.mergeType",
        when: |object, _| has_parent_target(object),
        from: (1, 5),
        until: Some((1, 9)),
        gateway_api_before: None,
        severity: Severity::Warning,
        message: "`spec.mergeType` does nothing in a policy that is aimed at a Gateway",
        why: "policies of routes are merged into those of Gateways, never the other way round; Envoy Gateway 1.9 \
              refuses the object",
        help: "move `mergeType` to the policies of the routes",
    },
    Gate {
        kinds: &["ClientTrafficPolicy"],
        path: "spec.clientIPDetection",
        when: |_, node| node.as_map().is_some_and(|map| map.is_empty()),
        from: (1, 5),
        until: Some((1, 9)),
        gateway_api_before: None,
        severity: Severity::Note,
        message: "`spec.clientIPDetection` is empty and does nothing",
        why: "Envoy Gateway 1.9 refuses the object: it wants exactly one way of detection there",
        help: "remove it, or write `xForwardedFor:` or `customHeader:` in it",
    },
    Gate {
        kinds: &["HelmRelease"],
        path: DISABLE_LUA,
        when: |object, node| {
            node.as_bool().is_some() && node.as_bool() == Some(enables_lua(object))
        },
        from: (1, 9),
        until: None,
        gateway_api_before: None,
        severity: Severity::Error,
        message: "`disableLua` and `enableLua` contradict each other (`enableLua` is false where it isn't given)",
        why: "the controller refuses its configuration and does not start; the proxies keep what they have",
        help: "remove `disableLua`, and write `enableLua: true` if Lua is wanted",
    },
    Gate {
        kinds: &["HelmRelease"],
        path: DISABLE_LUA,
        when: |object, node| node.as_bool() == Some(!enables_lua(object)),
        from: (1, 9),
        until: None,
        gateway_api_before: None,
        severity: Severity::Warning,
        message: "`disableLua` is deprecated since Envoy Gateway 1.9",
        why: "a later release doesn't read it",
        help: "remove it; Lua is off unless `enableLua: true` stands there",
    },
];

fn enables_lua(object: &Object) -> bool {
    let path = DISABLE_LUA.replace("disableLua", "enableLua");
    let path: Vec<&str> = path.split('.').collect();
    object.node.path(&path).and_then(Node::as_bool) == Some(true)
}

/// Whether a policy targets a Gateway or a ListenerSet.
fn has_parent_target(object: &Object) -> bool {
    let is_parent = |pointer: &Pointer| {
        let kind = object.node.at(pointer).and_then(Node::as_str);
        matches!(kind, Some("Gateway" | "ListenerSet" | "XListenerSet"))
    };
    [
        "spec.targetRef.kind",
        "spec.targetRefs[].kind",
        "spec.targetSelectors[].kind",
    ]
    .iter()
    .any(|path| field::find(&object.node, path).iter().any(is_parent))
}

/// Reports what is accepted but not done.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let Some(envoy_gateway) = context.envoy_gateway() else {
        return Vec::new();
    };
    let gateway_api = context.minor_of(GATEWAY_API);
    let holds = |gate: &&Gate| {
        gate.from <= envoy_gateway
            && gate.until.is_none_or(|until| envoy_gateway < until)
            && gate
                .gateway_api_before
                .is_none_or(|before| gateway_api.is_some_and(|it| it < before))
    };
    let mut found = Vec::new();
    for gate in GATES.iter().filter(holds) {
        for object in gate.kinds.iter().flat_map(|kind| context.given_of(kind)) {
            for pointer in field::find(&object.node, gate.path) {
                let node = object.node.at(&pointer);
                let node = node.filter(|node| !matches!(node.kind, Kind::Null));
                if node.is_some_and(|node| (gate.when)(object, node)) {
                    found.push(
                        finding(CODE, object, &pointer, gate.message)
                            .severity(gate.severity)
                            .why(gate.why)
                            .help(gate.help),
                    );
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    const MERGE: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: x}
spec:
  mergeType: StrategicMerge
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: example}]
";

    #[test]
    fn merging_into_a_gateway_does_nothing_until_it_is_refused() {
        let tree = [("a.yaml", MERGE)];
        assert_eq!(
            told(check, "1.8.3", &tree),
            [
                "warning version/gate /spec/mergeType: `spec.mergeType` does nothing in a policy that is aimed at a Gateway"
            ]
        );
        // From 1.9.0 on, a validation rule of the CRD reports it.
        assert_eq!(told(check, "1.9.0", &tree), [""; 0]);
        let route = MERGE.replace("kind: Gateway", "kind: HTTPRoute");
        assert_eq!(told(check, "1.8.3", &[("a.yaml", &route)]), [""; 0]);
    }

    #[test]
    fn the_lua_switches_must_not_contradict_each_other() {
        let release = |switches: &str| {
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: x}}\nspec: {{values: \
                 {{config: {{envoyGateway: {{extensionApis: {{{switches}}}}}}}}}}}\n"
            )
        };
        for (switches, severity) in [
            ("disableLua: false", "error"),
            ("disableLua: true, enableLua: true", "error"),
            ("disableLua: true", "warning"),
        ] {
            let release = release(switches);
            let told = told(check, "1.9.0", &[("a.yaml", &release)]);
            assert!(told.len() == 1 && told[0].starts_with(severity), "{told:?}");
        }
        let release = release("disableLua: false");
        assert_eq!(told(check, "1.8.3", &[("a.yaml", &release)]), [""; 0]);
    }

    #[test]
    fn stream_routes_need_the_gateway_api_that_the_chart_brings() {
        use crate::lint::support;
        use crd_validate::schema::{Catalogue, Selection};
        use manifest::diagnostic::Sources;
        let catalogue = Catalogue::embedded();
        let mut selection = Selection::newest(&catalogue);
        let objects = support::objects(
            "a.yaml",
            "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: ssh}\n",
        );
        let mut findings = |version: &str| {
            let declared = selection.declare(&catalogue, "gateway-api", version, None, "--use");
            declared.expect("a version of the catalogue");
            let given = crate::lint::LintInput {
                objects: &objects,
                files: &std::collections::BTreeSet::new(),
                walked: &[],
                texts: &std::collections::BTreeMap::new(),
                sources: &Sources::default(),
                model: None,
                rules: None,
                selection: &selection,
            };
            given.with_context(check).len()
        };
        assert_eq!((findings("1.5.1"), findings("1.6.1")), (1, 0));
    }
}
