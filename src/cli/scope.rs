//! What belongs to other clusters of the same description.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::described::DescribedCluster;
use super::manifests::Manifests;
use flux_repo::{Cluster, Delivery};
use manifest::Object;
use manifest::diagnostic::Sources;
use manifest::value::path;

/// The part of a repository that is judged together with what is rendered for one cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The cluster; `None` for all of the repository.
    pub cluster: Option<String>,
    /// All clusters that the configuration describes.
    pub described: Arc<Vec<DescribedCluster>>,
}

impl Scope {
    /// The clusters that are described, without this one.
    fn others(&self) -> impl Iterator<Item = &DescribedCluster> {
        let others = self.described.iter();
        others.filter(|it| self.cluster.as_ref().is_some_and(|own| *own != it.name))
    }

    fn own(&self) -> Option<&DescribedCluster> {
        let name = self.cluster.as_ref()?;
        self.described.iter().find(|it| it.name == *name)
    }

    /// Whether a file is in the folder that another cluster of the description is rendered to.
    pub(super) fn is_of_another(&self, file: &str) -> bool {
        if self.others().next().is_none() {
            return false;
        }
        let around = self.described.iter();
        let around =
            around.filter(|it| !it.path.is_empty() && path::below(&it.path, file).is_some());
        let nearest = around.max_by_key(|it| it.path.len());
        nearest.is_some_and(|it| Some(&it.name) != self.cluster.as_ref())
    }

    /// Whether a cluster of the manifests may be the one that is described.
    pub(super) fn is_own(&self, cluster: &Cluster<'_>) -> bool {
        let own = self.own();
        own.is_some_and(|it| cluster.may_hold(&index_of(it)))
    }

    /// Leaves out the manifests that are applied only in other clusters of the description: without what is rendered for
    /// those, they can't be judged. They are judged together with it. `rendered` are the objects of this cluster.
    pub(super) fn leave_out_others(
        &self,
        found: &mut Manifests,
        rendered: &[Object],
        sources: &Sources,
    ) {
        let others: Vec<String> = self.others().map(index_of).collect();
        if others.is_empty() {
            return;
        }
        let mut names = found.names.clone();
        names.extend(rendered.iter().map(|object| object.file.clone()));
        let objects: Vec<Object> = found.objects.iter().chain(rendered).cloned().collect();
        let delivery = Delivery::of(&objects, &names);
        let clusters = delivery.clusters(objects.iter().map(|object| object.file.as_str()));
        if clusters.len() < 2 {
            return;
        }
        let is_judged = |cluster: &&Cluster<'_>| {
            self.is_own(cluster) || !others.iter().any(|file| cluster.may_hold(file))
        };
        let judged: Vec<&Cluster<'_>> = clusters.iter().filter(is_judged).collect();
        let is_left_out = |file: &&String| !judged.iter().any(|cluster| cluster.may_hold(file));
        let left_out: BTreeSet<String> = found.names.iter().filter(is_left_out).cloned().collect();
        found.leave_out(&left_out, sources);
    }
}

/// A file that is only in the folder of the cluster.
fn index_of(cluster: &DescribedCluster) -> String {
    format!("{}/kustomization.yaml", cluster.path)
}
