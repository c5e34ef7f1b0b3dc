//! The drawing as a single page without external files. The page highlights a selected or found object
//! together with its connections.

use super::colours;
use super::folded::{Folded, folded};
use super::model::Picture;
use super::svg::{Use, draw};
use crate::page::escape::xml;
use crate::page::{Page, counted};
use manifest::diagnostic::printable::printable;

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

const TOOLS: &str = r#"<span class="zoom" role="group" aria-label="Zoom"><button type="button" id="smaller" aria-label="Smaller">−</button><button type="button" id="larger" aria-label="Larger">+</button></span>
<span class="keys"><kbd>/</kbd> search, <kbd>Tab</kbd> and arrows move, <kbd>Enter</kbd> pins, <kbd>Esc</kbd> releases</span>
"#;

const ABOUT: &str = r#"<aside id="about" aria-live="polite" hidden><h2></h2><ul></ul></aside>
"#;

/// Renders the page.
pub fn html(picture: &Picture) -> String {
    let summary = picture.summary();
    let main = match folded(picture) {
        Some(folded) => unfolding(&folded, &summary),
        None => draw(picture, Use::Page, &summary),
    };
    let page = Page {
        title: format!("The front door: {summary}"),
        searched: "hostname, route, service, policy",
        tools: TOOLS,
        style: &(colours::style() + STYLE),
        script: SCRIPT,
        main,
        after: ABOUT,
    };
    page.html()
}

/// The overview, and below it the namespaces to unfold.
fn unfolding(folded: &Folded, summary: &str) -> String {
    let mut text = draw(&folded.overview, Use::Page, summary);
    text.push_str("<section class=\"parts\" aria-label=\"Namespaces\">\n");
    for (at, part) in folded.parts.iter().enumerate() {
        let name = xml(&printable(&part.name));
        let routes = counted(part.picture.routes.len(), "route", "routes");
        let bad = match part.bad() {
            0 => String::new(),
            bad => format!(" <em>{bad} with problems</em>"),
        };
        let title = format!("{}, {routes}", part.name);
        let drawing = draw(&part.picture, Use::Part(at), &printable(&title));
        text.push_str(&format!(
            "<details><summary><b>{name}</b> {routes}{bad}</summary>\n{drawing}</details>\n"
        ));
    }
    text.push_str("</section>\n");
    text
}
