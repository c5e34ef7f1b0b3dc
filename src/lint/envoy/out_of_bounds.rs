//! Values that the CRDs' schemas accept, but the controller or Envoy doesn't.

use std::collections::BTreeSet;

use crate::lint::LintContext;
use crate::lint::field;
use crate::lint::front::{ENVOY_GATEWAY, GATEWAY_API};
use k8s_syntax::time::duration;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::finding;
use manifest::value::{Kind, Node, Pointer, variable};

manifest::code! {
    "envoy"/"out-of-bounds", Error, "A value that the API server takes, but that the controller or Envoy can't use.",
    r#"
The CRD's schema has no bounds for the field, so the API server accepts the value. The controller or Envoy
refuses it, or does something else than what is written: a percentage above 100 is 100, and a status code that
doesn't exist never occurs. If the controller refuses the value of a policy, it often sends no change to the
proxies of the gateway any more, so other changes have no effect, either.

## Wrong

```yaml
faultInjection: {abort: {httpStatus: 503, percentage: 150}}
healthCheck: {active: {type: HTTP, http: {path: healthz}, interval: 0s}}
```

## Right

```yaml
faultInjection: {abort: {httpStatus: 503, percentage: 50}}
healthCheck: {active: {type: HTTP, http: {path: /healthz}, interval: 5s}}
```
"#
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    /// A number in a range.
    From(i32, i32),
    /// A number that is at least this one.
    AtLeast(i32),
    /// A quantity above 0.
    Quantity,
    /// A duration that is longer than this number of milliseconds.
    LongerThan(i64),
    /// A text that is not empty.
    Text,
    /// A path of a URL.
    Path,
    /// A path of a URL, or nothing.
    PathOrNothing,
    /// A URL with the scheme `http` or `https`.
    Url,
    /// A list of networks.
    Networks,
    /// A list of elliptic curves, by the names that Envoy's TLS library has for them.
    Curves,
}

const STOPS: &str = "the controller refuses the settings of the whole gateway, and sends no change to its proxies any more";
const ALWAYS: &str =
    "Envoy takes more than 100 for 100, and what a negative number does is not defined";
const UNREADABLE: &str =
    "the controller can't read the object, and ignores all objects of this kind";
const NEVER: &str = "no response has such a status, so the setting has no effect";

/// Fields of Envoy Gateway's kinds, what they must be, and the consequences otherwise (Envoy Gateway 1.9.0).
#[rustfmt::skip]
const FIELDS: &[(&str, Bound, &str)] = &[
    ("spec.faultInjection.abort.percentage", Bound::From(0, 100), ALWAYS),
    ("spec.faultInjection.delay.percentage", Bound::From(0, 100), ALWAYS),
    ("spec.faultInjection.delay.fixedDelay", Bound::LongerThan(0), STOPS),
    ("**.healthCheck.active.timeout", Bound::LongerThan(0), STOPS),
    ("**.healthCheck.active.interval", Bound::LongerThan(0), STOPS),
    ("**.healthCheck.active.tcp.send.text", Bound::Text, STOPS),
    ("**.healthCheck.active.tcp.receive.text", Bound::Text, STOPS),
    ("**.healthCheck.active.http.expectedResponse.text", Bound::Text, STOPS),
    ("**.healthCheck.active.http.path", Bound::Path, "backends answer such a request with 400, so no endpoint counts as healthy"),
    ("**.healthCheck.passive.interval", Bound::LongerThan(0), STOPS),
    ("**.healthCheck.passive.baseEjectionTime", Bound::LongerThan(0), STOPS),
    ("**.dns.dnsRefreshRate", Bound::LongerThan(1), "Envoy refuses the backends of the route, and answers with 500 or 503"),
    ("**.tcpKeepalive.probes", Bound::AtLeast(0), UNREADABLE),
    ("spec.requestBuffer.limit", Bound::Quantity, STOPS),
    ("spec.responseOverride[].match.statusCodes[].value", Bound::From(100, 599), NEVER),
    ("spec.provider.kubernetes.envoyService.loadBalancerSourceRanges", Bound::Networks, "the controller refuses the EnvoyProxy, and its gateways are not programmed"),
    ("spec.tls.ecdhCurves", Bound::Curves, "Envoy refuses the listener, so none of its routes is served"),
    ("spec.concurrency", Bound::AtLeast(0), "Envoy doesn't start"),
    ("spec.directResponse.statusCode", Bound::From(100, 599), STOPS),
    ("spec.extAuth.http.path", Bound::Path, "Envoy refuses the listener, so none of its routes is served"),
    ("spec.oidc.logoutPath", Bound::Path, "no request has such a path, so nobody can log out"),
    ("spec.oidc.provider.issuer", Bound::Url, "the controller can't ask the provider for its endpoints, and tokens have another issuer"),
    ("spec.oidc.provider.authorizationEndpoint", Bound::Url, "browsers are sent to an address that doesn't exist, so nobody can log in"),
    ("spec.oidc.provider.tokenEndpoint", Bound::Url, "Envoy can't call the provider, so nobody can log in"),
    ("spec.jwt.providers[].remoteJWKS.uri", Bound::Url, "Envoy can't fetch the keys, so the controller refuses the policy or no token is valid"),
];

