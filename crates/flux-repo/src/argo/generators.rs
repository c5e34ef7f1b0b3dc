//! What the generators of an ApplicationSet generate.

use std::collections::{BTreeMap, BTreeSet};

use super::patterns::matches;
use super::{ARGO_CD, MOST_GENERATED, text};
use crate::folders::Folders;
use manifest::Object;
use manifest::value::path::{folder, name};
use manifest::value::{Kind, Node};

/// The maximum number of nested generators.
const DEEPEST_MATRIX: usize = 4;

/// The values of one Application, by the name of a parameter.
type Parameters = BTreeMap<String, String>;

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
pub(super) fn generated(spec: &Node, folders: &Folders<'_>) -> Vec<Parameters> {
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
pub(crate) fn flatten(node: &Node, at: &str, into: &mut BTreeMap<String, String>) {
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

/// A text with the values of its parameters: `{{name}}`, or `{{ .name }}` of Go's templates. Other expressions stay.
pub(super) fn with_values(text: &str, values: &BTreeMap<String, String>) -> String {
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
