//! Deprecated fields, each with its replacement.

use crate::lint::{LintContext, field};
use crd_validate::schema::bundle::ENVOY_GATEWAY;
use crd_validate::schema::set::title;
use manifest::Object;
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::finding_on_key;
use manifest::value::Pointer;

manifest::code! {
    "version"/"deprecated-field", Warning, "A deprecated field.",
    r#"
The CRD of the selected version marks the field as deprecated. It still works. When a release removes it, the
API server refuses the object, and nothing from its Flux Kustomization is applied.

## Wrong

```yaml
kind: BackendTrafficPolicy
spec:
  compression:
    - type: Gzip
```

## Right

```yaml
kind: BackendTrafficPolicy
spec:
  compressor:
    - type: Gzip
```
"#
}

/// A deprecated field.
struct Deprecated {
    /// The project whose CRD has it.
    project: &'static str,
    /// The kinds.
    kinds: &'static [&'static str],
    /// The path, in the syntax of [`field`].
    path: &'static str,
    /// The first minor version whose CRD marks it as deprecated.
    since: (u64, u64),
    /// What to write instead.
    instead: &'static str,
}

const fn eg(
    kinds: &'static [&'static str],
    path: &'static str,
    since: (u64, u64),
    instead: &'static str,
) -> Deprecated {
    Deprecated {
        project: ENVOY_GATEWAY,
        kinds,
        path,
        since,
        instead,
    }
}

const fn volume(path: &'static str) -> Deprecated {
    let instead = "mount it with a CSI driver; Kubernetes removes the in-tree volume types";
    eg(&["EnvoyProxy"], path, (1, 5), instead)
}

/// The policies whose CRD marks `targetRef` as deprecated; that of EnvoyPatchPolicy doesn't.
const POLICIES: &[&str] = &[
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
    "SecurityPolicy",
];

/// The kinds with load balancing settings.
const BALANCING: &[&str] = &[
    "BackendTrafficPolicy",
    "EnvoyExtensionPolicy",
    "EnvoyProxy",
    "SecurityPolicy",
];

const TARGETS: &str = "write `targetRefs:`, a list with this reference in it";
const BACKENDS: &str = "write `backendRefs:`, a list with this reference in it";
const BACKEND_OF_HOST: &str =
    "write `backendRefs:` with the Service; for a host outside the cluster, with a Backend";
const TAGS: &str = "write `tags:`, which takes Envoy's format strings";
const HANDLER: &str =
    "write `exec:` or `httpGet:`; Kubernetes has never supported this handler, so the hook fails";

/// The fields that the CRDs of Envoy Gateway 1.5.9, 1.6.7, 1.7.5, 1.8.3 and 1.9.0 and of Flux mark as deprecated.
const FIELDS: &[Deprecated] = &[
    eg(
        &["BackendTrafficPolicy"],
        "spec.compression",
        (1, 6),
        "write `compressor:` with the same list",
    ),
    eg(
        &["BackendTrafficPolicy"],
        "spec.rateLimit.type",
        (1, 6),
        "remove it; `global:` and `local:` are enough, and may be used together",
    ),
    eg(
        &["BackendTrafficPolicy"],
        "spec.telemetry.tracing.customTags",
        (1, 7),
        TAGS,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.tracing.customTags",
        (1, 7),
        TAGS,
    ),
    eg(POLICIES, "spec.targetRef", (1, 5), TARGETS),
    eg(
        BALANCING,
        "**.loadBalancer.consistentHash.header",
        (1, 6),
        "write `type: Headers` and `headers:`, a list with this header in it",
    ),
    eg(
        &["ClientTrafficPolicy"],
        "spec.enableProxyProtocol",
        (1, 6),
        "write `proxyProtocol: {}`; with `optional: true` in it, connections without the header are accepted too",
    ),
    eg(
        &["ClientTrafficPolicy"],
        "spec.headers.preserveXRequestID",
        (1, 5),
        "write `requestID: PreserveOrGenerate` instead of `true`, and nothing instead of `false`",
    ),
    eg(
        &["ClientTrafficPolicy"],
        "spec.tls.clientValidation.optional",
        (1, 8),
        "write `mode:`, which has a value for each way to verify client certificates",
    ),
    eg(
        &["EnvoyExtensionPolicy"],
        "spec.extProc[].backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["SecurityPolicy"],
        "spec.extAuth.grpc.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["SecurityPolicy"],
        "spec.extAuth.http.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["SecurityPolicy"],
        "spec.jwt.providers[].remoteJWKS.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["SecurityPolicy"],
        "spec.oidc.provider.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.accessLog.settings[].sinks[].als.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.accessLog.settings[].sinks[].openTelemetry.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.metrics.sinks[].openTelemetry.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.tracing.provider.backendRef",
        (1, 5),
        BACKENDS,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.accessLog.settings[].sinks[].openTelemetry.host",
        (1, 5),
        BACKEND_OF_HOST,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.accessLog.settings[].sinks[].openTelemetry.resources",
        (1, 7),
        "write `resourceAttributes:` with the same keys",
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.metrics.sinks[].openTelemetry.host",
        (1, 5),
        BACKEND_OF_HOST,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.telemetry.tracing.provider.host",
        (1, 5),
        BACKEND_OF_HOST,
    ),
    eg(
        &["EnvoyProxy"],
        "spec.provider.kubernetes.envoyDeployment.initContainers[].lifecycle.*.tcpSocket",
        (1, 5),
        HANDLER,
    ),
    volume("spec.provider.kubernetes.*.pod.volumes[].awsElasticBlockStore"),
    volume("spec.provider.kubernetes.*.pod.volumes[].azureDisk"),
    volume("spec.provider.kubernetes.*.pod.volumes[].azureFile"),
    volume("spec.provider.kubernetes.*.pod.volumes[].cephfs"),
    volume("spec.provider.kubernetes.*.pod.volumes[].cinder"),
    volume("spec.provider.kubernetes.*.pod.volumes[].flexVolume"),
    volume("spec.provider.kubernetes.*.pod.volumes[].flocker"),
    volume("spec.provider.kubernetes.*.pod.volumes[].gcePersistentDisk"),
    volume("spec.provider.kubernetes.*.pod.volumes[].glusterfs"),
    volume("spec.provider.kubernetes.*.pod.volumes[].photonPersistentDisk"),
    volume("spec.provider.kubernetes.*.pod.volumes[].portworxVolume"),
    volume("spec.provider.kubernetes.*.pod.volumes[].quobyte"),
    volume("spec.provider.kubernetes.*.pod.volumes[].rbd"),
    volume("spec.provider.kubernetes.*.pod.volumes[].scaleIO"),
    volume("spec.provider.kubernetes.*.pod.volumes[].storageos"),
    volume("spec.provider.kubernetes.*.pod.volumes[].vsphereVolume"),
    eg(
        &["EnvoyProxy"],
        "spec.provider.kubernetes.*.pod.volumes[].gitRepo",
        (1, 5),
        "mount an `emptyDir` that an init container fills with a clone",
    ),
    Deprecated {
        project: "helm-controller",
        kinds: &["HelmRelease"],
        path: "spec.install.skipCRDs",
        since: (1, 0),
        instead: "write `crds: Skip`",
    },
    Deprecated {
        project: "helm-controller",
        kinds: &["HelmRelease"],
        path: "spec.rollback.recreate",
        since: (1, 0),
        instead: "remove it; Helm doesn't support this any more",
    },
    Deprecated {
        project: "grafana-operator",
        kinds: &["GrafanaDatasource"],
        path: "spec.datasource.uid",
        since: (5, 0),
        instead: "write `uid:` under `spec`",
    },
];