/// The curves that Envoy's TLS library knows. A name that is not near one of them may be one of a newer version.
const CURVES: [&str; 7] = [
    "P-224",
    "P-256",
    "P-384",
    "P-521",
    "X25519",
    "X25519MLKEM768",
    "X25519Kyber768Draft00",
];

/// Fields of routes, in the same form.
#[rustfmt::skip]
const OF_ROUTES: &[(&str, Bound, &str)] = &[
    ("spec.rules[].filters[].urlRewrite.path.replaceFullPath", Bound::Path, NO_PATH),
    ("spec.rules[].filters[].urlRewrite.path.replacePrefixMatch", Bound::PathOrNothing, NO_PATH),
    ("spec.rules[].filters[].requestRedirect.path.replaceFullPath", Bound::Path, NO_PATH),
    ("spec.rules[].filters[].requestRedirect.path.replacePrefixMatch", Bound::PathOrNothing, NO_PATH),
];

const NO_PATH: &str =
    "the new path is written as it is, so backends and browsers get an invalid address";

/// The kinds of Envoy Gateway with such fields.
const KINDS: [&str; 6] = [
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
    "EnvoyProxy",
    "HTTPRouteFilter",
    "SecurityPolicy",
];

/// Reports values out of bounds.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let of_gateway = KINDS
        .iter()
        .flat_map(|kind| context.of_kind(ENVOY_GATEWAY, kind));
    let of_gateway = of_gateway.map(|one| (one.object, FIELDS));
    let routes = context.of_kind(GATEWAY_API, "HTTPRoute");
    let routes = routes.map(|one| (one.object, OF_ROUTES));
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for (object, fields) in of_gateway.chain(routes) {
        for (path, bound, why) in fields {
            let places = field::find(&object.node, path).into_iter();
            for place in places.flat_map(|place| with_items(&object.node, place)) {
                let Some((wrong, help)) =
                    object.node.at(&place).and_then(|node| wrong(node, *bound))
                else {
                    continue;
                };
                let key = path.rsplit('.').next().unwrap_or(path);
                let message = format!("`{key}` {wrong}");
                if told.insert((object.file.as_str(), object.node.span, place.to_string())) {
                    found.push(finding(CODE, object, &place, message).why(*why).help(help));
                }
            }
        }
    }
    found
}

/// A place, or the places of its items if it is a list.
fn with_items(root: &Node, place: Pointer) -> Vec<Pointer> {
    match root.at(&place).and_then(Node::as_list) {
        Some(items) => (0..items.len()).map(|at| place.index(at)).collect(),
        None => vec![place],
    }
}

