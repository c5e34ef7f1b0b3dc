//! The variables of functions, and the limits on their number in LuaJIT.

use std::collections::HashMap;
use std::ops::Range;

use super::jump::Jumps;
use super::{Parsed, refuse};

/// The maximum number of local variables in scope at one place of a function.
const MOST_LOCALS: usize = 200;

/// The maximum number of variables of outer functions that a function uses.
const MOST_UPVALUES: usize = 60;

/// The maximum number of local variables, labels and jumps of a function and those around it.
const MOST_ENTRIES: usize = 65_536 - MOST_UPVALUES;

/// A local variable.
#[derive(Clone, Copy, Debug)]
struct Local<'t> {
    /// `None` for the internal variables of a loop.
    name: Option<&'t str>,
    /// A number that is unique among the variables in scope.
    number: usize,
}

/// The variable that a name refers to.
#[derive(Clone, Copy, Debug)]
struct Binding {
    /// The function, counted from the script itself.
    function: usize,
    number: usize,
}

/// A block. Its variables and labels end with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    /// The number of variables in scope before it.
    pub active: usize,
    /// The number of labels and jumps before it.
    pub jumps: usize,
    is_loop: bool,
}

/// A function that is being parsed.
#[derive(Debug)]
pub(super) struct Function<'t> {
    /// The variables in scope, followed by those that come into scope at the end of their statement.
    locals: Vec<Local<'t>>,
    active: usize,
    upvalues: Vec<usize>,
    blocks: Vec<Block>,
    entries_before: usize,
    /// Whether it has variable arguments (`...`).
    pub is_variadic: bool,
}

impl<'t> Function<'t> {
    /// The number of variables in scope.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    /// The innermost block.
    pub(crate) fn block(&self) -> Option<Block> {
        self.blocks.last().copied()
    }

    /// Whether only the function's own block is open.
    pub(crate) fn is_outermost(&self) -> bool {
        self.blocks.len() <= 1
    }

    /// Whether a loop is open.
    pub(crate) fn is_in_loop(&self) -> bool {
        self.blocks.iter().any(|block| block.is_loop)
    }

    /// The name of the variable in this slot, starting at 0.
    pub(crate) fn local(&self, slot: usize) -> &'t str {
        let local = self.locals.get(slot);
        local.and_then(|local| local.name).unwrap_or_default()
    }
}

/// All functions that are being parsed, the innermost last.
#[derive(Debug)]
pub(super) struct Scopes<'t> {
    functions: Vec<Function<'t>>,
    bindings: HashMap<&'t str, Vec<Binding>>,
    pub jumps: Jumps<'t>,
    entries: usize,
}

impl<'t> Scopes<'t> {
    pub(crate) fn new() -> Self {
        Scopes {
            functions: Vec::new(),
            bindings: HashMap::new(),
            jumps: Jumps::default(),
            entries: 0,
        }
    }

