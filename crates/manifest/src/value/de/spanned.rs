//! Values with the place that they were read from.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::{Error, NodeDeserializer, SPANNED};
use crate::diagnostic::{SourceId, Span, Spanned};

/// The parts of a [`Spanned`] as a sequence of four elements: the number of the source plus 1 (or 0 for no
/// position), start, end, and the value.
pub(super) struct SpannedParts<'de> {
    numbers: std::array::IntoIter<u32, 3>,
    value: Option<Part<'de>>,
}

pub(super) enum Part<'de> {
    Node(NodeDeserializer<'de>),
    Key(&'de str),
}

impl<'de> SpannedParts<'de> {
    pub(super) fn new(span: Option<Span>, value: Part<'de>) -> Self {
        let numbers = span.map_or([0; 3], |span| [span.source.0 + 1, span.start, span.end]);
        SpannedParts {
            numbers: numbers.into_iter(),
            value: Some(value),
        }
    }
}

impl<'de> de::SeqAccess<'de> for SpannedParts<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if let Some(number) = self.numbers.next() {
            return seed.deserialize(number.into_deserializer()).map(Some);
        }
        match self.value.take() {
            Some(Part::Node(node)) => seed.deserialize(node).map(Some),
            Some(Part::Key(key)) => seed.deserialize(key.into_deserializer()).map(Some),
            None => Ok(None),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
            type Value = Spanned<T>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value with its position")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(
                self,
                mut parts: A,
            ) -> Result<Self::Value, A::Error> {
                let missing = || de::Error::custom("a part of the position is missing");
                let source: u32 = parts.next_element()?.ok_or_else(missing)?;
                let start: u32 = parts.next_element()?.ok_or_else(missing)?;
                let end: u32 = parts.next_element()?.ok_or_else(missing)?;
                let value = parts.next_element()?.ok_or_else(missing)?;
                let span = source.checked_sub(1).map(|source| Span {
                    source: SourceId(source),
                    start,
                    end,
                });
                Ok(Spanned { value, span })
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                T::deserialize(deserializer).map(Spanned::unwritten)
            }
        }

        deserializer.deserialize_newtype_struct(SPANNED, Parts(std::marker::PhantomData))
    }
}
