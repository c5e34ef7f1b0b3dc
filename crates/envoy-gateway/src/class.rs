//! The classes and gateways of this controller, and the EnvoyProxy in force for each.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::condition::{Conditions, Status, kind, listed};
use super::fault::Fault;
use super::index::{ENVOY_GATEWAY, GATEWAY_API, Key};
use super::infra::{GatewayInfra, NamedProxy, merges_gateways};
use super::read::{has, list, text};
use super::view::{Class, ClassId, Gateway, GatewayId, Listener, Proxy, Reference};
use super::{Resolver, telemetry};
use manifest::Object;
use manifest::value::Node;

/// The prefix of this controller's names; the rest can be set in the chart's values.
pub const CONTROLLER: &str = "gateway.envoyproxy.io/";

/// This controller's name, unless the chart's values set another one.
pub const DEFAULT_CONTROLLER: &str = "gateway.envoyproxy.io/gatewayclass-controller";

/// The kinds of policies that only this controller reads, so a Gateway that they target belongs to it.
const POLICIES: &[&str] = &[
    "ClientTrafficPolicy",
    "BackendTrafficPolicy",
    "SecurityPolicy",
    "EnvoyExtensionPolicy",
    "EnvoyPatchPolicy",
];

impl<'a> Resolver<'a, '_> {
    /// Finds the classes and the gateways, and the settings of each gateway.
    pub(super) fn classes(&mut self) {
        for object in self.index.all("EnvoyProxy") {
            self.view.lists.proxy.push(Proxy {
                object,
                ancestors: Vec::new(),
            });
        }
        let mut ids = self.given_classes();
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

    fn given_classes(&mut self) -> HashMap<&'a str, ClassId> {
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
        Class {
            name: object.name(),
            object: Some(object),
            proxy,
            merges: merges_gateways(proxy, self.settings.proxy.as_ref()),
            conditions,
        }
    }

    /// The EnvoyProxy that a class refers to.
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

    /// Classes that are not given, but seem to belong to this controller: a gateway of the class refers to an
    /// EnvoyProxy, a policy of this controller targets such a gateway, or the name of the class contains `envoy`.
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
            infra: GatewayInfra::default(),
            knows_settings: true,
            listeners: Vec::new(),
            is_accepted: class.is_some(),
            tunnel: self.settings.declared.tunnel(Key::of(object)).cloned(),
            conditions: Conditions::default(),
        };
        let Some(of) = class.and_then(|id| self.view.class(id)) else {
            return gateway;
        };
        let above = of.proxy;
        let of_class = of.object.map(|class| match above {
            Some(proxy) => NamedProxy::Given(proxy),
            None if has(&class.node, &["spec", "parametersRef"]) => NamedProxy::NotGiven,
            None => NamedProxy::None,
        });
        let own = self.own_proxy(object);
        gateway.infra = GatewayInfra::new(of_class, own, self.settings.proxy.as_ref());
        let merges = gateway.infra.merges_gateways;
        if !merges {
            gateway.proxy = own.given();
        }
        gateway.knows_settings = self.index.is_complete() || gateway.infra.is_known;
        let merges_backends = |spec: &Node| has(spec, &["mergeBackends"]);
        let refusal = if merges && self.all_settings(above, &gateway).any(merges_backends) {
            Some(Fault::new(
                "InvalidParameters",
                "`mergeGateways` and `mergeBackends` can't both be on",
            ))
        } else {
            let used = gateway.proxy.or(above);
            let broken = used.and_then(|proxy| telemetry::check_proxy(proxy).err());
            let parameters = self.check_parameters(object, merges).err();
            parameters
                .or(broken)
                .or_else(|| unsupported_address(object))
        };
        if let Some(fault) = refusal.as_ref().filter(|fault| fault.is_unknown) {
            let message = fault.message.clone();
            let conditions = &mut gateway.conditions;
            conditions.set(kind::ACCEPTED, Status::Unknown, fault.reason, message);
        } else if let Some(fault) = refusal {
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

    /// The specs in which `mergeBackends` counts: the one in force, that of the class, and that of the controller.
    fn all_settings<'s>(
        &'s self,
        above: Option<&'s Object>,
        gateway: &'s Gateway<'a>,
    ) -> impl Iterator<Item = &'s Node> {
        let above = above.and_then(|proxy| proxy.node.get("spec"));
        let settings = gateway.infra.settings.as_ref();
        settings
            .into_iter()
            .chain(above)
            .chain(self.settings.proxy.as_ref())
    }

    /// Checks the `parametersRef` of a gateway. `merges` is whether its class merges its gateways.
    ///
    /// # Errors
    /// If it isn't an EnvoyProxy that exists. Gateways that are merged can't have one of their own.
    fn check_parameters(&self, gateway: &'a Object, merges: bool) -> Result<(), Fault> {
        const REASON: &str = "InvalidParameters";
        let path = ["spec", "infrastructure", "parametersRef"];
        let Some(reference) = gateway.node.path(&path) else {
            return Ok(());
        };
        if merges {
            let message = "`infrastructure.parametersRef` can't be used, because the class merges its gateways";
            return Err(Fault::new(REASON, message));
        }
        let kind = text(reference, &["kind"]).unwrap_or_default();
        if text(reference, &["group"]) != Some(ENVOY_GATEWAY) || kind != "EnvoyProxy" {
            let message = format!(
                "`infrastructure.parametersRef` must be an EnvoyProxy of `{ENVOY_GATEWAY}`, not a {kind}"
            );
            return Err(Fault::new(REASON, message));
        }
        let key = Key {
            namespace: gateway.namespace(),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        let found = self
            .index
            .find("EnvoyProxy", key, |what| Fault::new(REASON, what));
        found.map(|_| ())
    }

    /// Writes whether each gateway is accepted, if that is not decided already: it is if any of its own listeners is.
    pub(super) fn conclude_gateways(&mut self) {
        for at in 0..self.view.lists.gateway.len() {
            let Some(gateway) = self.view.gateway(GatewayId(at)) else {
                continue;
            };
            if !gateway.is_accepted || gateway.conditions.get(kind::ACCEPTED).is_some() {
                continue;
            }
            let own = gateway
                .listeners
                .iter()
                .filter_map(|id| self.view.listener(*id));
            let own = own.filter(|listener| listener.set.is_none());
            let is_refused = |it: &&Listener<'_>| !it.conditions.is(kind::ACCEPTED, Status::True);
            let all = own.clone().count();
            let refused: BTreeSet<String> = own
                .filter(is_refused)
                .map(|listener| listener.name.to_owned())
                .collect();
            let is_strict = self.settings.is_from((1, 9), gateway.object);
            let (status, reason, message) = match refused.len() {
                0 => (Status::True, "Accepted", "the gateway is taken".to_owned()),
                _ if !is_strict => (Status::True, "Accepted", "the gateway is taken".to_owned()),
                some => (
                    match some < all {
                        true => Status::True,
                        false => Status::False,
                    },
                    "ListenersNotValid",
                    format!("listeners that are not accepted: {}", listed(&refused)),
                ),
            };
            if let Some(gateway) = self.view.lists.gateway.get_mut(at) {
                let conditions = &mut gateway.conditions;
                conditions.set(kind::ACCEPTED, status, reason, message);
            }
        }
    }

    /// The EnvoyProxy that a gateway itself refers to.
    fn own_proxy(&self, gateway: &'a Object) -> NamedProxy<'a> {
        let path = ["spec", "infrastructure", "parametersRef"];
        let Some(reference) = gateway.node.path(&path) else {
            return NamedProxy::None;
        };
        let is_proxy = text(reference, &["group"]) == Some(ENVOY_GATEWAY)
            && text(reference, &["kind"]) == Some("EnvoyProxy");
        let key = Key {
            namespace: gateway.namespace(),
            name: text(reference, &["name"]).unwrap_or_default(),
        };
        match self.index.here("EnvoyProxy", key).filter(|_| is_proxy) {
            Some(proxy) => NamedProxy::Given(proxy),
            None => NamedProxy::NotGiven,
        }
    }

    /// Writes the status of an EnvoyProxy, which Envoy Gateway does since 1.9.
    fn judge_proxy(&mut self, proxy: &'a Object, under: Reference<'a>) {
        if !self.settings.is_from((1, 9), proxy) {
            return;
        }
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
