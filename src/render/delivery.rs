//! The files that bring the chart and the folders into the cluster: Flux Kustomizations, Applications of Argo CD, the
//! chart's values for Helm, and the helmfile with its CRDs.

use super::comment::HEADER;
use super::files::{File, Kind, Renderer};
use super::objects::{Item, insert_values};
use crate::config::Text;
use crate::config::codes;
use crate::config::delivery::DeliveryKind;
use crate::model::layout::{FileLocation, Layout, join};
use manifest::diagnostic::Diagnostic;
use manifest::value::merge::merge;
use manifest::value::ser::to_node;
use manifest::value::{Map, Node};
use manifest::write;

/// The template of the chart's values.
const VALUES: &str = "values.yaml.j2";

/// The template of the helmfile that installs the CRDs in a new cluster.
const BOOTSTRAP: &str = "bootstrap-crds.yaml.j2";

impl Renderer<'_> {
    /// The values of the chart; `None` if nothing differs from the chart's defaults, or no release is written.
    pub(super) fn chart_values(&mut self) -> Option<Node> {
        let chart = &self.model.chart;
        let release = to_node(&chart.release.as_ref()?.values);
        let values = self.engine.values(VALUES, release, self.sources);
        let made = values.and_then(|values| self.engine.document(VALUES, &values, self.sources));
        match made {
            Ok(mut node) => {
                if let Some(over) = &chart.values {
                    merge(&mut node, over.clone());
                }
                let is_any = node.as_map().is_some_and(|map| !map.is_empty());
                is_any.then_some(node)
            }
            Err(problem) => {
                self.problems.push(*problem);
                None
            }
        }
    }

    /// Renders the file in the app's folder that `[delivery]` needs.
    pub(super) fn delivery(&mut self, values: Option<&Node>) {
        let layout = &self.model.layout;
        let app = layout.app_path();
        for kustomization in &self.model.flux.kustomizations {
            let name = &kustomization.values.name;
            self.plain(
                &join([app.as_str(), delivery_file(layout, "Kustomization", name)]),
                "ks.yaml.j2",
                &kustomization.values,
                kustomization.overlay.clone(),
            );
        }
        for application in &self.model.applications {
            let name = &application.values.name;
            let path = join([app.as_str(), delivery_file(layout, "Application", name)]);
            let mut node = to_node(&application.values);
            if let Ok(node) = &mut node {
                insert_values(node, values);
            }
            let item = Item {
                location: FileLocation {
                    folder: String::new(),
                    file: String::new(),
                },
                template: "application.yaml.j2",
                values: node,
                overlay: application.overlay.clone(),
                parts: Vec::new(),
            };
            self.object(&path, item, &self.model.namespace);
        }
        if self.model.delivery == DeliveryKind::Kustomize {
            self.values_file(values);
        }
    }

    /// What the namespace's kustomization lists, relative to its folder without `./`: the files with Flux
    /// Kustomizations or Applications, or the folders themselves.
    pub(super) fn delivered(&self) -> Vec<String> {
        let layout = &self.model.layout;
        let flux = self.model.flux.kustomizations.iter();
        let flux = flux.map(|one| delivery_file(layout, "Kustomization", &one.values.name));
        let applications = self.model.applications.iter();
        let applications =
            applications.map(|one| delivery_file(layout, "Application", &one.values.name));
        let files = flux.chain(applications).map(str::to_owned);
        match self.model.delivery {
            DeliveryKind::Flux | DeliveryKind::ArgoCd => files.collect(),
            DeliveryKind::Kustomize => {
                let folders = self.folders().into_iter();
                folders.map(|(folder, _)| folder).collect()
            }
        }
    }

    /// Writes the chart's values, and how Helm gets them.
    fn values_file(&mut self, values: Option<&Node>) {
        let (layout, chart) = (&self.model.layout, &self.model.chart);
        let Some(release) = &chart.release else {
            return;
        };
        let path = join([layout.app_path().as_str(), &layout.delivery_file]);
        let command = format!(
            "# helm upgrade --install {} {} --version {} --namespace {} --create-namespace --values {path}\n",
            release.values.name.value,
            chart.url.value,
            chart.version.value,
            self.model.namespace.value,
        );
        let command = match layout.header {
            true => super::comment::one_line(&command),
            false => String::new(),
        };
        let none = Node::new(manifest::value::Kind::Map(Map::default()), None);
        self.plain_yaml(&path, &command, values.unwrap_or(&none));
    }

    /// Renders the helmfile that installs the CRDs in a new cluster.
    pub(super) fn bootstrap(&mut self) {
        let Some(bootstrap) = &self.model.chart.bootstrap else {
            return;
        };
        let path = bootstrap.path.value.clone();
        if self.files.contains_key(&path) {
            return self.problems.push(taken(&bootstrap.path));
        }
        let values = self
            .engine
            .values(BOOTSTRAP, to_node(bootstrap), self.sources);
        let made = values.and_then(|values| self.engine.document(BOOTSTRAP, &values, self.sources));
        match made {
            Ok(node) => self.plain_yaml(&path, "", &node),
            Err(problem) => self.problems.push(*problem),
        }
    }

    /// Adds a file without objects.
    fn plain_yaml(&mut self, path: &str, comment: &str, node: &Node) {
        let header = if self.model.layout.header { HEADER } else { "" };
        let file = File {
            path: path.to_owned(),
            text: format!("{header}{comment}---\n{}", write::document(node)),
            objects: Vec::new(),
            templates: Vec::new(),
            kind: Kind::Plain,
            entries: Vec::new(),
            fresh: false,
        };
        self.files.insert(path.to_owned(), file);
    }
}

/// The file of a Flux Kustomization or an Application, relative to the app's folder.
fn delivery_file<'a>(layout: &'a Layout, kind: &str, name: &str) -> &'a str {
    layout.file_of(kind, name).unwrap_or(&layout.delivery_file)
}

fn taken(path: &Text) -> Diagnostic {
    Diagnostic::new(
        codes::CONFIG_DUPLICATE,
        format!("{:?} is the path of another rendered file", path.value),
    )
    .at(path.span)
    .why("the helmfile would replace that file")
    .help("write a path outside the app's folder, such as `bootstrap/helmfile.d/00-crds.yaml`")
}
