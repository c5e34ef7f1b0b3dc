//! A Flux Kustomization: what it sets on objects and which variables it substitutes.

use std::collections::BTreeMap;

use super::DeliveryPath;
use super::kustomization::pairs;
use super::patches::patches_anything;
use manifest::Object;
use manifest::value::{Kind, Node};

/// The API group of the Flux Kustomization.
pub const FLUX: &str = "kustomize.toolkit.fluxcd.io";

/// Whether an object is a Flux Kustomization, of any version.
pub fn is_flux_kustomization(object: &Object) -> bool {
    object.group() == FLUX && object.kind() == "Kustomization"
}

/// The outermost part of a way: what a Flux Kustomization sets. `at` is its index among the objects.
pub(super) fn way(at: usize, flux: &Object) -> DeliveryPath {
    let text = |key: &str| {
        let text = flux.node.path(&["spec", key]).and_then(Node::as_str);
        text.unwrap_or_default().to_owned()
    };
    let common = |key: &str| pairs(flux.node.path(&["spec", "commonMetadata", key])).collect();
    DeliveryPath {
        flux: Some(at),
        namespace: Some(text("targetNamespace")).filter(|text| !text.is_empty()),
        labels: common("labels"),
        annotations: common("annotations"),
        prefix: text("namePrefix"),
        suffix: text("nameSuffix"),
        patched_by: patches_anything(&flux.node)
            .then_some(at)
            .into_iter()
            .collect(),
        ..DeliveryPath::default()
    }
}

/// The folders of the components that a Flux Kustomization adds (`spec.components`), relative to its `spec.path`.
pub(super) fn components(flux: &Object) -> Vec<&str> {
    let components = flux.node.path(&["spec", "components"]);
    let components = components.and_then(Node::as_list).unwrap_or_default();
    components.iter().filter_map(Node::as_str).collect()
}

/// The variables that a Flux Kustomization substitutes (`spec.postBuild`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substitutes {
    /// The variables in `substitute`, with their values.
    pub given: BTreeMap<String, String>,
    /// The ConfigMaps and Secrets in `substituteFrom`, which contain more variables.
    pub from: Vec<VariableSource>,
}

/// A ConfigMap or Secret that contains variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableSource {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// Its name, in the namespace of the Flux Kustomization.
    pub name: String,
    /// Whether it may be missing.
    pub is_optional: bool,
}

impl Substitutes {
    /// Reads `spec.postBuild` of the Flux Kustomization `flux`.
    pub fn of(flux: &Object) -> Self {
        let given = flux.node.path(&["spec", "postBuild", "substitute"]);
        let given = given.and_then(Node::as_map).into_iter();
        let from = flux.node.path(&["spec", "postBuild", "substituteFrom"]);
        let from = from.and_then(Node::as_list).unwrap_or_default().iter();
        let text = |node: &Node, key: &str| {
            let text = node.get(key).and_then(Node::as_str);
            text.unwrap_or_default().to_owned()
        };
        Substitutes {
            given: given
                .flat_map(|map| map.iter())
                .map(|(name, value)| {
                    (
                        name.to_owned(),
                        value.as_str().unwrap_or_default().to_owned(),
                    )
                })
                .collect(),
            from: from
                .map(|one| VariableSource {
                    kind: text(one, "kind"),
                    name: text(one, "name"),
                    is_optional: one
                        .get("optional")
                        .is_some_and(|flag| flag.kind == Kind::Bool(true)),
                })
                .collect(),
        }
    }

    /// Whether there are no variables at all. Flux then leaves every `${…}` as it is, even one with a default.
    pub fn is_nothing(&self) -> bool {
        self.given.is_empty() && self.from.is_empty()
    }

    /// Whether there are certainly variables. Flux then replaces every `${…}`; an unknown variable without a default
    /// becomes an empty string.
    pub fn is_something(&self) -> bool {
        !self.given.is_empty() || self.from.iter().any(|source| !source.is_optional)
    }
}
