//! The front door as a picture: from where, through which gateway and listener, by which route, to which backend; and
//! the policies on the way.
//!
//! - [`model`]: what is in the picture; [`build`] makes it of the resolved view.
//! - [`mermaid`], [`dot`]: as text, for programs that draw.
//! - [`block`], [`cards`]: what stands in the cards of the drawing; [`layout`]: where they stand, and [`lanes`] where lines run;
//!   [`svg`] draws it, [`html`] makes a page of the drawing.
//! - [`escape`]: names are untrusted, and no format may take them for its own.
//!
//! The same objects make the same picture, to the byte.

pub mod block;
pub mod build;
pub mod cards;
pub mod colours;
pub mod dot;
pub mod escape;
pub mod html;
pub mod lanes;
pub mod layout;
pub mod mermaid;
pub mod model;
pub mod svg;
#[cfg(test)]
mod tests;

pub use build::picture;
pub use model::Picture;
