//! Files that look like manifests, but from which another program makes the manifests.

use super::super::walk::SkipReason;
use super::{Input, Manifests, Role};
use flux_repo::{Kustomization, is_kustomization};
use manifest::Object;
use manifest::value::path::{folder, name};

/// The file that makes a folder a Helm chart.
const CHART: &str = "Chart.yaml";

/// Whether a file describes a Helm chart. It has an `apiVersion`, but is no Kubernetes object.
pub(super) fn is_chart(file: &str) -> bool {
    name(file) == CHART
}

/// Whether a text contains the marks of Go's templates or of Jinja.
fn has_template_marks(text: &str) -> bool {
    ["{{", "{%", "<%"].iter().any(|mark| text.contains(mark))
}

impl Manifests {
    /// Takes away the templates of Helm charts, unless they were named outright.
    pub(super) fn leave_out_chart_templates(&mut self, inputs: &mut Vec<Input>) {
        let names = &self.names;
        let is_template = |file: &str| {
            let mut at = folder(file);
            while !at.is_empty() {
                let above = folder(at);
                let chart = match above {
                    "" => CHART.to_owned(),
                    above => format!("{above}/{CHART}"),
                };
                if name(at) == "templates" && names.contains(&chart) {
                    return true;
                }
                at = above;
            }
            false
        };
        let skipped = &mut self.skipped;
        inputs.retain(|input| {
            let is_left_out = input.role != Role::Named && is_template(&input.name);
            if is_left_out {
                skipped.push((input.shown_path(), SkipReason::Template));
            }
            !is_left_out
        });
    }

    /// Whether a file that is no valid YAML is the source of another program's manifests: it has the marks of a
    /// template, and no kustomization lists it.
    pub(super) fn is_template(&self, file: &str, text: &str) -> bool {
        let lists = |object: &Object| {
            let kustomization = Kustomization::of(object);
            kustomization
                .entries()
                .iter()
                .any(|entry| entry.path == file)
        };
        let mut kustomizations = self
            .objects
            .iter()
            .filter(|object| is_kustomization(object));
        has_template_marks(text) && !kustomizations.any(lists)
    }
}
