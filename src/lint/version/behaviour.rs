//! Changes of behaviour that the API server doesn't see: an object is valid as before, but has another effect from a
//! version on.
//!
//! The table follows the "breaking changes" in the release notes of Envoy Gateway 1.6.0 to 1.9.0, as far as an object
//! shows that it is affected. Changes that a schema or a gate reports are left out.

use crate::lint::field;
use crd_validate::schema::Version;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Node;

manifest::code! {
    "version"/"behaviour", Note, "A setting whose behaviour changes in a newer version.",
    r#"
`gatewayctl upgrade --to VERSION` reports this: the object is still valid without a change, but from that
version on Envoy Gateway treats it differently. You only have to change the object if you don't want the new
behaviour.

## Wrong

```yaml
# written before Envoy Gateway 1.8, which traces a hundred times as many requests with it
kind: EnvoyProxy
spec:
  telemetry: { tracing: { samplingFraction: { numerator: 1, denominator: 10 } } }
```

## Right

```yaml
kind: EnvoyProxy
spec:
  telemetry: { tracing: { samplingFraction: { numerator: 1, denominator: 1000 } } }
```
"#
}

/// A field whose effect changes with a version.
struct Behaviour {
    /// The version with the change.
    at: &'static str,
    kind: &'static str,
    /// The field, in the syntax of [`field`].
    path: &'static str,
    /// The values that are affected.
    when: fn(&Node) -> bool,
    message: &'static str,
    why: &'static str,
    help: &'static str,
}

fn any(_: &Node) -> bool {
    true
}

const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        at: "1.6.0",
        kind: "Backend",
        path: "spec.tls",
        when: any,
        message: "the server name for a Backend without `sni` is the host of the request",
        why: "the Backend's certificate must then be valid for that host, or requests fail with 503",
        help: "write `sni:` with the name that the Backend's certificate has",
    },
    Behaviour {
        at: "1.6.0",
        kind: "SecurityPolicy",
        path: "spec.oidc",
        when: any,
        message: "refresh tokens are used where the provider issues them",
        why: "a session lasts as long as its refresh token, not only as long as its access token",
        help: "write `refreshToken: false` under `oidc` to keep it as it was",
    },
    Behaviour {
        at: "1.6.0",
        kind: "BackendTrafficPolicy",
        path: "spec.healthCheck.passive.consecutiveGatewayErrors",
        when: any,
        message: "the counted gateway errors now always eject the backend",
        why: "before, Envoy counted them but ejected nothing",
        help: "check the number, or remove it",
    },
    Behaviour {
        at: "1.7.0",
        kind: "BackendTrafficPolicy",
        path: "spec.compression",
        when: any,
        message: "Envoy no longer asks backends for compressed responses if it compresses itself",
        why: "Envoy removes `Accept-Encoding` from requests, so backends send uncompressed responses",
        help: "nothing to do; expect more traffic between Envoy and the backends",
    },
    Behaviour {
        at: "1.7.0",
        kind: "BackendTrafficPolicy",
        path: "spec.compressor",
        when: any,
        message: "Envoy no longer asks backends for compressed responses if it compresses itself",
        why: "Envoy removes `Accept-Encoding` from requests, so backends send uncompressed responses",
        help: "nothing to do; expect more traffic between Envoy and the backends",
    },
    Behaviour {
        at: "1.8.0",
        kind: "SecurityPolicy",
        path: "spec.extAuth.timeout",
        when: |node| node.as_str() == Some("0s"),
        message: "a timeout of `0s` disables the timeout",
        why: "before, it failed each request immediately; now a request waits as long as the service takes",
        help: "write how long a request may wait",
    },
    Behaviour {
        at: "1.8.0",
        kind: "EnvoyProxy",
        path: "spec.telemetry.tracing.samplingFraction",
        when: any,
        message: "a hundred times as many requests are traced",
        why: "before, the fraction was treated as a percentage",
        help: "divide the fraction by 100 to keep the rate as it is",
    },
    Behaviour {
        at: "1.8.0",
        kind: "HTTPRouteFilter",
        path: "spec.directResponse.body.inline",
        when: |node| node.as_str().is_some_and(|text| text.contains('%')),
        message: "Envoy replaces text between `%` signs in the body",
        why: "a body with literal `%` signs is changed, or refused",
        help: "write `%%` for a literal percent sign",
    },
    Behaviour {
        at: "1.8.0",
        kind: "EnvoyPatchPolicy",
        path: "spec.jsonPatches",
        when: any,
        message: "OIDC has one filter for all routes, and merged policies change the names of resources",
        why: "a patch whose path or name is not found is not applied",
        help: "compare the patch with what `egctl config envoy-proxy` prints after the upgrade",
    },
    Behaviour {
        at: "1.9.0",
        kind: "EnvoyPatchPolicy",
        path: "spec.jsonPatches",
        when: any,
        message: "JWT providers, Lua filters, DNS clusters and rate limits have another structure and other names",
        why: "a patch whose path or name is not found is not applied",
        help: "compare the patch with what `egctl config envoy-proxy` prints after the upgrade",
    },
    Behaviour {
        at: "1.9.0",
        kind: "EnvoyProxy",
        path: "spec.telemetry.tracing",
        when: |node| node.get("clientSamplingFraction").is_none(),
        message: "clients can't force a trace any more",
        why: "client sampling is now 0% by default; before, it was 100%",
        help: "write `clientSamplingFraction: {numerator: 100}` to keep it as it is",
    },
    Behaviour {
        at: "1.9.0",
        kind: "BackendTLSPolicy",
        path: "spec.validation.wellKnownCACertificates",
        when: |node| node.as_str() == Some("System"),
        message: "the system's CA certificates become one secret that all backends share",
        why: "proxies reload it, so connections to these backends may fail briefly during the upgrade",
        help: "upgrade when there is little traffic",
    },
    Behaviour {
        at: "1.9.0",
        kind: "Backend",
        path: "spec.tls.wellKnownCACertificates",
        when: |node| node.as_str() == Some("System"),
        message: "the system's CA certificates become one secret that all backends share",
        why: "proxies reload it, so connections to these backends may fail briefly during the upgrade",
        help: "upgrade when there is little traffic",
    },
];

