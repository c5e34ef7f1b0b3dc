//! The ConfigMaps and Secrets that a kustomization generates.

use std::collections::BTreeMap;

use super::kustomization::{Kustomization, pairs};
use super::{DeliveryPath, SUBSTITUTE};
use manifest::value::path::{join, name};
use manifest::value::{Node, Pointer};

/// The keys of a kustomization that contain generators, each with the kind of object that it generates.
const GENERATORS: [(&str, &str); 2] = [
    ("configMapGenerator", "ConfigMap"),
    ("secretGenerator", "Secret"),
];

/// A generator of a kustomization: it generates one ConfigMap or Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    /// Its path in the kustomization.
    pub pointer: Pointer,
    /// `ConfigMap` or `Secret`.
    pub kind: &'static str,
    /// Its name as written, without prefix, suffix and hash.
    pub name: String,
    /// The `namespace` of the generator itself.
    pub namespace: Option<String>,
    /// Whether kustomize adds a hash of the content to the name.
    pub has_hash: bool,
    /// Its labels, including those of `generatorOptions`.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, including those of `generatorOptions`.
    pub annotations: BTreeMap<String, String>,
    /// Its keys from `files` and `literals`, each with its content.
    pub keys: Vec<(String, KeyContent)>,
    /// The files of `envs` and `env`, in which each line is a further key.
    pub env_files: Vec<String>,
}

/// The content of a generated key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyContent {
    /// The text of a file. The path is in the form that findings use.
    File(String),
    /// A literal text.
    Text(String),
}

impl KeyContent {
    /// The text; otherwise, the path of the file whose text is not given.
    fn text(&self, text_of: impl Fn(&str) -> Option<String>) -> Result<String, &str> {
        match self {
            KeyContent::File(file) => text_of(file).ok_or(file.as_str()),
            KeyContent::Text(text) => Ok(text.clone()),
        }
    }
}

impl Generator {
    /// All generators of a kustomization.
    pub(super) fn all(kustomization: &Kustomization<'_>) -> Vec<Self> {
        let mut all = Vec::new();
        for (key, kind) in GENERATORS {
            let list = Pointer::root().key(key);
            let items = kustomization.node.get(key).and_then(Node::as_list);
            for (at, item) in items.unwrap_or_default().iter().enumerate() {
                all.push(Generator::read(kustomization, kind, list.index(at), item));
            }
        }
        all
    }

    fn read(
        kustomization: &Kustomization<'_>,
        kind: &'static str,
        pointer: Pointer,
        item: &Node,
    ) -> Self {
        let here = kustomization.folder();
        let text = |key: &str| item.get(key).and_then(Node::as_str);
        let texts = |key: &str| {
            let list = item.get(key).and_then(Node::as_list).unwrap_or_default();
            list.iter().filter_map(Node::as_str)
        };
        let options = [
            kustomization.node.get("generatorOptions"),
            item.get("options"),
        ];
        // The generator's own labels and annotations come last, so they override the others.
        let both = |key: &str| {
            let maps = options.iter().flatten();
            maps.flat_map(|one| pairs(one.get(key))).collect()
        };
        // If `generatorOptions` disables the hash, a single generator can't enable it again.
        let is_without_hash = options
            .iter()
            .flatten()
            .any(|one| one.get("disableNameSuffixHash").and_then(Node::as_bool) == Some(true));
        let files = texts("files").map(|text| {
            let (key, path) = key_and_path(text);
            (key.to_owned(), KeyContent::File(join(here, path)))
        });
        let literals = texts("literals").filter_map(|text| {
            let (key, value) = text.split_once('=')?;
            Some((key.to_owned(), KeyContent::Text(unquoted(value).to_owned())))
        });
        let env_files = texts("envs").chain(text("env"));
        Generator {
            pointer,
            kind,
            name: text("name").unwrap_or_default().to_owned(),
            namespace: text("namespace").map(str::to_owned),
            has_hash: !is_without_hash,
            labels: both("labels"),
            annotations: both("annotations"),
            keys: files.chain(literals).collect(),
            env_files: env_files.map(|path| join(here, path)).collect(),
        }
    }

