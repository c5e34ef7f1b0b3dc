//! The values of the variables that Flux Kustomizations substitute, as far as they are at hand.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::apply::name_by;
use super::{
    Delivery, DeliveryPath, Substitutes, VariableSource, is_flux_kustomization, is_left_as_it_is,
};
use manifest::Object;
use manifest::value::placeholder::is_ciphertext;
use manifest::value::substituted::{self, VariableValue};
use manifest::value::{Node, variable};

/// How many levels of Flux Kustomizations may give each other values; real repositories have two or three.
const MOST_LEVELS: usize = 8;

/// The known values of the variables of each Flux Kustomization.
#[derive(Clone, Debug, Default)]
pub struct KnownVariables {
    by_flux: HashMap<usize, Values>,
}

/// The values of the variables of one Flux Kustomization.
#[derive(Clone, Debug, Default)]
struct Values {
    /// The variables that are set; `None` if the value is not known, for example because it is encrypted.
    set: BTreeMap<String, Option<String>>,
    /// Whether all sources are at hand, so that no other variable is set.
    is_complete: bool,
}

impl Values {
    fn of(&self, name: &str) -> VariableValue {
        match (self.set.get(name), self.is_complete) {
            (Some(Some(value)), _) => VariableValue::Set(value.clone()),
            (None, true) => VariableValue::Unset,
            (Some(None), _) | (None, false) => VariableValue::Unknown,
        }
    }
}

impl KnownVariables {
    /// Finds the values: those of `postBuild.substitute`, and those of the ConfigMaps and Secrets of `substituteFrom` that
    /// are among `objects` and not encrypted. `text_of` returns the text of a file, from which kustomizations generate
    /// ConfigMaps.
    pub fn of(
        objects: &[Object],
        delivery: &Delivery,
        text_of: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut all = Sources {
            objects,
            delivery,
            text_of,
            by_name: HashMap::new(),
            known: HashMap::new(),
        };
        for (at, object) in objects.iter().enumerate() {
            let kind = object.kind();
            if object.group().is_empty() && matches!(kind, "ConfigMap" | "Secret") {
                let way = delivery.ways(at).first();
                let name = way.map_or(object.name().into(), |way| name_by(object, way));
                let same = all.by_name.entry((kind, name.into_owned())).or_default();
                same.push(at);
            }
        }
        for (at, object) in objects.iter().enumerate() {
            if is_flux_kustomization(object) {
                all.find(at, MOST_LEVELS);
            }
        }
        KnownVariables { by_flux: all.known }
    }

    /// Puts the known values into an object that is applied by a way. Returns whether anything has changed.
    pub fn put_into(&self, object: &mut Object, way: Option<&DeliveryPath>) -> bool {
        let flux = way.and_then(|way| way.flux);
        let Some(values) = flux.and_then(|flux| self.by_flux.get(&flux)) else {
            return false;
        };
        if values.set.is_empty() || !has_variable(&object.node) || is_left_as_it_is(object, way) {
            return false;
        }
        substituted::substitute(&mut object.node, &|name: &str| values.of(name))
    }

    /// Like [`put_into`](Self::put_into), for an object that stays as it is elsewhere.
    pub fn put_into_copy<'o>(
        &self,
        object: &'o Object,
        way: Option<&DeliveryPath>,
    ) -> Cow<'o, Object> {
        if !self.has_values(way) || !has_variable(&object.node) {
            return Cow::Borrowed(object);
        }
        let mut copy = object.clone();
        match self.put_into(&mut copy, way) {
            true => Cow::Owned(copy),
            false => Cow::Borrowed(object),
        }
    }

    fn has_values(&self, way: Option<&DeliveryPath>) -> bool {
        let flux = way.and_then(|way| way.flux);
        let values = flux.and_then(|flux| self.by_flux.get(&flux));
        values.is_some_and(|values| !values.set.is_empty())
    }
}

fn has_variable(node: &Node) -> bool {
    use manifest::value::Kind;
    match &node.kind {
        Kind::String(text) => text.contains("${"),
        Kind::List(items) => items.iter().any(has_variable),
        Kind::Map(map) => map
            .iter()
            .any(|(key, value)| key.contains("${") || has_variable(value)),
        _ => false,
    }
}

/// Where values come from.
struct Sources<'a> {
    objects: &'a [Object],
    delivery: &'a Delivery,
    text_of: &'a dyn Fn(&str) -> Option<String>,
    /// The ConfigMaps and Secrets by kind and name.
    by_name: HashMap<(&'a str, String), Vec<usize>>,
    known: HashMap<usize, Values>,
}

