//! Publishers of DNS records whose filters admit none of the gateways and routes.

use super::published::Name;
use crate::lint::Applied;
use envoy_gateway::exposure::publisher::{Filter, Publisher};
use envoy_gateway::exposure::selector::Selector;
use envoy_gateway::helm_routes::HELM;
use flux_repo::ARGO_CD;
use manifest::Object;
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::{Pointer, variable};

manifest::code! {
    "dns"/"idle-publisher", Warning, "A publisher of DNS records whose filter matches none of the gateways or routes.",
    r#"
external-dns can be restricted to one gateway (`--gateway-name`, `--gateway-namespace`, `--gateway-label-filter`) and to
routes of a namespace or with an annotation or a label. No gateway, or no route, passes one of these filters, so nothing
is published. The reason is usually a misspelt name, or that `namespaced: true` also restricts the
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

/// Reports a publisher for routes one of whose filters admits none of the gateways or none of the names.
pub(crate) fn report<'a>(
    gateways: &[&'a Object],
    names: &[Name<'_, 'a>],
    publisher: &Publisher<'a>,
    all: &[Applied<'a>],
) -> Option<(&'a Object, Diagnostic)> {
    let filter = &publisher.filter;
    let reads_routes = filter.kinds.as_ref().is_some_and(|kinds| !kinds.is_empty());
    if names.is_empty() || filter.is_open || !reads_routes {
        return None;
    }
    // A publisher that cluster.toml only states to exist is in no manifest.
    let object = publisher.object?;
    let (message, help) = match of_gateways(gateways, filter) {
        Some(told) => told,
        // A chart in another namespace may make routes that the filter admits.
        None if all
            .iter()
            .any(|it| may_make_routes(it.object, gateways, object)) =>
        {
            return None;
        }
        None => of_routes(names, filter)?,
    };
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

/// A filter that admits no gateway.
fn of_gateways(gateways: &[&Object], filter: &Filter<'_>) -> Option<(String, &'static str)> {
    let is_out = |wanted: &str, of: &dyn Fn(&Object) -> String| {
        let mut there = gateways.iter().map(|it| of(it));
        !variable::in_text(wanted) && !there.any(|it| it == wanted || variable::in_text(&it))
    };
    let has_labels = |gateway: &Object| {
        let labels = gateway.node.path(&["metadata", "labels"]);
        let label = |key: &str| labels.and_then(|map| map.get(key)?.as_str());
        let selector = filter.gateway_labels.as_ref();
        selector.is_none_or(|it| it.matches(label))
    };
    if let Some(name) = filter.gateway
        && is_out(name, &|it| it.name().to_owned())
    {
        let message = format!("there is no Gateway `{name}`");
        return Some((message, "write the name of a Gateway that exists"));
    }
    if let Some(name) = filter.gateway_namespace
        && is_out(name, &|it| it.namespace().to_owned())
    {
        let message = format!("no Gateway is in the namespace `{name}`");
        return Some((message, "write the namespace of the Gateways"));
    }
    (!gateways.iter().any(|it| has_labels(it))).then(|| {
        (
            "no Gateway has the labels of its filter".to_owned(),
            "use labels that a Gateway has in `metadata.labels`",
        )
    })
}

/// A filter that admits no route.
fn of_routes(names: &[Name<'_, '_>], filter: &Filter<'_>) -> Option<(String, &'static str)> {
    let is_met = |selector: &Option<Selector>, below: &str| {
        names.iter().any(|name| {
            let map = name.route.object.node.path(&["metadata", below]);
            let label = |key: &str| map.and_then(|map| map.get(key)?.as_str());
            selector.as_ref().is_none_or(|it| it.matches(label))
        })
    };
    if let Some(wanted) = filter.namespace.filter(|it| !variable::in_text(it)) {
        let mut there = names.iter().map(|name| name.route.object.namespace());
        if !there.any(|it| it == wanted || variable::in_text(it)) {
            return Some((
                format!("no route is in the namespace `{wanted}`"),
                "remove the restriction to one namespace (`namespaced`, `--namespace`)",
            ));
        }
    }
    if !is_met(&filter.annotations, "annotations") {
        return Some((
            "no route has the annotations of its filter".to_owned(),
            "annotate the routes that are to be published, or change the filter",
        ));
    }
    (!is_met(&filter.labels, "labels")).then(|| {
        (
            "no route has the labels of its filter".to_owned(),
            "label the routes that are to be published, or change the filter",
        )
    })
}

/// Whether an object is a release of a chart that may have routes.
fn may_make_routes(object: &Object, gateways: &[&Object], publisher: &Object) -> bool {
    let is_release = matches!(object.group(), HELM | ARGO_CD);
    let is_beside = |other: &Object| other.namespace() == object.namespace();
    is_release && !is_beside(publisher) && !gateways.iter().any(|it| is_beside(it))
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
            [format!("{place}there is no Gateway `extrenal`")]
        );
        assert_eq!(
            of(", extraArgs: [--gateway-namespace=edge]"),
            [format!("{place}no Gateway is in the namespace `edge`")]
        );
        assert_eq!(
            of(", extraArgs: [--gateway-label-filter=side=outside]"),
            [format!("{place}no Gateway has the labels of its filter")]
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
