//! The drawing as SVG 1.1, with its own style sheet for light mode, dark mode and paper.

use std::fmt::Write;

use super::block::{self, Block, ICON, Line, PAD_X, PAD_Y, Role, Style};
use super::cards;
use super::colours;
use super::layout::{Edge, HEADING, Layout, MARGIN, layout_below};
use super::model::{LinkState, Picture};
use crate::page::escape::xml;
use envoy_gateway::exposure::Side;
use envoy_gateway::policy::PolicyKind;

/// How the drawing is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// As a file.
    File,
    /// As the drawing of a page. Cards can be focused with the keyboard, and the page contains the style sheet.
    Page,
    /// As a further drawing of a page, with its number. It has no heading but the names of its columns.
    Part(usize),
}

impl Use {
    fn is_in_page(self) -> bool {
        self != Use::File
    }

    /// What makes the ids of a drawing different from those of the others.
    fn prefix(self) -> String {
        match self {
            Use::Part(at) => format!("d{at}-"),
            Use::File | Use::Page => String::new(),
        }
    }

    fn heading(self) -> f64 {
        match self {
            Use::Part(_) => PART_HEADING,
            Use::File | Use::Page => HEADING,
        }
    }
}

/// The height of the heading of a part.
const PART_HEADING: f64 = 16.0;

/// The names of the columns.
const COLUMNS: [&str; 4] = ["FROM", "GATEWAYS", "ROUTES", "BACKENDS"];

/// The radius of the corners of lines.
const BEND: f64 = 8.0;

/// Draws a picture for a file.
pub fn svg(picture: &Picture) -> String {
    draw(picture, Use::File, &picture.summary())
}

/// Draws a picture, with a summary below its title.
pub fn draw(picture: &Picture, purpose: Use, summary: &str) -> String {
    let layout = layout_below(picture, purpose.heading());
    let mut out = Out {
        text: String::new(),
        picture,
        purpose,
        prefix: purpose.prefix(),
        summary,
    };
    out.open(&layout);
    out.heading(&layout);
    layout
        .columns
        .iter()
        .flatten()
        .for_each(|block| out.block(block));
    layout.edges.iter().for_each(|edge| out.edge(edge));
    if !layout.loose.is_empty() {
        out.text_element(
            MARGIN,
            layout.loose_y + 4.0,
            "caption m sans",
            "ATTACHED TO NOTHING",
        );
        layout.loose.iter().for_each(|block| out.block(block));
    }
    out.text.push_str("</svg>\n");
    out.text
}

/// Formats a length, rounded to one decimal.
fn n(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    format!("{rounded}")
}

struct Out<'p> {
    text: String,
    picture: &'p Picture,
    purpose: Use,
    prefix: String,
    summary: &'p str,
}

