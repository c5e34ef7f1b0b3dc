//! Draws the gateways as a picture: from clients through gateways, listeners and routes to backends, with the
//! policies on the way.
//! - [`model`]: the content of the picture; [`build`] creates it from the resolved objects, and [`mod@joined`] makes one
//!   picture of those of several clusters.
//! - [`folded`]: an overview and parts of a picture that is too large for one drawing.
//! - [`mermaid`], [`dot`]: text formats for programs that draw graphs.
//! - [`block`], [`cards`]: the content of the drawing's cards; [`layout`] computes their positions, and
//!   [`lanes`] those of the lines; [`svg`] draws everything, and [`html`] makes a page of the drawing.
//! - [`escape`]: escapes names for each format, because they are untrusted.
//!
//! The same objects always give the same output, byte for byte.

pub mod block;
pub mod build;
pub mod cards;
pub mod colours;
pub mod dot;
pub mod escape;
pub mod folded;
pub mod html;
pub mod joined;
pub mod lanes;
pub mod layout;
pub mod mermaid;
pub mod model;
pub mod svg;
#[cfg(test)]
mod tests;

pub use build::picture;
pub use joined::joined;
pub use model::Picture;
