//! Turns objects into settings: for each object, finds the table of `cluster.toml` that renders it, and the settings
//! in that table. What no setting expresses is found later, by [`prove`](super::prove).

mod answers;
mod argocd;
mod auth;
mod autoscaling;
mod chart;
mod classes;
mod dns;
mod external;
mod flux;
mod gateways;
mod listeners;
mod monitoring;
mod network_policies;
mod policies;
mod rate_limit;
mod redirects;
mod rows;
mod settings;
mod streams;
mod traffic;

use std::collections::BTreeSet;

use super::config::{Config, flag, text};
use super::door::{FoundObject, FrontDoor};
use super::files::{Files, is, text as text_at};
use crate::model::layout::Group;
use crate::model::version::{COMPRESSOR, Version};
use crd_validate::schema::Catalogue;
use manifest::value::{Map, Node};

pub use rows::put;

/// An object, and the table that renders it.
#[derive(Clone, Debug)]
pub struct Slot {
    /// The object, as an index into the objects of the front door.
    pub object: usize,
    /// The table.
    pub table: Vec<String>,
    /// How values that no setting expresses are added.
    pub form: Form,
    /// The group that determines its file.
    pub group: Option<Group>,
    /// The gateway that it belongs to, if there is one.
    pub gateway: Option<String>,
}

/// How values are laid over the object that a table renders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// With `labels`, `annotations`, `object`, `spec`, `remove`.
    Object,
    /// The same. The table inherits from another one, which must be complete first.
    Inheriting,
    /// The same, with `chart.values` for `spec.values`.
    Release,
    /// The same, with a `spec` in the table of each listener.
    Gateway,
    /// With `extra.kustomization` or `extra.config_kustomization`, which cover everything. Nothing is removed.
    Kustomization,
}

/// The result of lifting.
#[derive(Clone, Debug, Default)]
pub struct Lifted {
    /// The configuration.
    pub config: Config,
    /// The objects that it renders.
    pub slots: Vec<Slot>,
    /// Comments in the configuration: the path of a key, and the text.
    pub comments: Vec<super::toml::Comment>,
    /// Notes for the user.
    pub notes: Vec<String>,
}

/// Lifts the objects of a front door, except for those in `out`.
pub fn lift(
    door: &FrontDoor,
    out: &BTreeSet<usize>,
    files: &Files,
    catalogue: &Catalogue,
    chart_elsewhere: Option<&str>,
) -> Lifted {
    let mut lift = Lift {
        door,
        out,
        files,
        catalogue,
        lifted: Lifted::default(),
        gateways: Vec::new(),
        version: Version::new(u64::MAX, 0, 0),
        domain: None,
        prefix: String::new(),
        has_both_prefixes: false,
    };
    lift.namespace();
    lift.chart(chart_elsewhere);
    lift.find_gateways();
    lift.dns();
    lift.classes();
    lift.lift_gateways();
    lift.tunnel();
    lift.network_policies();
    lift.traffic();
    lift.policies();
    lift.redirects();
    lift.external();
    lift.answers();
    lift.certificates();
    lift.autoscaling();
    lift.monitoring();
    lift.flux();
    lift.kustomizations();
    lift.lifted
}

/// A Gateway that is being lifted.
#[derive(Clone, Debug)]
struct Gateway {
    object: usize,
    name: String,
    /// The class that it names.
    class: String,
    /// Its own EnvoyProxy.
    proxy: Option<usize>,
}

struct Lift<'a> {
    door: &'a FrontDoor,
    out: &'a BTreeSet<usize>,
    files: &'a Files,
    catalogue: &'a Catalogue,
    lifted: Lifted,
    gateways: Vec<Gateway>,
    /// The version of Envoy Gateway.
    version: Version,
    domain: Option<String>,
    /// The prefix of the DNS annotations; empty if there are none.
    prefix: String,
    /// Whether gateways are annotated with both prefixes of external-dns.
    has_both_prefixes: bool,
}

