//! References to names that have changed (kustomize's `api/filters/nameref`).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::super::field_specs::FieldSpec;
use super::super::fields::{Create, each, get_items_mut, steps};
use super::super::name_references::{self, NameReference};
use super::super::resource::{Gvk, Id, Resource, end_alike, set_value, text_of};
use super::super::state::{Accumulator, Layer, State};
use manifest::value::{Kind, Node, Pointer};

/// Updates all references in all objects.
pub(in super::super) fn update_references<'a>(
    state: &mut State<'_, 'a>,
    root: &Layer<'a>,
    all: &mut Accumulator,
) {
    if all
        .resources
        .iter()
        .all(|resource| resource.previous.is_empty())
    {
        return;
    }
    let (own, own_fields);
    let fields = match all.config.references() {
        None => &*DEFAULTS,
        Some(references) => {
            own = references;
            own_fields = prepared(&own);
            &own_fields
        }
    };
    let targets: Vec<Resource> = all.resources.iter().map(without_content).collect();
    let mut by_name: HashMap<&str, Vec<&Resource>> = HashMap::new();
    for target in &targets {
        let mut seen = Vec::new();
        for id in target.previous_ids() {
            if !seen.contains(&id.name) {
                by_name.entry(id.name).or_default().push(target);
                seen.push(id.name);
            }
        }
    }
    for (at, resource) in all.resources.iter_mut().enumerate() {
        let Some(referrer) = targets.get(at) else {
            continue;
        };
        let original = referrer.original_id().gvk;
        let kinds = [original.kind, ""];
        let own = kinds.iter().filter_map(|kind| fields.get(kind)).flatten();
        for field in own.filter(|field| original.is_selected(&field.spec.gvk())) {
            let finder = Finder {
                referrer,
                role: role_of(resource, field),
                namespaces: binding_namespaces(resource),
                target: field.target,
                by_name: &by_name,
            };
            let node = &mut resource.object.node;
            let done = each(node, &field.path, Create::Never, &mut |node| {
                let at = || root.spot(Pointer::root());
                match state.spend(finder.cost(node), at) {
                    true => finder.update(node),
                    false => Ok(()),
                }
            });
            if let Err(message) = done {
                let message = format!("{}: {message}", referrer.object.identity());
                state.refuse(root.spot(Pointer::root()), message);
            }
        }
    }
}

/// The default fields by the kind of the objects that have them.
static DEFAULTS: LazyLock<HashMap<&str, Vec<Field<'_>>>> = LazyLock::new(|| {
    static REFERENCES: LazyLock<Vec<NameReference>> = LazyLock::new(name_references::defaults);
    prepared(&REFERENCES)
});

/// A field that may contain a name.
struct Field<'r> {
    target: Gvk<'r>,
    spec: &'r FieldSpec,
    path: Vec<String>,
}

/// The fields by the kind of the objects that have them.
fn prepared(references: &[NameReference]) -> HashMap<&str, Vec<Field<'_>>> {
    let mut fields: HashMap<&str, Vec<Field<'_>>> = HashMap::new();
    for reference in references {
        let target = Gvk {
            group: &reference.group,
            version: &reference.version,
            kind: &reference.kind,
        };
        for spec in &reference.fields {
            let path = steps(&spec.path);
            let field = Field { target, spec, path };
            fields.entry(&spec.kind).or_default().push(field);
        }
    }
    fields
}

/// What identifies a resource, without its content.
fn without_content(resource: &Resource) -> Resource {
    let mut heading = Node::map();
    let mut metadata = Node::map();
    for (key, text) in [
        ("name", resource.object.name()),
        ("namespace", resource.object.namespace()),
    ] {
        if let Some(map) = metadata.as_map_mut() {
            map.insert(key, Node::string(text));
        }
    }
    if let Some(map) = heading.as_map_mut() {
        map.insert("apiVersion", Node::string(resource.object.api_version()));
        map.insert("kind", Node::string(resource.object.kind()));
        map.insert("metadata", metadata);
    }
    Resource {
        object: manifest::Object::new(heading, ""),
        previous: resource.previous.clone(),
        prefixes: resource.prefixes.clone(),
        suffixes: resource.suffixes.clone(),
        ..Resource::of(manifest::Object::new(Node::map(), ""))
    }
}

/// The group and kind of the role in a binding, if the field is its name.
fn role_of(resource: &Resource, field: &Field<'_>) -> Option<(String, String)> {
    if !field.spec.path.ends_with("roleRef/name") {
        return None;
    }
    let text = |key: &str| text_of(resource.object.node.path(&["roleRef", key])?);
    Some((text("apiGroup")?, text("kind")?))
}

/// The namespaces of the service accounts in a RoleBinding.
fn binding_namespaces(resource: &Resource) -> Vec<String> {
    if resource.object.kind() != "RoleBinding" {
        return Vec::new();
    }
    let subjects = resource.object.node.get("subjects").and_then(Node::as_list);
    let subjects = subjects.unwrap_or_default().iter();
    subjects
        .filter(|subject| subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount"))
        .filter_map(|subject| subject.get("namespace")?.as_str().map(str::to_owned))
        .collect()
}

/// Finds the object that a name refers to.
struct Finder<'f> {
    referrer: &'f Resource,
    role: Option<(String, String)>,
    namespaces: Vec<String>,
    target: Gvk<'f>,
    by_name: &'f HashMap<&'f str, Vec<&'f Resource>>,
}

