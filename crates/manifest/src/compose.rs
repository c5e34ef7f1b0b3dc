//! Makes the tree of a document from the events of its text, with the keys and values that a program in Go gets:
//! kustomize (kyaml, with version 3 of go-yaml), or kubectl (`sigs.k8s.io/yaml`, with version 2). The two scan a text in
//! the same way, but give other values to scalars, and merge maps otherwise.

mod map;
mod scalar;

use std::borrow::Cow;
use std::collections::HashMap;

use super::kustomize::{self, Event, EventKind, Events, Fault, Properties, Scalar};
use super::read::Reader;
use super::tree::placed;
use crate::diagnostic::{SourceId, Span};
use crate::value::{Kind, Node};

/// The maximum nesting, with aliases.
const DEEPEST: usize = 100;

/// The maximum number of values, with those that aliases repeat.
const MOST_VALUES: usize = 500_000;

/// The maximum size of all scalars together, with those that aliases repeat.
const MOST_BYTES: usize = 64 << 20;

/// The prefix of YAML's own tags.
const OWN_TAGS: &str = "tag:yaml.org,2002:";

/// A document, and what of it is refused only by some.
pub(super) struct Composed {
    pub(super) node: Node,
    /// The first escape that only JSON has. Programs in Go refuse it, but such files may be for other programs.
    pub(super) json_escape: Option<Fault>,
    /// The first key that is not a string, which kustomize refuses below an object.
    pub(super) other_key: Option<Fault>,
    /// Whether kustomize and kubectl may read something else.
    pub(super) may_differ: bool,
    /// The first key that is there twice, also by a merge. kubectl takes the last one, the API server refuses it.
    pub(super) repeated_key: Option<Fault>,
}

impl Composed {
    /// What a reader refuses in an object.
    pub(super) fn refused(&self) -> Option<&Fault> {
        let faults = [&self.json_escape, &self.other_key, &self.repeated_key];
        faults.into_iter().flatten().next()
    }
}

/// Makes the tree of a document that begins at byte `offset` of `source`.
pub(super) fn compose(
    text: &str,
    reader: Reader,
    source: SourceId,
    offset: usize,
) -> Result<Composed, Fault> {
    kustomize::control_characters(text)?;
    let mut composer = Composer {
        events: Events::exact(text),
        reader,
        anchors: HashMap::new(),
        opened: 0,
        flows: 0,
        is_merged: false,
        size: Size::default(),
        other_key: None,
        repeated_key: None,
        may_differ: false,
        text,
        source,
        offset,
    };
    let first = composer.events.next()?;
    let node = match first.kind {
        EventKind::DocumentStart => {
            let event = composer.events.next()?;
            composer.value(event, 0)?.node
        }
        _ => Node::new(Kind::Null, None),
    };
    // Neither of the two reads what is behind the end of the first document.
    composer.events.next()?;
    Ok(Composed {
        node,
        json_escape: composer.events.json_escape().cloned(),
        may_differ: composer.may_differ,
        other_key: composer.other_key,
        repeated_key: composer.repeated_key,
    })
}

fn refuse<T>(message: impl Into<Cow<'static, str>>, at: usize) -> Result<T, Fault> {
    Err(Fault {
        message: message.into(),
        at,
        only_in_objects: false,
    })
}

/// How much there is, with what aliases repeat.
#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
}

/// A value with what its use as a key or by an alias needs.
#[derive(Clone)]
struct Made {
    node: Node,
    /// The levels of maps and lists in it.
    height: usize,
    /// The text of a scalar, as it is written, and its value.
    scalar: Option<(String, Scalar)>,
    /// Whether it is a string without another tag.
    is_string: bool,
}

/// What an anchor names.
enum Anchored {
    /// A map or list that is not complete yet, with its number.
    Open(usize),
    Complete(Made, Size),
}

struct Composer<'a> {
    events: Events<'a>,
    reader: Reader,
    anchors: HashMap<&'a str, Anchored>,
    opened: usize,
    /// The number of open maps and lists in `{}` and `[]`.
    flows: usize,
    /// Whether the next map is merged into another one, so that it loses its `{}`.
    is_merged: bool,
    size: Size,
    other_key: Option<Fault>,
    repeated_key: Option<Fault>,
    may_differ: bool,
    text: &'a str,
    source: SourceId,
    offset: usize,
}

impl<'a> Composer<'a> {
    /// The value that starts with an event, `depth` levels below the document.
    fn value(&mut self, event: Event<'a>, depth: usize) -> Result<Made, Fault> {
        let (start, is_alias) = (event.start, matches!(event.kind, EventKind::Alias(_)));
        let made = self.made(event, depth)?;
        match &made.scalar {
            Some((_, Scalar::Float(number))) if !is_alias && !number.is_finite() => {
                refuse("a number that JSON can't hold", start)
            }
            _ => Ok(made),
        }
    }

