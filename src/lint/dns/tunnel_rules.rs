//! Rules of cloudflared's tunnels that it refuses, or that no request reaches.

use super::tunnel_configs::{TunnelConfig, tunnel_configs};
use crate::lint::LintContext;
use envoy_gateway::read::{flag, text};
use manifest::diagnostic::{Diagnostic, Severity};
use manifest::value::{Node, variable};

manifest::code! {
    "dns"/"tunnel-rules", Warning, "Rules of a Cloudflare tunnel that don't do what is written.",
    r#"
cloudflared takes the first rule of `ingress` that matches a request. The last one must match every request, and only
the last one may, or cloudflared doesn't start. A rule after one with a wildcard that covers its hostname is never
used. Settings for the connection to the service, such as `noTLSVerify`, belong below `originRequest`; beside
`service`, they are ignored. Over `https`, cloudflared checks that the certificate is for the name in `service`. A
gateway's certificate is for public names, so give one of them as `originServerName`.

## Wrong

```yaml
ingress:
  - hostname: "*.example.com"
    service: https://envoy-external.network.svc.cluster.local:443
```

## Right

```yaml
ingress:
  - hostname: "*.example.com"
    service: https://envoy-external.network.svc.cluster.local:443
    originRequest: { originServerName: external.example.com }
  - service: http_status:404
```
"#
}

/// The settings below `originRequest`.
const OF_ORIGIN: [&str; 18] = [
    "access",
    "bastionMode",
    "caPool",
    "connectTimeout",
    "disableChunkedEncoding",
    "http2Origin",
    "httpHostHeader",
    "keepAliveConnections",
    "keepAliveTimeout",
    "matchSNItoHost",
    "noHappyEyeballs",
    "noTLSVerify",
    "originServerName",
    "proxyAddress",
    "proxyPort",
    "proxyType",
    "tcpKeepAlive",
    "tlsTimeout",
];

const STOPS: &str =
    "cloudflared doesn't start, so nothing that comes through the tunnel is answered";

/// Reports rules that don't work.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let configs = tunnel_configs(context);
    configs.iter().flat_map(of_config).collect()
}

fn of_config(config: &TunnelConfig<'_>) -> Vec<Diagnostic> {
    let rules = config.rules();
    let Some((last, earlier)) = rules.split_last() else {
        return Vec::new();
    };
    if let Some(rule) = earlier.iter().find(|rule| is_for_all(rule)) {
        let message = "a rule for every request is not the last one".to_owned();
        let found = config
            .finding(CODE, rule, message)
            .severity(Severity::Error);
        let help = "move the rule without `hostname` to the end of `ingress`";
        return vec![found.why(STOPS).help(help)];
    }
    if !is_for_all(last) && !is_open(last) {
        let message = "the last rule is not for every request".to_owned();
        let found = config
            .finding(CODE, last, message)
            .severity(Severity::Error);
        let help = "add `- service: http_status:404` at the end of `ingress`";
        return vec![found.why(STOPS).help(help)];
    }
    let mut found = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let before = rules.get(..at).unwrap_or_default();
        found.extend(shadowed(config, before, rule));
        found.extend(misplaced(config, rule));
        found.extend(unchecked(config, rule));
    }
    found
}

fn is_open(rule: &Node) -> bool {
    text(rule, &["hostname"]).is_some_and(variable::in_text)
}

/// Whether a rule has neither a hostname nor a path.
fn is_for_all(rule: &Node) -> bool {
    let is_any = |text: &str| text == "*";
    text(rule, &["hostname"]).is_none_or(is_any) && text(rule, &["path"]).is_none()
}

/// A rule whose hostname an earlier one covers.
fn shadowed(config: &TunnelConfig<'_>, before: &[Node], rule: &Node) -> Option<Diagnostic> {
    let hostname = text(rule, &["hostname"])?;
    let covering = before.iter().find_map(|other| {
        let name = text(other, &["hostname"])?;
        let has_path = text(other, &["path"]).is_some();
        let below = name.strip_prefix('*').filter(|it| it.starts_with('.'));
        let is_covered = name == hostname || below.is_some_and(|it| hostname.ends_with(it));
        // With the same service, it makes no difference which of them is used.
        let is_same = text(other, &["service"]) == text(rule, &["service"]);
        (is_covered && !has_path && !is_same).then_some(name)
    })?;
    let message =
        format!("the rule for {hostname} is never used, because one for {covering} is before it");
    Some(
        config
            .finding(CODE, rule, message)
            .why("cloudflared takes the first rule that matches, so these requests go to another service")
            .help(format!("move it before the rule for {covering}, or remove it")),
    )
}

