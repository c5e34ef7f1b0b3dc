//! What stands in the cards of the drawing: lines of text, one below the other, and how much room they take.
//!
//! Nobody can measure a reader's fonts here. Texts are set in a fixed-width font, whose characters all take 0.6 of
//! their height, or 0.62 in the widest that are common.

use super::escape::shorten;
use super::model::{Backend, Gateway, Listener, Picture, Policy, Route};
use crate::diff::printable;
use crate::exposure::Side;

/// How a line is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A name.
    Title,
    /// A hostname, an address.
    Text,
    /// What kind of thing it is, and the like.
    Small,
    /// What is wrong.
    Fault,
    /// A policy; its place in the picture.
    Pill(usize),
}

impl Style {
    /// The height of the letters.
    pub fn size(self) -> f64 {
        match self {
            Style::Title => 13.0,
            Style::Text => 12.5,
            Style::Small | Style::Fault => 11.0,
            Style::Pill(_) => 10.5,
        }
    }

    /// The height of the line.
    pub fn height(self) -> f64 {
        match self {
            Style::Title | Style::Text => 19.0,
            Style::Small | Style::Fault => 16.0,
            Style::Pill(_) => 21.0,
        }
    }

    /// How many characters are shown.
    fn most(self) -> usize {
        match self {
            Style::Title | Style::Text => 44,
            Style::Small | Style::Pill(_) => 50,
            Style::Fault => 46,
        }
    }
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// How it is set.
    pub style: Style,
    /// The text at the left.
    pub text: String,
    /// The text at the right, which is set small.
    pub right: String,
}

/// The room between the two texts of a line.
const BETWEEN: f64 = 18.0;

/// The room that a pill takes beside its text: a dot, and its ends.
const PILL: f64 = 30.0;

/// The width of a text, at least.
pub fn width(text: &str, size: f64) -> f64 {
    // What is not Latin may be twice as wide.
    let cells: usize = text
        .chars()
        .map(|c| if c < '\u{2e80}' { 1 } else { 2 })
        .sum();
    cells as f64 * size * 0.62
}

impl Line {
    fn new(style: Style, text: impl AsRef<str>) -> Self {
        Line {
            style,
            text: shorten(&printable(text.as_ref()), style.most()),
            right: String::new(),
        }
    }

    fn with(mut self, right: impl AsRef<str>) -> Self {
        self.right = shorten(&printable(right.as_ref()), Style::Small.most());
        self
    }

    fn width(&self) -> f64 {
        let left = width(&self.text, self.style.size());
        let right = match self.right.as_str() {
            "" => 0.0,
            text => BETWEEN + width(text, Style::Small.size()),
        };
        match self.style {
            Style::Pill(_) => left + PILL,
            _ => left + right,
        }
    }
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Where clients come from.
    Source,
    /// A gateway.
    Gateway,
    /// A listener, within its gateway.
    Listener,
    /// A route.
    Route,
    /// A backend.
    Backend,
    /// A policy that holds nowhere.
    Policy,
}

impl Role {
    /// The name, as the drawing's classes have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Source => "source",
            Role::Gateway => "gateway",
            Role::Listener => "listener",
            Role::Route => "route",
            Role::Backend => "backend",
            Role::Policy => "loose",
        }
    }
}

/// A card, or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What it is called in the drawing.
    pub id: String,
    /// What it is.
    pub role: Role,
    /// Which side it belongs to.
    pub side: Side,
    /// Whether something is wrong with it.
    pub is_bad: bool,
    /// Whether it is only named by others.
    pub is_faint: bool,
    /// What it is, in a line.
    pub label: String,
    /// All that is known of it, a line each.
    pub details: Vec<String>,
    /// The lines above what is within.
    pub head: Vec<Line>,
    /// What is within.
    pub inner: Vec<Block>,
    /// The lines below it.
    pub tail: Vec<Line>,
    /// The left side.
    pub x: f64,
    /// The upper side.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

/// The room at the left and right of lines.
pub const PAD_X: f64 = 14.0;
/// The room of the icon at the left of where clients come from.
pub const ICON: f64 = 30.0;
/// The room above and below lines.
pub const PAD_Y: f64 = 9.0;

impl Block {
    fn new(id: String, role: Role, side: Side, label: String) -> Self {
        Block {
            id,
            role,
            side,
            is_bad: false,
            is_faint: false,
            details: Vec::new(),
            label,
            head: Vec::new(),
            inner: Vec::new(),
            tail: Vec::new(),
            x: 0.0,
            y: 0.0,
            width: 0.0,
            height: 0.0,
        }
    }

    /// The height that lines take, with the room around them.
    pub fn head_height(&self) -> f64 {
        lines_height(&self.head)
    }

