//! `goto` and labels: a jump goes to a label in its own block or in one around it, and not over the declaration of a
//! variable into its scope.

use std::collections::HashMap;
use std::ops::Range;

use super::scope::{Block, Function};
use super::{Parsed, refuse};

/// A label or a `goto`.
#[derive(Debug)]
struct Entry<'t> {
    name: &'t str,
    is_jump: bool,
    /// The number of variables in scope there.
    active: usize,
    range: Range<usize>,
    /// Whether it is a label whose block has ended, or a jump whose label was found.
    is_done: bool,
}

/// All labels and jumps of the functions that are being parsed.
#[derive(Debug, Default)]
pub(super) struct Jumps<'t> {
    entries: Vec<Entry<'t>>,
    /// The labels that can be reached, by name.
    labels: HashMap<&'t str, Vec<usize>>,
    /// The jumps whose label was not found yet, by name.
    pending: HashMap<&'t str, Vec<usize>>,
}

impl<'t> Jumps<'t> {
    pub(crate) fn count(&self) -> usize {
        self.entries.len()
    }

    fn add(&mut self, name: &'t str, is_jump: bool, active: usize, range: Range<usize>) -> usize {
        let index = self.entries.len();
        let list = if is_jump {
            &mut self.pending
        } else {
            &mut self.labels
        };
        list.entry(name).or_default().push(index);
        self.entries.push(Entry {
            name,
            is_jump,
            active,
            range,
            is_done: false,
        });
        index
    }

    /// Adds a `goto`, with the number of variables in scope.
    pub(crate) fn jump(&mut self, name: &'t str, active: usize, range: Range<usize>) {
        self.add(name, true, active, range);
    }

    /// Adds a label, and returns its number.
    ///
    /// # Errors
    /// If its block already has one with that name.
    pub(crate) fn label(
        &mut self,
        name: &'t str,
        block: Block,
        active: usize,
        range: Range<usize>,
    ) -> Parsed<usize> {
        let others = self.labels.get(name);
        match others.and_then(|all| all.last()) {
            Some(other) if *other >= block.jumps => {
                refuse(range, format!("the block already has a label `{name}`"))
            }
            _ => Ok(self.add(name, false, active, range)),
        }
    }

    /// Resolves the earlier jumps of a block to a label. `active` is the number of variables that count as in scope
    /// before the label: if nothing but the end of the block follows, those of the block don't count.
    ///
    /// # Errors
    /// If a jump goes into the scope of a variable.
    pub(crate) fn resolve(
        &mut self,
        label: usize,
        block: Block,
        active: usize,
        function: &Function<'t>,
    ) -> Parsed<()> {
        let Some(entry) = self.entries.get_mut(label) else {
            return Ok(());
        };
        entry.active = active;
        let name = entry.name;
        let pending = self.pending.entry(name).or_default();
        while let Some(index) = pending.pop_if(|index| *index >= block.jumps) {
            let Some(jump) = self.entries.get_mut(index) else {
                continue;
            };
            if jump.active < active {
                let local = function.local(jump.active);
                return refuse(
                    jump.range.clone(),
                    format!(
                        "`goto {name}` jumps over `local {local}`, which is in scope at the label"
                    ),
                );
            }
            jump.is_done = true;
        }
        Ok(())
    }

    /// Ends a block: its labels can't be reached any more, and its open jumps are moved to the block around it.
    ///
    /// # Errors
    /// If there is no block around it, and a jump is still open.
    pub(crate) fn end_block(&mut self, block: Block, is_outermost: bool) -> Parsed<()> {
        for index in block.jumps..self.entries.len() {
            let Some(entry) = self.entries.get_mut(index).filter(|it| !it.is_done) else {
                continue;
            };
            if entry.is_jump {
                if is_outermost {
                    let message = format!("there is no label `::{0}::` for `goto {0}`", entry.name);
                    return refuse(entry.range.clone(), message);
                }
                entry.active = block.active;
                continue;
            }
            entry.is_done = true;
            let name = entry.name;
            if let Some(labels) = self.labels.get_mut(name) {
                labels.pop_if(|last| *last == index);
            }
            // Backward jumps.
            let pending = self.pending.entry(name).or_default();
            while let Some(jump) = pending.pop_if(|jump| *jump > index) {
                if let Some(jump) = self.entries.get_mut(jump) {
                    jump.is_done = true;
                }
            }
        }
        if is_outermost {
            self.entries.truncate(block.jumps);
        }
        Ok(())
    }
}
