//! Names in manifests that refer to other objects.

use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// A name that stands for an object, or for a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind of the object.
    pub kind: String,
    /// Its namespace, as far as it is written.
    pub namespace: Option<String>,
    /// Its name; empty while it is not written.
    pub name: String,
    /// What the value names.
    pub part: Part,
    /// Whether this is the object's own name, and not one that refers to it.
    pub is_definition: bool,
}

/// What a value of a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The object.
    Name,
    /// The namespace of the object.
    Namespace,
    /// A listener, a rule or a port of the object.
    Section(String),
}

/// The keys of references, and the kind of what they refer to if they don't write one.
const REFERENCES: [(&str, &str); 20] = [
    ("parentRefs", "Gateway"),
    ("parentRef", "Gateway"),
    ("targetRefs", ""),
    ("targetRef", ""),
    ("backendRefs", "Service"),
    ("backendRef", "Service"),
    ("certificateRefs", "Secret"),
    ("clientCertificateRef", "Secret"),
    ("caCertificateRefs", "ConfigMap"),
    ("parametersRef", ""),
    ("extensionRef", ""),
    ("issuerRef", "Issuer"),
    ("sourceRef", ""),
    ("chartRef", ""),
    ("scaleTargetRef", "Deployment"),
    ("secretRef", "Secret"),
    ("clientSecret", "Secret"),
    ("configMapRef", "ConfigMap"),
    ("valueRef", "ConfigMap"),
    ("valuesFrom", ""),
];

/// The key of the list whose items' names a `sectionName` may be, by the kind of the object.
pub const SECTIONS: [(&str, &[&str]); 6] = [
    ("Gateway", &["spec", "listeners"]),
    ("XListenerSet", &["spec", "listeners"]),
    ("ListenerSet", &["spec", "listeners"]),
    ("HTTPRoute", &["spec", "rules"]),
    ("GRPCRoute", &["spec", "rules"]),
    ("Service", &["spec", "ports"]),
];

/// The groups of kinds whose names other projects use too: Istio has a Gateway, and Knative a Service.
const GROUPS: [(&str, &str); 5] = [
    ("Gateway", "gateway.networking.k8s.io"),
    ("Service", ""),
    ("Secret", ""),
    ("ConfigMap", ""),
    ("Namespace", ""),
];

/// Whether a kind of a group is the one that references without a group mean.
pub(super) fn is_meant(kind: &str, group: &str) -> bool {
    let known = GROUPS.iter().find(|(known, _)| *known == kind);
    known.is_none_or(|(_, known)| *known == group)
}