    /// Like [`Self::value`], for a value or a key.
    fn made(&mut self, event: Event<'a>, depth: usize) -> Result<Made, Fault> {
        let Event {
            kind,
            start,
            content,
            end,
        } = event;
        self.grow(1, 0, 0, depth, start)?;
        match kind {
            EventKind::Alias(name) => self.alias(name, start, end, depth),
            EventKind::Scalar(properties, text, style) => {
                let before = self.size;
                self.grow(0, text.len(), 0, depth, start)?;
                let made =
                    self.scalar(&properties, text.into_owned(), style, content, end, start)?;
                self.name(&properties, &made, before);
                Ok(made)
            }
            EventKind::ListStart(properties) => {
                let (before, open) = (self.size, self.open(&properties));
                let flows = self.enter(content);
                let (items, last, height) = self.list(depth + 1)?;
                self.flows = flows;
                let node = self.node(Kind::List(items), content, end.max(last));
                let made = Made {
                    node,
                    height: height + 1,
                    scalar: None,
                    is_string: false,
                };
                self.complete(&properties, open, &made, before);
                Ok(made)
            }
            EventKind::MapStart(properties) => {
                let (before, open) = (self.size, self.open(&properties));
                let flows = self.enter(content);
                let (map, height) = self.map(depth + 1)?;
                self.flows = flows;
                let made = Made {
                    node: self.node(Kind::Map(map), content, end),
                    height: height + 1,
                    scalar: None,
                    is_string: false,
                };
                self.complete(&properties, open, &made, before);
                Ok(made)
            }
            _ => refuse("a value is missing", start),
        }
    }

    /// Enters a map or list. Returns how many of those that are open are in `{}` and `[]`.
    fn enter(&mut self, start: usize) -> usize {
        let is_flow = matches!(self.text.as_bytes().get(start), Some(b'{' | b'['));
        let is_flow = is_flow && !std::mem::take(&mut self.is_merged);
        let flows = self.flows + usize::from(is_flow);
        std::mem::replace(&mut self.flows, flows)
    }

    fn node(&self, kind: Kind, start: usize, end: usize) -> Node {
        placed(kind, start, end, self.text, self.source, self.offset)
    }

    /// Counts values, and refuses what is too much.
    fn grow(
        &mut self,
        values: usize,
        bytes: usize,
        height: usize,
        depth: usize,
        at: usize,
    ) -> Result<(), Fault> {
        self.size.values += values;
        self.size.bytes += bytes;
        if depth + height > DEEPEST {
            return refuse("it is nested deeper than any object", at);
        }
        if self.size.values > MOST_VALUES || self.size.bytes > MOST_BYTES {
            return refuse(
                "it has more values than any object, including aliases and merges",
                at,
            );
        }
        Ok(())
    }

    /// Remembers that a map or list with an anchor is open.
    fn open(&mut self, properties: &Properties<'a>) -> usize {
        self.opened += 1;
        if let Some(name) = properties.anchor {
            self.anchors.insert(name, Anchored::Open(self.opened));
        }
        self.opened
    }

    /// Remembers what the anchor of a map or list names, unless the name was given again inside of it.
    fn complete(&mut self, properties: &Properties<'a>, open: usize, made: &Made, before: Size) {
        let is_named = properties.anchor.is_some_and(|name| {
            matches!(self.anchors.get(name), Some(Anchored::Open(number)) if *number == open)
        });
        if is_named {
            self.name(properties, made, before);
        }
    }

    fn name(&mut self, properties: &Properties<'a>, made: &Made, before: Size) {
        if let Some(name) = properties.anchor {
            let size = Size {
                values: self.size.values - before.values,
                bytes: self.size.bytes - before.bytes,
            };
            self.anchors
                .insert(name, Anchored::Complete(made.clone(), size));
        }
    }

    fn alias(&mut self, name: &str, start: usize, end: usize, depth: usize) -> Result<Made, Fault> {
        let (height, size) = match self.anchors.get(name) {
            Some(Anchored::Complete(made, size)) => (made.height, *size),
            Some(Anchored::Open(_)) => {
                return refuse("an alias is inside the value that it refers to", start);
            }
            None => return refuse("an alias of an anchor that is not there", start),
        };
        self.grow(size.values, size.bytes, height, depth, start)?;
        let Some(Anchored::Complete(made, _)) = self.anchors.get(name) else {
            return refuse("an alias of an anchor that is not there", start);
        };
        let mut made = made.clone();
        made.node.span = Some(Span::new(
            self.source,
            self.offset + start,
            self.offset + end,
        ));
        Ok(made)
    }

    /// The items of a list, the position after the first event of its last item, and their height.
    fn list(&mut self, depth: usize) -> Result<(Vec<Node>, usize, usize), Fault> {
        let (mut items, mut last, mut height) = (Vec::new(), 0, 0);
        loop {
            let event = self.events.next()?;
            if event.kind == EventKind::ListEnd {
                return Ok((items, last, height));
            }
            let end = event.end;
            let item = self.value(event, depth)?;
            (last, height) = (end, height.max(item.height));
            items.push(item.node);
        }
    }
}
