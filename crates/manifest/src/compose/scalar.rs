//! Scalars and their tags.

use data_encoding::BASE64_MIME_PERMISSIVE;
use serde_json::Number;

use super::{Composer, Made, OWN_TAGS, refuse};
use crate::kustomize::{self, Fault, Properties, Scalar, Style};
use crate::read::Reader;
use crate::value::Kind;

impl<'a> Composer<'a> {
    pub(super) fn scalar(
        &mut self,
        properties: &Properties<'a>,
        text: String,
        style: Style,
        start: usize,
        end: usize,
        at: usize,
    ) -> Result<Made, Fault> {
        let scalar = self.resolved(properties, &text, style, at)?;
        self.may_differ |= matches!(scalar, Scalar::Timestamp(_))
            || properties.tag.as_deref() == Some("!")
            || (style == Style::Plain && kustomize::is_word_of_kubectl(&text))
            || (text.is_empty() && self.flows > 0);
        let is_block = matches!(style, Style::Literal | Style::Folded);
        if self.reader == Reader::Kustomize && is_block && text.starts_with('\t') {
            return refuse(
                "a block that starts with a tab, which kustomize can't read after it has written it",
                at,
            );
        }
        let kind = match &scalar {
            Scalar::Null => Kind::Null,
            Scalar::Boolean(value) => Kind::Bool(*value),
            Scalar::Integer(number) => Kind::Number(number.clone()),
            Scalar::Float(number) => {
                json_number(*number).map_or(Kind::String(text.clone()), Kind::Number)
            }
            Scalar::Timestamp(date) if self.reader == Reader::Kustomize => {
                if date.contains("+24:") || date.contains("-24:") {
                    return refuse("a date with a zone that JSON can't hold", at);
                }
                Kind::String(date.clone())
            }
            Scalar::Text if is_binary(properties) => match decoded(&text) {
                Some(decoded) => Kind::String(decoded),
                None => return refuse("a `!!binary` value that is not base64", at),
            },
            Scalar::Timestamp(_) | Scalar::Text => Kind::String(text.clone()),
        };
        let tag = properties.tag.as_deref();
        let has_other_tag = tag.is_some_and(|tag| {
            tag != "!" && !matches!(tag.strip_prefix(OWN_TAGS), Some("str" | "merge"))
        });
        Ok(Made {
            node: self.node(kind, start, end),
            height: 0,
            is_string: scalar == Scalar::Text && !has_other_tag,
            scalar: Some((text, scalar)),
        })
    }

    /// The value of a scalar with a tag and a style.
    fn resolved(
        &self,
        properties: &Properties<'a>,
        text: &str,
        style: Style,
        at: usize,
    ) -> Result<Scalar, Fault> {
        let is_plain = style == Style::Plain;
        let Some(tag) = properties.tag.as_deref() else {
            if !is_plain {
                return Ok(Scalar::Text);
            }
            let scalar = kustomize::value_of(text, self.reader);
            // kustomize writes an object before it reads it again, and puts quotes around these.
            let gets_quotes = self.flows > 0
                && self.reader == Reader::Kustomize
                && (text.is_empty() || text.contains(':'));
            return Ok(if gets_quotes { Scalar::Text } else { scalar });
        };
        if tag == "!" {
            // To kubectl, the tag `!` makes a string of any value; kustomize ignores it.
            return Ok(match self.reader {
                Reader::Kustomize if is_plain => kustomize::value_of(text, self.reader),
                _ => Scalar::Text,
            });
        }
        match tag.strip_prefix(OWN_TAGS) {
            Some(tag) => match kustomize::value_with_tag(text, tag, self.reader) {
                Some(scalar) => Ok(scalar),
                None => refuse("a value that doesn't have the type of its tag", at),
            },
            None => Ok(Scalar::Text),
        }
    }
}

/// A number with a fraction as it is after Go has written it as JSON: without a fraction, it is an integer.
fn json_number(number: f64) -> Option<Number> {
    let is_integer = number.fract() == 0.0 && number.abs() < 9.2e18;
    if is_integer {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

fn is_binary(properties: &Properties<'_>) -> bool {
    let tag = properties.tag.as_deref();
    tag.and_then(|tag| tag.strip_prefix(OWN_TAGS)) == Some("binary")
}

/// The text that is encoded in base64. Like Go, it ignores the ends of lines, and the unused bits of the last letter.
fn decoded(text: &str) -> Option<String> {
    // The crate would also accept several texts in a row, each with its own padding.
    let letters = text.trim_end_matches(['=', '\r', '\n']);
    if letters.contains('=') {
        return None;
    }
    let bytes = BASE64_MIME_PERMISSIVE.decode(text.as_bytes()).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
