//! The catalogue of schemas: compiled CRDs by project and version, with import and look-up.
//!
//! - [`import`]: compiles a CustomResourceDefinition; `openapi`: compiles a server's own description of its kinds;
//!   [`json_schema`]: converts the JSON Schema of a kind; [`files`]: compiles whole folders of them.
//! - [`compiled`], [`node`]: the contents of a compiled file, parsed as far as they are needed.
//! - [`defaults`]: objects as the API server sees them: with defaults, without nulls.
//! - [`embedded`]: the compiled files in the binary; [`lock`]: their list, with hashes.
//! - [`catalogue`]: all available files; [`set`], [`version`]: their names.
//! - [`releases`]: which releases of a project exist, and which of them have the same CRDs.
//! - `selection`: which version of each project is in force; [`bundle`]: which version installs which other.
//! - [`pages`]: where projects document their kinds.
//! - `removed`: removed API versions, and their replacements.
//! - [`values`]: the schemas of Helm charts' values that a user has imported.
//! - `lookup`: finds the schema for an `apiVersion` and a `kind`, or what exists instead.
//!
//! `gatewayctl schemas import` writes the embedded files. To write them again, put upstream's releases into
//! `crds/PROJECT/VERSION[/CHANNEL]`, and `api/openapi-spec/swagger.json` of Kubernetes into `crds/core/VERSION`, and
//! run:
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
pub mod json_schema;
pub mod lock;
pub(crate) mod lookup;
pub mod node;
pub(crate) mod openapi;
pub mod pages;
pub mod releases;
pub(crate) mod removed;
pub(crate) mod selection;
pub mod set;
pub mod values;
pub mod version;

#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use lookup::{KindSchema, Lookup};
pub use selection::{Chosen, Reason, Selection, Unknown};
pub use set::Set;
pub use version::Version;
