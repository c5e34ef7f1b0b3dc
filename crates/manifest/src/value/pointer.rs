//! JSON pointers (RFC 6901).

use std::fmt;

/// One step of a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// A path from the root of a tree to one of its nodes.
///
/// Written as RFC 6901 has it (`/spec/listeners/0/name`); the empty pointer is the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    steps: Vec<Step>,
}

impl Pointer {
    /// The root.
    pub fn root() -> Self {
        Pointer::default()
    }

    /// Reads a pointer. A step of digits is taken for an index; [`resolve_in`](Self::resolve_in) settles it
    /// against a tree. `None` where it is neither empty nor starts with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Pointer::root());
        }
        let steps = text
            .strip_prefix('/')?
            .split('/')
            .map(|step| {
                let step = step.replace("~1", "/").replace("~0", "~");
                match step.parse() {
                    Ok(index) if step == "0" || !step.starts_with(['0', '+']) => Step::Index(index),
                    _ => Step::Key(step),
                }
            })
            .collect();
        Some(Pointer { steps })
    }

    /// The same path with each step in the form that `tree` wants: digits are keys where a map stands.
    pub fn resolve_in(&self, tree: &super::Node) -> Self {
        let mut node = Some(tree);
        let steps = self
            .steps
            .iter()
            .map(|step| {
                let step = match (step, node.map(|node| &node.kind)) {
                    (Step::Index(index), Some(super::Kind::Map(_))) => Step::Key(index.to_string()),
                    (step, _) => step.clone(),
                };
                node = node.and_then(|node| node.step(&step));
                step
            })
            .collect();
        Pointer { steps }
    }

    /// The steps, from the root on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// This path and one key more.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.step(Step::Key(key.into()))
    }

    /// This path and one index more.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// This path and one step more.
    #[must_use]
    pub fn step(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Pointer { steps }
    }

    /// The path without its last step; `None` of the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.steps.split_last()?;
        Some(Pointer {
            steps: above.to_vec(),
        })
    }

    /// The first `depth` steps of the path.
    #[must_use]
    pub fn start(&self, depth: usize) -> Self {
        Pointer {
            steps: self.steps.iter().take(depth).cloned().collect(),
        }
    }

    /// Adds a step in place; with [`pop`](Self::pop) for walks that would copy a path at each node.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Takes the last step off.
    pub fn pop(&mut self) -> Option<Step> {
        self.steps.pop()
    }

    /// The path as Kubernetes writes it: `spec.listeners[0].name`, keys that hold dots in brackets.
    pub fn dotted(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            match step {
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                Step::Key(key) if key.contains(['.', '/', '[']) => {
                    text.push_str(&format!("[{key}]"));
                }
                Step::Key(key) => {
                    if !text.is_empty() {
                        text.push('.');
                    }
                    text.push_str(key);
                }
            }
        }
        text
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match step {
                Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
                Step::Index(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_with_slashes_and_tildes_come_back() {
        let pointer = Pointer::root().key("a/b~c").index(3).key("x");
        assert_eq!(pointer.to_string(), "/a~1b~0c/3/x");
        assert_eq!(Pointer::parse("/a~1b~0c/3/x"), Some(pointer));
        assert_eq!(Pointer::parse("spec"), None);
        assert_eq!(Pointer::parse(""), Some(Pointer::root()));
    }

    #[test]
    fn the_dotted_form_is_the_api_servers() {
        let pointer = Pointer::root()
            .key("metadata")
            .key("annotations")
            .key("lbipam.cilium.io/ips");
        assert_eq!(
            pointer.dotted(),
            "metadata.annotations[lbipam.cilium.io/ips]"
        );
        assert_eq!(
            Pointer::root()
                .key("spec")
                .key("listeners")
                .index(0)
                .dotted(),
            "spec.listeners[0]"
        );
    }
}
