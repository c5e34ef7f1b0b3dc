//! Objects that are applied together with the HelmRelease that installs their CustomResourceDefinitions.

use crate::lint::LintContext;
use manifest::diagnostic::Diagnostic;
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "flux"/"crds-beside-users", Warning, "Objects in the same Flux Kustomization as the chart that installs their CRDs.",
    r#"
A Flux Kustomization contains a HelmRelease whose chart installs CustomResourceDefinitions, and objects of these kinds.
Before Flux applies anything of a Kustomization, it asks the API server about each object. On a new cluster, the API
server refuses the objects, because it doesn't have their kinds yet. Flux then doesn't apply the HelmRelease either, so
the CRDs are never installed. Put the objects into a second Flux Kustomization that depends on the first, or install the
CRDs before Flux and say so with `install.crds: Skip` in the HelmRelease. What `cluster.toml` renders is not reported;
there, `chart.bootstrap` writes a helmfile that installs the CRDs before Flux.

## Wrong

```yaml
# app/kustomization.yaml
kind: Kustomization
resources:
  - ./helmrelease.yaml # the chart `keda`
  - ./scaledobject.yaml
```

## Right

```yaml
kind: Kustomization
metadata:
  name: keda-config
spec:
  path: ./kubernetes/apps/observability/keda/config # scaledobject.yaml
  dependsOn:
    - name: keda
```
"#
}

/// Reports `user`, which the Flux Kustomization `flux` applies together with `release`.
pub(crate) fn report(
    context: &LintContext<'_>,
    release: &Object,
    user: &Object,
    flux: usize,
) -> Option<Diagnostic> {
    let flux = context.objects.get(flux)?;
    let kind = Pointer::root().key("kind");
    let name = Pointer::root().key("metadata").key("name");
    let message = format!(
        "{} applies {} {} together with the HelmRelease {}, which installs its CRD",
        flux.name(),
        user.kind(),
        user.name(),
        release.name()
    );
    let one = finding(CODE, user, &kind, message)
        .related(release.span(&name), "this installs the CRD")
        .related(flux.span(&name), "both are applied by this")
        .why("on a new cluster the API server refuses the object, and Flux then applies nothing of the Kustomization, not even the HelmRelease");
    // What `cluster.toml` renders is in one Kustomization by design; there, `chart.bootstrap` installs the CRDs first.
    let is_rendered = context.model.is_some() && release.origins.is_some();
    (!is_rendered).then(|| {
        one.help("move the object to a second Flux Kustomization with `dependsOn`, or install the CRDs before Flux and set `install.crds: Skip` in the HelmRelease")
    })
}
