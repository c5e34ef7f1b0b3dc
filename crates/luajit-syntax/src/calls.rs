//! Lists the calls in a script, as far as the text shows what is called: methods of variables and of the results of other
//! methods, and global functions.
//!
//! A variable is followed only if the whole script gives it one meaning: nothing is said of a name that is used for
//! different things in different functions.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::lexer::{Lexed, Lexer, Token, Word};

/// The maximum length of a chain of calls that is followed.
const LONGEST_CHAIN: usize = 8;

/// A call of a method, such as the second one in `handle:headers():get("a")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodCall<'t> {
    /// The function whose parameter the chain begins with: `envoy_on_request` for `handle` in
    /// `function envoy_on_request(handle)`.
    pub entry: &'t str,
    /// The methods before it, beginning with that of the parameter.
    pub through: Vec<&'t str>,
    /// The name of the method.
    pub method: &'t str,
    /// The bytes of the name.
    pub range: Range<usize>,
}

/// A call of a global function, or a use of a global table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalUse<'t> {
    /// The name: `require`, or `os.exit`.
    pub name: &'t str,
    /// The bytes of the name.
    pub range: Range<usize>,
    /// Whether it runs whenever the script is loaded, or whenever one of its entry functions is called.
    pub is_unconditional: bool,
}

/// The calls in a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls<'t> {
    /// The methods that are called on the first parameter of an entry function, or on what such a call returns.
    pub methods: Vec<MethodCall<'t>>,
    /// The global functions that are called.
    pub globals: Vec<GlobalUse<'t>>,
    /// The names that are only ever called or indexed, each at its first use: nothing in the script defines them, and
    /// nothing asks first whether they exist. Names of Lua itself are among them.
    pub undefined: Vec<GlobalUse<'t>>,
    /// Methods of the first parameter of an entry function that are called with a dot, such as `handle.headers()`.
    pub dotted: Vec<GlobalUse<'t>>,
    /// All other names of variables.
    pub defined: Vec<&'t str>,
}

/// Lists the calls in a script. `entries` are the names of the functions that are called from outside. A script that
/// isn't valid Lua has none.
pub fn calls<'t>(script: &'t str, entries: &[&str]) -> Calls<'t> {
    let Some(tokens) = tokens(script) else {
        return Calls::default();
    };
    let closes = brackets(&tokens);
    let mut reader = Reader {
        script,
        opens: closes.iter().map(|(close, open)| (*open, *close)).collect(),
        closes,
        tokens,
        meanings: HashMap::new(),
    };
    let places = reader.places(entries);
    reader.define(entries);
    let (undefined, defined) = reader.undefined(&places);
    Calls {
        methods: reader.methods(),
        globals: reader.globals(&places),
        undefined,
        dotted: reader.dotted(&places),
        defined,
    }
}

fn tokens(script: &str) -> Option<Vec<Lexed>> {
    let mut lexer = Lexer::new(script).ok()?;
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next().ok()?;
        if token.token == Token::End {
            return Some(tokens);
        }
        tokens.push(token);
    }
}

/// The place of the opening bracket for each closing one.
fn brackets(tokens: &[Lexed]) -> HashMap<usize, usize> {
    let (mut open, mut closes) = (Vec::new(), HashMap::new());
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::Symbol(b'(') => open.push(at),
            Token::Symbol(b')') => {
                if let Some(opened) = open.pop() {
                    closes.insert(at, opened);
                }
            }
            _ => {}
        }
    }
    closes
}

/// What a variable stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning<'t> {
    /// The result of these methods of the first parameter of an entry function.
    Chain(&'t str, Vec<&'t str>),
    /// Something else, or different things.
    Other,
}

struct Reader<'t> {
    script: &'t str,
    tokens: Vec<Lexed>,
    /// The place of the opening bracket for each closing one.
    closes: HashMap<usize, usize>,
    /// The place of the closing bracket for each opening one.
    opens: HashMap<usize, usize>,
    meanings: HashMap<&'t str, Meaning<'t>>,
}

impl<'t> Reader<'t> {
    fn token(&self, at: usize) -> Token {
        self.tokens.get(at).map_or(Token::End, |it| it.token)
    }

    fn before(&self, at: usize, by: usize) -> Token {
        at.checked_sub(by).map_or(Token::End, |at| self.token(at))
    }