impl Finder<'_> {
    /// How many objects are looked at.
    fn cost(&self, node: &Node) -> usize {
        let named = |text: &str| self.by_name.get(text).map_or(0, Vec::len) / 8;
        match &node.kind {
            Kind::List(items) => items.iter().map(|item| self.cost(item)).sum(),
            Kind::Map(map) => map.get("name").and_then(Node::as_str).map_or(0, named),
            _ => node.as_str().map_or(0, named),
        }
    }

    /// Updates a name, a map with a name, or a list of them.
    fn update(&self, node: &mut Node) -> Result<(), String> {
        match &node.kind {
            Kind::Null => Ok(()),
            Kind::Map(_) => self.update_map(node),
            Kind::List(_) => {
                for item in get_items_mut(node) {
                    match item.kind {
                        Kind::Map(_) => self.update_map(item)?,
                        Kind::List(_) | Kind::Null => {}
                        _ => self.update_text(item)?,
                    }
                }
                Ok(())
            }
            _ => self.update_text(node),
        }
    }

    fn update_text(&self, node: &mut Node) -> Result<(), String> {
        let name = text_of(node).unwrap_or_default();
        let found = self.find(&name, None, |one, other| one.name() == other.name())?;
        if let Some(found) = found
            && found.object.name() != name
        {
            node.kind = Kind::String(found.object.name().to_owned());
        }
        Ok(())
    }

    fn update_map(&self, node: &mut Node) -> Result<(), String> {
        let Some(name) = node.get("name") else {
            return Err("there is no name where a reference is expected".to_owned());
        };
        let span = name.span;
        let name = text_of(name).unwrap_or_default();
        let namespace = node
            .get("namespace")
            .map(|node| text_of(node).unwrap_or_default());
        let found = self.find(&name, namespace.as_deref(), |one, other| {
            (one.name(), one.namespace()) == (other.name(), other.namespace())
        })?;
        let (Some(found), Some(map)) = (found, node.as_map_mut()) else {
            return Ok(());
        };
        let place = |text: &str| Node {
            span,
            ..Node::string(text)
        };
        set_value(map, "name", place(found.object.name()));
        if !found.object.namespace().is_empty() {
            set_value(map, "namespace", place(found.object.namespace()));
        }
        Ok(())
    }

    /// The object that had a name and may be meant.
    fn find(
        &self,
        name: &str,
        namespace: Option<&str>,
        is_same: impl Fn(&manifest::Object, &manifest::Object) -> bool,
    ) -> Result<Option<&Resource>, String> {
        let named = self.by_name.get(name).into_iter().flatten().copied();
        let reachable: Vec<&Resource> = named.filter(|one| self.is_reachable(one)).collect();
        let mut found = match namespace {
            None => reachable,
            Some(namespace) => in_namespace(&reachable, namespace),
        };
        found.retain(|one| {
            one.previous_ids()
                .any(|id| id.gvk.is_selected(&self.target))
        });
        if let Some((group, kind)) = &self.role {
            let role = Gvk {
                group,
                version: "",
                kind,
            };
            found.retain(|one| one.previous_ids().any(|id| id.gvk.is_selected(&role)));
        }
        found.retain(|one| self.shares_namespace(one));
        if found.len() > 1 {
            found.retain(|one| affixes_fit(self.referrer, one, true));
        }
        if found.len() > 1 {
            found.retain(|one| affixes_fit(self.referrer, one, false));
        }
        let Some((first, rest)) = found.split_first() else {
            return Ok(None);
        };
        match rest.iter().all(|one| is_same(&first.object, &one.object)) {
            true => Ok(Some(first)),
            false => Err(format!("{name} may be the name of several objects")),
        }
    }

    /// Whether the referrer could refer to an object at all.
    fn is_reachable(&self, other: &Resource) -> bool {
        let id = self.referrer.id();
        is_cluster_scoped(&id)
            || is_cluster_scoped(&other.id())
            || id.namespace == other.id().namespace
            || self
                .namespaces
                .iter()
                .any(|one| one == other.object.namespace())
    }

    fn shares_namespace(&self, other: &Resource) -> bool {
        let id = self.referrer.id();
        is_cluster_scoped(&id)
            || is_cluster_scoped(&other.id())
            || other.object.kind() == "ServiceAccount"
            || id.namespace == other.id().namespace
    }
}

fn is_cluster_scoped(id: &Id<'_>) -> bool {
    id.gvk.is_cluster_scoped()
}

/// The objects that were in a namespace at first, or, if there are none, that are in it now.
fn in_namespace<'r>(all: &[&'r Resource], namespace: &str) -> Vec<&'r Resource> {
    let at_first = all
        .iter()
        .filter(|one| one.original_id().namespace == namespace);
    let at_first: Vec<&Resource> = at_first.copied().collect();
    if !at_first.is_empty() {
        return at_first;
    }
    let now = all.iter().filter(|one| one.id().namespace == namespace);
    now.copied().collect()
}

/// Whether the prefixes and suffixes of two objects end alike: they are of the same folder.
fn affixes_fit(one: &Resource, other: &Resource, may_be_empty: bool) -> bool {
    [
        (&one.prefixes, &other.prefixes),
        (&one.suffixes, &other.suffixes),
    ]
    .iter()
    .all(|(a, b)| may_be_empty && (a.is_empty() || b.is_empty()) || end_alike(a, b))
}
