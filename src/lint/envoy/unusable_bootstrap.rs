//! Bootstrap configurations of EnvoyProxies that Envoy can't read.

use crate::lint::LintContext;
use crate::lint::front::ENVOY_GATEWAY;
use envoy_gateway::read::text;
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::nearest;
use manifest::read::parse_any;
use manifest::value::{Kind, Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "envoy"/"unusable-bootstrap", Error, "A bootstrap configuration that Envoy can't read.",
    r#"
`bootstrap.value` of an EnvoyProxy is a text for the API server, but for Envoy it is a configuration: YAML whose keys
are those of Envoy's bootstrap, such as `admin`, `layered_runtime`, `stats_config` and `static_resources`. If it can't
be read, Envoy Gateway refuses the EnvoyProxy, and removes the proxies of all gateways that use it. With the type
`Replace`, which is the default, the value must be the whole configuration, with the `dynamic_resources` of Envoy
Gateway. A part of it needs the type `Merge`.

## Wrong

```yaml
bootstrap:
  value: |
    stats_config: { use_all_default_tags: true }
```

## Right

```yaml
bootstrap:
  type: Merge
  value: |
    stats_config: { use_all_default_tags: true }
```
"#
}

const REMOVED: &str =
    "the controller refuses the EnvoyProxy, and removes the proxies of all gateways that use it";

/// What a key of the bootstrap contains.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Message,
    List,
    Value,
}

/// The keys of Envoy's bootstrap (Envoy 1.33 to 1.36).
#[rustfmt::skip]
const KEYS: &[(&str, Holds)] = &[
    ("admin", Holds::Message),
    ("application_log_config", Holds::Message),
    ("bootstrap_extensions", Holds::List),
    ("certificate_provider_instances", Holds::Message),
    ("cluster_manager", Holds::Message),
    ("config_sources", Holds::List),
    ("default_config_source", Holds::Message),
    ("default_regex_engine", Holds::Message),
    ("default_socket_interface", Holds::Value),
    ("deferred_stat_options", Holds::Message),
    ("dns_resolution_config", Holds::Message),
    ("dynamic_resources", Holds::Message),
    ("enable_dispatcher_stats", Holds::Value),
    ("fatal_actions", Holds::List),
    ("flags_path", Holds::Value),
    ("grpc_async_client_manager_config", Holds::Message),
    ("hds_config", Holds::Message),
    ("header_prefix", Holds::Value),
    ("inline_headers", Holds::List),
    ("layered_runtime", Holds::Message),
    ("listener_manager", Holds::Message),
    ("memory_allocator_manager", Holds::Message),
    ("node", Holds::Message),
    ("node_context_params", Holds::List),
    ("overload_manager", Holds::Message),
    ("perf_tracing_file_path", Holds::Value),
    ("static_resources", Holds::Message),
    ("stats_config", Holds::Message),
    ("stats_eviction_interval", Holds::Value),
    ("stats_flush_interval", Holds::Value),
    ("stats_flush_on_admin", Holds::Value),
    ("stats_server_version_override", Holds::Value),
    ("stats_sinks", Holds::List),
    ("tracing", Holds::Message),
    ("typed_dns_resolver_config", Holds::Message),
    ("use_tcp_for_dns_lookups", Holds::Value),
    ("watchdog", Holds::Message),
    ("watchdogs", Holds::Message),
    ("xds_config_tracker_extension", Holds::Message),
    ("xds_delegate_extension", Holds::Message),
];