impl Out<'_> {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = self.text.write_fmt(text);
        self.text.push('\n');
    }

    fn open(&mut self, layout: &Layout) {
        let (width, height) = (n(layout.width), n(layout.height));
        let role = match self.purpose {
            Use::File => "img",
            Use::Page | Use::Part(_) => "group",
        };
        let title = format!("{}front-door-title", self.prefix);
        self.line(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"front-door\" role=\"{role}\" aria-labelledby=\"{title}\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\">"
        ));
        let summary = xml(self.summary);
        self.line(format_args!(
            "<title id=\"{title}\">The front door: {summary}</title>"
        ));
        if self.purpose == Use::File {
            self.line(format_args!("<style>\n{}</style>", colours::style()));
        }
        self.line(format_args!(
            "<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    fn text_element(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.line(format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            n(x),
            n(y),
            xml(text)
        ));
    }

    fn heading(&mut self, layout: &Layout) {
        if !matches!(self.purpose, Use::Part(_)) {
            self.text_element(MARGIN, MARGIN + 18.0, "h1 t sans", "The front door");
            self.text_element(MARGIN, MARGIN + 40.0, "h2 m sans", self.summary);
            self.legend(MARGIN, MARGIN + 66.0);
        }
        let columns = layout.columns.iter().zip(COLUMNS);
        for (column, name) in columns {
            if let Some(first) = column.first() {
                self.text_element(
                    first.x,
                    MARGIN + layout.heading - 16.0,
                    "caption m sans",
                    name,
                );
            }
        }
    }

    /// The legend of those colours that are used.
    fn legend(&mut self, x: f64, y: f64) {
        let uses = |side: Side| self.picture.gateways.iter().any(|it| it.side == side);
        let holds = |state: LinkState| {
            let mut links = self.picture.routes.iter().flat_map(|it| &it.links);
            links.any(|it| it.state == state)
        };
        let entries = [
            (uses(Side::External), "external", "external"),
            (uses(Side::Internal), "internal", "internal"),
            (uses(Side::Unknown), "unknown", "side unknown"),
            (holds(LinkState::Unknown), "unknown perhaps", "perhaps"),
            (holds(LinkState::Refused), "refused", "refused"),
        ];
        let mut x = x;
        for (_, class, label) in entries.into_iter().filter(|(is_used, ..)| *is_used) {
            self.line(format_args!(
                "<path class=\"edge {class}\" d=\"M{} {}h22\"/>",
                n(x),
                n(y - 4.0)
            ));
            self.text_element(x + 30.0, y, "h2 m sans", label);
            x += 30.0 + block::width(label, 12.5) + 24.0;
        }
    }

    fn edge(&mut self, edge: &Edge) {
        let side = edge.side.as_str();
        let class = match edge.state {
            LinkState::Attached => side.to_owned(),
            LinkState::Unknown => format!("{side} perhaps"),
            LinkState::Refused => "refused".to_owned(),
        };
        let path = path(edge);
        let (from, to) = (&edge.from, &edge.to);
        let prefix = self.prefix.clone();
        self.line(format_args!(
            "<g class=\"link\" data-from=\"{prefix}{from}\" data-to=\"{prefix}{to}\">"
        ));
        self.line(format_args!("<path class=\"edge {class}\" d=\"{path}\"/>"));
        let (x, y) = edge.end;
        self.line(format_args!(
            "<path class=\"tip {class}\" d=\"M{} {}l-7 -4v8z\"/>",
            n(x),
            n(y)
        ));
        let (x, y) = edge.start;
        self.line(format_args!(
            "<circle class=\"tip {class}\" cx=\"{}\" cy=\"{}\" r=\"3\"/></g>",
            n(x),
            n(y)
        ));
    }

    fn block(&mut self, block: &Block) {
        let mut class = format!("node {} {}", block.role.as_str(), block.side.as_str());
        for (is, word) in [(block.is_bad, " bad"), (block.is_faint, " faint")] {
            class.push_str(if is { word } else { "" });
        }
        let reach = match self.purpose {
            purpose if purpose.is_in_page() && block.role != Role::Source => {
                format!(
                    " tabindex=\"0\" role=\"button\" aria-label=\"{}\"",
                    xml(&block.label)
                )
            }
            _ => String::new(),
        };
        let id = format!("{}{}", self.prefix, block.id);
        self.line(format_args!("<g class=\"{class}\" id=\"{id}\"{reach}>"));
        self.about(&block.label, &block.details);
        let (x, y, width, height) = (block.x, block.y, block.width, block.height);
        match block.role {
            Role::Listener => {
                self.line(format_args!(
                    "<rect class=\"row\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
                    n(x + 1.0),
                    n(y),
                    n(width - 2.0),
                    n(height)
                ));
                self.line(format_args!(
                    "<path class=\"rule\" d=\"M{} {}h{}\"/>",
                    n(x + 1.0),
                    n(y),
                    n(width - 2.0)
                ));
            }
            _ => self.line(format_args!(
                "<rect class=\"card\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"9\"/>",
                n(x),
                n(y),
                n(width),
                n(height)
            )),
        }
        let icon = if block.role == Role::Source {
            ICON
        } else {
            0.0
        };
        if block.role == Role::Source {
            self.icon(block);
        }
        self.lines(&block.head, x + icon, y, width - icon);
        block.inner.iter().for_each(|inner| self.block(inner));
        let below = y + height - tail_height(block);
        if !(block.inner.is_empty() || block.tail.is_empty()) {
            self.line(format_args!(
                "<path class=\"rule\" d=\"M{} {}h{}\"/>",
                n(x + 1.0),
                n(below),
                n(width - 2.0)
            ));
        }
        self.lines(&block.tail, x, below, width);
        if matches!(block.role, Role::Gateway | Role::Route) {
            self.line(format_args!(
                "<rect class=\"accent\" x=\"{}\" y=\"{}\" width=\"4\" height=\"{}\" rx=\"2\"/>",
                n(x - 1.0),
                n(y + 8.0),
                n(height - 16.0)
            ));
        }
        self.line(format_args!("</g>"));
    }

    /// The title and the details of an object, for tooltips and screen readers.
    fn about(&mut self, label: &str, details: &[String]) {
        self.line(format_args!("<title>{}</title>", xml(label)));
        if !details.is_empty() {
            let lines: Vec<String> = details.iter().map(|it| xml(it)).collect();
            self.line(format_args!("<desc>{}</desc>", lines.join("\n")));
        }
    }

    fn lines(&mut self, lines: &[Line], x: f64, y: f64, width: f64) {
        let mut top = y + PAD_Y;
        for line in lines {
            let height = line.style.height();
            let base = top + height / 2.0 + line.style.size() * 0.35;
            let left = x + PAD_X;
            match line.style {
                Style::Pill(at) => self.pill(at, line, left, top),
                Style::Title => self.text_element(left, base, "title t", &line.text),
                Style::Text => self.text_element(left, base, "text t", &line.text),
                Style::Small => self.text_element(left, base, "small m", &line.text),
                Style::Fault => self.text_element(left, base, "fault f", &line.text),
            }
            if !line.right.is_empty() {
                self.line(format_args!(
                    "<text class=\"small m\" text-anchor=\"end\" x=\"{}\" y=\"{}\">{}</text>",
                    n(x + width - PAD_X),
                    n(base),
                    xml(&line.right)
                ));
            }
            top += height;
        }
    }

    fn pill(&mut self, at: usize, line: &Line, x: f64, y: f64) {
        let Some(policy) = self.picture.policies.get(at) else {
            return;
        };
        let class = match policy.kind {
            PolicyKind::Client => "client",
            PolicyKind::Backend => "backend-policy",
            PolicyKind::Security => "security",
            PolicyKind::Extension => "extension",
            PolicyKind::Patch | PolicyKind::Server => "patch",
        };
        let about = cards::policy_line(policy);
        let reach = match self.purpose {
            Use::Page | Use::Part(_) => format!(
                " tabindex=\"0\" role=\"button\" aria-label=\"{}\"",
                xml(&policy.name.full())
            ),
            Use::File => String::new(),
        };
        self.line(format_args!(
            "<g class=\"pill {class}\" data-policy=\"p{at}\"{reach}>"
        ));
        self.about(&policy.name.full(), &[about]);
        let width = block::width(&line.text, Style::Pill(0).size()) + 26.0;
        self.line(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"17\" rx=\"8.5\"/>",
            n(x - 2.0),
            n(y + 2.0),
            n(width)
        ));
        self.line(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"3\"/>",
            n(x + 8.0),
            n(y + 10.5)
        ));
        self.line(format_args!(
            "<text x=\"{}\" y=\"{}\">{}</text></g>",
            n(x + 16.0),
            n(y + 14.2),
            xml(&line.text)
        ));
    }

    /// The icon of a group of clients: a globe, a house, or a circle.
    fn icon(&mut self, block: &Block) {
        let (x, y) = (block.x + 24.0, block.middle());
        let shape = match block.side {
            Side::External => {
                "m-10 0a10 10 0 1 0 20 0a10 10 0 1 0 -20 0m0 0h20m-10 -10c-6 5 -6 15 0 20c6 -5 6 -15 0 -20"
            }
            Side::Internal => "m-10 -1l10 -9l10 9m-17 -2v12h14v-12m-9 12v-6h4v6",
            Side::Unknown => "m-9 0a9 9 0 1 0 18 0a9 9 0 1 0 -18 0",
        };
        self.line(format_args!(
            "<path class=\"icon\" d=\"M{} {}{shape}\"/>",
            n(x),
            n(y)
        ));
    }
}

fn tail_height(block: &Block) -> f64 {
    let inner: f64 = block.inner.iter().map(|it| it.height).sum();
    block.height - block.head_height() - inner
}

/// The path of a line: horizontal, vertical in its lane, and horizontal again.
fn path(edge: &Edge) -> String {
    let ((x0, y0), (x1, y1)) = (edge.start, edge.end);
    // The arrow tip covers the end.
    let last = x1 - 5.0;
    let Some(lane) = edge.lane else {
        return format!("M{} {}H{}", n(x0), n(y0), n(last));
    };
    let bend = BEND.min((y1 - y0).abs() / 2.0);
    let down = if y1 > y0 { bend } else { -bend };
    format!(
        "M{} {}H{}Q{} {} {} {}V{}Q{} {} {} {}H{}",
        n(x0),
        n(y0),
        n(lane - bend),
        n(lane),
        n(y0),
        n(lane),
        n(y0 + down),
        n(y1 - down),
        n(lane),
        n(y1),
        n(lane + bend),
        n(y1),
        n(last)
    )
}
