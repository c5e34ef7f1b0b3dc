//! Addresses of Helm charts in a form that the program that reads them doesn't take.

use crate::lint::LintContext;
use envoy_gateway::read::{list, text};
use flux_repo::ARGO_CD;
use manifest::diagnostic::Diagnostic;
use manifest::value::{Node, Pointer, variable};
use manifest::{Object, finding};

manifest::code! {
    "reference"/"chart-address", Error, "The address of a chart in a form that nothing reads.",
    r#"
Charts are in repositories with an index, at an address that begins with `https://`, or in a registry for containers.
Flux takes a HelmRepository for one with an index unless its `type` is `oci`; then its address begins with `oci://`.
For a source with a `chart`, Argo CD takes the address of the registry without `oci://`; with it, the address must be
that of the chart itself.

## Wrong

```yaml
kind: HelmRepository
spec: { url: "oci://registry.example.com/charts" }
```

## Right

```yaml
kind: HelmRepository
spec: { type: oci, url: "oci://registry.example.com/charts" }
```
"#
}

const OCI: &str = "oci://";

/// Reports addresses that don't fit their type.
pub(crate) fn check(context: &LintContext<'_>) -> Vec<Diagnostic> {
    let repositories = context.of_kind("source.toolkit.fluxcd.io", "HelmRepository");
    let mut found: Vec<Diagnostic> = Vec::new();
    let of_flux = repositories.filter_map(|it| of_repository(it.object));
    let applications = context.of_kind(ARGO_CD, "Application");
    let of_argo = applications.flat_map(|it| of_application(it.object));
    for one in of_flux.chain(of_argo) {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn of_repository(object: &Object) -> Option<Diagnostic> {
    let url = text(&object.node, &["spec", "url"]).filter(|url| !variable::in_text(url))?;
    let kind = text(&object.node, &["spec", "type"]).unwrap_or("default");
    let spec = Pointer::root().key("spec");
    let name = object.name();
    let (place, message, help) = match (kind, url.starts_with(OCI)) {
        ("default", true) => (
            spec.key("url"),
            format!("HelmRepository {name} has an `{OCI}` address, but not the type `oci`"),
            "add `type: oci`".to_owned(),
        ),
        ("oci", false) => (
            spec.key("url"),
            format!(
                "HelmRepository {name} is of the type `oci`, but its address doesn't begin with `{OCI}`"
            ),
            format!("write an `{OCI}` address, or remove `type` if the repository has an index"),
        ),
        _ => return None,
    };
    Some(
        finding(CODE, object, &place, message)
            .why("Flux can't fetch any chart from it, so the HelmReleases that use it are not installed")
            .help(help),
    )
}

fn of_application(object: &Object) -> Vec<Diagnostic> {
    let spec = Pointer::root().key("spec");
    let one = object.node.path(&["spec", "source"]);
    let one = one.map(|node| (spec.key("source"), node));
    let several = list(&object.node, &["spec", "sources"]).iter().enumerate();
    let several = several.map(|(at, node)| (spec.key("sources").index(at), node));
    let all: Vec<(Pointer, &Node)> = one.into_iter().chain(several).collect();
    let wrong = all.into_iter().filter_map(|(place, source)| {
        let chart = text(source, &["chart"])?;
        let url = text(source, &["repoURL"])?;
        let rest = url.strip_prefix(OCI)?;
        // Since 3.1, Argo CD takes the whole address of a chart, and ignores `chart`.
        let last = |text: &str| text.rsplit('/').next().map(str::to_owned);
        if last(rest) == last(chart) {
            return None;
        }
        let message =
            format!("Argo CD looks for a chart at `{url}` itself, not for `{chart}` below it");
        Some(
            finding(CODE, object, &place.key("repoURL"), message)
                .why("Argo CD can't fetch the chart, so nothing is installed")
                .help(format!("write `repoURL: {rest}`")),
        )
    });
    wrong.collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::lint::support::told;

    #[test]
    fn flux_is_told_that_a_repository_is_a_registry() {
        let says = |spec: &str| {
            let text = format!(
                "apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {{name: r, namespace: flux-system}}
spec: {{{spec}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        let place = "error reference/chart-address /spec/url: HelmRepository r";
        assert_eq!(says("type: oci, url: 'oci://example.com/charts'"), [""; 0]);
        assert_eq!(says("url: 'https://example.com/charts'"), [""; 0]);
        assert_eq!(
            says("url: 'oci://example.com/charts'"),
            [format!(
                "{place} has an `oci://` address, but not the type `oci`"
            )]
        );
        assert_eq!(
            says("type: oci, url: 'https://example.com/charts'"),
            [format!(
                "{place} is of the type `oci`, but its address doesn't begin with `oci://`"
            )]
        );
    }

    #[test]
    fn argo_cd_takes_the_address_of_a_registry_as_it_is() {
        let says = |source: &str| {
            let text = format!(
                "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: a, namespace: argocd}}
spec: {{source: {{{source}}}}}
"
            );
            told(check, "1.9.0", &[("a.yaml", &text)])
        };
        assert_eq!(says("chart: a, repoURL: example.com/charts"), [""; 0]);
        assert_eq!(
            says("chart: a, repoURL: 'oci://example.com/charts'"),
            [
                "error reference/chart-address /spec/source/repoURL: Argo CD looks for a chart at `oci://example.com/charts` itself, not for `a` below it"
            ]
        );
        assert_eq!(says("path: ., repoURL: 'oci://example.com/a'"), [""; 0]);
        assert_eq!(says("chart: a, repoURL: 'oci://example.com/a'"), [""; 0]);
    }
}
