//! `goto` and labels: a jump leads to a label of its own block or of one around it, and not over a variable's
//! declaration into its scope.

use std::collections::HashMap;
use std::ops::Range;

use super::scope::{Block, Function};
use super::{Parsed, refuse};

/// A label or a `goto`.
#[derive(Debug)]
struct Entry<'t> {
    name: &'t str,
    is_jump: bool,
    /// How many variables are known there.
    active: usize,
    range: Range<usize>,
    /// A label whose block has ended, or a jump whose label was found.
    is_done: bool,
}

/// All labels and jumps of the functions that are being read.
#[derive(Debug, Default)]
pub(super) struct Jumps<'t> {
    entries: Vec<Entry<'t>>,
    /// The labels in reach, by name.
    labels: HashMap<&'t str, Vec<usize>>,
    /// The jumps whose label was not found yet, by name.
    pending: HashMap<&'t str, Vec<usize>>,
}

impl<'t> Jumps<'t> {
    pub fn count(&self) -> usize {
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

    /// A `goto`, at a place where so many variables are known.
    pub fn jump(&mut self, name: &'t str, active: usize, range: Range<usize>) {
        self.add(name, true, active, range);
    }

    /// A label; what is returned is its number.
    ///
    /// # Errors
    /// If its block has one of that name.
    pub fn label(
        &mut self,
        name: &'t str,
        block: Block,
        active: usize,
        range: Range<usize>,
    ) -> Parsed<usize> {
        let others = self.labels.get(name);
        match others.and_then(|all| all.last()) {
            Some(other) if *other >= block.jumps => {
                refuse(range, format!("the block has a label `{name}` already"))
            }
            _ => Ok(self.add(name, false, active, range)),
        }
    }

    /// Lets the jumps of a block find a label behind them. Before the label so many variables are known as counts for
    /// jumps: those of the block do not, where nothing but its end follows.
    ///
    /// # Errors
    /// If a jump leads into the scope of a variable.
    pub fn resolve(
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
                        "`goto {name}` jumps over `local {local}`, which is in reach at the label"
                    ),
                );
            }
            jump.is_done = true;
        }
        Ok(())
    }

    /// Ends a block: its labels are out of reach, and its jumps look for theirs in the block around it.
    ///
    /// # Errors
    /// If there is none around it.
    pub fn end_block(&mut self, block: Block, is_outermost: bool) -> Parsed<()> {
        for index in block.jumps..self.entries.len() {
            let Some(entry) = self.entries.get_mut(index).filter(|it| !it.is_done) else {
                continue;
            };
            if entry.is_jump {
                if is_outermost {
                    let message = format!("`goto {0}` finds no label `::{0}::`", entry.name);
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
            // Jumps back.
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
