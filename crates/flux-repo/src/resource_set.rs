//! ResourceSets of the Flux Operator: the objects that they make from templates.
//!
//! A template is filled once for each of `spec.inputs`. An expression whose value is not known, for example because the
//! inputs come from a provider, is written as a variable, so that everything takes its value for unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::argo::flatten;
use manifest::Object;
use manifest::read;
use manifest::value::{Kind, Node};

/// The API group of the Flux Operator.
const FLUX_OPERATOR: &str = "fluxcd.controlplane.io";

/// The maximum number of objects that are made of one ResourceSet. More would only take time.
const MOST_MADE: usize = 1000;

/// What stands for a value that is not known.
const UNKNOWN: &str = "${UNKNOWN_INPUT}";

/// The objects that ResourceSets among `objects` make. Their values have the places of the templates.
pub fn made_by_resource_sets(objects: &[Object]) -> Vec<Object> {
    let sets = objects
        .iter()
        .filter(|it| it.kind() == "ResourceSet" && it.group() == FLUX_OPERATOR);
    sets.flat_map(made).collect()
}

fn made(set: &Object) -> Vec<Object> {
    let Some(spec) = set.node.get("spec") else {
        return Vec::new();
    };
    let list = |key: &str| spec.get(key).and_then(Node::as_list).unwrap_or_default();
    let has_providers = !list("inputsFrom").is_empty();
    let mut inputs: Vec<BTreeMap<String, String>> = list("inputs").iter().map(values_of).collect();
    if has_providers || inputs.is_empty() {
        inputs.push(BTreeMap::new());
    }
    let text = spec.get("resourcesTemplate");
    let from_text = text.map(templates_in).unwrap_or_default();
    let mut known = BTreeSet::new();
    let mut all = Vec::new();
    for values in &inputs {
        for template in list("resources").iter().chain(&from_text) {
            if all.len() == MOST_MADE {
                return all;
            }
            let mut node = template.with_strings(&|text| filled(text, values));
            let Some(name) = node.path(&["metadata", "name"]).and_then(Node::as_str) else {
                continue;
            };
            if name.is_empty() {
                continue;
            }
            set_namespace(&mut node, set.namespace());
            let mut object = Object::new(node, set.file.clone());
            object.is_made = true;
            if known.insert(object.identity()) {
                all.push(object);
            }
        }
    }
    all
}

/// Whether a value of a template is not known in a value that was made.
pub(super) fn has_unknown(node: &Node) -> bool {
    node.any_string(&mut |text| text.contains(UNKNOWN))
}

fn values_of(input: &Node) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    flatten(input, "inputs", &mut values);
    values
}

/// Objects without a namespace get that of the ResourceSet.
fn set_namespace(node: &mut Node, namespace: &str) {
    let text = |node: &Node, key| {
        node.get(key)
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (version, kind) = (text(node, "apiVersion"), text(node, "kind"));
    let group = version.split_once('/').map_or("", |(group, _)| group);
    if namespace.is_empty() || super::scope::is_cluster_scoped(group, &kind) {
        return;
    }
    let metadata = node.as_map_mut().and_then(|map| map.get_mut("metadata"));
    if let Some(metadata) = metadata.and_then(Node::as_map_mut)
        && !metadata.contains_key("namespace")
    {
        metadata.insert("namespace", Node::string(namespace));
    }
}

/// The objects in `spec.resourcesTemplate`, which is one text. Lines of conditions and loops are left out, so an object is
/// found whether it is made once, several times or not at all.
fn templates_in(template: &Node) -> Vec<Node> {
    let (Some(text), Some(span)) = (template.as_str(), template.span) else {
        return Vec::new();
    };
    let mut plain = String::new();
    for line in text.lines() {
        if !is_control(line) {
            plain.push_str(line);
        }
        plain.push('\n');
    }
    let documents = read::split(&plain).into_iter().filter_map(|range| {
        let text = plain.get(range)?;
        let mut node = read::parse(text, span.source, 0).ok()?;
        forget_places(&mut node);
        node.span = Some(span);
        Some(node)
    });
    documents.take(MOST_MADE).collect()
}

/// Whether a line has a condition, a loop, an assignment or a comment.
fn is_control(line: &str) -> bool {
    const WORDS: [&str; 9] = [
        "if", "else", "end", "range", "with", "define", "template", "block", "break",
    ];
    line.split("<<").skip(1).any(|expression| {
        let expression = expression.trim_start_matches('-').trim_start();
        let word = expression.split([' ', '-', '>']).next().unwrap_or_default();
        let is_assignment = word.starts_with('$') && expression.contains('=');
        WORDS.contains(&word) || word.starts_with("/*") || is_assignment
    })
}

/// Removes the places in a text that is inside of another value.
fn forget_places(node: &mut Node) {
    node.span = None;
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(forget_places),
        Kind::Map(map) => map.iter_mut().for_each(|(_, value)| forget_places(value)),
        _ => {}
    }
}

