//! What stands in the cards of the drawing: lines of text, one below the other, and how much room they take.
//!
//! Nobody can measure a reader's fonts here. Texts are set in a fixed-width font, whose characters all take 0.6 of
//! their height, or 0.62 in the widest that are common.

use super::escape::shorten;
use envoy_gateway::exposure::Side;
use manifest::diagnostic::printable::printable;

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
    pub(super) fn new(style: Style, text: impl AsRef<str>) -> Self {
        Line {
            style,
            text: shorten(&printable(text.as_ref()), style.most()),
            right: String::new(),
        }
    }

    pub(super) fn with(mut self, right: impl AsRef<str>) -> Self {
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
    pub(super) fn new(id: String, role: Role, side: Side, label: String) -> Self {
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

    pub(super) fn faults(&mut self, faults: &[String]) {
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
