//! Argo CD's Applications and ApplicationSets: which folders of the repository they apply.
//!
//! Of the generators of ApplicationSets, `list`, `git` and their `matrix` are followed; the content of files is not. An
//! Application of a chart applies no folder, and one of another repository none of this one.

use std::collections::{BTreeMap, BTreeSet};

use super::DeliveryPath;
use super::folders::Folders;
use super::kustomization::pairs;
use manifest::Object;
use manifest::value::path::{below, folder, name};
use manifest::value::{Kind, Node};

/// The API group of Argo CD.
pub const ARGO_CD: &str = "argoproj.io";

/// The maximum number of Applications that are generated from one ApplicationSet. More would only take time.
const MOST_GENERATED: usize = 1000;

/// The maximum number of nested generators.
const DEEPEST_MATRIX: usize = 4;

/// What stands for a value that is not known.
const UNKNOWN: &str = "${UNKNOWN_PARAMETER}";

/// The values of one Application, by the name of a parameter.
type Parameters = BTreeMap<String, String>;

/// A folder that an Application applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ArgoSource {
    /// The host and path of the repository; empty if it is not known.
    pub repository: String,
    /// The folder as it is written, relative to the root of the repository.
    pub path: String,
    /// Whether manifests below the folder count, too, if it has no kustomization.
    pub is_recursive: bool,
    /// The patterns of the files that count; none if all count.
    include: Vec<String>,
    /// The patterns of the files that don't count.
    exclude: Vec<String>,
    /// What the Application sets.
    pub way: DeliveryPath,
}

impl ArgoSource {
    /// Whether a file in `folder` counts.
    pub(crate) fn is_included(&self, folder: &str, file: &str) -> bool {
        let path = below(folder, file).unwrap_or(file);
        let fits_any = |patterns: &[String]| patterns.iter().any(|one| fits_path(one, path));
        !fits_any(&self.exclude) && (self.include.is_empty() || fits_any(&self.include))
    }
}

/// The patterns that a pattern with `{a,b}` stands for.
fn alternatives(pattern: &str) -> Vec<String> {
    let parts = pattern.split_once('{').and_then(|(start, rest)| {
        let (inner, end) = rest.split_once('}')?;
        Some((start, inner, end))
    });
    match parts {
        Some((start, inner, end)) => inner
            .split(',')
            .map(|one| format!("{start}{}{end}", one.trim()))
            .collect(),
        None => vec![pattern.to_owned()],
    }
}

/// Whether a pattern of Argo CD fits a path in a folder: `*` is anything there, slashes, too.
fn fits_path(pattern: &str, path: &str) -> bool {
    fits(&pattern.replace("**/", "*"), path)
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
                .filter_map(|values| {
                    Some(template?.with_strings(&|text| Kind::String(with_values(text, &values))))
                })
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
    let known = |text: &str| match text.contains("{{") {
        true => UNKNOWN.to_owned(),
        false => text.to_owned(),
    };
    let namespace = text(spec, &["destination", "namespace"]).map(known);
    let sources = all.filter_map(|source| {
        let path = text(source, &["path"])?;
        let kustomize = |key: &str| text(source, &["kustomize", key]).map(known);
        let recurse = source.path(&["directory", "recurse"]);
        let pattern = |key: &str| text(source, &["directory", key]).map(alternatives);
        Some(ArgoSource {
            repository: text(source, &["repoURL"]).map_or_else(String::new, repository),
            path: path.to_owned(),
            is_recursive: recurse.and_then(Node::as_bool) == Some(true),
            include: pattern("include").unwrap_or_default(),
            exclude: pattern("exclude").unwrap_or_default(),
            way: DeliveryPath {
                default_namespace: namespace.clone(),
                namespace: kustomize("namespace"),
                prefix: kustomize("namePrefix").unwrap_or_default(),
                suffix: kustomize("nameSuffix").unwrap_or_default(),
                labels: pairs(source.path(&["kustomize", "commonLabels"])).collect(),
                annotations: pairs(source.path(&["kustomize", "commonAnnotations"])).collect(),
                is_partly_unknown: ["patches", "components"]
                    .iter()
                    .any(|key| source.path(&["kustomize", key]).is_some()),
                ..DeliveryPath::default()
            },
        })
    });
    sources
        .filter(|source| !source.path.contains("{{"))
        .collect()
}

fn text<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    node.path(path).and_then(Node::as_str)
}

/// The host and path of a repository's URL, which is written in several ways; empty if it is not known.
pub(super) fn repository(url: &str) -> String {
    if url.contains("{{") || url.contains('$') || url.contains('<') {
        return String::new();
    }
    let url = url.trim().trim_end_matches('/').trim_end_matches(".git");
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    rest.replace(':', "/").to_lowercase()
}

