//! The colours of the drawing, in light and dark mode.

use crate::page::{self, side_colour};
use envoy_gateway::exposure::Side;

const EXTERNAL: page::Colour = side_colour(Side::External);
const INTERNAL: page::Colour = side_colour(Side::Internal);
const UNKNOWN: page::Colour = side_colour(Side::Unknown);

/// CSS selectors with their colour in light mode and on paper, and their colour in dark mode.
type Colour = (&'static str, &'static str, &'static str);

/// The colours of filled shapes and of text.
const FILLS: &[Colour] = &[
    (".ground", "#f5f7fa", "#10151c"),
    (".card", "#ffffff", "#1a212b"),
    (".row", "#f8fafc", "#1f2833"),
    (".t", "#17202c", "#e8edf4"),
    (".m", "#526173", "#9aa9bb"),
    (".f", "#b42318", "#ff9b8f"),
    (
        ".external .accent, .external.tip, .external .dot",
        EXTERNAL.light,
        EXTERNAL.dark,
    ),
    (
        ".internal .accent, .internal.tip, .internal .dot",
        INTERNAL.light,
        INTERNAL.dark,
    ),
    (
        ".unknown .accent, .unknown.tip, .unknown .dot",
        UNKNOWN.light,
        UNKNOWN.dark,
    ),
    (".refused.tip", "#b42318", "#ff9b8f"),
    (".client rect", "#e3edfd", "#1c3050"),
    (".client text, .client circle", "#1d4ed8", "#93bbfd"),
    (".backend-policy rect", "#e0f5e8", "#173626"),
    (
        ".backend-policy text, .backend-policy circle",
        "#166534",
        "#86dfa6",
    ),
    (".security rect", "#fde7f1", "#471c33"),
    (".security text, .security circle", "#a8124f", "#f9a8cf"),
    (".extension rect", "#efe8fe", "#32215a"),
    (".extension text, .extension circle", "#6425c9", "#c9b0fd"),
    (".patch rect", "#e8ecf1", "#2a3441"),
    (".patch text, .patch circle", "#3f4c5c", "#b7c3d1"),
];

/// The colours of lines.
const STROKES: &[Colour] = &[
    (".card", "#d4dbe4", "#36414f"),
    (".rule", "#e5eaf0", "#2c3643"),
    (".bad > .card", "#d9483b", "#f0776b"),
    (
        ".external.edge, .external .icon",
        EXTERNAL.light,
        EXTERNAL.dark,
    ),
    (
        ".internal.edge, .internal .icon",
        INTERNAL.light,
        INTERNAL.dark,
    ),
    (".unknown.edge, .unknown .icon", "#64748b", "#94a3b8"),
    (".refused.edge", "#d9483b", "#f0776b"),
];

/// The part of the style sheet that is the same in light and dark mode.
const FIXED: &str = "\
.front-door text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace; }
.front-door .sans { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif; }
.title { font-size: 13px; font-weight: 600; }
.text { font-size: 12.5px; }
.small, .fault { font-size: 11px; }
.pill text { font-size: 10.5px; }
.h1 { font-size: 21px; font-weight: 650; }
.h2 { font-size: 12.5px; }
.caption { font-size: 11px; font-weight: 600; letter-spacing: 0.08em; }
.card { stroke-width: 1; }
.faint > .card { stroke-dasharray: 5 4; }
.edge, .icon { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
.refused.edge { stroke-dasharray: 4 4; }
.perhaps.edge { stroke-dasharray: 1 4; }
.accent { stroke: none; }
";

/// The style sheet of the drawing.
pub fn style() -> String {
    let rules = |property: &str, colours: &[Colour], is_dark: bool| -> String {
        let rule = |(who, light, dark): &Colour| {
            let colour = if is_dark { dark } else { light };
            // All selectors apply only inside the drawing.
            let who: Vec<String> = who
                .split(", ")
                .map(|it| format!(".front-door {it}"))
                .collect();
            format!("{} {{ {property}: {colour}; }}\n", who.join(", "))
        };
        colours.iter().map(rule).collect()
    };
    let both = |is_dark| rules("fill", FILLS, is_dark) + &rules("stroke", STROKES, is_dark);
    // Paper uses light mode.
    format!(
        "{FIXED}{}@media screen and (prefers-color-scheme: dark) {{\n{}}}\n",
        both(false),
        both(true)
    )
}