    /// The innermost function.
    pub(crate) fn function(&self) -> Option<&Function<'t>> {
        self.functions.last()
    }

    /// The number of variables in scope in the innermost function.
    pub(crate) fn active(&self) -> usize {
        self.function().map_or(0, Function::active)
    }

    pub(crate) fn begin_function(&mut self) {
        self.functions.push(Function {
            locals: Vec::new(),
            active: 0,
            upvalues: Vec::new(),
            blocks: Vec::new(),
            entries_before: self.entries,
            is_variadic: false,
        });
        self.begin_block(false);
    }

    pub(crate) fn set_variadic(&mut self) {
        if let Some(function) = self.functions.last_mut() {
            function.is_variadic = true;
        }
    }

    /// Ends the innermost function.
    ///
    /// # Errors
    /// If a `goto` has no label.
    pub(crate) fn end_function(&mut self) -> Parsed<()> {
        self.end_block()?;
        if let Some(function) = self.functions.pop() {
            self.entries = function.entries_before;
        }
        Ok(())
    }

    pub(crate) fn begin_block(&mut self, is_loop: bool) {
        let jumps = self.jumps.count();
        if let Some(function) = self.functions.last_mut() {
            function.blocks.push(Block {
                active: function.active,
                jumps,
                is_loop,
            });
        }
    }

    /// Ends the innermost block.
    ///
    /// # Errors
    /// If it is the outermost one of its function, and a `goto` has no label.
    pub(crate) fn end_block(&mut self) -> Parsed<()> {
        let Some(function) = self.functions.last_mut() else {
            return Ok(());
        };
        let is_outermost = function.is_outermost();
        let Some(block) = function.blocks.pop() else {
            return Ok(());
        };
        function.locals.truncate(function.active);
        for local in function.locals.drain(block.active..).rev() {
            let known = local.name.and_then(|name| self.bindings.get_mut(name));
            if let Some(known) = known {
                known.pop();
            }
        }
        function.active = block.active;
        self.jumps.end_block(block, is_outermost)
    }

    /// Counts a variable, a label or a jump.
    ///
    /// # Errors
    /// If there are too many.
    pub(crate) fn count_entry(&mut self, range: &Range<usize>) -> Parsed<usize> {
        if self.entries >= MOST_ENTRIES {
            let message = format!(
                "this exceeds LuaJIT's limit of {MOST_ENTRIES} local variables, labels and jumps"
            );
            return refuse(range.clone(), message);
        }
        self.entries += 1;
        Ok(self.entries - 1)
    }

    /// Declares the next one of the variables that come into scope together; `None` for an internal variable of a
    /// loop.
    ///
    /// # Errors
    /// If a function has too many.
    pub(crate) fn announce(&mut self, name: Option<&'t str>, range: &Range<usize>) -> Parsed<()> {
        let count = self.function().map_or(0, |it| it.locals.len());
        if count >= MOST_LOCALS {
            let message =
                format!("this exceeds LuaJIT's limit of {MOST_LOCALS} local variables in scope");
            return refuse(range.clone(), message);
        }
        let number = self.count_entry(range)?;
        if let Some(function) = self.functions.last_mut() {
            function.locals.push(Local { name, number });
        }
        Ok(())
    }

    /// Brings the next declared variables into scope.
    pub(crate) fn activate(&mut self, count: usize) {
        let index = self.functions.len().saturating_sub(1);
        let Some(function) = self.functions.last_mut() else {
            return;
        };
        for local in function.locals.iter().skip(function.active).take(count) {
            if let Some(name) = local.name {
                self.bindings.entry(name).or_default().push(Binding {
                    function: index,
                    number: local.number,
                });
            }
        }
        function.active = function
            .locals
            .len()
            .min(function.active.saturating_add(count));
    }

    /// Uses a name. A variable of an outer function takes a slot in all functions between.
    ///
    /// # Errors
    /// If a function uses too many such variables.
    pub(crate) fn look_up(&mut self, name: &str, range: &Range<usize>) -> Parsed<()> {
        let Some(binding) = self.bindings.get(name).and_then(|all| all.last()).copied() else {
            return Ok(());
        };
        let between = self.functions.iter_mut().skip(binding.function + 1);
        for function in between.rev() {
            if function.upvalues.contains(&binding.number) {
                break;
            }
            if function.upvalues.len() >= MOST_UPVALUES {
                let message = format!(
                    "`{name}` exceeds LuaJIT's limit of {MOST_UPVALUES} variables from outer functions"
                );
                return refuse(range.clone(), message);
            }
            function.upvalues.push(binding.number);
        }
        Ok(())
    }

    /// Resolves jumps to a label; see [`Jumps::resolve`].
    ///
    /// # Errors
    /// If one goes into the scope of a variable.
    pub(crate) fn resolve(&mut self, label: usize, block: Block, active: usize) -> Parsed<()> {
        match self.functions.last() {
            Some(function) => self.jumps.resolve(label, block, active, function),
            None => Ok(()),
        }
    }
}