/// The repository that most sources with a folder here name: this one. `None` if two are named equally often.
pub(crate) fn own_repository<'s>(sources: impl Iterator<Item = &'s ArgoSource>) -> Option<String> {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources.filter(|source| !source.repository.is_empty()) {
        *votes.entry(&source.repository).or_default() += 1;
    }
    let most = votes.values().max().copied()?;
    let mut first = votes.iter().filter(|(_, votes)| **votes == most);
    match (first.next(), first.next()) {
        (Some((own, _)), None) => Some((*own).to_owned()),
        _ => None,
    }
}

/// The folders that git generators of an ApplicationSet exclude.
pub(crate) fn excluded<'p>(object: &Object, folders: &Folders<'p>) -> Vec<&'p str> {
    if object.group() != ARGO_CD || object.kind() != "ApplicationSet" {
        return Vec::new();
    }
    let mut next: Vec<(&Node, usize)> = vec![(&object.node, 0)];
    let mut patterns: Vec<&str> = Vec::new();
    while let Some((node, depth)) = next.pop() {
        let path: &[&str] = match depth {
            0 => &["spec", "generators"],
            _ => &["matrix", "generators"],
        };
        let inner = node.path(path).and_then(Node::as_list).unwrap_or_default();
        if depth < DEEPEST_MATRIX {
            next.extend(inner.iter().map(|one| (one, depth + 1)));
        }
        let directories = node.path(&["git", "directories"]).and_then(Node::as_list);
        let directories = directories.unwrap_or_default().iter();
        let excluded = directories.filter(|one| is_exclusion(one));
        patterns.extend(excluded.filter_map(|one| text(one, &["path"])));
    }
    let all = folders.all();
    all.filter(|folder| patterns.iter().any(|pattern| matches(pattern, folder)))
        .collect()
}

fn is_exclusion(pattern: &Node) -> bool {
    pattern.get("exclude").and_then(Node::as_bool) == Some(true)
}

/// The values of each Application that the generators of an ApplicationSet generate, by the name of a parameter.
fn generated(spec: &Node, folders: &Folders<'_>) -> Vec<Parameters> {
    let generators = spec.get("generators").and_then(Node::as_list);
    let generators = generators.unwrap_or_default().iter();
    generators
        .flat_map(|generator| of_generator(generator, folders, 0))
        .collect()
}

/// The values that one generator generates. One that is not followed, because it asks a server, generates one Application
/// of which nothing is known.
fn of_generator(generator: &Node, folders: &Folders<'_>, depth: usize) -> Vec<Parameters> {
    let list = |path: &[&str]| generator.path(path).and_then(Node::as_list);
    if let Some(elements) = list(&["list", "elements"]) {
        return elements.iter().map(scalars).collect();
    }
    if let Some(directories) = list(&["git", "directories"]) {
        let found = folders.all();
        let of = |path: &str| of_path(path, path);
        return with_git_values(generator, chosen(directories, found).map(of));
    }
    if let Some(files) = list(&["git", "files"]) {
        let of = |path: &str| of_path(folder(path), path);
        return with_git_values(generator, chosen(files, folders.below("")).map(of));
    }
    let inner = list(&["matrix", "generators"]);
    if let Some(inner) = inner.filter(|_| depth < DEEPEST_MATRIX) {
        let mut all = vec![Parameters::new()];
        for one in inner {
            let more = of_generator(one, folders, depth + 1);
            let pairs = all.iter().flat_map(|values| {
                more.iter().map(|more| {
                    let both = values.iter().chain(more);
                    both.map(|(key, value)| (key.clone(), value.clone()))
                        .collect()
                })
            });
            all = pairs.take(MOST_GENERATED).collect();
        }
        return all;
    }
    let first = list(&["merge", "generators"]).and_then(<[Node]>::first);
    match first.filter(|_| depth < DEEPEST_MATRIX) {
        Some(first) => of_generator(first, folders, depth + 1),
        None => {
            let mut kinds = ["clusters", "git"].iter();
            let values = kinds.find_map(|kind| generator.path(&[kind, "values"]));
            let mut known = Parameters::new();
            if let Some(values) = values {
                flatten(values, "values", &mut known);
            }
            vec![known]
        }
    }
}

fn scalars(element: &Node) -> Parameters {
    let mut values = Parameters::new();
    flatten(element, "", &mut values);
    values
}

/// The paths that a list of patterns chooses.
fn chosen<'p>(
    patterns: &[Node],
    all: impl Iterator<Item = &'p str>,
) -> impl Iterator<Item = &'p str> {
    let is_in = |path: &str, excluded: bool| {
        let mut patterns = patterns.iter().filter(|one| is_exclusion(one) == excluded);
        patterns.any(|one| text(one, &["path"]).is_some_and(|pattern| matches(pattern, path)))
    };
    let found: BTreeSet<&str> = all
        .filter(|path| is_in(path, false) && !is_in(path, true))
        .collect();
    found.into_iter()
}

fn with_git_values(generator: &Node, all: impl Iterator<Item = Parameters>) -> Vec<Parameters> {
    let mut given = Parameters::new();
    if let Some(values) = generator.path(&["git", "values"]) {
        flatten(values, "values", &mut given);
    }
    let all = all.map(|mut values| {
        for (key, text) in &given {
            let text = with_values(text, &values);
            values.insert(key.clone(), text);
        }
        values
    });
    all.collect()
}