/// Reports fields whose effect changes with an upgrade of Envoy Gateway.
pub(crate) fn between(objects: &[Object], from: &Version, to: &Version) -> Vec<Diagnostic> {
    let is_crossed = |it: &&Behaviour| {
        let at = Version::new(it.at);
        *from < at && at <= *to
    };
    let crossed: Vec<&Behaviour> = BEHAVIOURS.iter().filter(is_crossed).collect();
    let mut found = Vec::new();
    for object in objects {
        for it in crossed.iter().filter(|it| it.kind == object.kind()) {
            for pointer in field::find(&object.node, it.path) {
                if object.node.at(&pointer).is_some_and(it.when) {
                    let message = format!("from Envoy Gateway {} on, {}", it.at, it.message);
                    found.push(
                        finding(CODE, object, &pointer, message)
                            .why(it.why)
                            .help(it.help),
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
    use crate::lint::support::objects;

    #[test]
    fn only_what_lies_between_the_two_versions_is_told() {
        let all = objects(
            "a.yaml",
            "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: x}
spec: {telemetry: {tracing: {samplingFraction: {numerator: 1}}}}
",
        );
        let told = |from: &str, to: &str| -> Vec<String> {
            let found = between(&all, &Version::new(from), &Version::new(to));
            found.into_iter().map(|one| one.message).collect()
        };
        assert_eq!(
            told("1.7.5", "1.8.3"),
            ["from Envoy Gateway 1.8.0 on, a hundred times as many requests are traced"]
        );
        assert_eq!(told("1.7.5", "1.9.0").len(), 2);
        assert_eq!(told("1.9.0", "1.9.0"), [""; 0]);
        assert_eq!(told("1.9.0", "1.7.5"), [""; 0]);
    }
}
