//! The objects that the tables of `cluster.toml` become, whose fields their `spec` tables take.

use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// A place in a kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPlace {
    /// The API group.
    pub group: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The field.
    pub pointer: Pointer,
}

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io";

/// The last keys of a table's path (`NAME` is any), and the group, kind and field that its `spec` is merged over. Of several
/// that fit, the first one counts.
const TABLES: [(&[&str], &str, &str, &str); 23] = [
    (
        &["listeners", "NAME"],
        GATEWAY_API,
        "Gateway",
        "/spec/listeners/0",
    ),
    (&["gateways", "NAME"], GATEWAY_API, "Gateway", "/spec"),
    (
        &["client_traffic"],
        ENVOY_GATEWAY,
        "ClientTrafficPolicy",
        "/spec",
    ),
    (
        &["backend_traffic"],
        ENVOY_GATEWAY,
        "BackendTrafficPolicy",
        "/spec",
    ),
    (&["proxy"], ENVOY_GATEWAY, "EnvoyProxy", "/spec"),
    (&["class"], GATEWAY_API, "GatewayClass", "/spec"),
    (&["classes", "NAME"], GATEWAY_API, "GatewayClass", "/spec"),
    (&["redirect"], GATEWAY_API, "HTTPRoute", "/spec"),
    (&["redirects", "NAME"], GATEWAY_API, "HTTPRoute", "/spec"),
    (&["responses", "NAME"], GATEWAY_API, "HTTPRoute", "/spec"),
    (&["ssh"], GATEWAY_API, "TCPRoute", "/spec"),
    (&["tcp", "NAME"], GATEWAY_API, "TCPRoute", "/spec"),
    (&["udp", "NAME"], GATEWAY_API, "UDPRoute", "/spec"),
    (
        &["security_policies", "NAME"],
        ENVOY_GATEWAY,
        "SecurityPolicy",
        "/spec",
    ),
    (&["auth", "NAME"], ENVOY_GATEWAY, "SecurityPolicy", "/spec"),
    (
        &["external", "NAME", "backend"],
        ENVOY_GATEWAY,
        "Backend",
        "/spec",
    ),
    (
        &["external", "NAME", "tls"],
        GATEWAY_API,
        "BackendTLSPolicy",
        "/spec",
    ),
    (&["external", "NAME"], GATEWAY_API, "HTTPRoute", "/spec"),
    (
        &["patch_policies", "NAME"],
        ENVOY_GATEWAY,
        "EnvoyPatchPolicy",
        "/spec",
    ),
    (
        &["extension_policies", "NAME"],
        ENVOY_GATEWAY,
        "EnvoyExtensionPolicy",
        "/spec",
    ),
    (&["lua"], ENVOY_GATEWAY, "EnvoyExtensionPolicy", "/spec"),
    (&["autoscaling"], "keda.sh", "ScaledObject", "/spec"),
    (
        &["flux"],
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        "/spec",
    ),
];

/// The field of an object that a value of `cluster.toml` is merged over: one in a `spec` table. `None` for all other values.
pub fn object_place(pointer: &Pointer) -> Option<ObjectPlace> {
    let steps = pointer.steps();
    let is_spec = |step: &Step| matches!(step, Step::Key(key) if key == "spec");
    let at = steps.iter().position(is_spec)?;
    let (table, below) = steps.split_at_checked(at)?;
    let (_, group, kind, field) = TABLES.iter().find(|(path, ..)| ends_with(table, path))?;
    let below = below.get(1..)?.iter().cloned();
    Some(ObjectPlace {
        group,
        kind,
        pointer: below.fold(Pointer::parse(field)?, |at, step| at.step(step)),
    })
}

fn ends_with(steps: &[Step], path: &[&str]) -> bool {
    let Some(start) = steps.len().checked_sub(path.len()) else {
        return false;
    };
    let last = steps.get(start..).unwrap_or_default();
    last.iter().zip(path).all(|(step, name)| match step {
        Step::Key(key) => *name == "NAME" || key == name,
        Step::Index(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(pointer: &str) -> Option<String> {
        let place = object_place(&Pointer::parse(pointer).expect("a pointer"))?;
        Some(format!("{}{}", place.kind, place.pointer))
    }

    #[test]
    fn a_spec_table_is_part_of_the_object_of_its_table() {
        for (pointer, wanted) in [
            ("/client_traffic/spec", "ClientTrafficPolicy/spec"),
            ("/gateways/a/spec/listeners/0", "Gateway/spec/listeners/0"),
            (
                "/gateways/a/client_traffic/spec/http2",
                "ClientTrafficPolicy/spec/http2",
            ),
            (
                "/gateways/a/listeners/https/spec/tls",
                "Gateway/spec/listeners/0/tls",
            ),
            ("/security_policies/b/spec/cors", "SecurityPolicy/spec/cors"),
        ] {
            assert_eq!(place(pointer).as_deref(), Some(wanted), "{pointer}");
        }
        assert_eq!(place("/client_traffic/http2"), None);
        assert_eq!(place("/spec"), None);
    }
}
