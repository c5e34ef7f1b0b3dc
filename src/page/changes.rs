//! What changes in who can reach what, as the content of a page.

use envoy_gateway::exposure::{Change, Direction};

use super::escape::xml;

/// The changes as a list, in their order, which begins with what opens something.
pub fn list(changes: &[Change]) -> String {
    let mut text = String::from("<ul class=\"changes group\">\n");
    for change in changes {
        let direction = change.direction.as_str();
        let word = match change.direction {
            Direction::Other => "changed",
            Direction::Wider | Direction::Narrower => direction,
        };
        text.push_str(&format!(
            "<li class=\"item\"><span class=\"word {direction}\">{word}</span><span>{}</span></li>\n",
            xml(&change.message())
        ));
    }
    text + "</ul>\n"
}
