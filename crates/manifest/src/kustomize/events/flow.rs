//! Lists in `[]` and maps in `{}`.

use super::super::token::{Fault, Token, fault};
use super::{Event, EventKind, Events, Properties, State};

impl<'a> Events<'a> {
    pub(super) fn flow_list(&mut self, is_first: bool) -> Result<Event<'a>, Fault> {
        if self.tokens.peek()?.token != Token::FlowSequenceEnd {
            self.flow_comma(is_first, "a comma or `]` is missing")?;
            match self.tokens.peek()?.token {
                Token::Key => {
                    self.tokens.is_peculiar = true;
                    self.state = State::FlowListPairKey;
                    return self.event_of_token(EventKind::MapStart(Properties::default()));
                }
                Token::FlowSequenceEnd => {}
                _ => return self.node_then(State::FlowList, false, false),
            }
        }
        self.close();
        self.event_of_token(EventKind::ListEnd)
    }

    /// The comma before an item of a flow list or flow map, except before the first item.
    fn flow_comma(&mut self, is_first: bool, missing: &'static str) -> Result<(), Fault> {
        if is_first {
            return Ok(());
        }
        let token = self.tokens.peek()?;
        if token.token != Token::FlowEntry {
            let start = token.start;
            return fault(missing, start);
        }
        self.tokens.take().map(|_| ())
    }

    pub(super) fn flow_list_pair_key(&mut self) -> Result<Event<'a>, Fault> {
        let token = self.tokens.peek()?;
        match token.token {
            Token::Value | Token::FlowEntry | Token::FlowSequenceEnd => {
                let end = self.tokens.take()?.end;
                Ok(self.nothing_then(State::FlowListPairValue, end))
            }
            _ => self.node_then(State::FlowListPairValue, false, false),
        }
    }

    pub(super) fn flow_list_pair_end(&mut self) -> Result<Event<'a>, Fault> {
        self.state = State::FlowList;
        self.event(EventKind::MapEnd)
    }

    pub(super) fn flow_map_key(&mut self, is_first: bool) -> Result<Event<'a>, Fault> {
        if self.tokens.peek()?.token != Token::FlowMappingEnd {
            self.flow_comma(is_first, "a comma or `}` is missing")?;
            match self.tokens.peek()?.token {
                Token::Key => {
                    self.tokens.take()?;
                    let token = self.tokens.peek()?;
                    return match token.token {
                        Token::Value | Token::FlowEntry | Token::FlowMappingEnd => {
                            let start = token.start;
                            Ok(self.nothing_then(State::FlowMapValue, start))
                        }
                        _ => self.node_then(State::FlowMapValue, false, false),
                    };
                }
                Token::FlowMappingEnd => {}
                _ => return self.node_then(State::FlowMapNoValue, false, false),
            }
        }
        self.close();
        self.event_of_token(EventKind::MapEnd)
    }

    /// The value of a key in a flow list or flow map, which `end` closes. Continues with `state`.
    pub(super) fn flow_value(&mut self, state: State, end: &Token<'a>) -> Result<Event<'a>, Fault> {
        // An empty value is where its colon is, as in a block map.
        let mut at = self.tokens.peek()?.start;
        if self.tokens.peek()?.token == Token::Value {
            at = self.tokens.take()?.start;
            let token = self.tokens.peek()?;
            if token.token != Token::FlowEntry && token.token != *end {
                return self.node_then(state, false, false);
            }
        }
        Ok(self.nothing_then(state, at))
    }
}
