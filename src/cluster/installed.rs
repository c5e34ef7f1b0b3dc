//! The CustomResourceDefinitions that a cluster has.

use super::error::Error;
use super::server::{Ask, Server};
use crate::value::Node;

/// Where they are.
pub const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// How many come in one answer: one of them may have a megabyte.
const A_PAGE: usize = 10;

/// Gives all of them to `take`, by name, as the server has them. Together they may be large: what is not needed is not
/// to be kept.
///
/// # Errors
/// If the server doesn't answer, or doesn't let us.
pub async fn installed(server: &Server, mut take: impl FnMut(Node)) -> Result<(), Error> {
    let ask = Ask::get(format!("{DEFINITIONS}?limit={A_PAGE}"));
    let definition = |item| {
        let mut node = Node::from_json(item);
        // Lists leave these out of their items.
        super::applied::set(&mut node, &["apiVersion"], "apiextensions.k8s.io/v1");
        super::applied::set(&mut node, &["kind"], "CustomResourceDefinition");
        take(node);
    };
    server.list(&ask, definition).await
}
