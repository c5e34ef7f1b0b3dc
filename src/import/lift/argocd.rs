//! `[delivery]`, `[argocd]`, and the chart's values in an Application.

use super::rows::{self, APPLICATION, APPLICATION_OF_FOLDER, RELEASE};
use super::{Form, Lift};
use crate::config::delivery::DeliveryKind;
use crate::import::config::{flag, text};
use crate::import::files::{below, name_of, text as text_at};
use manifest::value::{Map, Node};

/// The sync wave of an Application.
const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

impl Lift<'_> {
    /// The chart's Application, if it is beside the folder, together with the folder's.
    fn applications(&self) -> [Option<usize>; 2] {
        let home = |at: &usize| {
            let found = self.found(*at);
            below(&self.door.place.app, &found.path).is_some()
                && !found.sealed
                && !self.out.contains(at)
        };
        let [chart, folder] = self.door.applications.map(|at| at.filter(home));
        [chart.filter(|_| folder.is_some()), folder]
    }

    /// The values that the chart's Application contains; without one, that no release is written.
    pub(super) fn chart_of_application(&mut self) {
        let [Some(chart), _] = self.applications() else {
            return self.set(&["chart", "release", "enabled"], flag(false));
        };
        let node = self.node(chart);
        let helm = |key: &str| node.path(&["spec", "source", "helm", key]);
        let release = helm("releaseName").and_then(Node::as_str);
        let release = release.unwrap_or(self.name(chart));
        if release != "envoy-gateway" {
            self.set(&["chart", "name"], text(release));
        }
        let registry = text_at(node, &["spec", "source", "repoURL"]);
        let address = format!(
            "oci://{registry}/{}",
            text_at(node, &["spec", "source", "chart"])
        );
        if !registry.is_empty() && !registry.contains("://") {
            self.chart_address(&address);
        }
        let values = helm("valuesObject").cloned().unwrap_or_else(Node::map);
        self.values_of_release(&release_with(values));
    }

    /// What applies the folders, and the Applications.
    pub(super) fn lift_applications(&mut self) {
        let kind = self.door.delivery.kind;
        self.set(&["delivery", "kind"], text(kind.as_str()));
        if kind != DeliveryKind::ArgoCd {
            return;
        }
        let [chart, Some(folder)] = self.applications() else {
            return self.set(&["argocd", "enabled"], flag(false));
        };
        let first = self.node(chart.unwrap_or(folder));
        let mut table = rows::lift(APPLICATION, first, "");
        let app = name_of(&self.door.place.app);
        let name = chart.map_or(app, |chart| self.name(chart));
        if name != app {
            table.insert("name", text(name));
        }
        let of_chart = chart.and_then(|chart| wave(self.node(chart)));
        if let Some(wave) = of_chart.filter(|wave| *wave != 0) {
            table.insert("sync_wave", Node::from_json(serde_json::json!(wave)));
        }
        let node = self.node(folder);
        for (key, entry) in rows::lift(APPLICATION_OF_FOLDER, node, "").into_entries() {
            table.insert_entry(key, entry);
        }
        self.extend(&["argocd"], table);
        let mut own = Map::default();
        if self.name(folder) != format!("{name}-{}", name_of(&self.door.place.folder)) {
            own.insert("name", text(self.name(folder)));
        }
        let limit = node.path(&["spec", "syncPolicy", "retry", "limit"]);
        let numbers = [
            ("sync_wave", wave(node), 1),
            ("retries", limit.and_then(Node::as_i64), 10),
        ];
        for (key, number, default) in numbers {
            let number = number.unwrap_or(0);
            if number != default {
                own.insert(key, Node::from_json(serde_json::json!(number)));
            }
        }
        if !own.is_empty() {
            self.extend(&["argocd", "config"], own);
        }
        if let Some(chart) = chart {
            self.flux_slot(chart, &["argocd"], Form::Object);
        }
        self.flux_slot(folder, &["argocd", "config"], Form::Object);
    }

    /// The settings that are values of the chart.
    pub(super) fn values_of_release(&mut self, release: &Node) {
        let table = rows::lift(RELEASE, release, "");
        for (key, value) in table.iter() {
            match value.as_map() {
                Some(below) => self.extend(&["chart", key], below.clone()),
                None => self.set(&["chart", key], value.clone()),
            }
        }
        let deploy = [
            "spec",
            "values",
            "config",
            "envoyGateway",
            "provider",
            "kubernetes",
            "deploy",
            "type",
        ];
        if text_at(release, &deploy) != "GatewayNamespace" {
            self.set(&["chart", "deploy"], text("ControllerNamespace"));
        }
    }
}

/// A HelmRelease with these values and nothing else, so that they are read as those of one are.
fn release_with(values: Node) -> Node {
    let mut release = Node::map();
    rows::put(&mut release, "spec.values", values);
    release
}

fn wave(application: &Node) -> Option<i64> {
    let annotations = application.path(&["metadata", "annotations"])?;
    annotations.get(SYNC_WAVE)?.as_str()?.parse().ok()
}