/// The operator fills the template as a text and parses it then, so a whole value may become a number or a boolean.
fn filled(text: &str, values: &BTreeMap<String, String>) -> Kind {
    if !text.contains("<<") {
        return Kind::String(text.to_owned());
    }
    let mut done = String::new();
    let mut rest = text;
    let mut is_quoted = false;
    while let Some((before, after)) = rest.split_once("<<") {
        let Some((expression, after)) = after.split_once(">>") else {
            break;
        };
        done.push_str(before);
        let expression = expression.trim_matches('-').trim();
        let (name, function) = match expression.split_once('|') {
            Some((name, function)) => (name.trim(), function.trim()),
            None => (expression, ""),
        };
        is_quoted |= function == "quote";
        let is_plain = matches!(function, "" | "quote" | "int" | "toString");
        let value = values.get(name).filter(|_| is_plain);
        done.push_str(value.map_or(UNKNOWN, String::as_str));
        rest = after;
    }
    done.push_str(rest);
    if is_quoted {
        return Kind::String(done);
    }
    match (done.as_str(), done.parse::<i64>()) {
        ("true", _) => Kind::Bool(true),
        ("false", _) => Kind::Bool(false),
        (_, Ok(number)) if done == number.to_string() => Node::from_json(number.into()).kind,
        _ => Kind::String(done),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::tree;
    use super::super::{Delivery, as_applied};
    use super::made_by_resource_sets;

    fn made(spec: &str) -> Vec<String> {
        let tree = tree(&format!(
            "# set.yaml
apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {{name: apps, namespace: flux-system}}
spec:
{spec}"
        ));
        let made = made_by_resource_sets(&tree.objects);
        made.iter()
            .map(|it| serde_json::to_string(&it.node.to_json()).expect("JSON"))
            .collect()
    }

    #[test]
    fn each_input_fills_the_templates() {
        assert_eq!(
            made(
                "  inputs: [{name: web, port: 80, in: {space: a}}, {name: wiki, port: 81, in: {space: a}}]
  resources:
    - apiVersion: v1
      kind: Namespace
      metadata: {name: << inputs.in.space >>}
    - apiVersion: v1
      kind: Service
      metadata: {name: my-<< inputs.name >>, labels: {port: << inputs.port | quote >>}}
      spec: {ports: [{port: << inputs.port >>, name: << inputs.name | upper >>}]}
"
            ),
            [
                r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"}}"#,
                r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"my-web","labels":{"port":"80"},"namespace":"flux-system"},"spec":{"ports":[{"port":80,"name":"${UNKNOWN_INPUT}"}]}}"#,
                r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"my-wiki","labels":{"port":"81"},"namespace":"flux-system"},"spec":{"ports":[{"port":81,"name":"${UNKNOWN_INPUT}"}]}}"#,
            ]
        );
    }

    #[test]
    fn what_a_provider_gives_is_unknown() {
        assert_eq!(
            made(
                "  inputsFrom: [{kind: ResourceSetInputProvider, name: pulls}]
  resourcesTemplate: |
    <<- range $it := inputs.all >>
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: pull-<< $it.id >>
      namespace: << inputs.space >>
    <<- end >>
    ---
    not: [yaml
"
            ),
            [
                r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"pull-${UNKNOWN_INPUT}","namespace":"${UNKNOWN_INPUT}"}}"#
            ]
        );
    }

    #[test]
    fn kustomizations_change_the_set_but_not_what_it_makes() {
        let mut tree = tree(
            "
# kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: flux-system
namePrefix: my-
resources: [set.yaml]
# set.yaml
apiVersion: fluxcd.controlplane.io/v1
kind: ResourceSet
metadata: {name: apps}
spec:
  resources:
    - apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: web}
",
        );
        let made = made_by_resource_sets(&tree.objects);
        tree.objects.extend(made);
        let delivery = Delivery::of(&tree.objects, &tree.files);
        let applied = as_applied(&tree.objects, &delivery);
        let names: Vec<String> = applied
            .iter()
            .map(|it| format!("{} {}/{}", it.kind(), it.namespace(), it.name()))
            .collect();
        assert_eq!(
            names[1..],
            ["ResourceSet flux-system/my-apps", "Service web/web"]
        );
    }
}
