//! Converts tokens to events: starts and ends of maps and lists, and scalars.

mod block;
mod document;
mod flow;

use std::borrow::Cow;

use super::scan::Scanner;
use super::token::{Fault, LocatedToken, Style, Token, fault};

/// An event, with its byte range.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) kind: EventKind<'a>,
    pub(crate) start: usize,
    /// The position after the anchor and the tag.
    pub(crate) content: usize,
    pub(crate) end: usize,
}

/// The kind of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EventKind<'a> {
    DocumentStart,
    DocumentEnd,
    End,
    Alias(&'a str),
    Scalar(Properties<'a>, Cow<'a, str>, Style),
    ListStart(Properties<'a>),
    ListEnd,
    MapStart(Properties<'a>),
    MapEnd,
}

/// The anchor and the tag of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Properties<'a> {
    pub(crate) anchor: Option<&'a str>,
    /// The full tag, such as `tag:yaml.org,2002:str`.
    pub(crate) tag: Option<String>,
}

impl Properties<'_> {
    /// Whether there is neither an anchor nor a tag.
    pub(crate) fn is_empty(&self) -> bool {
        self.anchor.is_none() && self.tag.is_none()
    }
}

/// The state of the parser, which says what is expected next.
#[derive(Clone, Copy, Debug)]
enum State {
    FirstDocument,
    Document,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockListFirst,
    BlockList,
    /// The first item of a list that is not indented more than its key, with the earliest position of the
    /// item.
    IndentlessItem(usize),
    IndentlessList,
    BlockMapFirst,
    BlockMapKey,
    BlockMapValue,
    FlowListFirst,
    FlowList,
    FlowListPairKey,
    FlowListPairValue,
    FlowListPairEnd,
    FlowMapFirst,
    FlowMapKey,
    FlowMapValue,
    FlowMapNoValue,
    End,
}

/// The message for a `:` that no key precedes.
const NO_KEY: &str = "a colon without a key before it, which kustomize refuses";

/// The stream of events of a text.
pub(crate) struct Events<'a> {
    tokens: Scanner<'a>,
    state: State,
    /// The states to return to after the open maps and lists, with the innermost last.
    after: Vec<State>,
    /// The handles of tags, with their prefixes.
    prefixes: Vec<(&'a str, String)>,
}

/// The event for a missing scalar.
fn nothing<'a>(at: usize) -> Event<'a> {
    let kind = EventKind::Scalar(Properties::default(), Cow::Borrowed(""), Style::Plain);
    Event {
        kind,
        start: at,
        content: at,
        end: at,
    }
}

impl<'a> Events<'a> {
    /// Creates the events of a text that contains no control characters. (A NUL would be treated as the end.)
    pub(crate) fn new(text: &'a str) -> Self {
        Events {
            tokens: Scanner::new(text),
            state: State::FirstDocument,
            after: Vec::new(),
            prefixes: Vec::new(),
        }
    }

    /// Like [`Events::new`], but reads what other programs read otherwise, and remembers the escapes that only JSON has.
    pub(crate) fn exact(text: &'a str) -> Self {
        let mut events = Events::new(text);
        events.tokens.is_exact = true;
        events
    }

    /// The first escape so far that only JSON has.
    pub(crate) fn json_escape(&self) -> Option<&Fault> {
        self.tokens.json_escape.as_ref()
    }

    /// Whether the text contains something that a YAML 1.2 parser may read differently or refuse.
    pub(crate) fn is_peculiar(&self) -> bool {
        self.tokens.is_peculiar
    }

