//! An Envoy image with another minor version than the one that Envoy Gateway uses.
//!
//! Envoy Gateway generates configuration for one minor version of Envoy (`DefaultEnvoyProxyImage` in
//! `api/v1alpha1/shared_types.go`), and is only tested with that one.

use crate::lint::{LintContext, field};
use manifest::diagnostic::Diagnostic;
use manifest::finding;
use manifest::value::Node;

manifest::code! {
    "version"/"envoy-image", Warning, "An Envoy image of another version than the chart's.",
    r#"
Envoy Gateway generates its configuration for one minor version of Envoy, the one that it comes with. Another
version may refuse a part of it. Then running proxies keep their old configuration, and new ones have no
listeners.

## Wrong

```yaml
# with Envoy Gateway 1.9
kind: EnvoyProxy
spec:
  provider:
    kubernetes:
      envoyDeployment: { container: { image: "mirror.gcr.io/envoyproxy/envoy:distroless-v1.37.0" } }
```

## Right

```yaml
kind: EnvoyProxy
spec:
  provider:
    kubernetes:
      envoyDeployment: { container: { imageRepository: mirror.gcr.io/envoyproxy/envoy } }
```
"#
}

/// Major and minor version.
type Minor = (u64, u64);

/// The minor version of Envoy Gateway, and that of its default Envoy: 1.35.8, 1.36.2, 1.37.0, 1.38.3 and 1.39.0 in
/// the releases 1.5.9, 1.6.0, 1.7.0, 1.8.3 and 1.9.0.
const SHIPPED: &[(Minor, Minor)] = &[
    ((1, 5), (1, 35)),
    ((1, 6), (1, 36)),
    ((1, 7), (1, 37)),
    ((1, 8), (1, 38)),
    ((1, 9), (1, 39)),
];

/// The fields that hold an image of Envoy: kind and path.
const PLACES: &[(&str, &str)] = &[
    ("EnvoyProxy", "spec.provider.kubernetes.*.container.image"),
    ("HelmRelease", "spec.values.global.images.envoyProxy.image"),
    (
        "HelmRelease",
        "spec.values.config.envoyGateway.envoyProxy.provider.kubernetes.*.container.image",
    ),
];

/// Reports images whose tag names another minor version of Envoy.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let shipped = SHIPPED
        .iter()
        .find(|(gateway, _)| Some(*gateway) == context.envoy_gateway());
    let Some(((_, gateway), (major, minor))) = shipped else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (kind, path) in PLACES {
        for object in context.given_of(kind) {
            for pointer in field::find(&object.node, path) {
                let image = object.node.at(&pointer).and_then(Node::as_str);
                let Some((a, b)) = image
                    .and_then(envoy_of)
                    .filter(|it| it != &(*major, *minor))
                else {
                    continue;
                };
                let message = format!(
                    "the image is Envoy {a}.{b}, but Envoy Gateway 1.{gateway} uses Envoy {major}.{minor}"
                );
                found.push(
                    finding(CODE, object, &pointer, message)
                        .why("an Envoy that refuses a part of the configuration keeps the old one, so changes have \
                              no effect, and a new proxy has no listeners at all")
                        .help(format!(
                            "use a tag of {major}.{minor}, or remove the image; `imageRepository` sets only the registry"
                        )),
                );
            }
        }
    }
    found
}

/// The minor version of the Envoy in an image's tag: `distroless-v1.39.0`, `v1.39-latest`.
fn envoy_of(image: &str) -> Option<Minor> {
    let image = image.split('@').next()?;
    let (repository, tag) = image.rsplit_once(':')?;
    let name = repository.rsplit('/').next()?;
    if !name.contains("envoy") {
        return None;
    }
    let version = tag.split('-').find_map(|part| {
        let mut numbers = part.strip_prefix('v').unwrap_or(part).split('.');
        let major = numbers.next()?.parse().ok()?;
        Some((major, numbers.next()?.parse().ok()?))
    });
    version.filter(|(major, _)| *major == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::support::told;

    #[test]
    fn the_tag_names_the_version() {
        for (image, want) in [
            (
                "docker.io/envoyproxy/envoy:distroless-v1.39.0",
                Some((1, 39)),
            ),
            ("mirror.example.com:5000/envoy:v1.38-latest", Some((1, 38))),
            ("envoyproxy/envoy:contrib-v1.37.2@sha256:abc", Some((1, 37))),
            ("envoyproxy/envoy@sha256:abc", None),
            ("envoyproxy/envoy:dev", None),
            ("example.com/proxy:1.2.3", None),
        ] {
            assert_eq!(envoy_of(image), want, "{image}");
        }
    }

    #[test]
    fn an_image_of_another_minor_version_is_told() {
        let proxy = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: x}
spec: {provider: {kubernetes: {envoyDeployment: {container: {image: 'example.com/envoy:v1.37.0'}}}}}
";
        let tree = [("a.yaml", proxy)];
        assert_eq!(
            told(check, "1.9.0", &tree),
            [
                "warning version/envoy-image /spec/provider/kubernetes/envoyDeployment/container/image: the image is \
              Envoy 1.37, but Envoy Gateway 1.9 uses Envoy 1.39"
            ]
        );
        assert_eq!(told(check, "1.7.5", &tree), [""; 0]);
    }
}