impl<'a> Lift<'a> {
    fn found(&self, object: usize) -> &'a FoundObject {
        // The indices are those of this list.
        &self.door.objects[object]
    }

    fn node(&self, object: usize) -> &'a Node {
        &self.found(object).node
    }

    fn name(&self, object: usize) -> &'a str {
        self.found(object).name()
    }

    /// The objects of a kind that may be lifted.
    fn all(&self, group: &str, kind: &str) -> Vec<usize> {
        let mut names = BTreeSet::new();
        let objects = self.door.objects.iter().enumerate();
        objects
            .filter(|(at, found)| {
                is(&found.node, group, kind)
                    && found.listed
                    && !found.sealed
                    && !self.out.contains(at)
                    && self.is_at_home(found)
                    && !found.name().is_empty()
                    // A second object with the same name belongs to another folder.
                    && names.insert(found.name())
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether an object is in the namespace or has none, and is below one of the folders.
    fn is_at_home(&self, found: &FoundObject) -> bool {
        let namespace = text_at(&found.node, &["metadata", "namespace"]);
        (namespace.is_empty() || namespace == self.door.namespace)
            && self
                .door
                .folders()
                .any(|folder| super::files::below(folder, &found.path).is_some())
    }

    fn slot(&mut self, object: usize, table: &[&str], form: Form, group: Group) {
        self.slot_of(object, table, form, group, None);
    }

    fn slot_of(
        &mut self,
        object: usize,
        table: &[&str],
        form: Form,
        group: Group,
        gateway: Option<&str>,
    ) {
        self.lifted.slots.push(Slot {
            object,
            table: table.iter().map(|key| (*key).to_owned()).collect(),
            form,
            group: Some(group),
            gateway: gateway.map(str::to_owned),
        });
    }

    fn set(&mut self, path: &[&str], value: Node) {
        self.lifted.config.set(path, value);
    }

    fn extend(&mut self, path: &[&str], values: Map) {
        self.lifted.config.extend(path, values);
    }

    fn has_gateway(&self, name: &str) -> bool {
        self.gateways.iter().any(|gateway| gateway.name == name)
    }

    fn has_compressor(&self) -> bool {
        self.version >= COMPRESSOR
    }

    /// Sets the namespace if it is not the default, and whether objects name it.
    fn namespace(&mut self) {
        if self.door.namespace != "network" {
            self.set(&["namespace", "name"], text(self.door.namespace.as_str()));
        }
        let homes = self.door.objects.iter().filter(|found| {
            found.listed
                && self.is_at_home(found)
                && !found.is_kustomization()
                && !is(&found.node, super::files::GATEWAY_API, "GatewayClass")
        });
        let (with, without): (Vec<&FoundObject>, Vec<&FoundObject>) =
            homes.partition(|found| found.node.path(&["metadata", "namespace"]).is_some());
        if with.len() > without.len() {
            self.set(&["namespace", "in_objects"], flag(true));
        }
    }
}

/// The targets of a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PolicyTargets {
    /// All Gateways of the namespace, and nothing else.
    all: bool,
    /// Gateways by name, in order.
    gateways: Vec<String>,
    /// The listener, if it is the same for all of them.
    listener: Option<String>,
    /// Whether any of the targets is a Gateway.
    at_gateway: bool,
}

/// Reads the targets of a policy (Gateway API, GEP-713, and Envoy Gateway's `targetSelectors`).
fn policy_targets(node: &Node) -> PolicyTargets {
    let spec = |key: &str| node.path(&["spec", key]);
    let list = |key: &str| spec(key).and_then(Node::as_list).unwrap_or_default();
    let is_gateway = |target: &Node| {
        text_at(target, &["kind"]) == "Gateway" && target.get("namespace").is_none()
    };
    let targets: Vec<&Node> = spec("targetRef")
        .into_iter()
        .chain(list("targetRefs"))
        .collect();
    let selectors = list("targetSelectors");
    let listeners: BTreeSet<&str> = targets
        .iter()
        .map(|target| text_at(target, &["sectionName"]))
        .collect();
    let listener = listeners.first().filter(|_| listeners.len() == 1);
    PolicyTargets {
        all: targets.is_empty()
            && selectors.len() == 1
            && selectors
                .iter()
                .all(|one| is_gateway(one) && one.as_map().is_some_and(|map| map.len() == 2)),
        gateways: match targets.iter().all(|target| is_gateway(target)) && listeners.len() <= 1 {
            true => targets
                .iter()
                .map(|target| text_at(target, &["name"]).to_owned())
                .collect(),
            false => Vec::new(),
        },
        listener: listener
            .filter(|name| !name.is_empty())
            .map(|name| (*name).to_owned()),
        at_gateway: targets.into_iter().chain(selectors).any(is_gateway),
    }
}
