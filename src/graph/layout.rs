//! Computes all positions: four columns from left to right (clients, gateways, routes, backends), and lines
//! between them, which consist of a horizontal part, a vertical part in a lane, and another horizontal part.
//! Routes are stacked vertically. Their parents and backends are placed as close as possible to the middle
//! of their routes. Cards never overlap, and no text is wider than its card.

use std::collections::BTreeMap;

use super::block::Block;
use super::cards;
use super::lanes::{Bus, lanes};
use super::model::{LinkSource, LinkState, Picture};
use envoy_gateway::exposure::Side;

/// The margin around the drawing.
pub const MARGIN: f64 = 32.0;
/// The height of the heading, including the names of the columns.
pub const HEADING: f64 = 128.0;
/// The space between two cards of a column.
const GAP: f64 = 10.0;
/// The space between groups of cards.
const WIDE_GAP: f64 = 26.0;
/// The minimum width of a column.
const NARROWEST: f64 = 150.0;
/// The width that the text of the heading needs.
const LEAST_WIDTH: f64 = 760.0;
/// The space at both ends of the channel between two columns.
const CHANNEL: f64 = 26.0;
/// The space between two lanes.
const LANE: f64 = 10.0;

/// The positions of everything in the drawing.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The width of the drawing.
    pub width: f64,
    /// The height of the drawing.
    pub height: f64,
    /// The height of its heading, with the names of the columns.
    pub heading: f64,
    /// The columns: clients, gateways, routes, backends.
    pub columns: [Vec<Block>; 4],
    /// The policies that are attached to nothing, below everything else.
    pub loose: Vec<Block>,
    /// The upper edge of the area with these policies.
    pub loose_y: f64,
    /// The lines between cards.
    pub edges: Vec<Edge>,
}

/// A line between two cards.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The id of the block where the line begins.
    pub from: String,
    /// The id of the block where the line ends.
    pub to: String,
    /// The side of the network that the line belongs to.
    pub side: Side,
    /// Whether the route is attached to its parent.
    pub state: LinkState,
    /// The position of the beginning.
    pub start: (f64, f64),
    /// The horizontal position of the lane; `None` if the line is straight.
    pub lane: Option<f64>,
    /// The position of the end.
    pub end: (f64, f64),
}

/// A line whose ends are given by their indexes in the columns.
struct Link {
    from: (usize, Option<usize>),
    to: usize,
    state: LinkState,
    /// The bus that the line belongs to. All lines of a bus share a lane.
    bus: usize,
    /// The vertical offset of the end, which keeps lines from several parents apart.
    aside: f64,
}

/// Computes all positions for a picture.
pub fn layout(picture: &Picture) -> Layout {
    layout_below(picture, HEADING)
}

/// Like [`layout`], below a heading of another height.
pub fn layout_below(picture: &Picture, heading: f64) -> Layout {
    let sources = sources(picture);
    let mut columns = [
        sources.iter().map(|side| cards::source(*side)).collect(),
        blocks(&picture.gateways, |at, it| cards::gateway(picture, at, it)),
        blocks(&picture.routes, |at, it| cards::route(picture, at, it)),
        blocks(&picture.backends, |at, it| cards::backend(picture, at, it)),
    ];
    for block in columns.iter_mut().flatten() {
        block.measure();
    }
    let links = [
        from_sources(picture, &sources),
        to_routes(picture),
        to_backends(picture),
    ];
    stack(picture, &mut columns, &links, heading);
    let mut layout = Layout {
        columns,
        heading,
        ..Layout::default()
    };
    layout.spread(&links);
    layout.below(picture);
    layout
}

fn blocks<T>(items: &[T], make: impl Fn(usize, &T) -> Block) -> Vec<Block> {
    items
        .iter()
        .enumerate()
        .map(|(at, it)| make(at, it))
        .collect()
}

/// The sides of the network that the gateways face, in the order of the gateways.
fn sources(picture: &Picture) -> Vec<Side> {
    let mut sides = Vec::new();
    for gateway in &picture.gateways {
        if !sides.contains(&gateway.side) {
            sides.push(gateway.side);
        }
    }
    sides
}

fn from_sources(picture: &Picture, sources: &[Side]) -> Vec<Link> {
    let links = picture
        .gateways
        .iter()
        .enumerate()
        .filter_map(|(to, gateway)| {
            let from = sources.iter().position(|side| *side == gateway.side)?;
            Some(Link {
                from: (from, None),
                to,
                state: LinkState::Attached,
                bus: from,
                aside: 0.0,
            })
        });
    links.collect()
}