/// Reports uses of deprecated fields.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for entry in FIELDS {
        let Some(chosen) = context.selection.of(entry.project) else {
            continue;
        };
        if chosen.set.version.minor() < Some(entry.since) {
            continue;
        }
        let objects = entry.kinds.iter().flat_map(|kind| context.given_of(kind));
        for object in objects {
            let pointers = field::find(&object.node, entry.path);
            found.extend(pointers.iter().map(|pointer| told(entry, object, pointer)));
        }
    }
    found
}

fn told(entry: &Deprecated, object: &Object, pointer: &Pointer) -> Diagnostic {
    let (major, minor) = entry.since;
    let message = format!(
        "`{}` is deprecated in {} since {major}.{minor}",
        pointer.dotted(),
        title(entry.project)
    );
    finding_on_key(CODE, object, pointer, message)
        .severity(Severity::Warning)
        .why("it still works; once a release drops it, the API server refuses the object")
        .help(entry.instead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::{found, told};

    const POLICY: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: x}
spec:
  targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: example}
  compression: [{type: Gzip}]
  loadBalancer: {type: ConsistentHash, consistentHash: {type: Header, header: {name: x}}}
";

    #[test]
    fn a_field_on_its_way_out_is_told_with_its_successor() {
        let tree = [("a.yaml", POLICY)];
        let told = told(check, "1.9.0", &tree);
        assert_eq!(
            told,
            [
                "warning version/deprecated-field /spec/compression: `spec.compression` is deprecated in Envoy \
                 Gateway since 1.6",
                "warning version/deprecated-field /spec/targetRef: `spec.targetRef` is deprecated in Envoy Gateway \
                 since 1.5",
                "warning version/deprecated-field /spec/loadBalancer/consistentHash/header: \
                 `spec.loadBalancer.consistentHash.header` is deprecated in Envoy Gateway since 1.6",
            ]
        );
        let help = found(check, "1.9.0", &tree)[0].help.clone();
        assert_eq!(
            help.as_deref(),
            Some("write `compressor:` with the same list")
        );
    }

    #[test]
    fn what_the_version_in_force_does_not_call_deprecated_is_not_told() {
        let told = told(check, "1.5.9", &[("a.yaml", POLICY)]);
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn every_deprecated_field_is_in_the_newest_schema() {
        use crd_validate::schema::{Catalogue, Lookup, Selection};
        use manifest::value::{Pointer, pointer::Step};
        let catalogue = Catalogue::embedded();
        let selection = Selection::newest(&catalogue);
        let has = |kind: &str, pointer: &Pointer| {
            let mut entries = catalogue.entries().iter();
            let entry = entries.find(|it| it.kind == kind && selection.has(&it.set));
            let entry = entry.expect("a kind of the catalogue");
            let version = entry.served.last().expect("a served version");
            let found = catalogue.look_up(&selection, &entry.group, version, kind);
            matches!(found, Lookup::Known(schema) if schema.has(pointer))
        };
        for entry in FIELDS.iter().filter(|it| !it.path.contains('*')) {
            let steps = entry.path.split('.');
            let pointer = steps.fold(Pointer::root(), |at, step| match step.strip_suffix("[]") {
                Some(key) => at.key(key).step(Step::Index(0)),
                None => at.key(step),
            });
            for kind in entry.kinds {
                assert!(has(kind, &pointer), "{kind} {}", entry.path);
            }
        }
    }
}