    /// The width that it needs.
    pub fn natural_width(&self) -> f64 {
        let own = self.head.iter().chain(&self.tail).map(Line::width);
        let own = own.map(|it| it + 2.0 * PAD_X);
        let inner = self.inner.iter().map(Block::natural_width);
        let icon = if self.role == Role::Source { ICON } else { 0.0 };
        own.chain(inner).fold(0.0, f64::max) + icon
    }

    /// Sets the height that it needs.
    pub fn measure(&mut self) {
        let mut height = lines_height(&self.head) + lines_height(&self.tail);
        for inner in &mut self.inner {
            inner.measure();
            height += inner.height;
        }
        self.height = height;
    }

    /// Puts it at a place, and what is within below its head.
    pub fn place(&mut self, x: f64, y: f64, width: f64) {
        (self.x, self.y, self.width) = (x, y, width);
        let mut below = y + self.head_height();
        for inner in &mut self.inner {
            inner.place(x, below, width);
            below += inner.height;
        }
    }

    /// The height of the middle.
    pub fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }

    fn faults(&mut self, faults: &[String]) {
        self.is_bad = !faults.is_empty();
        // The reason alone: the rest is in the details.
        let reasons = faults.iter().map(|it| it.split(": ").next().unwrap_or(it));
        let mut shown: Vec<&str> = Vec::new();
        for reason in reasons {
            if !shown.contains(&reason) {
                shown.push(reason);
            }
        }
        self.head.extend(
            shown
                .iter()
                .map(|it| Line::new(Style::Fault, format!("! {it}"))),
        );
        self.details
            .extend(faults.iter().map(|it| format!("Wrong: {it}")));
    }
}

fn lines_height(lines: &[Line]) -> f64 {
    if lines.is_empty() {
        return 0.0;
    }
    lines.iter().map(|it| it.style.height()).sum::<f64>() + 2.0 * PAD_Y
}

/// How many hostnames or addresses a card shows.
const MOST_LINES: usize = 4;

/// Lines of texts; where there are too many, the last says how many more.
fn some(style: Style, texts: &[String]) -> Vec<Line> {
    let shown = match texts.len() > MOST_LINES {
        true => MOST_LINES - 1,
        false => texts.len(),
    };
    let mut lines: Vec<Line> = texts
        .iter()
        .take(shown)
        .map(|it| Line::new(style, it))
        .collect();
    if texts.len() > shown {
        lines.push(Line::new(
            Style::Small,
            format!("and {} more", texts.len() - shown),
        ));
    }
    lines
}

fn pills(picture: &Picture, policies: &[usize]) -> Vec<Line> {
    let known = policies
        .iter()
        .filter_map(|at| Some((*at, picture.policies.get(*at)?)));
    known.map(|(at, policy)| pill(at, policy)).collect()
}

fn pill(at: usize, policy: &Policy) -> Line {
    Line::new(
        Style::Pill(at),
        format!("{} {}", policy.short_kind(), policy.name.name),
    )
}

fn policy_details(picture: &Picture, policies: &[usize]) -> Vec<String> {
    let known = policies.iter().filter_map(|at| picture.policies.get(*at));
    known
        .map(|it| format!("Policy: {}", policy_line(it)))
        .collect()
}

/// A policy and what it sets, in a line.
pub fn policy_line(policy: &Policy) -> String {
    let settings = match policy.settings.is_empty() {
        true => String::new(),
        false => format!(" ({})", policy.settings.join(", ")),
    };
    let faults: String = policy
        .faults
        .iter()
        .map(|it| format!("; wrong: {it}"))
        .collect();
    format!("{}{settings}{faults}", policy.name.full())
}

/// Where clients come from.
pub fn source(side: Side) -> Block {
    let (name, what) = match side {
        Side::External => ("Internet", "anybody"),
        Side::Internal => ("own network", "clients inside"),
        Side::Unknown => ("clients", "of which side?"),
    };
    let mut block = Block::new(
        format!("s-{}", side.as_str()),
        Role::Source,
        side,
        name.to_owned(),
    );
    block.head = vec![Line::new(Style::Title, name), Line::new(Style::Small, what)];
    block
}

