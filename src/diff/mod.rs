//! Objects against objects, field by field.
pub mod text;
