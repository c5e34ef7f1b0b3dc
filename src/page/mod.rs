//! The frame that all HTML pages share: one file without external parts, its style and its script, and how text is escaped.
//! - [`Page`]: the frame, with a search field at the top.
//! - [`escape`]: text in XML and HTML.
//! - [`exposure`]: who can reach what, as the content of a page; [`changes`]: what changes in it.
//!
//! A Content Security Policy (level 2) in each page forbids the browser to load anything, and to use any scripts and styles
//! but those of the page, which are identified by their hashes. So even if a name was not escaped correctly, it would stay
//! text.

pub mod changes;
pub mod escape;
pub mod exposure;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use envoy_gateway::exposure::Side;
use escape::xml;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const ROWS: &str = include_str!("rows.js");

/// A colour in light mode and on paper, and in dark mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// The colour in light mode and on paper.
    pub light: &'static str,
    /// The colour in dark mode.
    pub dark: &'static str,
}

/// The colour of a side of the network, for text and shapes. Drawings use them, too.
pub const fn side_colour(side: Side) -> Colour {
    match side {
        Side::External => Colour {
            light: "#c2410c",
            dark: "#fb923c",
        },
        Side::Internal => Colour {
            light: "#0f766e",
            dark: "#2dd4bf",
        },
        Side::Unknown => Colour {
            light: "#475569",
            dark: "#94a3b8",
        },
    }
}

/// A page. Its texts are not escaped yet, unless they are said to be HTML.
#[derive(Clone, Debug, Default)]
pub struct Page<'p> {
    /// The title of the window.
    pub title: String,
    /// What can be searched, as an example in the empty search field.
    pub searched: &'p str,
    /// HTML after the search field.
    pub tools: &'p str,
    /// The style sheet of the content.
    pub style: &'p str,
    /// The script of the content, which calls `searchable` (see `page.js`).
    pub script: &'p str,
    /// The content, as HTML.
    pub main: String,
    /// HTML after the content.
    pub after: &'p str,
}

impl Page<'_> {
    /// A page of rows in groups, of which the search shows those that contain the text.
    pub fn of_rows(title: String, searched: &str, tools: &str, main: String) -> String {
        let page = Page {
            title,
            searched,
            tools,
            style: "",
            script: ROWS,
            main,
            after: "",
        };
        page.html()
    }

    /// The page as HTML.
    pub fn html(&self) -> String {
        let style = format!("{}{STYLE}{}", sides(), self.style);
        let script = format!("{SCRIPT}{}", self.script);
        let (style_hash, script_hash) = (hash(&style), hash(&script));
        let (title, searched) = (xml(&self.title), xml(self.searched));
        let (tools, main, after) = (self.tools, &self.main, self.after);
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src '{style_hash}'; script-src '{script_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div class="bar" role="search">
<label for="find">Find</label>
<input id="find" type="search" placeholder="{searched}" autocomplete="off" spellcheck="false">
<output id="count" for="find"></output>
{tools}</div>
<main>
{main}</main>
{after}<script>{script}</script>
</body>
</html>
"#
        )
    }
}

/// `1 route` or `12 routes`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// The colours of the sides, as variables of the style sheet.
fn sides() -> String {
    let all = [Side::External, Side::Internal, Side::Unknown];
    let variables = |choose: fn(Colour) -> &'static str| -> String {
        all.iter()
            .map(|side| format!(" --{}: {};", side.as_str(), choose(side_colour(*side))))
            .collect()
    };
    format!(
        ":root {{{} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{} }} }}\n",
        variables(|it| it.light),
        variables(|it| it.dark)
    )
}

/// The hash of a text in the form that a Content Security Policy uses.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text)))
}