/// The values of a path: a folder, or a file and its folder.
fn of_path(folder_path: &str, path: &str) -> Parameters {
    let mut values: Parameters = [
        ("path", folder_path),
        ("path.path", folder_path),
        ("path.basename", name(folder_path)),
        ("path.dirname", folder(folder_path)),
        ("path.filename", name(path)),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let basename = name(folder_path).to_lowercase().replace(['_', '.'], "-");
    values.insert("path.basenameNormalized".to_owned(), basename);
    for (at, part) in folder_path.split('/').enumerate() {
        for key in [format!("path[{at}]"), format!("index .path.segments {at}")] {
            values.insert(key, part.to_owned());
        }
    }
    values
}

/// The scalars in an element, by their path with dots.
pub(super) fn flatten(node: &Node, at: &str, into: &mut BTreeMap<String, String>) {
    match &node.kind {
        Kind::String(text) => {
            into.insert(at.to_owned(), text.clone());
        }
        Kind::Number(_) | Kind::Bool(_) => {
            into.insert(at.to_owned(), node.to_json().to_string());
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

/// Whether a pattern fits a path: `*` is anything but a slash, and `**` any number of folders.
fn matches(pattern: &str, path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    // The numbers of parts that the pattern may have consumed so far.
    let mut consumed = BTreeSet::from([0]);
    for pattern in pattern.split('/') {
        consumed = match (pattern, consumed.first()) {
            (_, None) => return false,
            ("**", Some(first)) => (*first..=parts.len()).collect(),
            _ => consumed
                .into_iter()
                .filter(|at| parts.get(*at).is_some_and(|part| fits(pattern, part)))
                .map(|at| at + 1)
                .collect(),
        };
    }
    consumed.contains(&parts.len())
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

    const OVERLAYS: &str = "
# apps/web/overlays/dev/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [route.yaml]
# apps/web/overlays/dev/route.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: dev}
# apps/web/overlays/prod/config.yaml
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: prod}
";

    fn with_generator(generator: &str, path: &str, namespace: &str) -> Vec<String> {
        applied(&format!(
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
{OVERLAYS}"
        ))
    }

    #[test]
    fn generators_are_combined() {
        let matrix = "{matrix: {generators: [
          {git: {directories: [{path: apps/*}]}},
          {list: {elements: [{stage: dev, nr: 1}, {stage: prod, nr: 2}]}}]}}";
        assert_eq!(
            with_generator(
                matrix,
                "{{.path.path}}/overlays/{{.stage}}",
                "{{index .path.segments 1}}-{{.nr}}"
            ),
            ["HTTPRoute web-1/dev", "HTTPRoute web-2/prod"]
        );
        assert_eq!(
            with_generator(
                "{git: {files: [{path: 'apps/**/config.yaml'}]}}",
                "{{path}}",
                "{{path[1]}}-{{path.basename}}"
            ),
            ["HTTPRoute /dev", "HTTPRoute web-prod/prod"]
        );
        // Which clusters there are is not known, so neither is the namespace.
        assert_eq!(
            with_generator("{clusters: {}}", "apps/web/overlays/prod", "{{name}}"),
            ["HTTPRoute /dev", "HTTPRoute ${UNKNOWN_PARAMETER}/prod"]
        );
    }

    #[test]
    fn files_of_a_folder_are_chosen() {
        let with = |directory: &str| {
            applied(&format!(
                "
# root.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  source: {{path: apps/web, directory: {{recurse: true, {directory}}}}}
  destination: {{namespace: sites}}
{ROUTES}"
            ))
        };
        let [web, more] = ["HTTPRoute sites/web", "HTTPRoute sites/more"];
        assert_eq!(with("include: '*.yaml'")[..2], [web, more]);
        assert_eq!(with("exclude: 'more/*'")[..2], [web, "HTTPRoute /more"]);
        assert_eq!(
            with("include: '{more/*,x.yaml}'")[..2],
            ["HTTPRoute /web", more]
        );
    }

    #[test]
    fn another_repository_has_nothing_here() {
        let application = |name: &str, url: &str, path: &str| {
            format!(
                "
# {name}.yaml
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}, namespace: argocd}}
spec:
  source: {{repoURL: '{url}', path: {path}}}
  destination: {{namespace: {name}}}
"
            )
        };
        let one = application("one", "https://github.com/example/home.git", "apps/wiki");
        let two = application("two", "git@github.com:Example/home", "apps/web/more");
        let other = application("three", "https://github.com/example/other", "apps/web");
        let objects = |text: String| applied(&(text + ROUTES));
        assert_eq!(
            objects(one.clone() + &two + &other),
            ["HTTPRoute /web", "HTTPRoute two/more", "HTTPRoute one/wiki"]
        );
        // Nobody knows which of two repositories this one is.
        assert_eq!(
            objects(one + &other),
            [
                "HTTPRoute three/web",
                "HTTPRoute /more",
                "HTTPRoute one/wiki"
            ]
        );
    }
}
