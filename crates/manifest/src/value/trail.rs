//! The path of a walk.

use std::ops::Deref;

use super::pointer::{Pointer, Step};

/// Where a walk is: a [`Pointer`] that goes in and out of values without making a text for each key on its way. A walk
/// over an object passes hundreds, and mostly nobody asks where it was.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    pointer: Pointer,
    /// Texts of keys that were left, to write the next ones into.
    spare: Vec<String>,
}

/// One step of a [`Trail`], as [`Step`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'k> {
    /// Into a map.
    Key(&'k str),
    /// Into a list, from 0.
    Index(usize),
}

impl Trail {
    /// A walk that begins at the root.
    pub fn root() -> Self {
        Trail::default()
    }

    /// Goes a step in.
    pub fn enter(&mut self, part: Part<'_>) {
        let step = match part {
            Part::Index(index) => Step::Index(index),
            Part::Key(key) => {
                let mut text = self.spare.pop().unwrap_or_default();
                text.clear();
                text.push_str(key);
                Step::Key(text)
            }
        };
        self.pointer.push(step);
    }

    /// Goes a step out.
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
    fn a_walk_is_where_it_went_last() {
        let mut trail = Trail::root();
        for (part, at) in [
            (Some(Part::Key("spec")), "/spec"),
            (Some(Part::Key("listeners")), "/spec/listeners"),
            (Some(Part::Index(1)), "/spec/listeners/1"),
            (None, "/spec/listeners"),
            (None, "/spec"),
            (Some(Part::Key("a/b")), "/spec/a~1b"),
            (None, "/spec"),
            (None, ""),
            (None, ""),
            (Some(Part::Key("status")), "/status"),
        ] {
            match part {
                Some(part) => trail.enter(part),
                None => trail.leave(),
            }
            assert_eq!(trail.to_string(), at);
        }
    }
}
