//! JSON pointers (RFC 6901).

use std::fmt;

/// A step of a [`Pointer`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A key of a map.
    Key(String),
    /// An index of a list, from 0.
    Index(usize),
}

/// The path from the root of a tree to one of its nodes.
/// Its text form is that of RFC 6901 (`/spec/listeners/0/name`); the empty pointer is the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer {
    steps: Vec<Step>,
}

impl Pointer {
    /// The pointer to the root.
    pub fn root() -> Self {
        Pointer::default()
    }

    /// Parses a pointer. A step of digits becomes an index; [`resolve_in`](Self::resolve_in) corrects that
    /// for a given tree. Returns `None` if the text is not empty and doesn't start with `/`.
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

    /// The same path with the steps that fit `tree`: digits are a key if there is a map at that position.
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

    /// The steps, starting at the root.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// This path with a key appended.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.step(Step::Key(key.into()))
    }

    /// This path with an index appended.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(index))
    }

    /// This path with a step appended.
    #[must_use]
    pub fn step(&self, step: Step) -> Self {
        let mut steps = self.steps.clone();
        steps.push(step);
        Pointer { steps }
    }

    /// This path without its last step; `None` for the root.
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

    /// Appends a step in place. Together with [`pop`](Self::pop), it avoids copies of the path in traversals.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Removes the last step.
    pub fn pop(&mut self) -> Option<Step> {
        self.steps.pop()
    }

    /// The path in the notation of Kubernetes: `spec.listeners[0].name`. Keys with dots are in brackets.
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
    fn keys_with_slashes_and_tildes_can_be_read_back() {
        let pointer = Pointer::root().key("a/b~c").index(3).key("x");
        assert_eq!(pointer.to_string(), "/a~1b~0c/3/x");
        assert_eq!(Pointer::parse("/a~1b~0c/3/x"), Some(pointer));
        assert_eq!(Pointer::parse("spec"), None);
        assert_eq!(Pointer::parse(""), Some(Pointer::root()));
    }

    #[test]
    fn the_dotted_form_is_that_of_the_api_server() {
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
