//! `images` (kustomize's `ImageTagTransformer`).

use super::field_specs::Which;
use super::fields::{Create, each, fits, get_items_mut, steps, text};
use super::resource::{get_mut, size, text_of};
use super::state::{Accumulator, Layer, State, maps};
use manifest::value::{Kind, Node};

/// Changes the images of containers.
pub(super) fn set<'a>(state: &mut State<'_, 'a>, layer: &Layer<'a>, all: &mut Accumulator) {
    for key in ["images", "imageTags"] {
        for (pointer, image) in maps(layer, key) {
            let pattern = format!(
                "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
                text(image, "name")
            );
            let at = layer.spot(pointer);
            let values = all.resources.iter().map(|one| size(&one.object.node)).sum();
            if !state.visit(values, &at) {
                return;
            }
            let Ok(pattern) = regex::Regex::new(&pattern) else {
                state.refuse(at, "the name of the image is no regular expression");
                continue;
            };
            let change = Change { image, pattern };
            let specs = all.config.fields(Which::Images);
            let specs: Vec<_> = specs.iter().map(|spec| (spec, steps(&spec.path))).collect();
            for resource in &mut all.resources {
                if resource.object.kind() == "CustomResourceDefinition" {
                    continue;
                }
                change.in_containers(&mut resource.object.node);
                for (spec, path) in &specs {
                    if !fits(spec, &resource.gvk()) {
                        continue;
                    }
                    let node = &mut resource.object.node;
                    let done = each(node, path, Create::Never, &mut |node| {
                        change.apply(node);
                        Ok(())
                    });
                    if let Err(message) = done {
                        state.refuse(at.clone(), message);
                    }
                }
            }
        }
    }
}

/// An entry of `images`.
struct Change<'n> {
    image: &'n Node,
    pattern: regex::Regex,
}

impl Change<'_> {
    /// Changes the images in all lists of containers, wherever they are.
    fn in_containers(&self, node: &mut Node) {
        match &mut node.kind {
            Kind::List(items) => items.iter_mut().for_each(|item| self.in_containers(item)),
            Kind::Map(map) => {
                for (key, value) in map.iter_mut() {
                    let is_list = matches!(key, "containers" | "initContainers");
                    self.in_containers(value);
                    if is_list {
                        for container in get_items_mut(value) {
                            if let Some(image) = get_mut(container, "image") {
                                self.apply(image);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Changes an image if it has the name.
    fn apply(&self, node: &mut Node) {
        let Some(old) = text_of(node).filter(|old| self.pattern.is_match(old)) else {
            return;
        };
        let (name, mut tag, mut digest) = split(&old);
        let new = |key: &str| text_of(self.image.get(key)?).filter(|text| !text.is_empty());
        let mut image = new("newName").unwrap_or_else(|| name.to_owned());
        let (new_tag, new_digest, suffix) = (new("newTag"), new("digest"), new("tagSuffix"));
        if new_tag.is_some() || new_digest.is_some() {
            tag = new_tag.unwrap_or_default();
            digest = new_digest.unwrap_or_default();
        } else if let Some(suffix) = suffix {
            tag.push_str(&suffix);
            digest.clear();
        }
        for (mark, part) in [(':', tag), ('@', digest)] {
            if !part.is_empty() {
                image.push(mark);
                image.push_str(&part);
            }
        }
        if image != old {
            *node = Node::new(Kind::String(image), self.image.span);
        }
    }
}

/// The name, tag and digest of an image.
fn split(image: &str) -> (&str, String, String) {
    let after_host = image.find('/').unwrap_or(0);
    let rest = image.get(after_host..).unwrap_or_default();
    let at = rest.find('@').map(|at| at + after_host);
    let colon = rest.find(':').map(|at| at + after_host);
    let part = |start: usize, end: usize| image.get(start..end).unwrap_or_default();
    match (colon, at) {
        (None, None) => (image, String::new(), String::new()),
        (Some(colon), Some(at)) if colon < at => (
            part(0, colon),
            part(colon + 1, at).to_owned(),
            part(at + 1, image.len()).to_owned(),
        ),
        (_, Some(at)) => (
            part(0, at),
            String::new(),
            part(at + 1, image.len()).to_owned(),
        ),
        (Some(colon), None) => (
            part(0, colon),
            part(colon + 1, image.len()).to_owned(),
            String::new(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_name_a_tag_and_a_digest() {
        for (image, want) in [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            ("nginx@sha256:a", ("nginx", "", "sha256:a")),
            ("nginx:1.2@sha256:a", ("nginx", "1.2", "sha256:a")),
            (
                "example.com:443/nginx:1.2",
                ("example.com:443/nginx", "1.2", ""),
            ),
        ] {
            let (name, tag, digest) = split(image);
            assert_eq!((name, tag.as_str(), digest.as_str()), want);
        }
    }
}
