//! Creates findings about values in objects.

use crate::Object;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::value::pointer::Step;
use crate::value::{Node, Pointer};

/// Creates a finding about the value at `pointer`, and sets its object, its position in the file and its origin.
pub fn finding(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
) -> Diagnostic {
    let span = object.span(pointer);
    about(code, object, pointer, message, span, object.origin(pointer))
}

/// Like [`finding`], but with the position of the key at the end of `pointer` instead of its value.
pub fn finding_on_key(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
) -> Diagnostic {
    let span = key_span(&object.node, pointer).or_else(|| object.span(pointer));
    let origin = object
        .origins
        .as_ref()
        .and_then(|origins| key_span(origins, pointer))
        .or_else(|| object.origin(pointer));
    about(code, object, pointer, message, span, origin)
}

fn about(
    code: Code,
    object: &Object,
    pointer: &Pointer,
    message: impl Into<String>,
    span: Option<Span>,
    origin: Option<Span>,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code, message)
        .at(span)
        .in_file(&object.file);
    diagnostic.origin = origin;
    diagnostic.object = Some(object.reference());
    diagnostic.pointer = Some(pointer.to_string());
    diagnostic
}

fn key_span(root: &Node, pointer: &Pointer) -> Option<Span> {
    let (Step::Key(key), above) = (pointer.steps().last()?, pointer.parent()?) else {
        return None;
    };
    root.at(&above)?.as_map()?.entry(key)?.key_span
}
