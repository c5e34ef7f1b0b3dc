//! The drawing as a single page without external files. The page highlights a selected or found object
//! together with its connections.
//! A Content Security Policy (level 2) in the page forbids the browser to load anything, and to use any
//! scripts and styles but those of the page, which are identified by their hashes. So even if a name was not
//! escaped correctly, it would stay text.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::colours;
use super::escape::xml;
use super::folded::{Folded, folded};
use super::model::{Picture, counted};
use super::svg::{Use, draw};
use manifest::diagnostic::printable::printable;

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// Renders the page.
pub fn html(picture: &Picture) -> String {
    let style = colours::style() + STYLE;
    let (style_hash, script_hash) = (hash(&style), hash(SCRIPT));
    let summary = xml(&picture.summary());
    let drawing = match folded(picture) {
        Some(folded) => unfolding(&folded, &picture.summary()),
        None => draw(picture, Use::Page, &picture.summary()),
    };
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src '{style_hash}'; script-src '{script_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>The front door: {summary}</title>
<style>{style}</style>
</head>
<body>
<div class="bar" role="search">
<label for="find">Find</label>
<input id="find" type="search" placeholder="hostname, route, service, policy" autocomplete="off" spellcheck="false">
<output id="count" for="find"></output>
<span class="zoom" role="group" aria-label="Zoom"><button type="button" id="smaller" aria-label="Smaller">−</button><button type="button" id="larger" aria-label="Larger">+</button></span>
<span class="keys"><kbd>/</kbd> search, <kbd>Tab</kbd> and arrows move, <kbd>Enter</kbd> pins, <kbd>Esc</kbd> releases</span>
</div>
<main>
{drawing}</main>
<aside id="about" aria-live="polite" hidden><h2></h2><ul></ul></aside>
<script>{SCRIPT}</script>
</body>
</html>
"#
    )
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

/// The hash of a text in the form that a Content Security Policy uses.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text)))
}
