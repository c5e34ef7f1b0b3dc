//! The CustomResourceDefinitions that a cluster has.

use super::error::Error;
use super::kinds::{escaped, items, text};
use super::server::{Ask, Server};
use crate::value::Node;

/// Where they are.
pub const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// How many come in one answer: one of them may have a megabyte.
const A_PAGE: usize = 25;

/// All of them, by name, as the server has them.
///
/// # Errors
/// Where the server doesn't answer, or doesn't let us.
pub async fn installed(server: &Server) -> Result<Vec<Node>, Error> {
    let mut found = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("{DEFINITIONS}?limit={A_PAGE}&continue={}", escaped(&next));
        let answer = server.ask(&Ask::get(path)).await?;
        for item in items(&answer.body["items"]) {
            let mut node = Node::from_json(item.clone());
            // Lists leave these out of their items.
            super::applied::set(&mut node, &["apiVersion"], "apiextensions.k8s.io/v1");
            super::applied::set(&mut node, &["kind"], "CustomResourceDefinition");
            found.push(node);
        }
        next = text(&answer.body["metadata"]["continue"]);
        if next.is_empty() {
            return Ok(found);
        }
    }
}