/// A setting beside `service` that belongs below `originRequest`.
fn misplaced(config: &TunnelConfig<'_>, rule: &Node) -> Option<Diagnostic> {
    let key = OF_ORIGIN.iter().find(|key| rule.get(key).is_some())?;
    let message = format!("`{key}` is beside `service`");
    Some(
        config
            .finding(CODE, rule, message)
            .why("cloudflared only reads it below `originRequest`, so the setting has no effect")
            .help(format!("write `originRequest: {{{key}: …}}`")),
    )
}

/// A connection over TLS to a Service of the cluster whose certificate can't be for that name.
fn unchecked(config: &TunnelConfig<'_>, rule: &Node) -> Option<Diagnostic> {
    let service = text(rule, &["service"])?.strip_prefix("https://")?;
    let host = service.split([':', '/']).next()?;
    let is_in_cluster = host.ends_with(".svc") || host.contains(".svc.");
    let sets = |node: &Node| {
        let below = |key: &str| text(node, &["originRequest", key]).is_some();
        let on = |key: &str| flag(node, &["originRequest", key]) == Some(true);
        below("originServerName") || below("caPool") || on("noTLSVerify") || on("matchSNItoHost")
    };
    // A misplaced setting is one finding.
    if !is_in_cluster || sets(rule) || sets(&config.node) || misplaced(config, rule).is_some() {
        return None;
    }
    let message = format!("cloudflared expects a certificate for {host}");
    Some(
        config
            .finding(CODE, rule, message)
            .why("certificates of gateways are for public names, so cloudflared answers with 502")
            .help("add `originRequest: {originServerName: NAME}` with a hostname that the gateway's certificate covers"),
    )
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(rules: &[&str]) -> Vec<String> {
        let rules: String = rules.iter().map(|it| format!("      - {it}\n")).collect();
        let text = format!(
            "apiVersion: v1
kind: ConfigMap
metadata: {{name: cloudflared, namespace: network}}
data:
  config.yaml: |
    tunnel: a
    ingress:
{rules}"
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        let short = |one: &String| one.replace("dns/tunnel-rules /data/config.yaml: ", "");
        found.iter().map(short).collect()
    }

    const ALL: &str = "{hostname: '*.example.com', service: 'https://a.network.svc:443', originRequest: {originServerName: a.example.com}}";
    const LAST: &str = "{service: 'http_status:404'}";

    #[test]
    fn only_the_last_rule_is_for_every_request() {
        assert_eq!(says(&[ALL, LAST]), [""; 0]);
        assert_eq!(
            says(&[ALL]),
            ["error the last rule is not for every request"]
        );
        assert_eq!(
            says(&[LAST, ALL]),
            ["error a rule for every request is not the last one"]
        );
    }

    #[test]
    fn a_rule_is_reached_and_its_settings_are_read() {
        let api = "{hostname: api.example.com, service: 'http://api.web.svc'}";
        assert_eq!(says(&[api, ALL, LAST]), [""; 0]);
        assert_eq!(
            says(&[ALL, api, LAST]),
            [
                "warning the rule for api.example.com is never used, because one for *.example.com is before it"
            ]
        );
        let beside =
            "{hostname: b.example.com, service: 'https://a.network.svc', noTLSVerify: true}";
        assert_eq!(
            says(&[beside, LAST]),
            ["warning `noTLSVerify` is beside `service`"]
        );
    }

    #[test]
    fn a_certificate_is_checked_for_a_name_that_it_has() {
        let with = |rest: &str| {
            says(&[
                &format!("{{hostname: a.example.com, service: 'https://a.network.svc:443'{rest}}}"),
                LAST,
            ])
        };
        assert_eq!(
            with(""),
            ["warning cloudflared expects a certificate for a.network.svc"]
        );
        assert_eq!(with(", originRequest: {noTLSVerify: true}"), [""; 0]);
    }
}
