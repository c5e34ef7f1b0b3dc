//! Versions in force: what they lack, ignore, deprecate or do differently.

pub(crate) mod behaviour;
pub(crate) mod changes;
pub(crate) mod chart_value;
pub(crate) mod deprecated_field;
pub(crate) mod envoy_image;
pub(crate) mod gate;
pub(crate) mod nearest_release;
pub(crate) mod removed;
pub(crate) mod unknown_release;
