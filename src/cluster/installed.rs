//! The CustomResourceDefinitions that are installed in a cluster.

use super::error::Error;
use super::server::{Ask, Server};
use manifest::value::Node;

/// The path of all definitions.
pub const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// How many come in one answer, because a definition may have a megabyte.
const A_PAGE: usize = 10;

/// Calls `take` with each of them, in order of their names. All together they may be large, so `take` should keep
/// only what is needed.
///
/// # Errors
/// If the server doesn't answer, or permission is missing.
pub async fn installed(server: &Server, mut take: impl FnMut(Node)) -> Result<(), Error> {
    let ask = Ask::get(format!("{DEFINITIONS}?limit={A_PAGE}"));
    let definition = |item| {
        let mut node = Node::from_json(item);
        // Lists leave these fields out of their items.
        super::applied::set(&mut node, &["apiVersion"], "apiextensions.k8s.io/v1");
        super::applied::set(&mut node, &["kind"], "CustomResourceDefinition");
        take(node);
    };
    server.list(&ask, definition).await
}
