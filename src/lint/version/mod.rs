//! Versions in force: what they lack, ignore, deprecate or do differently.

pub mod behaviour;
pub mod chart_value;
pub mod deprecated_field;
pub mod envoy_image;
pub mod gate;
