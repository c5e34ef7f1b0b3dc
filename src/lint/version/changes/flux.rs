//! Flux: the changelogs of its controllers, from Flux 2.6 (helm-controller 1.3) to 2.9 (helm-controller 1.6).

use super::{Change, Effect, Instead, Project, Seen, Touches, always, change, mended};

pub(super) const PROJECT: Project = Project {
    name: "flux",
    title: "Flux",
    covers: ("2.6.0", "2.9.5"),
    changes: CHANGES,
};

/// An API version of a kind that a release removes.
const fn removed(
    at: &'static [&'static str],
    kinds: &'static [&'static str],
    is_it: fn(&Seen<'_>) -> bool,
    message: &'static str,
    now: &'static str,
) -> Change {
    let change = change(
        at,
        Effect::Breaks,
        Touches::Field(kinds, "apiVersion", is_it),
        message,
        "the API server has no such version, so nothing of the Flux Kustomization is applied",
        "write the version that replaces it, before the upgrade; the earlier Flux has it, too",
    );
    mended(change, Instead::Value(now))
}

const SOURCES: &[&str] = &[
    "GitRepository",
    "HelmRepository",
    "HelmChart",
    "OCIRepository",
    "Bucket",
];
const HELM: &str = "helm.toolkit.fluxcd.io/v2";
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io/v1";
const SOURCE: &str = "source.toolkit.fluxcd.io/v1";

const CHANGES: &[Change] = &[
    removed(
        &["2.7.0"],
        &["HelmRelease"],
        |it| it.text() == "helm.toolkit.fluxcd.io/v2beta1",
        "there is no HelmRelease in `v2beta1`",
        HELM,
    ),
    removed(
        &["2.8.0"],
        &["HelmRelease"],
        |it| it.text() == "helm.toolkit.fluxcd.io/v2beta2",
        "there is no HelmRelease in `v2beta2`",
        HELM,
    ),
    removed(
        &["2.7.0"],
        &["Kustomization"],
        |it| it.text() == "kustomize.toolkit.fluxcd.io/v1beta1",
        "there is no Kustomization in `v1beta1`",
        KUSTOMIZE,
    ),
    removed(
        &["2.8.0"],
        &["Kustomization"],
        |it| it.text() == "kustomize.toolkit.fluxcd.io/v1beta2",
        "there is no Kustomization in `v1beta2`",
        KUSTOMIZE,
    ),
    removed(
        &["2.7.0"],
        SOURCES,
        |it| it.text() == "source.toolkit.fluxcd.io/v1beta1",
        "there is no source in `v1beta1`",
        SOURCE,
    ),
    removed(
        &["2.8.0"],
        SOURCES,
        |it| it.text() == "source.toolkit.fluxcd.io/v1beta2",
        "there is no source in `v1beta2`",
        SOURCE,
    ),
    change(
        &["2.8.0"],
        Effect::Behaves,
        Touches::Fields(&["HelmRelease"], "spec", always),
        "new HelmReleases are applied server-side, and are ready when all of their objects are (Helm 4)",
        "a chart whose objects have duplicate keys or never become ready fails, where Helm 3 accepted it",
        "nothing to do for installed releases; `install.serverSideApply: false` and `waitStrategy.name: legacy` keep it for one release",
    ),
    change(
        &["2.9.0"],
        Effect::Behaves,
        Touches::Fields(&["HelmRelease"], "spec.postRenderers", always),
        "post-renderers also see the hooks of a chart",
        "a patch that is meant for all objects of a kind now changes hooks, too",
        "check the patches, or set the feature gate `UseHelm3Defaults` of helm-controller",
    ),
    change(
        &["2.9.0"],
        Effect::Behaves,
        Touches::Fields(&["Kustomization"], "spec.postBuild", always),
        "substitution is strict: a variable that nobody sets, and that has no default, is an error",
        "the Kustomization is not applied any more; before, the variable became an empty text",
        "run `gatewayctl validate`, which reports such variables, and write `${NAME:=}` where an empty text is meant",
    ),
];
