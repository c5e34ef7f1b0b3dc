//! What a cluster makes of objects: the controller's view of listeners, routes and policies.
//!
//! - [`delivery`]: what kustomize and Flux make of the files before the API server sees them.

pub mod delivery;