fn to_routes(picture: &Picture) -> Vec<Link> {
    let mut buses: BTreeMap<(LinkSource, LinkState), usize> = BTreeMap::new();
    let mut links = Vec::new();
    for (to, route) in picture.routes.iter().enumerate() {
        // The ends must stay within the height of the smallest card.
        let apart = (30.0 / route.links.len().max(1) as f64).min(10.0);
        for (nth, link) in route.links.iter().enumerate() {
            let next = buses.len();
            let from = match link.from {
                LinkSource::Listener(gateway, nth) => (gateway, Some(nth)),
                LinkSource::Gateway(gateway) => (gateway, None),
            };
            links.push(Link {
                from,
                to,
                state: link.state,
                bus: *buses.entry((link.from, link.state)).or_insert(next),
                aside: (nth as f64 - (route.links.len() - 1) as f64 / 2.0) * apart,
            });
        }
    }
    links
}

fn to_backends(picture: &Picture) -> Vec<Link> {
    let mut used = vec![0_usize; picture.backends.len()];
    for (to, _) in picture.routes.iter().flat_map(|it| &it.backends) {
        if let Some(times) = used.get_mut(*to) {
            *times += 1;
        }
    }
    let routes = picture.routes.iter().enumerate();
    let links = routes.flat_map(|(from, route)| {
        let used = &used;
        route.backends.iter().map(move |(to, _)| Link {
            from: (from, None),
            to: *to,
            state: LinkState::Attached,
            // Lines to the same backend share a bus; otherwise the lines of the same route do.
            bus: match used.get(*to) {
                Some(1) => picture.backends.len() + from,
                _ => *to,
            },
            aside: 0.0,
        })
    });
    links.collect()
}

/// Sets the vertical positions of all cards.
fn stack(picture: &Picture, columns: &mut [Vec<Block>; 4], links: &[Vec<Link>; 3], heading: f64) {
    let [sources, gateways, routes, backends] = columns;
    let rows: Vec<usize> = (0..backends.len()).map(|at| picture.row_of(at)).collect();
    let mut beside = rows.iter().zip(backends.iter_mut()).peekable();
    let mut y = 0.0;
    let mut last = None;
    for (at, (route, of)) in routes.iter_mut().zip(&picture.routes).enumerate() {
        let group = of.links.iter().map(|it| it.from.gateway()).max();
        if y > 0.0 {
            y += if last == Some(group) { GAP } else { WIDE_GAP };
        }
        last = Some(group);
        let mut own = Vec::new();
        while let Some((_, backend)) = beside.next_if(|(row, _)| **row == at) {
            own.push(backend);
        }
        y += row(y, route, own);
    }
    let [to_gateways, to_routes, _] = links;
    place_near(
        gateways,
        routes,
        to_routes.iter().map(|it| (it.from.0, it.to)),
        WIDE_GAP,
    );
    place_near(
        sources,
        gateways,
        to_gateways.iter().map(|it| (it.from.0, it.to)),
        WIDE_GAP,
    );
    let top = columns
        .iter()
        .flatten()
        .map(|it| it.y)
        .fold(f64::INFINITY, f64::min);
    let shift = MARGIN + heading - if top.is_finite() { top } else { 0.0 };
    columns.iter_mut().flatten().for_each(|it| it.y += shift);
}

/// Places a route and the backends beside it in one row, and returns the height of the row.
fn row(y: f64, route: &mut Block, own: Vec<&mut Block>) -> f64 {
    let gaps = own.len().saturating_sub(1) as f64 * GAP;
    let needed = own.iter().map(|it| it.height).sum::<f64>() + gaps;
    let height = route.height.max(needed);
    route.y = y + (height - route.height) / 2.0;
    let mut below = y + (height - needed) / 2.0;
    for backend in own {
        backend.y = below;
        below += backend.height + GAP;
    }
    height
}

/// Places the cards of a column, in their order, as close as possible to the middle of the cards that they
/// are linked to. (The positions minimize the sum of the squared distances while keeping the gaps; the
/// algorithm is known as pool adjacent violators.)
fn place_near(
    column: &mut [Block],
    beside: &[Block],
    links: impl Iterator<Item = (usize, usize)>,
    gap: f64,
) {
    let mut sums = vec![(0.0, 0.0); column.len()];
    for (own, other) in links {
        if let (Some((sum, count)), Some(other)) = (sums.get_mut(own), beside.get(other)) {
            *sum += other.middle();
            *count += 1.0;
        }
    }
    // Each pool has the best position of its first card, the number of its cards, and their total height.
    let mut pools: Vec<(f64, f64, f64)> = Vec::new();
    let mut end = 0.0;
    for (block, (sum, count)) in column.iter().zip(&sums) {
        let wish = match *count > 0.0 {
            true => sum / count - block.height / 2.0,
            false => end,
        };
        let mut pool = (wish, 1.0, block.height + gap);
        while let Some(above) = pools.last().copied() {
            if above.0 + above.2 <= pool.0 {
                break;
            }
            pools.pop();
            let count = above.1 + pool.1;
            let first = (above.0 * above.1 + (pool.0 - above.2) * pool.1) / count;
            pool = (first, count, above.2 + pool.2);
        }
        end = pool.0 + pool.2;
        pools.push(pool);
    }
    let mut blocks = column.iter_mut();
    for (first, count, _) in pools {
        let mut y = first;
        for block in blocks.by_ref().take(count as usize) {
            block.y = y;
            y += block.height + gap;
        }
    }
}

