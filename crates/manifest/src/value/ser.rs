//! Serializes into a [`Node`], which turns the types of the model into values for templates.

use serde::ser::{self, Serialize};

use super::de::SPANNED;
use super::map::{Entry, Map};
use super::node::{Kind, Node};
use crate::diagnostic::{SourceId, Span, Spanned};

/// Serializes a value to a tree. The position of a [`Spanned`] becomes the position of its node.
/// # Errors
/// Fails if the key of a map is not a string, or a number is not finite.
pub fn to_node<T: Serialize + ?Sized>(value: &T) -> Result<Node, Error> {
    value.serialize(NodeSerializer)
}

/// The reason why a value can't be serialized to a tree.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl ser::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Error(message.to_string())
    }
}

impl<T: Serialize> Serialize for Spanned<T> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use ser::SerializeTupleStruct;
        let mut parts = serializer.serialize_tuple_struct(SPANNED, 4)?;
        let numbers = self
            .span
            .map_or([0; 3], |span| [span.source.0 + 1, span.start, span.end]);
        for number in numbers {
            parts.serialize_field(&number)?;
        }
        parts.serialize_field(&self.value)?;
        parts.end()
    }
}

impl Serialize for Node {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Spanned::new(BareRef(&self.kind), self.span).serialize(serializer)
    }
}

struct BareRef<'a>(&'a Kind);

impl Serialize for BareRef<'_> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Kind::Null => serializer.serialize_unit(),
            Kind::Bool(value) => serializer.serialize_bool(*value),
            Kind::Number(number) => number.serialize(serializer),
            Kind::String(text) => serializer.serialize_str(text),
            Kind::List(items) => serializer.collect_seq(items),
            Kind::Map(map) => {
                serializer.collect_map(map.entries().map(|(key, entry)| {
                    (Spanned::new(key.to_owned(), entry.key_span), &entry.value)
                }))
            }
        }
    }
}

struct NodeSerializer;

fn bare(kind: Kind) -> Result<Node, Error> {
    Ok(Node::new(kind, None))
}

impl ser::Serializer for NodeSerializer {
    type Ok = Node;
    type Error = Error;
    type SerializeSeq = ListSerializer;
    type SerializeTuple = ListSerializer;
    type SerializeTupleStruct = ListSerializer;
    type SerializeTupleVariant = ser::Impossible<Node, Error>;
    type SerializeMap = MapSerializer;
    type SerializeStruct = MapSerializer;
    type SerializeStructVariant = ser::Impossible<Node, Error>;

    fn serialize_bool(self, value: bool) -> Result<Node, Error> {
        bare(Kind::Bool(value))
    }
    fn serialize_i8(self, value: i8) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_i16(self, value: i16) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_i32(self, value: i32) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_i64(self, value: i64) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_u8(self, value: u8) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_u16(self, value: u16) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_u32(self, value: u32) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_u64(self, value: u64) -> Result<Node, Error> {
        bare(Kind::Number(value.into()))
    }
    fn serialize_f32(self, value: f32) -> Result<Node, Error> {
        self.serialize_f64(value.into())
    }
    fn serialize_f64(self, value: f64) -> Result<Node, Error> {
        match serde_json::Number::from_f64(value) {
            Some(number) => bare(Kind::Number(number)),
            None => Err(Error("a number that is not finite".to_owned())),
        }
    }
    fn serialize_char(self, value: char) -> Result<Node, Error> {
        bare(Kind::String(value.to_string()))
    }
    fn serialize_str(self, value: &str) -> Result<Node, Error> {
        bare(Kind::String(value.to_owned()))
    }
    fn serialize_bytes(self, value: &[u8]) -> Result<Node, Error> {
        self.collect_seq(value)
    }
    fn serialize_none(self) -> Result<Node, Error> {
        bare(Kind::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<Node, Error> {
        bare(Kind::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Node, Error> {
        bare(Kind::Null)
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Node, Error> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Node, Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Error> {
        let map = [(variant, to_node(value)?)].into_iter().collect();
        bare(Kind::Map(map))
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<ListSerializer, Error> {
        Ok(ListSerializer {
            items: Vec::with_capacity(len.unwrap_or(0).min(1024)),
            spanned: false,
        })
    }
    fn serialize_tuple(self, len: usize) -> Result<ListSerializer, Error> {
        self.serialize_seq(Some(len))
    }
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<ListSerializer, Error> {
        let items = self.serialize_seq(Some(len))?;
        Ok(ListSerializer {
            spanned: name == SPANNED,
            ..items
        })
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        Err(Error("an enumeration with fields".to_owned()))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<MapSerializer, Error> {
        Ok(MapSerializer::default())
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<MapSerializer, Error> {
        Ok(MapSerializer::default())
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        Err(Error("an enumeration with fields".to_owned()))
    }
}

struct ListSerializer {
    items: Vec<Node>,
    spanned: bool,
}

impl ListSerializer {
    fn finish(mut self) -> Result<Node, Error> {
        if !self.spanned {
            return bare(Kind::List(self.items));
        }
        let Some(mut value) = self.items.pop() else {
            return Err(Error("a position without a value".to_owned()));
        };
        let mut numbers = self
            .items
            .iter()
            .filter_map(|item| u32::try_from(item.as_i64()?).ok());
        if let (Some(source), Some(start), Some(end)) =
            (numbers.next(), numbers.next(), numbers.next())
            && let Some(source) = source.checked_sub(1)
        {
            value.span = Some(Span {
                source: SourceId(source),
                start,
                end,
            });
        }
        Ok(value)
    }
}

impl ser::SerializeSeq for ListSerializer {
    type Ok = Node;
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.items.push(to_node(value)?);
        Ok(())
    }
    fn end(self) -> Result<Node, Error> {
        self.finish()
    }
}

impl ser::SerializeTuple for ListSerializer {
    type Ok = Node;
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Node, Error> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for ListSerializer {
    type Ok = Node;
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<Node, Error> {
        self.finish()
    }
}

#[derive(Default)]
struct MapSerializer {
    map: Map,
    key: Option<(String, Option<Span>)>,
}

impl ser::SerializeMap for MapSerializer {
    type Ok = Node;
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let key = to_node(key)?;
        let Kind::String(text) = key.kind else {
            return Err(Error("a key that is not a string".to_owned()));
        };
        self.key = Some((text, key.span));
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let Some((key, key_span)) = self.key.take() else {
            return Err(Error("a value without a key".to_owned()));
        };
        let value = to_node(value)?;
        self.map.insert_entry(key, Entry { key_span, value });
        Ok(())
    }
    fn end(self) -> Result<Node, Error> {
        bare(Kind::Map(self.map))
    }
}

impl ser::SerializeStruct for MapSerializer {
    type Ok = Node;
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.map.insert(key, to_node(value)?);
        Ok(())
    }
    fn end(self) -> Result<Node, Error> {
        bare(Kind::Map(self.map))
    }
}