/// What the value at a pointer in an object refers to. `value` returns the text of a scalar of the object.
pub fn reference_at(
    pointer: &Pointer,
    value: &dyn Fn(&Pointer) -> Option<String>,
) -> Option<Reference> {
    let key = |key: &str| Pointer::root().key(key);
    let own = |pointer: &Pointer| value(pointer).filter(|text| !text.is_empty());
    let namespace = own(&key("metadata").key("namespace"));
    let kind = own(&key("kind")).unwrap_or_default();
    let api_version = own(&key("apiVersion"));
    let group = api_version
        .as_deref()
        .map(|it| it.split_once('/').map_or("", |(group, _)| group));
    let is_meant = group.is_none_or(|group| is_meant(&kind, group));
    let (last, above) = pointer.steps().split_last()?;
    let Step::Key(last) = last else {
        return None;
    };
    let name_of_key = |step: &Step| match step {
        Step::Key(key) => Some(key.clone()),
        Step::Index(_) => None,
    };
    let names: Vec<Option<String>> = above.iter().map(name_of_key).collect();
    let path: Vec<&str> = names.iter().map(|it| it.as_deref().unwrap_or("")).collect();
    match (path.as_slice(), last.as_str()) {
        (["metadata"], "name") => {
            return is_meant.then_some(Reference {
                kind,
                namespace,
                name: value(pointer)?,
                part: Part::Name,
                is_definition: true,
            });
        }
        (["metadata"], "namespace") => {
            return Some(Reference {
                kind: "Namespace".to_owned(),
                namespace: None,
                name: value(pointer).unwrap_or_default(),
                part: Part::Name,
                is_definition: false,
            });
        }
        (["spec"], "gatewayClassName") => {
            return Some(Reference {
                kind: "GatewayClass".to_owned(),
                namespace: None,
                name: value(pointer).unwrap_or_default(),
                part: Part::Name,
                is_definition: false,
            });
        }
        (["spec", list, ""], "name") if is_meant && is_sections(&kind, list) => {
            return Some(Reference {
                kind,
                namespace,
                name: own(&key("metadata").key("name"))?,
                part: Part::Section(value(pointer)?),
                is_definition: true,
            });
        }
        _ => {}
    }
    let list = path.iter().rev().find(|name| !name.is_empty())?;
    let (_, default) = REFERENCES.iter().find(|(name, _)| name == list)?;
    let map = pointer.parent()?;
    let part = match last.as_str() {
        "name" => Part::Name,
        "namespace" => Part::Namespace,
        "sectionName" => Part::Section(value(pointer).unwrap_or_default()),
        _ => return None,
    };
    Some(Reference {
        kind: own(&map.key("kind")).unwrap_or_else(|| (*default).to_owned()),
        namespace: own(&map.key("namespace")).or(namespace),
        name: value(&map.key("name")).unwrap_or_default(),
        part,
        is_definition: false,
    })
}

fn is_sections(kind: &str, list: &str) -> bool {
    SECTIONS
        .iter()
        .any(|(of, path)| *of == kind && path.last() == Some(&list))
}

impl Reference {
    /// Whether both name the same thing: an object of the same kind and name, in the same namespace as far as it is known,
    /// and the same section of it.
    pub fn is_same(&self, other: &Reference) -> bool {
        let is_near = match (&self.namespace, &other.namespace) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        is_near && self.kind == other.kind && self.name == other.name && self.part == other.part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::yaml::outlines;

    /// What each value of a text refers to.
    fn references(text: &str) -> Vec<String> {
        let outlines = outlines(text);
        let outline = outlines.first().expect("a document");
        let value = |pointer: &Pointer| outline.value(text, pointer);
        let found = outline.entries.iter().filter_map(|entry| {
            let found = reference_at(&entry.pointer, &value)?;
            let namespace = found.namespace.unwrap_or_default();
            let own = if found.is_definition { "own " } else { "" };
            Some(format!(
                "{own}{} {namespace}/{} {:?}",
                found.kind, found.name, found.part
            ))
        });
        found.collect()
    }

    #[test]
    fn the_names_in_a_route_refer_to_gateways_services_and_namespaces() {
        let route = "kind: HTTPRoute\nmetadata:\n  name: a\n  namespace: b\nspec:\n  parentRefs:\n    - name: c\n      namespace: d\n      sectionName: https\n  rules:\n    - backendRefs:\n        - name: e\n          port: 80\n      filters:\n        - extensionRef: {kind: HTTPRouteFilter, name: f}\n";
        assert_eq!(
            references(route),
            [
                "own HTTPRoute b/a Name",
                "Namespace /b Name",
                "Gateway d/c Name",
                "Gateway d/c Namespace",
                "Gateway d/c Section(\"https\")",
                "Service b/e Name",
                "HTTPRouteFilter b/f Name"
            ]
        );
    }

    #[test]
    fn a_listener_is_defined_in_its_gateway() {
        let gateway = "kind: Gateway\nmetadata: {name: a}\nspec:\n  gatewayClassName: b\n  listeners:\n    - name: https\n      tls: {certificateRefs: [{name: c}]}\n";
        assert_eq!(
            references(gateway),
            [
                "own Gateway /a Name",
                "GatewayClass /b Name",
                "own Gateway /a Section(\"https\")",
                "Secret /c Name"
            ]
        );
    }
}
