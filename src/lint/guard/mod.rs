//! The rules of a project itself, from `[rules]`: what must never be merged. They are checked on what the cluster makes of all
//! objects, so it doesn't matter which kind of object exposes a hostname.

pub(crate) mod custom_rule;
pub(crate) mod disallowed_use;
pub(crate) mod expired_exception;
pub(crate) mod exposed;
pub(crate) mod failed_expression;
pub(crate) mod missing_guard;
pub(crate) mod never_external;
pub(crate) mod no_backend_policy;
pub(crate) mod tls_floor;
pub(crate) mod unknown_side;
pub(crate) mod wildcard;