/// A gateway with its listeners.
pub fn gateway(picture: &Picture, at: usize, it: &Gateway) -> Block {
    let mut block = Block::new(format!("g{at}"), Role::Gateway, it.side, it.name.full());
    block.is_faint = it.is_foreign;
    block
        .head
        .push(Line::new(Style::Title, &it.name.name).with(&it.name.namespace));
    block.head.extend(some(Style::Text, &it.addresses));
    if let Some(target) = &it.target {
        block
            .head
            .push(Line::new(Style::Small, format!("DNS {target}")));
    }
    block.details = vec![format!("Class: {}", it.class)];
    if !it.side_why.is_empty() {
        block.details.push(format!(
            "Reach: {}, since {}",
            it.side.as_str(),
            it.side_why
        ));
    }
    block
        .details
        .extend(it.addresses.iter().map(|it| format!("Address: {it}")));
    block.details.extend(
        it.target
            .iter()
            .map(|it| format!("DNS records lead to: {it}")),
    );
    block.faults(&it.faults);
    block.details.extend(policy_details(picture, &it.policies));
    let listeners = it.listeners.iter().enumerate();
    block.inner = listeners
        .map(|(nth, one)| listener(picture, (at, nth), it.side, one))
        .collect();
    block.tail = pills(picture, &it.policies);
    block
}

fn listener(picture: &Picture, at: (usize, usize), side: Side, it: &Listener) -> Block {
    let label = format!("listener {}, {}", it.name, it.port);
    let mut block = Block::new(format!("l{}-{}", at.0, at.1), Role::Listener, side, label);
    block
        .head
        .push(Line::new(Style::Title, &it.name).with(&it.port));
    block
        .head
        .extend(it.hostname.iter().map(|it| Line::new(Style::Text, it)));
    block
        .head
        .push(Line::new(Style::Small, format!("from {}", it.namespaces)));
    block.details = vec![
        format!("Hostname: {}", it.hostname.as_deref().unwrap_or("any")),
        format!("Takes routes from {}", it.namespaces),
    ];
    block.faults(&it.faults);
    block.head.extend(pills(picture, &it.policies));
    block.details.extend(policy_details(picture, &it.policies));
    block
}

/// A route.
pub fn route(picture: &Picture, at: usize, it: &Route) -> Block {
    let mut block = Block::new(
        format!("r{at}"),
        Role::Route,
        picture.side_of(it),
        it.name.full(),
    );
    block.head = match (it.hostnames.is_empty(), it.has_hostnames) {
        (false, _) => some(Style::Title, &it.hostnames),
        (true, true) => vec![Line::new(Style::Title, "any hostname")],
        (true, false) => vec![Line::new(Style::Title, &it.name.name)],
    };
    block
        .head
        .push(Line::new(Style::Small, it.name.path()).with(&it.name.kind));
    if let Some(redirect) = &it.redirect {
        block
            .head
            .push(Line::new(Style::Small, format!("redirects: {redirect}")));
    }
    let parts = it.backends.iter().filter_map(|(to, part)| {
        let backend = picture.backends.get(*to)?;
        Some(format!("{} {}", part.as_ref()?, backend.name.name))
    });
    let parts: Vec<String> = parts.collect();
    block
        .head
        .extend(parts.iter().map(|it| Line::new(Style::Small, it)));
    block
        .details
        .extend(it.hostnames.iter().map(|it| format!("Hostname: {it}")));
    block.details.extend(
        it.release
            .iter()
            .map(|it| format!("Made by the Helm release {it}")),
    );
    block
        .details
        .extend(it.redirect.iter().map(|it| format!("Redirects: {it}")));
    block.faults(&it.faults);
    if it.links.is_empty() && it.faults.is_empty() {
        block
            .head
            .push(Line::new(Style::Fault, "! no gateway at hand"));
    }
    block.head.extend(pills(picture, &it.policies));
    block.details.extend(policy_details(picture, &it.policies));
    block
}

/// A backend.
pub fn backend(picture: &Picture, at: usize, it: &Backend) -> Block {
    let routes = picture.routes.iter();
    let used = routes.filter(|route| route.backends.iter().any(|(to, _)| *to == at));
    let mut sides: Vec<Side> = used.map(|route| picture.side_of(route)).collect();
    sides.sort();
    let side = sides.first().copied().unwrap_or_default();
    let mut block = Block::new(format!("b{at}"), Role::Backend, side, it.name.full());
    let ports: Vec<String> = it.ports.iter().map(|it| format!(":{it}")).collect();
    block.head = vec![
        Line::new(Style::Title, &it.name.name).with(ports.join(" ")),
        Line::new(Style::Small, &it.name.kind).with(&it.name.namespace),
    ];
    block
        .details
        .extend(it.ports.iter().map(|it| format!("Port: {it}")));
    block
}

/// A policy that holds nowhere.
pub fn loose(at: usize, it: &Policy) -> Block {
    let mut block = Block::new(
        format!("p{at}"),
        Role::Policy,
        Side::Unknown,
        it.name.full(),
    );
    block.head = vec![
        Line::new(Style::Title, &it.name.name),
        Line::new(Style::Small, &it.name.namespace).with(&it.name.kind),
    ];
    block.faults(&it.faults);
    block.details.push(policy_line(it));
    block
}