impl Sources<'_> {
    /// Finds the variables of a Flux Kustomization. One that applies it may set its values.
    fn find(&mut self, flux: usize, levels: usize) {
        if self.known.contains_key(&flux) {
            return;
        }
        // Flux Kustomizations in a circle give each other no values.
        self.known.insert(flux, Values::default());
        let Some(object) = self.objects.get(flux) else {
            return;
        };
        let mut own = Cow::Borrowed(object);
        let way = self.delivery.ways(flux).first();
        if let (Some(parent), Some(levels)) = (way.and_then(|way| way.flux), levels.checked_sub(1))
            && parent != flux
        {
            self.find(parent, levels);
            let values = self.known.get(&parent).filter(|it| !it.set.is_empty());
            if let Some(values) = values.filter(|_| has_variable(&object.node)) {
                let value_of = |name: &str| values.of(name);
                substituted::substitute(&mut own.to_mut().node, &value_of);
            }
        }
        let given = Substitutes::of(&own);
        let namespace = way.and_then(|way| way.namespace.as_deref());
        let namespace = namespace.unwrap_or(object.namespace()).to_owned();
        let mut values = Values {
            set: BTreeMap::new(),
            is_complete: !given.is_nothing(),
        };
        for source in &given.from {
            match self.read(object, &namespace, source) {
                Some(found) => values.set.extend(found),
                None => values.is_complete = false,
            }
        }
        for (name, value) in given.given {
            let value = Some(value).filter(|value| !variable::in_text(value));
            values.set.insert(name, value);
        }
        self.known.insert(flux, values);
    }

    /// The variables in a ConfigMap or Secret; `None` if it is not at hand. If several objects may be meant, a value on
    /// which they differ is not known.
    fn read(
        &self,
        flux: &Object,
        namespace: &str,
        source: &VariableSource,
    ) -> Option<BTreeMap<String, Option<String>>> {
        let mut found: Vec<BTreeMap<String, Option<String>>> = Vec::new();
        let key = (source.kind.as_str(), source.name.clone());
        for at in self.by_name.get(&key).into_iter().flatten() {
            let Some(object) = self.objects.get(*at) else {
                continue;
            };
            let way = self.delivery.ways(*at).first();
            let there = way.and_then(|way| way.namespace.as_deref());
            let there = there.unwrap_or(object.namespace());
            let is_here = there.is_empty() || namespace.is_empty() || there == namespace;
            let is_applied = !self.delivery.is_input(*at) && !self.delivery.is_left_out(*at);
            if is_here && is_applied && self.delivery.may_share_cluster(&object.file, &flux.file) {
                found.push(data(object));
            }
        }
        for one in self.delivery.generated() {
            let is_meant =
                one.generator.kind == source.kind && one.names().any(|name| name == source.name);
            let Some(by) = self.objects.get(one.by).filter(|_| is_meant) else {
                continue;
            };
            if self.delivery.may_share_cluster(&by.file, &flux.file) {
                let data = one.generator.data(self.text_of).ok()?;
                found.push(
                    data.into_iter()
                        .map(|(key, value)| (key, Some(value)))
                        .collect(),
                );
            }
        }
        let mut found = found.into_iter();
        let mut values = found.next()?;
        for other in found {
            for (name, value) in other {
                match values.get_mut(&name) {
                    Some(there) if *there == value => {}
                    Some(there) => *there = None,
                    None => {
                        values.insert(name, None);
                    }
                }
            }
        }
        Some(values)
    }
}

/// The keys and values of a ConfigMap or Secret. A value is not known if it is encrypted, or encoded.
fn data(object: &Object) -> BTreeMap<String, Option<String>> {
    let is_encrypted = object.node.get("sops").is_some();
    let mut all = BTreeMap::new();
    for key in ["data", "stringData"] {
        let is_plain = !is_encrypted && (key == "stringData" || object.kind() == "ConfigMap");
        let map = object.node.get(key).and_then(Node::as_map);
        for (name, value) in map.into_iter().flat_map(|map| map.iter()) {
            let value = value.as_str().filter(|_| is_plain);
            let is_known = |value: &&str| !is_ciphertext(value) && !variable::in_text(value);
            all.insert(name.to_owned(), value.filter(is_known).map(str::to_owned));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::super::fixture::tree;
    use super::*;

    const REPOSITORY: &str = "
# flux/apps.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  postBuild: {substitute: {CLUSTER: home}}
# flux/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: flux-system}
data: {DOMAIN: example.com, SIDE: internal}
---
apiVersion: v1
kind: Secret
metadata: {name: secrets, namespace: flux-system}
stringData: {TOKEN: 'ENC[AES256_GCM,data:x]'}
sops: {mac: x}
# apps/app.yaml
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app, namespace: flux-system}
spec:
  path: ./app
  postBuild:
    substitute: {APP: 'web-${CLUSTER}', SIDE: external}
    substituteFrom: [{kind: ConfigMap, name: settings}, {kind: Secret, name: secrets}]
# app/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: '${APP}'}
spec: {hostnames: ['${APP}.${DOMAIN}', '${SIDE}.${TOKEN}.${NAME:=x}.${NONE}']}
";

    fn hostnames(text: &str) -> Vec<String> {
        let tree = tree(text);
        let delivery = Delivery::of(&tree.objects, &tree.files);
        let known = KnownVariables::of(&tree.objects, &delivery, &|_: &str| None);
        let mut objects = tree.objects.iter().enumerate();
        let (at, route) = objects
            .find(|(_, object)| object.kind() == "HTTPRoute")
            .expect("the route");
        let mut route = route.clone();
        let way = delivery.ways(at).first();
        known.put_into(&mut route, way);
        let names = route.node.path(&["spec", "hostnames"]);
        let names = names.and_then(Node::as_list).unwrap_or_default();
        names
            .iter()
            .filter_map(Node::as_str)
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn values_come_from_all_sources_that_are_at_hand() {
        assert_eq!(
            hostnames(REPOSITORY),
            ["web-home.example.com", "external.${TOKEN}.x.${NONE}"]
        );
        let missing = REPOSITORY.replace(
            "{kind: ConfigMap, name: settings}",
            "{kind: ConfigMap, name: other}",
        );
        assert_eq!(
            hostnames(&missing),
            ["web-home.${DOMAIN}", "external.${TOKEN}.${NAME:=x}.${NONE}"]
        );
    }

    #[test]
    fn objects_that_flux_leaves_as_they_are_keep_their_text() {
        let disabled = REPOSITORY.replace(
            "metadata: {name: '${APP}'}",
            "metadata: {name: '${APP}', annotations: {kustomize.toolkit.fluxcd.io/substitute: disabled}}",
        );
        assert_eq!(hostnames(&disabled)[0], "${APP}.${DOMAIN}");
    }
}