/// What is wrong with a value, and what to write.
fn wrong(node: &Node, bound: Bound) -> Option<(String, String)> {
    let text = node.as_str().unwrap_or_default();
    if variable::in_text(text) {
        return None;
    }
    let number = match &node.kind {
        Kind::Number(number) => number.to_string().parse::<f64>().ok(),
        _ => None,
    };
    match bound {
        Bound::From(least, most) => {
            let number = number.filter(|it| *it < f64::from(least) || *it > f64::from(most))?;
            Some((
                format!("is {number}, but it goes from {least} to {most}"),
                format!("write a number from {least} to {most}"),
            ))
        }
        Bound::AtLeast(least) => {
            let number = number.filter(|it| *it < f64::from(least))?;
            Some((
                format!("is {number}, but it can't be below {least}"),
                format!("write a number of at least {least}"),
            ))
        }
        Bound::Quantity => {
            let is_zero = number == Some(0.0) || text.trim_end_matches(char::is_alphabetic) == "0";
            is_zero.then(|| {
                (
                    "is 0".to_owned(),
                    "write a number above 0, or remove it".to_owned(),
                )
            })
        }
        Bound::LongerThan(milliseconds) => {
            let length = duration(text)?;
            (length <= milliseconds.saturating_mul(1_000_000)).then(|| {
                (
                    format!("is `{text}`, which is too short"),
                    "write a longer duration, for example `5s`, or remove it".to_owned(),
                )
            })
        }
        Bound::Text => (text.is_empty() && node.as_str().is_some()).then(|| {
            (
                "is empty".to_owned(),
                "write a text, or remove the setting".to_owned(),
            )
        }),
        Bound::Path | Bound::PathOrNothing => {
            let may_be = text.is_empty() && matches!(bound, Bound::PathOrNothing);
            (!text.starts_with('/') && !may_be && node.as_str().is_some()).then(|| {
                (
                    format!("is `{text}`, which doesn't begin with `/`"),
                    format!("write `/{text}`"),
                )
            })
        }
        Bound::Networks => (text.parse::<ipnet::IpNet>().is_err() && !text.is_empty()).then(|| {
            (
                format!("contains `{text}`, which is not a network"),
                "write an address and a prefix length, such as `10.10.0.0/16`".to_owned(),
            )
        }),
        Bound::Curves => {
            let near = nearest(text, CURVES).filter(|near| *near != text)?;
            let known = CURVES.contains(&text);
            (!known).then(|| {
                (
                    format!("contains `{text}`, which is not a curve that Envoy knows"),
                    format!("write `{near}`"),
                )
            })
        }
        Bound::Url => {
            let lower = text.to_ascii_lowercase();
            let rest = ["https://", "http://"]
                .iter()
                .find_map(|scheme| lower.strip_prefix(scheme));
            let is_url = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
            (!is_url && !text.is_empty()).then(|| {
                (
                    format!("is `{text}`, which is not a URL"),
                    "write a URL that begins with `https://` and a host".to_owned(),
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(kind: &str, spec: &str) -> Vec<String> {
        let group = match kind {
            "HTTPRoute" => "gateway.networking.k8s.io/v1",
            _ => "gateway.envoyproxy.io/v1alpha1",
        };
        let text = format!(
            "apiVersion: {group}
kind: {kind}
metadata: {{name: a, namespace: network}}
spec: {{{spec}}}
"
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        let short = |one: &String| one.replace("error envoy/out-of-bounds ", "");
        found.iter().map(short).collect()
    }

    #[test]
    fn percentages_and_durations_have_bounds() {
        let policy = |spec: &str| says("BackendTrafficPolicy", spec);
        assert_eq!(
            policy("faultInjection: {abort: {httpStatus: 503, percentage: 150}}"),
            [
                "/spec/faultInjection/abort/percentage: `percentage` is 150, but it goes from 0 to 100"
            ]
        );
        assert_eq!(
            policy("faultInjection: {delay: {fixedDelay: 0s, percentage: -0.5}}"),
            [
                "/spec/faultInjection/delay/percentage: `percentage` is -0.5, but it goes from 0 to 100",
                "/spec/faultInjection/delay/fixedDelay: `fixedDelay` is `0s`, which is too short"
            ]
        );
        assert_eq!(
            policy("healthCheck: {active: {interval: 0s, http: {path: healthz}}}"),
            [
                "/spec/healthCheck/active/interval: `interval` is `0s`, which is too short",
                "/spec/healthCheck/active/http/path: `path` is `healthz`, which doesn't begin with `/`"
            ]
        );
        assert_eq!(
            policy("tcpKeepalive: {probes: -1}, requestBuffer: {limit: 0}"),
            [
                "/spec/tcpKeepalive/probes: `probes` is -1, but it can't be below 0",
                "/spec/requestBuffer/limit: `limit` is 0"
            ]
        );
        let right = "faultInjection: {abort: {percentage: 12.5}, delay: {fixedDelay: 1s}}, requestBuffer: {limit: 4Mi}";
        assert_eq!(policy(right), [""; 0]);
        assert_eq!(
            policy("healthCheck: {active: {interval: \"${INTERVAL}\"}}"),
            [""; 0]
        );
    }

    #[test]
    fn items_of_lists_are_known() {
        assert_eq!(
            says("ClientTrafficPolicy", "tls: {ecdhCurves: [X25519, P256]}"),
            [
                "/spec/tls/ecdhCurves/1: `ecdhCurves` contains `P256`, which is not a curve that Envoy knows"
            ]
        );
        let service = |range: &str| {
            let service = format!("envoyService: {{loadBalancerSourceRanges: ['{range}']}}");
            says(
                "EnvoyProxy",
                &format!("provider: {{kubernetes: {{{service}}}}}"),
            )
        };
        assert_eq!(service("10.10.0.0/16"), [""; 0]);
        assert_eq!(
            service("10.10.0.0/33"),
            [
                "/spec/provider/kubernetes/envoyService/loadBalancerSourceRanges/0: `loadBalancerSourceRanges` contains `10.10.0.0/33`, which is not a network"
            ]
        );
    }

    #[test]
    fn urls_and_paths_are_whole() {
        let policy = |spec: &str| says("SecurityPolicy", spec);
        assert_eq!(
            policy("oidc: {logoutPath: logout, provider: {issuer: accounts.example.com}}"),
            [
                "/spec/oidc/logoutPath: `logoutPath` is `logout`, which doesn't begin with `/`",
                "/spec/oidc/provider/issuer: `issuer` is `accounts.example.com`, which is not a URL"
            ]
        );
        assert_eq!(
            policy("oidc: {logoutPath: /out, provider: {issuer: 'https://accounts.example.com'}}"),
            [""; 0]
        );
        let filter = |path: &str| {
            let rewrite = format!("filters: [{{urlRewrite: {{path: {{{path}}}}}}}]");
            says("HTTPRoute", &format!("rules: [{{{rewrite}}}]"))
        };
        assert_eq!(
            filter("replaceFullPath: index.html"),
            [
                "/spec/rules/0/filters/0/urlRewrite/path/replaceFullPath: `replaceFullPath` is `index.html`, which doesn't begin with `/`"
            ]
        );
        assert_eq!(filter("replacePrefixMatch: ''"), [""; 0]);
    }
}