    fn name(&self, at: usize) -> Option<&'t str> {
        let token = self.tokens.get(at)?;
        let is_name = token.token == Token::Name;
        self.script.get(token.range.clone()).filter(|_| is_name)
    }

    fn is(&self, at: usize, symbol: u8) -> bool {
        self.token(at) == Token::Symbol(symbol)
    }

    /// Records a meaning of a name.
    fn mean(&mut self, name: &'t str, meaning: Meaning<'t>) {
        let known = self.meanings.entry(name).or_insert_with(|| meaning.clone());
        let is_same = match (&*known, &meaning) {
            // The parameters of both entry functions are the same kind of object.
            (Meaning::Chain(_, one), Meaning::Chain(_, other)) => one == other,
            (one, other) => one == other,
        };
        if !is_same {
            *known = Meaning::Other;
        }
    }

    /// Finds out what the names of variables stand for.
    fn define(&mut self, entries: &[&str]) {
        for at in 0..self.tokens.len() {
            match self.token(at) {
                Token::Word(Word::Function) => self.parameters(at, entries),
                Token::Word(Word::For) => self.others(at + 1),
                Token::Word(Word::Local) if self.token(at + 1) == Token::Name => self.local(at + 1),
                Token::Name => self.assignment(at),
                _ => {}
            }
        }
    }

    /// The parameters of the function whose keyword is at a place.
    fn parameters(&mut self, at: usize, entries: &[&str]) {
        let named = self.name(at + 1);
        let assigned = match self.before(at, 1) == Token::Symbol(b'=') {
            true => at.checked_sub(2).and_then(|at| self.name(at)),
            false => None,
        };
        let entry = named.or(assigned).filter(|name| entries.contains(name));
        let mut next = at + 1;
        while !self.is(next, b'(') {
            if next >= self.tokens.len() {
                return;
            }
            next += 1;
        }
        let is_plain = named.is_none() || next == at + 2;
        next += 1;
        if let (Some(entry), Some(first), true) = (entry, self.name(next), is_plain) {
            self.mean(first, Meaning::Chain(entry, Vec::new()));
            if !self.is(next + 1, b',') {
                return;
            }
            next += 2;
        }
        self.others(next);
    }

    /// Names that stand for something that isn't followed, separated by commas.
    fn others(&mut self, mut at: usize) {
        while let Some(name) = self.name(at) {
            self.mean(name, Meaning::Other);
            if !self.is(at + 1, b',') {
                return;
            }
            at += 2;
        }
    }

    /// `local NAME = …`
    fn local(&mut self, at: usize) {
        let Some(name) = self.name(at).filter(|_| self.is(at + 1, b'=')) else {
            self.others(at);
            return;
        };
        let meaning = self.value(at + 2).unwrap_or(Meaning::Other);
        self.mean(name, meaning);
    }

    /// `NAME = …`, but for local variables and fields.
    fn assignment(&mut self, at: usize) {
        let before = self.before(at, 1);
        let is_local = before == Token::Word(Word::Local);
        let is_part = matches!(before, Token::Symbol(b'.' | b':'));
        let is_assigned = self.is(at + 1, b'=') || self.is(at + 1, b',');
        if let (Some(name), true, false, false) = (self.name(at), is_assigned, is_local, is_part) {
            // In a list of arguments or in a table it is no assignment, but that is rare enough.
            if self.is(at + 1, b'=') {
                self.mean(name, Meaning::Other);
            }
        }
    }

    /// What a value stands for that begins at a place, if it is only a chain of calls.
    fn value(&self, at: usize) -> Option<Meaning<'t>> {
        let Meaning::Chain(entry, mut through) = self.meanings.get(self.name(at)?)?.clone() else {
            return None;
        };
        let mut next = at + 1;
        while self.is(next, b':') && self.is(next + 2, b'(') && through.len() < LONGEST_CHAIN {
            through.push(self.name(next + 1)?);
            next = self.opens.get(&(next + 2))? + 1;
        }
        let is_whole = match self.token(next) {
            Token::End | Token::Name | Token::Symbol(b';') => true,
            Token::Word(word) => !matches!(word, Word::And | Word::Or),
            _ => false,
        };
        is_whole.then_some(Meaning::Chain(entry, through))
    }

    fn methods(&self) -> Vec<MethodCall<'t>> {
        let all = (0..self.tokens.len()).filter(|at| self.is(*at, b':'));
        all.filter_map(|colon| self.method(colon)).collect()
    }

    /// The call of a method whose colon is at a place.
    fn method(&self, colon: usize) -> Option<MethodCall<'t>> {
        let method = self.name(colon + 1)?;
        let is_call = matches!(
            self.token(colon + 2),
            Token::Symbol(b'(' | b'{') | Token::Text
        );
        if !is_call {
            return None;
        }
        let mut before = Vec::new();
        let mut at = colon;
        let variable = loop {
            at = at.checked_sub(1)?;
            if let Some(name) = self.name(at) {
                let is_part = matches!(self.before(at, 1), Token::Symbol(b'.' | b':'));
                break (!is_part && self.before(at, 1) != Token::Word(Word::Function))
                    .then_some(name)?;
            }
            let open = *self.closes.get(&at)?;
            at = open.checked_sub(2)?;
            before.push(self.name(at + 1).filter(|_| self.is(at, b':'))?);
            if before.len() > LONGEST_CHAIN {
                return None;
            }
        };
        let Meaning::Chain(entry, mut through) = self.meanings.get(variable)?.clone() else {
            return None;
        };
        through.extend(before.into_iter().rev());
        Some(MethodCall {
            entry,
            through,
            method,
            range: self.tokens.get(colon + 1)?.range.clone(),
        })
    }

    /// Whether each token runs whenever the script is loaded, or whenever an entry function is called.
    fn places(&self, entries: &[&str]) -> Vec<bool> {
        let mut blocks: Vec<bool> = Vec::new();
        let mut places = Vec::new();
        let mut awaits_do = false;
        for at in 0..self.tokens.len() {
            match self.token(at) {
                Token::Word(Word::Function) => {
                    let named = self.name(at + 1);
                    let assigned = at.checked_sub(2).and_then(|at| self.name(at));
                    let assigned = assigned.filter(|_| self.before(at, 1) == Token::Symbol(b'='));
                    let entry = named
                        .or(assigned)
                        .is_some_and(|name| entries.contains(&name));
                    blocks.push(entry && blocks.is_empty());
                }
                Token::Word(Word::If | Word::Repeat) => blocks.push(false),
                Token::Word(Word::For | Word::While) => {
                    blocks.push(false);
                    awaits_do = true;
                }
                Token::Word(Word::Do) if awaits_do => awaits_do = false,
                Token::Word(Word::Do) => blocks.push(true),
                Token::Word(Word::End | Word::Until) => {
                    blocks.pop();
                }
                _ => {}
            }
            places.push(blocks.iter().all(|is_run| *is_run));
        }
        places
    }

    /// The names that are only called or indexed, and all others.
    fn undefined(&self, places: &[bool]) -> (Vec<GlobalUse<'t>>, Vec<&'t str>) {
        let mut used: Vec<GlobalUse<'t>> = Vec::new();
        let mut defined = BTreeSet::new();
        for at in 0..self.tokens.len() {
            let before = self.before(at, 1);
            let Some(name) = self.name(at).filter(|_| !is_part(before)) else {
                continue;
            };
            let is_used = matches!(
                self.token(at + 1),
                Token::Symbol(b'(' | b'{' | b'[' | b'.' | b':') | Token::Text
            );
            let declares = matches!(before, Token::Word(Word::Function | Word::Local));
            match (is_used && !declares, self.tokens.get(at)) {
                (true, Some(token)) => used.push(GlobalUse {
                    name,
                    range: token.range.clone(),
                    is_unconditional: places.get(at).copied().unwrap_or_default(),
                }),
                _ => {
                    defined.insert(name);
                }
            }
        }
        let mut seen = BTreeSet::new();
        used.retain(|it| !defined.contains(it.name) && seen.insert(it.name));
        (used, defined.into_iter().collect())
    }

    fn dotted(&self, places: &[bool]) -> Vec<GlobalUse<'t>> {
        let all = (0..self.tokens.len()).filter_map(|at| {
            let name = self.name(at).filter(|_| !is_part(self.before(at, 1)))?;
            let is_handle = matches!(self.meanings.get(name)?, Meaning::Chain(_, through) if through.is_empty());
            // `handle.headers(handle)` is the same as `handle:headers()`.
            let is_call = self.is(at + 1, b'.') && self.is(at + 3, b'(') && self.name(at + 4) != Some(name);
            let range = self.tokens.get(at)?.range.start..self.tokens.get(at + 2)?.range.end;
            (is_handle && is_call).then_some(GlobalUse {
                name: self.script.get(range.clone())?,
                range,
                is_unconditional: places.get(at).copied().unwrap_or_default(),
            })
        });
        all.collect()
    }

    fn globals(&self, places: &[bool]) -> Vec<GlobalUse<'t>> {
        let all = (0..self.tokens.len()).filter_map(|at| {
            let name = self.name(at)?;
            let before = self.before(at, 1);
            let is_part = matches!(
                before,
                Token::Symbol(b'.' | b':') | Token::Word(Word::Function | Word::Local)
            );
            if is_part || self.meanings.contains_key(name) {
                return None;
            }
            let end = match self.is(at + 1, b'.') && self.name(at + 2).is_some() {
                true => at + 2,
                false => at,
            };
            let is_called = matches!(
                self.token(end + 1),
                Token::Symbol(b'(' | b'{') | Token::Text
            );
            let range = self.tokens.get(at)?.range.start..self.tokens.get(end)?.range.end;
            is_called.then_some(GlobalUse {
                name: self.script.get(range.clone())?,
                range,
                is_unconditional: places.get(at).copied().unwrap_or_default(),
            })
        });
        all.collect()
    }
}

/// Whether the token before a name makes it a field or a method.
fn is_part(before: Token) -> bool {
    matches!(before, Token::Symbol(b'.' | b':'))
}

#[cfg(test)]
mod tests;