    /// The next event. After the last one, it is always `End`.
    pub(crate) fn next(&mut self) -> Result<Event<'a>, Fault> {
        match self.state {
            State::FirstDocument => self.document_start(true),
            State::Document => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(true, false),
            State::BlockListFirst => self.first(Self::block_list),
            State::BlockList => self.block_list(),
            State::IndentlessItem(at) => self.indentless_item(at),
            State::IndentlessList => self.indentless_list(),
            State::BlockMapFirst => self.first(Self::block_map_key),
            State::BlockMapKey => self.block_map_key(),
            State::BlockMapValue => self.block_map_value(),
            State::FlowListFirst => self.first(|events| events.flow_list(true)),
            State::FlowList => self.flow_list(false),
            State::FlowListPairKey => self.flow_list_pair_key(),
            State::FlowListPairValue => {
                self.flow_value(State::FlowListPairEnd, &Token::FlowSequenceEnd)
            }
            State::FlowListPairEnd => self.flow_list_pair_end(),
            State::FlowMapFirst => self.first(|events| events.flow_map_key(true)),
            State::FlowMapKey => self.flow_map_key(false),
            State::FlowMapValue => self.flow_value(State::FlowMapKey, &Token::FlowMappingEnd),
            State::FlowMapNoValue => {
                self.tokens.is_peculiar = true;
                self.state = State::FlowMapKey;
                Ok(nothing(self.tokens.peek()?.start))
            }
            State::End => self.event(EventKind::End),
        }
    }

    /// An event at the position of the next token, which is not consumed.
    fn event(&mut self, kind: EventKind<'a>) -> Result<Event<'a>, Fault> {
        let token = self.tokens.peek()?;
        Ok(Event {
            kind,
            start: token.start,
            content: token.start,
            end: token.end,
        })
    }

    /// An event for the next token, which is consumed.
    fn event_of_token(&mut self, kind: EventKind<'a>) -> Result<Event<'a>, Fault> {
        let token = self.tokens.take()?;
        Ok(Event {
            kind,
            start: token.start,
            content: token.start,
            end: token.end,
        })
    }

    /// Consumes the token that opens a map or list, and continues inside.
    fn first(
        &mut self,
        inside: impl Fn(&mut Self) -> Result<Event<'a>, Fault>,
    ) -> Result<Event<'a>, Fault> {
        self.tokens.take()?;
        inside(self)
    }

    /// Returns to the state after the innermost open map or list.
    fn close(&mut self) {
        self.state = self.after.pop().unwrap_or(State::End);
    }

    /// Reads a node, and then continues with `state`.
    fn node_then(
        &mut self,
        state: State,
        is_block: bool,
        takes_indentless: bool,
    ) -> Result<Event<'a>, Fault> {
        self.after.push(state);
        self.node(is_block, takes_indentless)
    }

    /// Returns the event for a missing node, and continues with `state`.
    fn nothing_then(&mut self, state: State, at: usize) -> Event<'a> {
        self.state = state;
        nothing(at)
    }

    /// A node: its anchor and tag, followed by a scalar, an alias, or the start of a map or list.
    fn node(&mut self, is_block: bool, takes_indentless: bool) -> Result<Event<'a>, Fault> {
        let start = self.tokens.peek()?.start;
        if let Token::Alias(name) = self.tokens.peek()?.token {
            self.close();
            return self.event_of_token(EventKind::Alias(name));
        }
        let properties = self.properties()?;
        let has_properties = !properties.is_empty();
        if takes_indentless && self.tokens.peek()?.token == Token::BlockEntry {
            let at = self.entry()?;
            self.state = State::IndentlessItem(at);
            return Ok(Event {
                kind: EventKind::ListStart(properties),
                start: at,
                content: at,
                end: at,
            });
        }
        let next = self.tokens.peek()?;
        let (at, end) = (next.start, next.end);
        let start = if has_properties { start } else { at };
        let opens = match &next.token {
            Token::FlowSequenceStart => Some(State::FlowListFirst),
            Token::FlowMappingStart => Some(State::FlowMapFirst),
            Token::BlockSequenceStart if is_block => Some(State::BlockListFirst),
            Token::BlockMappingStart if is_block => Some(State::BlockMapFirst),
            _ => None,
        };
        if let Some(state) = opens {
            self.state = state;
            let is_map = matches!(state, State::FlowMapFirst | State::BlockMapFirst);
            let kind = if is_map {
                EventKind::MapStart(properties)
            } else {
                EventKind::ListStart(properties)
            };
            return Ok(Event {
                kind,
                start,
                content: at,
                end,
            });
        }
        if matches!(next.token, Token::Scalar(..)) {
            self.close();
            let LocatedToken { token, end, .. } = self.tokens.take()?;
            if let Token::Scalar(text, style) = token {
                return Ok(Event {
                    kind: EventKind::Scalar(properties, text, style),
                    start,
                    content: at,
                    end,
                });
            }
        }
        if has_properties {
            self.close();
            let kind = EventKind::Scalar(properties, Cow::Borrowed(""), Style::Plain);
            return Ok(Event {
                kind,
                start,
                content: at,
                end: at,
            });
        }
        match self.tokens.peek()?.token {
            Token::Value => fault(NO_KEY, at),
            _ => fault("a value is missing", at),
        }
    }

    /// An anchor and a tag, in any order.
    fn properties(&mut self) -> Result<Properties<'a>, Fault> {
        let mut properties = Properties::default();
        let mut has_tag = false;
        for _ in 0..2 {
            match &self.tokens.peek()?.token {
                Token::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name)
                }
                Token::Tag(handle, suffix) if !has_tag => {
                    has_tag = true;
                    let prefix = match *handle {
                        "" => Some(String::new()),
                        handle => self
                            .prefixes
                            .iter()
                            .find(|(it, _)| *it == handle)
                            .map(|(_, prefix)| prefix.clone())
                            .or(match handle {
                                "!" => Some("!".to_owned()),
                                "!!" => Some("tag:yaml.org,2002:".to_owned()),
                                _ => None,
                            }),
                    };
                    let Some(prefix) = prefix else {
                        return fault(
                            "a tag whose handle is not declared with %TAG",
                            self.tokens.peek()?.start,
                        );
                    };
                    properties.tag = Some(prefix + suffix);
                }
                _ => break,
            }
            self.tokens.take()?;
        }
        Ok(properties)
    }
}
