//! Whose gateways they are, and the EnvoyProxy in force for each.

use std::collections::{HashMap, HashSet};

use super::condition::{Conditions, Status, kind};
use super::fault::Fault;
use super::index::{ENVOY_GATEWAY, GATEWAY_API, Key};
use super::read::{flag, has, list, text};
use super::view::{Class, ClassId, Gateway, Proxy, Reference};
use super::{Resolver, telemetry};
use manifest::Object;
use manifest::value::{Node, merge::merge};

/// What the names of this controller begin with; the chart lets the rest be chosen.
pub(super) const CONTROLLER: &str = "gateway.envoyproxy.io/";

/// The kinds of policy that only this controller reads: what they target is its own.
const POLICIES: &[&str] = &[
    "ClientTrafficPolicy",
    "BackendTrafficPolicy",
    "SecurityPolicy",
    "EnvoyExtensionPolicy",
    "EnvoyPatchPolicy",
];

impl<'a> Resolver<'a, '_> {
    /// Finds the classes and the gateways, and the settings of each.
    pub(super) fn classes(&mut self) {
        for object in self.index.all("EnvoyProxy") {
            self.view.lists.proxy.push(Proxy {
                object,
                ancestors: Vec::new(),
            });
        }
        let mut ids = self.classes_at_hand();
        let hinted = match self.index.is_complete() {
            true => HashSet::new(),
            false => self.hinted(),
        };
        for object in self.index.all("Gateway").to_vec() {
            let name = text(&object.node, &["spec", "gatewayClassName"]).unwrap_or_default();
            let is_known = self.index.here("GatewayClass", class_key(name)).is_some();
            if !is_known && !ids.contains_key(name) && hinted.contains(name) {
                ids.insert(name, ClassId(self.view.lists.class.len()));
                self.view.lists.class.push(Class {
                    name,
                    object: None,
                    proxy: None,
                    merges: false,
                    conditions: Conditions::default(),
                });
            }
            let gateway = self.gateway(object, ids.get(name).copied());
            self.view.lists.gateway.push(gateway);
        }
    }

    fn classes_at_hand(&mut self) -> HashMap<&'a str, ClassId> {
        let mut ids = HashMap::new();
        for object in self.index.all("GatewayClass").to_vec() {
            let controller = text(&object.node, &["spec", "controllerName"]);
            if controller.is_some_and(|name| name.starts_with(CONTROLLER)) {
                ids.insert(object.name(), ClassId(self.view.lists.class.len()));
                let class = self.class(object);
                self.view.lists.class.push(class);
            }
        }
        ids
    }

    fn class(&mut self, object: &'a Object) -> Class<'a> {
        let mut conditions = Conditions::default();
        let found = self.class_proxy(object);
        let fault = match &found {
            Err(fault) => Some(fault.clone()),
            Ok(proxy) => proxy.and_then(|proxy| telemetry::check_proxy(proxy).err()),
        };
        match fault {
            Some(fault) if fault.is_unknown => {
                conditions.set(kind::ACCEPTED, Status::Unknown, fault.reason, fault.message);
            }
            Some(fault) => {
                let message = fault.at("parametersRef").message;
                conditions.set(kind::ACCEPTED, Status::False, "InvalidParameters", message);
            }
            None => conditions.set(
                kind::ACCEPTED,
                Status::True,
                "Accepted",
                "the class is taken",
            ),
        }
        let proxy = found.ok().flatten();
        if let Some(proxy) = proxy {
            let under = Reference {
                group: Some(GATEWAY_API),
                kind: Some("GatewayClass"),
                namespace: None,
                name: object.name(),
                section: None,
                port: None,
            };
            self.judge_proxy(proxy, under);
        }
        let merges = |node: &Node| flag(node, &["mergeGateways"]);
        let spec = proxy.and_then(|proxy| proxy.node.get("spec"));
        Class {
            name: object.name(),
            object: Some(object),
            proxy,
            merges: spec
                .and_then(merges)
                .or_else(|| self.settings.proxy.as_ref().and_then(merges))
                .unwrap_or_default(),
            conditions,
        }
    }

    /// The EnvoyProxy that a class names.
    fn class_proxy(&self, object: &'a Object) -> Result<Option<&'a Object>, Fault> {
        let Some(reference) = object.node.path(&["spec", "parametersRef"]) else {
            return Ok(None);
        };
        let key = Key {
            namespace: text(reference, &["namespace"]).unwrap_or_default(),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        self.index
            .find("EnvoyProxy", key, |what| {
                Fault::new("InvalidParameters", what)
            })
            .map(Some)
    }

    /// The classes that are not at hand, but that something only this controller reads hints at: a gateway's
    /// EnvoyProxy, a policy that targets the gateway, the class's own name.
    fn hinted(&self) -> HashSet<&'a str> {
        let mut targets = HashSet::new();
        for policy in POLICIES.iter().flat_map(|kind| self.index.all(kind)) {
            let one = policy.node.path(&["spec", "targetRef"]);
            for target in list(&policy.node, &["spec", "targetRefs"])
                .iter()
                .chain(one)
            {
                if text(target, &["kind"]) == Some("Gateway") {
                    let name = text(target, &["name"]).unwrap_or_default();
                    targets.insert((policy.namespace(), name));
                }
            }
        }
        let gateways = self.index.all("Gateway").iter();
        gateways
            .filter_map(|gateway| {
                let class = text(&gateway.node, &["spec", "gatewayClassName"])?;
                let parameters = ["spec", "infrastructure", "parametersRef", "group"];
                let is_ours = text(&gateway.node, &parameters) == Some(ENVOY_GATEWAY)
                    || targets.contains(&(gateway.namespace(), gateway.name()))
                    || class.contains("envoy");
                is_ours.then_some(class)
            })
            .collect()
    }

    fn gateway(&mut self, object: &'a Object, class: Option<ClassId>) -> Gateway<'a> {
        let mut gateway = Gateway {
            object,
            class,
            proxy: None,
            settings: None,
            knows_settings: true,
            listeners: Vec::new(),
            is_accepted: class.is_some(),
            conditions: Conditions::default(),
        };
        let Some(of) = class.and_then(|id| self.view.class(id)) else {
            return gateway;
        };
        let (merges, above) = (of.merges, of.proxy);
        let class_names_proxy = of
            .object
            .is_some_and(|class| has(&class.node, &["spec", "parametersRef"]));
        let knows_class = of.object.is_some() && (above.is_some() || !class_names_proxy);
        if !merges {
            gateway.proxy = self.own_proxy(object);
        }
        let own = ["spec", "infrastructure", "parametersRef"];
        let knows_own = merges || gateway.proxy.is_some() || !has(&object.node, &own);
        gateway.knows_settings = self.index.is_complete() || (knows_class && knows_own);
        gateway.settings = self.in_force(above, gateway.proxy);
        let merges_backends = |spec: &Node| has(spec, &["mergeBackends"]);
        let refusal = if merges && self.all_settings(above, &gateway).any(merges_backends) {
            Some(Fault::new(
                "InvalidParameters",
                "`mergeGateways` and `mergeBackends` can't both be on",
            ))
        } else {
            let used = gateway.proxy.or(above);
            let broken = used.and_then(|proxy| telemetry::check_proxy(proxy).err());
            broken.or_else(|| unsupported_address(object))
        };
        if let Some(fault) = refusal {
            gateway.is_accepted = false;
            let message = fault.message;
            gateway
                .conditions
                .set(kind::ACCEPTED, Status::False, fault.reason, message);
        }
        if let Some(proxy) = gateway.proxy {
            let under = Reference {
                group: Some(GATEWAY_API),
                kind: Some("Gateway"),
                namespace: Some(object.namespace()),
                name: object.name(),
                section: None,
                port: None,
            };
            self.judge_proxy(proxy, under);
        }
        gateway
    }

    /// The specs in which `mergeBackends` counts: the one in force, the class's, the controller's.
    fn all_settings<'s>(
        &'s self,
        above: Option<&'s Object>,
        gateway: &'s Gateway<'a>,
    ) -> impl Iterator<Item = &'s Node> {
        let above = above.and_then(|proxy| proxy.node.get("spec"));
        let settings = gateway.settings.as_ref();
        settings
            .into_iter()
            .chain(above)
            .chain(self.settings.proxy.as_ref())
    }

    /// The EnvoyProxy that a gateway itself names.
    fn own_proxy(&self, gateway: &'a Object) -> Option<&'a Object> {
        let path = ["spec", "infrastructure", "parametersRef"];
        let reference = gateway.node.path(&path)?;
        let is_proxy = text(reference, &["group"]) == Some(ENVOY_GATEWAY)
            && text(reference, &["kind"]) == Some("EnvoyProxy");
        let key = Key {
            namespace: gateway.namespace(),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        is_proxy.then(|| self.index.here("EnvoyProxy", key))?
    }

    /// The settings in force: a gateway's over its class's over the controller's. Without a `mergeType` the
    /// nearest replaces the others whole.
    fn in_force(&self, class: Option<&Object>, gateway: Option<&Object>) -> Option<Node> {
        fn spec(proxy: Option<&Object>) -> Option<&Node> {
            proxy.and_then(|proxy| proxy.node.get("spec"))
        }
        let merge_type = |proxy| text(spec(proxy)?, &["mergeType"]);
        let lay = |below: Option<Node>, above: Option<Node>, merge_type: Option<&str>| match (
            below, above,
        ) {
            (Some(mut below), Some(above)) if merge_type.is_some_and(|it| it != "Replace") => {
                merge(&mut below, above);
                Some(below)
            }
            (below, above) => above.or(below),
        };
        let own = spec(gateway).cloned();
        let both = lay(spec(class).cloned(), own, merge_type(gateway));
        let outer = merge_type(class).or(merge_type(gateway));
        lay(self.settings.proxy.clone(), both, outer)
    }

    fn judge_proxy(&mut self, proxy: &'a Object, under: Reference<'a>) {
        let mut conditions = Conditions::default();
        match telemetry::check_proxy(proxy) {
            Ok(()) => conditions.set(kind::ACCEPTED, Status::True, "Accepted", "it can be used"),
            Err(fault) => {
                conditions.set(
                    kind::ACCEPTED,
                    Status::False,
                    "InvalidParameters",
                    fault.message,
                );
            }
        }
        let all = &mut self.view.lists.proxy;
        if let Some(found) = all.iter_mut().find(|one| std::ptr::eq(one.object, proxy)) {
            found.ancestors.push((under, conditions));
        }
    }
}

fn class_key(name: &str) -> Key<'_> {
    Key {
        namespace: "",
        name,
    }
}

fn unsupported_address(gateway: &Object) -> Option<Fault> {
    let addresses = list(&gateway.node, &["spec", "addresses"]).iter();
    let mut kinds = addresses.filter_map(|address| text(address, &["type"]));
    let other = kinds.find(|kind| !matches!(*kind, "IPAddress" | "Hostname"))?;
    Some(Fault::new(
        "UnsupportedAddress",
        format!("addresses of type `{other}` can't be given to a proxy"),
    ))
}
