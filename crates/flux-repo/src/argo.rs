//! Argo CD's Applications and ApplicationSets: which folders of the repository they apply.
//!
//! Of the generators of ApplicationSets, `list` and `git` with `directories` are followed. An Application of a chart applies
//! no folder.

use std::collections::{BTreeMap, BTreeSet};

use super::DeliveryPath;
use super::folders::Folders;
use super::kustomization::pairs;
use manifest::Object;
use manifest::value::path::{folder, name};
use manifest::value::{Kind, Map, Node};

/// The API group of Argo CD.
pub const ARGO_CD: &str = "argoproj.io";

/// The maximum number of Applications that are generated from one ApplicationSet. More would only take time.
const MOST_GENERATED: usize = 1000;

/// A folder that an Application applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArgoSource {
    /// The folder as it is written, relative to the root of the repository.
    pub path: String,
    /// Whether manifests below the folder count, too, if it has no kustomization.
    pub is_recursive: bool,
    /// What the Application sets.
    pub way: DeliveryPath,
}

/// The folders that an Application, or those that an ApplicationSet generates, apply.
pub(crate) fn sources(object: &Object, folders: &Folders<'_>) -> Vec<ArgoSource> {
    if object.group() != ARGO_CD {
        return Vec::new();
    }
    let Some(spec) = object.node.get("spec") else {
        return Vec::new();
    };
    match object.kind() {
        "Application" => of_application(spec),
        "ApplicationSet" => {
            let template = spec.path(&["template", "spec"]);
            let generated = generated(spec, folders).into_iter().take(MOST_GENERATED);
            generated
                .filter_map(|values| Some(filled(template?, &values)))
                .flat_map(|spec| of_application(&spec))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn of_application(spec: &Node) -> Vec<ArgoSource> {
    let several = spec.get("sources").and_then(Node::as_list);
    let all = spec
        .get("source")
        .into_iter()
        .chain(several.unwrap_or_default());
    let namespace = text(spec, &["destination", "namespace"]);
    all.filter_map(|source| {
        let path = text(source, &["path"])?;
        let kustomize = |key: &str| text(source, &["kustomize", key]).map(str::to_owned);
        let recurse = source.path(&["directory", "recurse"]);
        Some(ArgoSource {
            path: path.to_owned(),
            is_recursive: recurse.and_then(Node::as_bool) == Some(true),
            way: DeliveryPath {
                default_namespace: namespace.map(str::to_owned),
                namespace: kustomize("namespace"),
                prefix: kustomize("namePrefix").unwrap_or_default(),
                suffix: kustomize("nameSuffix").unwrap_or_default(),
                labels: pairs(source.path(&["kustomize", "commonLabels"])).collect(),
                annotations: pairs(source.path(&["kustomize", "commonAnnotations"])).collect(),
                is_partly_unknown: source.path(&["kustomize", "patches"]).is_some(),
                ..DeliveryPath::default()
            },
        })
    })
    .filter(|source| !source.path.contains("{{"))
    .collect()
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.path(path).and_then(Node::as_str)
}

/// The values of each Application that the generators of an ApplicationSet generate, by the name of a parameter.
fn generated(spec: &Node, folders: &Folders<'_>) -> Vec<BTreeMap<String, String>> {
    let generators = spec.get("generators").and_then(Node::as_list);
    let mut all = Vec::new();
    for generator in generators.unwrap_or_default() {
        let elements = generator.path(&["list", "elements"]);
        for element in elements.and_then(Node::as_list).unwrap_or_default() {
            let mut values = BTreeMap::new();
            flatten(element, "", &mut values);
            all.push(values);
        }
        let directories = generator.path(&["git", "directories"]);
        let directories = directories.and_then(Node::as_list).unwrap_or_default();
        let is_excluded = |one: &&Node| one.get("exclude").and_then(Node::as_bool) == Some(true);
        let patterns = |wanted: bool| {
            let patterns = directories
                .iter()
                .filter(move |one| is_excluded(one) == wanted);
            patterns.filter_map(|one| text(one, &["path"]))
        };
        let found: BTreeSet<&str> = folders
            .all()
            .filter(|folder| patterns(false).any(|pattern| matches(pattern, folder)))
            .filter(|folder| !patterns(true).any(|pattern| matches(pattern, folder)))
            .collect();
        all.extend(found.into_iter().map(|path| {
            let values = [
                ("path", path),
                ("path.path", path),
                ("path.basename", name(path)),
                ("path.dirname", folder(path)),
            ];
            values
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        }));
    }
    all
}

/// The strings in an element, by their path with dots.
fn flatten(node: &Node, at: &str, into: &mut BTreeMap<String, String>) {
    match &node.kind {
        Kind::String(text) => {
            into.insert(at.to_owned(), text.clone());
        }
        Kind::Map(map) => {
            for (key, value) in map.iter() {
                let inner = match at {
                    "" => key.to_owned(),
                    at => format!("{at}.{key}"),
                };
                flatten(value, &inner, into);
            }
        }
        _ => {}
    }
}

/// Whether a pattern fits a folder: `*` is anything but a slash.
fn matches(pattern: &str, folder: &str) -> bool {
    let (patterns, parts) = (pattern.split('/'), folder.split('/'));
    patterns.clone().count() == parts.clone().count()
        && patterns
            .zip(parts)
            .all(|(pattern, part)| fits(pattern, part))
}

fn fits(pattern: &str, part: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == part;
    };
    let Some(mut left) = part.strip_prefix(start) else {
        return false;
    };
    let mut words = rest.split('*').peekable();
    while let Some(word) = words.next() {
        if words.peek().is_none() {
            return left.ends_with(word);
        }
        match left.find(word) {
            Some(at) => left = left.get(at + word.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// The template with the values of one Application.
fn filled(node: &Node, values: &BTreeMap<String, String>) -> Node {
    let kind = match &node.kind {
        Kind::String(text) if text.contains("{{") => Kind::String(with_values(text, values)),
        Kind::List(items) => Kind::List(items.iter().map(|item| filled(item, values)).collect()),
        Kind::Map(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (key.to_owned(), filled(value, values)));
            Kind::Map(entries.collect::<Map>())
        }
        other => other.clone(),
    };
    Node::new(kind, node.span)
}

/// A text with the values of its parameters: `{{name}}`, or `{{ .name }}` of Go's templates. Other expressions stay.
fn with_values(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        done.push_str(before);
        let Some((inner, after)) = after.split_once("}}") else {
            rest = rest.get(before.len()..).unwrap_or_default();
            break;
        };
        let name = inner.trim().trim_start_matches('.');
        match values.get(name) {
            Some(value) => done.push_str(value),
            None => done.push_str(&format!("{{{{{inner}}}}}")),
        }
        rest = after;
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::super::fixture::tree;
    use super::super::{Delivery, as_applied};

    /// Each applied object as `Kind namespace/name`, without those of Argo CD.
    fn applied(text: &str) -> Vec<String> {
        let tree = tree(text);
        let delivery = Delivery::of(&tree.objects, &tree.files);
        let applied = as_applied(&tree.objects, &delivery);
        let own = applied.iter().filter(|it| it.group() != super::ARGO_CD);
        let own = own.filter(|it| it.group() != super::super::KUSTOMIZE);
        own.map(|it| format!("{} {}/{}", it.kind(), it.namespace(), it.name()))
            .collect()
    }

    const ROUTES: &str = "
# apps/web/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
# apps/web/more/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: more}
# apps/wiki/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [route.yaml]
# apps/wiki/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: wiki}
";

    #[test]
    fn an_application_gives_objects_without_a_namespace_its_own() {
        let application = "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  source: {repoURL: 'https://example.com/home.git', path: apps/web}
  destination: {namespace: sites}
";
        assert_eq!(
            applied(&format!("{application}{ROUTES}")),
            ["HTTPRoute sites/web", "HTTPRoute /more", "HTTPRoute /wiki"]
        );
        let recursive = application.replace(
            "path: apps/web",
            "path: apps/web, directory: {recurse: true}",
        );
        assert_eq!(
            applied(&format!("{recursive}{ROUTES}")),
            [
                "HTTPRoute sites/web",
                "HTTPRoute sites/more",
                "HTTPRoute /wiki"
            ]
        );
        let kustomize = application.replace(
            "path: apps/web",
            "path: apps/wiki, kustomize: {namePrefix: my-}",
        );
        assert_eq!(
            applied(&format!("{kustomize}{ROUTES}"))[2],
            "HTTPRoute sites/my-wiki"
        );
    }

    #[test]
    fn the_folders_of_an_application_set_are_found() {
        let set = |generator: &str, path: &str, namespace: &str| {
            let set = format!(
                "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: all, namespace: argocd}}
spec:
  generators: [{generator}]
  template:
    spec:
      source: {{path: '{path}'}}
      destination: {{namespace: '{namespace}'}}
"
            );
            applied(&(set + ROUTES))
        };
        assert_eq!(
            set(
                "{git: {directories: [{path: apps/*}]}}",
                "{{path}}",
                "{{path.basename}}"
            ),
            [
                "HTTPRoute web/web",
                "HTTPRoute /more",
                "HTTPRoute wiki/wiki"
            ]
        );
        assert_eq!(
            set(
                "{git: {directories: [{path: apps/w*}, {path: apps/web, exclude: true}]}}",
                "{{ .path.path }}",
                "{{ .path.basename }}"
            ),
            ["HTTPRoute /web", "HTTPRoute /more", "HTTPRoute wiki/wiki"]
        );
        assert_eq!(
            set(
                "{list: {elements: [{app: web, in: {space: a}}]}}",
                "apps/{{app}}",
                "{{in.space}}"
            ),
            ["HTTPRoute a/web", "HTTPRoute /more", "HTTPRoute /wiki"]
        );
    }
}