    /// The generated data by key. `text_of` returns the text of a file.
    ///
    /// # Errors
    /// Returns the path of a file whose text is not given.
    pub fn data(
        &self,
        text_of: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<String, String>, &str> {
        let mut data = BTreeMap::new();
        for file in &self.env_files {
            let text = text_of(file).ok_or(file.as_str())?;
            data.extend(env_lines(&text).map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        for (key, content) in &self.keys {
            data.insert(key.clone(), content.text(&text_of)?);
        }
        Ok(data)
    }

    /// The generated text of a key from `files` or `literals`, if it is known.
    pub fn text(&self, key: &str, text_of: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut keys = self.keys.iter();
        let (_, content) = keys.find(|(known, _)| known == key)?;
        content.text(text_of).ok()
    }

    /// Its name with the prefix and suffix of a way, without the hash.
    pub fn name_by(&self, way: &DeliveryPath) -> String {
        format!("{}{}{}", way.prefix, self.name, way.suffix)
    }

    /// Whether a label or annotation, its own or one that the way adds, tells Flux not to substitute variables in it.
    pub fn is_left_as_it_is(&self, way: &DeliveryPath) -> bool {
        let mut maps = [
            &self.labels,
            &self.annotations,
            &way.labels,
            &way.annotations,
        ]
        .into_iter();
        maps.any(|map| map.get(SUBSTITUTE).is_some_and(|value| value == "disabled"))
    }
}

/// Splits an entry of `files`, which is `path` or `key=path`. The default key is the name of the file.
pub(super) fn key_and_path(text: &str) -> (&str, &str) {
    text.split_once('=').unwrap_or_else(|| (name(text), text))
}

/// The keys and values in the lines of an `envs` file: `key=value`, or only a key. Lines that start with `#` are
/// comments.
pub(super) fn env_lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once('=').unwrap_or((line, "")))
}

/// A text without the quotes around it, if it starts and ends with the same kind of quote.
fn unquoted(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::tree;
    use super::*;

    fn generators(text: &str) -> Vec<Generator> {
        let head = "# app/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
";
        let tree = tree(&format!("{head}{text}"));
        Kustomization::of(&tree.objects[0]).generators()
    }

    #[test]
    fn keys_come_of_files_and_literals() {
        let all = generators(
            "configMapGenerator:
- name: m
  namespace: own
  files: [resources/m.lua, lua=../n.lua]
  literals: ['a=\"v\"', 'b=\"w', 'c=t=u', d]
secretGenerator:
- {name: s, envs: [e.env], env: f.env}
",
        );
        let file = |key: &str, path: &str| (key.to_owned(), KeyContent::File(path.to_owned()));
        let text = |key: &str, text: &str| (key.to_owned(), KeyContent::Text(text.to_owned()));
        assert_eq!(
            all[0].keys,
            [
                file("m.lua", "app/resources/m.lua"),
                file("lua", "n.lua"),
                text("a", "v"),
                text("b", "\"w"),
                text("c", "t=u"),
            ]
        );
        assert_eq!(all[0].namespace.as_deref(), Some("own"));
        assert_eq!(all[1].kind, "Secret");
        assert_eq!(all[1].env_files, ["app/e.env", "app/f.env"]);
        assert_eq!(all[1].pointer.to_string(), "/secretGenerator/0");
    }

    #[test]
    fn what_it_holds_is_told_where_all_files_are_given() {
        let all = generators("configMapGenerator: [{name: m, files: [a.lua], envs: [e.env]}]\n");
        let texts = |path: &str| match path {
            "app/a.lua" => Some("return 1".to_owned()),
            "app/e.env" => Some("# no\n\n  A=1=2\nB\n".to_owned()),
            _ => None,
        };
        let data = all[0].data(texts).expect("all files");
        let data: Vec<_> = data
            .iter()
            .map(|(key, text)| format!("{key}: {text}"))
            .collect();
        assert_eq!(data, ["A: 1=2", "B: ", "a.lua: return 1"]);
        assert_eq!(all[0].data(|_| None), Err("app/e.env"));
    }

    #[test]
    fn a_hash_that_is_switched_off_for_all_is_off_for_each() {
        let hashes = |options: &str, own: &str| {
            let all = generators(&format!(
                "generatorOptions: {{{options}}}\nconfigMapGenerator: [{{name: m, options: {{{own}}}}}]\n"
            ));
            all[0].has_hash
        };
        let (off, on) = (
            "disableNameSuffixHash: true",
            "disableNameSuffixHash: false",
        );
        assert!(hashes("", "") && hashes(on, "") && hashes("", on));
        assert!(!hashes(off, on) && !hashes(on, off) && !hashes(off, ""));
    }

    #[test]
    fn own_labels_win_over_those_for_all() {
        let all = generators(
            "generatorOptions: {labels: {a: all, b: all}, annotations: {x: all}}
configMapGenerator: [{name: m, options: {labels: {a: own}}}]
",
        );
        assert_eq!(all[0].labels["a"], "own");
        assert_eq!(all[0].labels["b"], "all");
        assert_eq!(all[0].annotations["x"], "all");
    }
}
