//! What Flux Kustomizations and HelmReleases depend on.

use std::collections::HashMap;

use crate::lint::{Applied, LintContext};
use envoy_gateway::helm_routes::HELM;
use flux_repo::FLUX;
use manifest::value::{Node, Pointer};

/// A Flux Kustomization or HelmRelease, and its dependencies.
#[derive(Clone, Debug)]
pub(crate) struct Dependent<'a> {
    /// The object itself.
    pub of: Applied<'a>,
    /// The entries of `dependsOn`.
    pub needs: Vec<Dependency<'a>>,
}

/// An entry of `dependsOn`.
#[derive(Clone, Debug)]
pub(crate) struct Dependency<'a> {
    /// Its path.
    pub pointer: Pointer,
    /// The namespace of the dependency.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
    /// Its index among all objects of the kind, if it is given.
    pub found: Option<usize>,
}

impl Dependent<'_> {
    /// The kind, as messages call it.
    pub(super) fn kind(&self) -> &'static str {
        match self.of.object.group() {
            FLUX => "Flux Kustomization",
            _ => "HelmRelease",
        }
    }
}

/// All Flux Kustomizations with their dependencies.
pub(crate) fn dependents<'a>(context: &LintContext<'a>) -> Vec<Dependent<'a>> {
    dependents_of(context, context.of_kind(FLUX, "Kustomization").collect())
}

/// All HelmReleases with their dependencies.
pub(super) fn dependent_releases<'a>(context: &LintContext<'a>) -> Vec<Dependent<'a>> {
    dependents_of(context, context.of_kind(HELM, "HelmRelease").collect())
}

/// Objects of one kind with their dependencies.
fn dependents_of<'a>(context: &LintContext<'a>, all: Vec<Applied<'a>>) -> Vec<Dependent<'a>> {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, one) in all.iter().enumerate() {
        by_name.entry(one.object.name()).or_default().push(at);
    }
    let find = |of: &Applied<'a>, namespace: &str, name: &str| {
        let mut named = by_name.get(name).into_iter().flatten().copied();
        named.find(|at| {
            all.get(*at).is_some_and(|there| {
                // An unknown namespace may be any.
                let is_there = there.object.namespace();
                (is_there == namespace || is_there.is_empty() || namespace.is_empty())
                    && context.may_share_cluster(there.object, of.object)
            })
        })
    };
    let read = |of: &Applied<'a>| {
        let pointer = Pointer::root().key("spec").key("dependsOn");
        let items = of.object.node.at(&pointer).and_then(Node::as_list);
        let items = items.unwrap_or_default().iter().enumerate();
        items
            .filter_map(|(at, item)| {
                let name = item.get("name")?.as_str()?;
                let namespace = item.get("namespace").and_then(Node::as_str);
                let namespace = namespace.unwrap_or_else(|| of.object.namespace());
                Some(Dependency {
                    pointer: pointer.index(at).key("name"),
                    namespace,
                    name,
                    found: find(of, namespace, name),
                })
            })
            .collect()
    };
    all.iter()
        .map(|of| Dependent {
            of: *of,
            needs: read(of),
        })
        .collect()
}

#[cfg(test)]
pub mod tests {

    /// A Flux Kustomization.
    pub fn ks(name: &str, rest: &str) -> String {
        format!(
            "
# net/{name}.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: network}}
spec:
  path: ./{name}
  {rest}"
        )
    }
}
