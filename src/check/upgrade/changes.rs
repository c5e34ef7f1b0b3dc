//! What works as before to the API server's eye, and does something else from a version on.
//!
//! From the "breaking changes" of Envoy Gateway's release notes, 1.6.0 to 1.9.0, as far as an object shows that it is
//! touched. What a schema or a gate says is not repeated here.

use crate::check::across::field;
use crate::codes;
use crd_validate::schema::Version;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Node;

/// Something that an object's field does differently from a version on.
struct Behaviour {
    /// The version that changes it.
    at: &'static str,
    kind: &'static str,
    /// The field, as [`field`] has it.
    path: &'static str,
    /// Which values are touched.
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
        message: "the server name that is sent to a Backend without `sni` comes from the request's host",
        why: "the Backend's certificate must then name that host, or requests fail with 503",
        help: "write `sni:` with the name that the Backend's certificate has",
    },
    Behaviour {
        at: "1.6.0",
        kind: "SecurityPolicy",
        path: "spec.oidc",
        when: any,
        message: "refresh tokens are used where the provider issues them",
        why: "a session lasts as long as its refresh token, not as its access token",
        help: "write `refreshToken: false` under `oidc` to keep it as it was",
    },
    Behaviour {
        at: "1.6.0",
        kind: "BackendTrafficPolicy",
        path: "spec.healthCheck.passive.consecutiveGatewayErrors",
        when: any,
        message: "gateway errors that are counted now always eject the backend",
        why: "Envoy counted them and ejected nothing before",
        help: "check the number, or remove it",
    },
    Behaviour {
        at: "1.7.0",
        kind: "BackendTrafficPolicy",
        path: "spec.compression",
        when: any,
        message: "backends are no longer asked for compressed answers where Envoy compresses",
        why: "Envoy takes `Accept-Encoding` off the request: answers come plain and are compressed once",
        help: "nothing; expect more bytes between Envoy and the backends",
    },
    Behaviour {
        at: "1.7.0",
        kind: "BackendTrafficPolicy",
        path: "spec.compressor",
        when: any,
        message: "backends are no longer asked for compressed answers where Envoy compresses",
        why: "Envoy takes `Accept-Encoding` off the request: answers come plain and are compressed once",
        help: "nothing; expect more bytes between Envoy and the backends",
    },
    Behaviour {
        at: "1.8.0",
        kind: "SecurityPolicy",
        path: "spec.extAuth.timeout",
        when: |node| node.as_str() == Some("0s"),
        message: "a timeout of `0s` means that there is none",
        why: "it failed each request at once before; now a request waits for as long as the other side takes",
        help: "write how long a request may wait",
    },
    Behaviour {
        at: "1.8.0",
        kind: "EnvoyProxy",
        path: "spec.telemetry.tracing.samplingFraction",
        when: any,
        message: "a hundred times as many requests are traced",
        why: "the fraction was taken for a percentage before",
        help: "divide the fraction by 100 to keep the rate as it is",
    },
    Behaviour {
        at: "1.8.0",
        kind: "HTTPRouteFilter",
        path: "spec.directResponse.body.inline",
        when: |node| node.as_str().is_some_and(|text| text.contains('%')),
        message: "what stands between `%` signs in the body is filled in by Envoy",
        why: "a body that holds them as text is answered otherwise than written, or refused",
        help: "write `%%` for a plain percent sign",
    },
    Behaviour {
        at: "1.8.0",
        kind: "EnvoyPatchPolicy",
        path: "spec.jsonPatches",
        when: any,
        message: "OIDC has one filter for all routes, and merged policies give resources other names",
        why: "a patch whose path or name is not found is not applied",
        help: "compare the patch with what `egctl config envoy-proxy` prints after the upgrade",
    },
    Behaviour {
        at: "1.9.0",
        kind: "EnvoyPatchPolicy",
        path: "spec.jsonPatches",
        when: any,
        message: "JWT providers, Lua filters, clusters by DNS name and rate limits are laid out and named differently",
        why: "a patch whose path or name is not found is not applied",
        help: "compare the patch with what `egctl config envoy-proxy` prints after the upgrade",
    },
    Behaviour {
        at: "1.9.0",
        kind: "EnvoyProxy",
        path: "spec.telemetry.tracing",
        when: |node| node.get("clientSamplingFraction").is_none(),
        message: "clients can't force a trace any more",
        why: "client sampling is 0% unless it is given; it was 100%",
        help: "write `clientSamplingFraction: {numerator: 100}` to keep it as it is",
    },
    Behaviour {
        at: "1.9.0",
        kind: "BackendTLSPolicy",
        path: "spec.validation.wellKnownCACertificates",
        when: |node| node.as_str() == Some("System"),
        message: "the system's certificates become one secret that all backends share",
        why: "proxies load it anew: connections to these backends may fail for a moment during the upgrade",
        help: "upgrade at a quiet hour",
    },
    Behaviour {
        at: "1.9.0",
        kind: "Backend",
        path: "spec.tls.wellKnownCACertificates",
        when: |node| node.as_str() == Some("System"),
        message: "the system's certificates become one secret that all backends share",
        why: "proxies load it anew: connections to these backends may fail for a moment during the upgrade",
        help: "upgrade at a quiet hour",
    },
];

/// What does something else after an upgrade of Envoy Gateway from one version to another.
pub fn between(objects: &[Object], from: &Version, to: &Version) -> Vec<Diagnostic> {
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
                        finding(codes::VERSION_BEHAVIOUR, object, &pointer, message)
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
    use crate::check::across::support::objects;

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
