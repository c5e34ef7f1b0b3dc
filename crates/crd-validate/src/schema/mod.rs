//! The catalogue of schemas: CRDs by project and version, compiled; import of new ones; look-up.
//!
//! - [`import`]: a CustomResourceDefinition to a compiled file; [`openapi`]: a server's own description of its
//!   kinds to compiled files; [`files`]: whole folders of both.
//! - [`compiled`], [`node`]: what a compiled file holds, read no further than somebody asks.
//! - [`defaults`]: an object as the API server has it before it looks: defaults in, nulls out.
//! - [`embedded`]: the compiled files in the binary; [`lock`]: the list of them, with hashes.
//! - [`catalogue`]: all files at hand; [`set`], [`version`]: how they are named.
//! - [`selection`]: which version of each project is in force; [`bundle`]: which brings which.
//! - [`removed`]: versions of APIs that are gone, and what took their place.
//! - [`lookup`]: from `apiVersion` and `kind` to a schema, or to what is there instead.
//!
//! The embedded files are what `gatewayctl schemas import` writes. To make them anew, with upstream's
//! releases in `crds/PROJECT/VERSION[/CHANNEL]`, and `api/openapi-spec/swagger.json` of Kubernetes' in
//! `crds/core/VERSION`:
//!
//! ```text
//! gatewayctl schemas import crds schemas/sources --by-folder --into schemas --facts-only
//! ```

pub mod bundle;
pub mod catalogue;
pub mod compiled;
pub mod defaults;
pub mod embedded;
pub mod files;
pub mod import;
pub mod lock;
pub mod lookup;
pub mod node;
pub mod openapi;
pub mod removed;
pub mod selection;
pub mod set;
pub mod version;

#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use lookup::{KindSchema, Lookup};
pub use selection::{Chosen, Reason, Selection, Unknown};
pub use set::Set;
pub use version::Version;