impl Layout {
    /// Sets the horizontal positions and creates the lines.
    fn spread(&mut self, links: &[Vec<Link>; 3]) {
        let mut x = MARGIN;
        for at in 0..self.columns.len() {
            let Some(column) = self.columns.get_mut(at) else {
                break;
            };
            let needed = column.iter().map(Block::natural_width);
            let width = needed.fold(NARROWEST, f64::max).ceil();
            for block in column.iter_mut() {
                let y = block.y;
                block.place(x, y, width);
            }
            x += width;
            if let Some(links) = links.get(at) {
                x += self.channel(at, links, x);
            }
        }
        self.width = (x + MARGIN).max(LEAST_WIDTH + 2.0 * MARGIN);
        let lowest = self.columns.iter().flatten().map(|it| it.y + it.height);
        self.height = lowest.fold(MARGIN + self.heading, f64::max) + MARGIN;
    }

    /// Creates the lines of the channel that begins at `x`, and returns its width.
    fn channel(&mut self, at: usize, links: &[Link], x: f64) -> f64 {
        let ends: Vec<(f64, f64)> = links.iter().map(|link| self.ends(at, link)).collect();
        let mut buses: BTreeMap<usize, Bus> = BTreeMap::new();
        for (link, (start, end)) in links.iter().zip(&ends) {
            let bus = buses.entry(link.bus).or_default();
            bus.lefts.push(*start);
            bus.rights.push(*end);
        }
        let (places, count) = lanes(&buses);
        let width = (2.0 * CHANNEL + count.saturating_sub(1) as f64 * LANE).max(56.0);
        for (link, (start, end)) in links.iter().zip(ends) {
            let is_straight = (start - end).abs() < 0.5;
            let lane = places.get(&link.bus).filter(|_| !is_straight);
            let (from, to) = (
                self.block(at, link.from),
                self.block(at + 1, (link.to, None)),
            );
            let (Some(from), Some(to)) = (from, to) else {
                continue;
            };
            let edge = Edge {
                from: from.id.clone(),
                to: to.id.clone(),
                side: if at == 2 {
                    from.side.min(to.side)
                } else {
                    from.side
                },
                state: link.state,
                start: (x, start),
                lane: lane.map(|lane| x + CHANNEL + lane * LANE),
                end: (x + width, end),
            };
            self.edges.push(edge);
        }
        width
    }

    /// The vertical positions of both ends of a line.
    fn ends(&self, at: usize, link: &Link) -> (f64, f64) {
        let start = self
            .block(at, link.from)
            .map_or(0.0, |from| match (at, link.from.1) {
                // Lines of the gateway itself begin beside its name.
                (1, None) => from.y + 20.0,
                _ => from.middle(),
            });
        let end = self
            .block(at + 1, (link.to, None))
            .map_or(0.0, Block::middle);
        (start, end + link.aside)
    }

    /// A card by its index, or an inner block of it.
    fn block(&self, column: usize, (at, inner): (usize, Option<usize>)) -> Option<&Block> {
        let block = self.columns.get(column)?.get(at)?;
        match inner {
            Some(nth) => block.inner.get(nth),
            None => Some(block),
        }
    }

    /// Places the policies that are attached to nothing below everything else, row by row.
    fn below(&mut self, picture: &Picture) {
        let loose = picture
            .policies
            .iter()
            .enumerate()
            .filter(|(_, it)| !it.is_attached);
        self.loose = loose.map(|(at, it)| cards::loose(at, it)).collect();
        if self.loose.is_empty() {
            return;
        }
        self.loose_y = self.height;
        let (mut x, mut y, mut row) = (MARGIN, self.height + 18.0, 0.0_f64);
        for block in &mut self.loose {
            block.measure();
            let width = block.natural_width().ceil();
            if x > MARGIN && x + width > self.width - MARGIN {
                (x, y, row) = (MARGIN, y + row + GAP, 0.0);
            }
            block.place(x, y, width);
            row = row.max(block.height);
            x += width + GAP;
            self.width = self.width.max(x - GAP + MARGIN);
        }
        self.height = y + row + MARGIN;
    }
}
