//! The drawing as one page that needs nothing else: what is chosen or found stands out with its whole way.
//!
//! A policy in the page lets no browser load anything, nor run or apply anything but the page's own script and styles,
//! whose hashes it names (Content Security Policy, level 2). Should a name ever get past the escaping, it stays text.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::colours;
use super::escape::xml;
use super::model::Picture;
use super::svg::{Use, draw};

const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// The page.
pub fn html(picture: &Picture) -> String {
    let style = colours::style() + STYLE;
    let (style_hash, script_hash) = (hash(&style), hash(SCRIPT));
    let summary = xml(&picture.summary());
    let drawing = draw(picture, Use::Page);
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
<span class="keys"><kbd>/</kbd> finds, <kbd>Tab</kbd> and arrows walk, <kbd>Enter</kbd> holds, <kbd>Esc</kbd> lets go</span>
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

/// A text's hash as a Content Security Policy names it.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text)))
}