/// Reports values that are no configuration of Envoy.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let proxies = context.of_kind(ENVOY_GATEWAY, "EnvoyProxy");
    let mut found: Vec<Diagnostic> = Vec::new();
    for one in proxies.filter_map(|proxy| unusable(proxy.object)) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn unusable(proxy: &Object) -> Option<Diagnostic> {
    let path = ["spec", "bootstrap", "value"];
    let place = path.iter().fold(Pointer::root(), |at, key| at.key(*key));
    let value = proxy.node.at(&place)?;
    let written = value.as_str().filter(|text| !variable::in_text(text))?;
    let kind = text(&proxy.node, &["spec", "bootstrap", "type"]).unwrap_or("Replace");
    let report = |message: String, help: String| {
        let found = finding(CODE, proxy, &place, message);
        Some(found.why(REMOVED).help(help))
    };
    let source = proxy.node.span.map(|span| span.source)?;
    let parsed = match parse_any(written, source, 0) {
        Ok(parsed) => parsed,
        Err(problem) => {
            return report(
                format!("the bootstrap is not valid YAML: {}", problem.message),
                "correct the indentation or the quotes in `value`".to_owned(),
            );
        }
    };
    let Some(map) = parsed.as_map() else {
        return report(
            "the bootstrap is not a map".to_owned(),
            "write keys of Envoy's bootstrap, such as `stats_config: …`".to_owned(),
        );
    };
    for (key, node) in map.iter() {
        if let Some((message, help)) = wrong(key, node) {
            return report(message, help);
        }
    }
    let has = |key: &str| map.iter().any(|(there, _)| snake(there) == key);
    if kind == "Replace" && !has("dynamic_resources") {
        return report(
            "the bootstrap replaces the whole configuration, but has no `dynamic_resources`".to_owned(),
            "write `type: Merge` into `bootstrap`, or the whole configuration into `value` (`egctl x translate` prints it)".to_owned(),
        );
    }
    None
}

/// What is wrong with an entry, and what to do.
fn wrong(key: &str, node: &Node) -> Option<(String, String)> {
    let name = snake(key);
    let Some((_, holds)) = KEYS.iter().find(|(known, _)| *known == name) else {
        let help = match nearest(&name, KEYS.iter().map(|(known, _)| *known)) {
            Some(near) => format!("write `{near}`"),
            None => "remove it, or put it below one of the keys of Envoy's bootstrap, such as `static_resources`".to_owned(),
        };
        return Some((format!("Envoy's bootstrap has no `{key}`"), help));
    };
    let is_right = match (holds, &node.kind) {
        (_, Kind::Null) => true,
        (Holds::Message, kind) => matches!(kind, Kind::Map(_)),
        (Holds::List, kind) => matches!(kind, Kind::List(_)),
        (Holds::Value, kind) => !matches!(kind, Kind::Map(_) | Kind::List(_)),
    };
    let wanted = match holds {
        Holds::Message => "a map",
        Holds::List => "a list",
        Holds::Value => "a single value",
    };
    (!is_right).then(|| {
        (
            format!("`{key}` of the bootstrap must be {wanted}"),
            format!("write {wanted}, as in Envoy's documentation of the bootstrap"),
        )
    })
}

/// A key as Envoy's documentation writes it; it may also be written in camel case.
fn snake(key: &str) -> String {
    let mut name = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    fn says(kind: &str, value: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {{name: a, namespace: network}}
spec:
  bootstrap:
    {kind}
    value: |
      {}
",
            value.replace('\n', "\n      ")
        );
        let found = told(check, "1.9.0", &[("a.yaml", &text)]);
        let short = |one: &String| {
            one.replace("error envoy/unusable-bootstrap /spec/bootstrap/value: ", "")
        };
        found.iter().map(short).collect()
    }

    #[test]
    fn a_part_of_a_bootstrap_is_merged() {
        let part = "stats_config: {use_all_default_tags: true}\nlayeredRuntime: {layers: []}";
        assert_eq!(says("type: Merge", part), [""; 0]);
        assert_eq!(
            says("", part),
            ["the bootstrap replaces the whole configuration, but has no `dynamic_resources`"]
        );
        let whole = format!("{part}\ndynamic_resources: {{}}");
        assert_eq!(says("type: Replace", &whole), [""; 0]);
    }

    #[test]
    fn a_bootstrap_has_the_keys_and_types_of_envoy() {
        let merged = |value: &str| says("type: Merge", value);
        assert_eq!(
            merged("stat_config: {}"),
            ["Envoy's bootstrap has no `stat_config`"]
        );
        assert_eq!(
            merged("layered_runtime: [{name: a}]"),
            ["`layered_runtime` of the bootstrap must be a map"]
        );
        assert_eq!(
            merged("stats_sinks: {name: a}"),
            ["`stats_sinks` of the bootstrap must be a list"]
        );
        assert_eq!(merged("- a"), ["the bootstrap is not a map"]);
        assert_eq!(merged("a: {\nb: ]").len(), 1);
    }
}
