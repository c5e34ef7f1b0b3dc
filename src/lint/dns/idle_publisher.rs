//! Publishers of DNS records whose filters admit none of the gateways and routes.

use super::published::Name;
use envoy_gateway::exposure::publisher::Publisher;
use envoy_gateway::exposure::selector::Selector;
use envoy_gateway::index::Key;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "dns"/"idle-publisher", Warning, "A publisher of DNS records whose filter matches none of the gateways or routes.",
    r#"
external-dns can be restricted to one gateway (`--gateway-name`, `--gateway-namespace`, `--gateway-label-filter`) and to
routes of a namespace or with an annotation or a label. None of the routes at hand passes one of these filters, so nothing
is published for any of them. The reason is usually a misspelt name, or that `namespaced: true` also restricts the
namespace of the routes.

## Wrong

```yaml
kind: HelmRelease # of external-dns
spec:
  values: { sources: [gateway-httproute], extraArgs: [--gateway-name=envoy-extrenal] }
```

## Right

```yaml
kind: HelmRelease # of external-dns
spec:
  values: { sources: [gateway-httproute], extraArgs: [--gateway-name=envoy-external] }
```
"#
}

/// Reports a publisher for routes one of whose filters admits none of the names.
pub(crate) fn report<'a>(
    names: &[Name<'_, 'a>],
    publisher: &Publisher<'a>,
) -> Option<(&'a Object, Diagnostic)> {
    let filter = &publisher.filter;
    let reads_routes = filter.kinds.as_ref().is_some_and(|kinds| !kinds.is_empty());
    if names.is_empty() || filter.is_open || !reads_routes {
        return None;
    }
    let is_out = |named: Option<&str>, found: &dyn Fn(&Name<'_, 'a>) -> String| {
        let wanted = named.filter(|it| !variable::in_text(it))?;
        let mut all = names.iter().map(found);
        (!all.any(|it| it == wanted || variable::in_text(&it))).then(|| wanted.to_owned())
    };
    let gateway = |name: &Name<'_, 'a>| name.gateway.name().to_owned();
    let of_gateway = |name: &Name<'_, 'a>| name.gateway.namespace().to_owned();
    let of_route = |name: &Name<'_, 'a>| Key::of(name.route.object).namespace.to_owned();
    let label = |name: &Name<'_, 'a>| {
        let labels = name.gateway.node.path(&["metadata", "labels"]);
        let label = |key: &str| labels.and_then(|map| map.get(key)?.as_str());
        filter
            .gateway_labels
            .as_ref()
            .is_none_or(|it| it.matches(label))
    };
    let of_routes = |selector: &Option<Selector>, below: &str| {
        let is_met = |name: &Name<'_, 'a>| {
            let map = name.route.object.node.path(&["metadata", below]);
            let label = |key: &str| map.and_then(|map| map.get(key)?.as_str());
            selector.as_ref().is_none_or(|it| it.matches(label))
        };
        names.iter().any(is_met)
    };
    let (message, help) = if let Some(name) = is_out(filter.gateway, &gateway) {
        (
            format!("no route is attached to a gateway `{name}`"),
            "write the name of a gateway that routes are attached to",
        )
    } else if let Some(name) = is_out(filter.gateway_namespace, &of_gateway) {
        (
            format!("no gateway with routes is in the namespace `{name}`"),
            "write the namespace of the gateways",
        )
    } else if let Some(name) = is_out(filter.namespace, &of_route) {
        (
            format!("no route is in the namespace `{name}`"),
            "remove the restriction to one namespace (`namespaced`, `--namespace`)",
        )
    } else if !names.iter().any(label) {
        (
            "no gateway with routes has the labels of its filter".to_owned(),
            "use labels that a gateway has in `metadata.labels`",
        )
    } else if !of_routes(&filter.annotations, "annotations") {
        (
            "no route has the annotations of its filter".to_owned(),
            "annotate the routes that are to be published, or change the filter",
        )
    } else if !of_routes(&filter.labels, "labels") {
        (
            "no route has the labels of its filter".to_owned(),
            "label the routes that are to be published, or change the filter",
        )
    } else {
        return None;
    };
    // A publisher that cluster.toml only states to exist is in no manifest.
    let object = publisher.object?;
    let place = Pointer::root().key("spec").key("values");
    let place = match object.node.at(&place) {
        Some(_) => place,
        None => Pointer::root().key("metadata").key("name"),
    };
    let message = format!("{} publishes nothing: {message}", publisher.by);
    Some((
        object,
        finding(CODE, object, &place, message)
            .why("there are no DNS records for the hostnames of routes, so clients don't find the gateway")
            .help(help),
    ))
}

#[cfg(test)]
mod tests {
    use crate::lint::dns::published::tests::says;

    #[test]
    fn a_filter_admits_a_gateway() {
        let of = |arguments: &str| {
            let values = format!("sources: [gateway-httproute]{arguments}");
            let found = says(&["external"], "shop.example.com", &values);
            let found = found.into_iter();
            found
                .filter(|one| one.contains("idle-publisher"))
                .collect::<Vec<_>>()
        };
        let place =
            "warning dns/idle-publisher /spec/values: HelmRelease network/dns publishes nothing: ";
        assert_eq!(of(", extraArgs: [--gateway-name=external]"), [""; 0]);
        assert_eq!(
            of(", extraArgs: [--gateway-name=extrenal]"),
            [format!(
                "{place}no route is attached to a gateway `extrenal`"
            )]
        );
        assert_eq!(
            of(", extraArgs: [--gateway-namespace=edge]"),
            [format!(
                "{place}no gateway with routes is in the namespace `edge`"
            )]
        );
        assert_eq!(
            of(", extraArgs: [--gateway-label-filter=side=outside]"),
            [format!(
                "{place}no gateway with routes has the labels of its filter"
            )]
        );
        assert_eq!(
            of(", namespaced: true"),
            [format!("{place}no route is in the namespace `network`")]
        );
        assert_eq!(
            of(", annotationFilter: 'example.com/publish in (yes)'"),
            [format!("{place}no route has the annotations of its filter")]
        );
    }
}
