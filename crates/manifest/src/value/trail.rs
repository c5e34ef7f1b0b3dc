//! The path of a traversal.

use std::ops::Deref;

use super::pointer::{Pointer, Step};

/// The current position of a traversal. It is a [`Pointer`] that reuses the memory of its keys, because the
/// traversal of an object visits hundreds of values and the path is rarely needed.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pointer: Pointer,
    /// Unused strings of former keys, for new keys.
    spare: Vec<String>,
}

/// A step of a [`Trail`], like [`Step`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailStep<'k> {
    /// A key of a map.
    Key(&'k str),
    /// An index of a list, from 0.
    Index(usize),
}

impl Trail {
    /// Starts at the root.
    pub fn root() -> Self {
        Trail::default()
    }

    /// Descends one step.
    pub fn enter(&mut self, part: TrailStep<'_>) {
        let step = match part {
            TrailStep::Index(index) => Step::Index(index),
            TrailStep::Key(key) => {
                let mut text = self.spare.pop().unwrap_or_default();
                text.clear();
                text.push_str(key);
                Step::Key(text)
            }
        };
        self.pointer.push(step);
    }

    /// Returns to the parent.
    pub fn leave(&mut self) {
        if let Some(Step::Key(text)) = self.pointer.pop() {
            self.spare.push(text);
        }
    }
}

impl Deref for Trail {
    type Target = Pointer;

    fn deref(&self) -> &Pointer {
        &self.pointer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_the_current_position() {
        let mut trail = Trail::root();
        for (part, at) in [
            (Some(TrailStep::Key("spec")), "/spec"),
            (Some(TrailStep::Key("listeners")), "/spec/listeners"),
            (Some(TrailStep::Index(1)), "/spec/listeners/1"),
            (None, "/spec/listeners"),
            (None, "/spec"),
            (Some(TrailStep::Key("a/b")), "/spec/a~1b"),
            (None, "/spec"),
            (None, ""),
            (None, ""),
            (Some(TrailStep::Key("status")), "/status"),
        ] {
            match part {
                Some(part) => trail.enter(part),
                None => trail.leave(),
            }
            assert_eq!(trail.to_string(), at);
        }
    }
}
