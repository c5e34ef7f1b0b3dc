//! The content of the drawing's cards: lines of text, and the space that they need.
//! The fonts of the reader can't be measured here. So texts use a fixed-width font, in which all characters
//! have a width of 0.6 times their height, or 0.62 in the widest common font.

use super::escape::shorten;
use envoy_gateway::exposure::Side;
use manifest::diagnostic::printable::printable;

/// The style of a line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A name.
    Title,
    /// A hostname, an address.
    Text,
    /// A description, such as the kind.
    Small,
    /// A problem.
    Fault,
    /// A policy, by its index in the picture.
    Pill(usize),
}

impl Style {
    /// The font size.
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

    /// The maximum number of characters to show.
    fn most(self) -> usize {
        match self {
            Style::Title | Style::Text => 44,
            Style::Small | Style::Pill(_) => 50,
            Style::Fault => 46,
        }
    }
}

/// A line of text in a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The style of the line.
    pub style: Style,
    /// The text on the left.
    pub text: String,
    /// The text on the right, in a small font.
    pub right: String,
}

/// The space between the two texts of a line.
const BETWEEN: f64 = 18.0;

/// The space that a pill needs in addition to its text, for a dot and the round ends.
const PILL: f64 = 30.0;

/// An estimate of the width of a text that is never too small.
pub fn width(text: &str, size: f64) -> f64 {
    // Characters of non-Latin scripts may be twice as wide.
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

/// The kind of thing that a block shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A group of clients.
    Source,
    /// A gateway.
    Gateway,
    /// A listener, inside the block of its gateway.
    Listener,
    /// A route.
    Route,
    /// A backend.
    Backend,
    /// A policy that is attached to nothing.
    Policy,
}

impl Role {
    /// The name of the role in the CSS classes of the drawing.
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

/// A card, or a part of a card.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The id of the block in the drawing.
    pub id: String,
    /// The kind of thing that it shows.
    pub role: Role,
    /// The side of the network that it belongs to.
    pub side: Side,
    /// Whether there is a problem with it.
    pub is_bad: bool,
    /// Whether it is only referred to by other objects.
    pub is_faint: bool,
    /// A description in one line.
    pub label: String,
    /// All details, one per line.
    pub details: Vec<String>,
    /// The lines above the inner blocks.
    pub head: Vec<Line>,
    /// The inner blocks.
    pub inner: Vec<Block>,
    /// The lines below the inner blocks.
    pub tail: Vec<Line>,
    /// The position of the left edge.
    pub x: f64,
    /// The position of the upper edge.
    pub y: f64,
    /// The width.
    pub width: f64,
    /// The height.
    pub height: f64,
}

/// The space to the left and right of lines.
pub const PAD_X: f64 = 14.0;
/// The space for the icon on the left of a group of clients.
pub const ICON: f64 = 30.0;
/// The space above and below lines.
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

    /// The height of the lines above the inner blocks, including the space around them.
    pub fn head_height(&self) -> f64 {
        lines_height(&self.head)
    }

    /// The width that the block needs.
    pub fn natural_width(&self) -> f64 {
        let own = self.head.iter().chain(&self.tail).map(Line::width);
        let own = own.map(|it| it + 2.0 * PAD_X);
        let inner = self.inner.iter().map(Block::natural_width);
        let icon = if self.role == Role::Source { ICON } else { 0.0 };
        own.chain(inner).fold(0.0, f64::max) + icon
    }

    /// Computes and sets the height that the block needs.
    pub fn measure(&mut self) {
        let mut height = lines_height(&self.head) + lines_height(&self.tail);
        for inner in &mut self.inner {
            inner.measure();
            height += inner.height;
        }
        self.height = height;
    }

    /// Sets the position of the block, and places the inner blocks below the first lines.
    pub fn place(&mut self, x: f64, y: f64, width: f64) {
        (self.x, self.y, self.width) = (x, y, width);
        let mut below = y + self.head_height();
        for inner in &mut self.inner {
            inner.place(x, below, width);
            below += inner.height;
        }
    }

    /// The vertical position of the middle.
    pub fn middle(&self) -> f64 {
        self.y + self.height / 2.0
    }

    pub(super) fn faults(&mut self, faults: &[String]) {
        self.is_bad = !faults.is_empty();
        // Only the reason is shown in the card; the details have the whole text.
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
            .extend(faults.iter().map(|it| format!("Problem: {it}")));
    }
}

fn lines_height(lines: &[Line]) -> f64 {
    if lines.is_empty() {
        return 0.0;
    }
    lines.iter().map(|it| it.style.height()).sum::<f64>() + 2.0 * PAD_Y
}
