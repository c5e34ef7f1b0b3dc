//! Where everything stands: four columns from left to right (clients, gateways, routes, backends), and lines between
//! them that run straight, along a lane, and straight again.
//!
//! Routes stand one below the other; what they hang on, and what they lead to, stands as near to the middle of them as
//! its neighbours allow. No two cards overlap, and no text is wider than its card.

use std::collections::BTreeMap;

use super::block::Block;
use super::cards;
use super::lanes::{Bus, lanes};
use super::model::{From, Hold, Picture};
use envoy_gateway::exposure::Side;

/// The room around the drawing.
pub const MARGIN: f64 = 32.0;
/// The height of the heading, with the names of the columns.
pub const HEADING: f64 = 128.0;
/// The room between two cards of a column.
const GAP: f64 = 10.0;
/// The room between groups of cards.
const WIDE_GAP: f64 = 26.0;
/// The least width of a column.
const NARROWEST: f64 = 150.0;
/// The room of the heading's text.
const LEAST_WIDTH: f64 = 760.0;
/// The room at both ends of a channel between columns.
const CHANNEL: f64 = 26.0;
/// The room between two lanes.
const LANE: f64 = 10.0;

/// The places of all.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The width of the drawing.
    pub width: f64,
    /// The height of the drawing.
    pub height: f64,
    /// The columns: clients, gateways, routes, backends.
    pub columns: [Vec<Block>; 4],
    /// The policies that hold nowhere, below all else.
    pub loose: Vec<Block>,
    /// The upper side of what stands below all else.
    pub loose_y: f64,
    /// The lines.
    pub edges: Vec<Edge>,
}

/// A line.
#[derive(Clone, Debug)]
pub struct Edge {
    /// What it comes from, by the block's name.
    pub from: String,
    /// What it leads to.
    pub to: String,
    /// The side that it belongs to.
    pub side: Side,
    /// Whether its ends hold together.
    pub hold: Hold,
    /// Where it begins.
    pub start: (f64, f64),
    /// The place of its lane; `None` where it runs straight.
    pub lane: Option<f64>,
    /// Where it ends.
    pub end: (f64, f64),
}

/// A line whose ends are known by their places in the columns.
struct Link {
    from: (usize, Option<usize>),
    to: usize,
    hold: Hold,
    /// What it shares its lane with.
    bus: usize,
    /// How far from the middle it ends, so that lines from several parents can be told apart.
    aside: f64,
}

/// Places all of a picture.
pub fn layout(picture: &Picture) -> Layout {
    let sources = sources(picture);
    let mut columns = [
        sources.iter().map(|side| cards::source(*side)).collect(),
        all(&picture.gateways, |at, it| cards::gateway(picture, at, it)),
        all(&picture.routes, |at, it| cards::route(picture, at, it)),
        all(&picture.backends, |at, it| cards::backend(picture, at, it)),
    ];
    for block in columns.iter_mut().flatten() {
        block.measure();
    }
    let links = [
        from_sources(picture, &sources),
        to_routes(picture),
        to_backends(picture),
    ];
    stack(picture, &mut columns, &links);
    let mut layout = Layout {
        columns,
        ..Layout::default()
    };
    layout.spread(&links);
    layout.below(picture);
    layout
}

fn all<T>(items: &[T], make: impl Fn(usize, &T) -> Block) -> Vec<Block> {
    items
        .iter()
        .enumerate()
        .map(|(at, it)| make(at, it))
        .collect()
}

/// The sides that gateways face, in the order of the gateways.
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
                hold: Hold::Attached,
                bus: from,
                aside: 0.0,
            })
        });
    links.collect()
}

fn to_routes(picture: &Picture) -> Vec<Link> {
    let mut buses: BTreeMap<(From, Hold), usize> = BTreeMap::new();
    let mut links = Vec::new();
    for (to, route) in picture.routes.iter().enumerate() {
        // Within the lower of cards, however many they are.
        let apart = (30.0 / route.links.len().max(1) as f64).min(10.0);
        for (nth, link) in route.links.iter().enumerate() {
            let next = buses.len();
            let from = match link.from {
                From::Listener(gateway, nth) => (gateway, Some(nth)),
                From::Gateway(gateway) => (gateway, None),
            };
            links.push(Link {
                from,
                to,
                hold: link.hold,
                bus: *buses.entry((link.from, link.hold)).or_insert(next),
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
            hold: Hold::Attached,
            // What leads to one backend comes together; what one route leads to goes apart.
            bus: match used.get(*to) {
                Some(1) => picture.backends.len() + from,
                _ => *to,
            },
            aside: 0.0,
        })
    });
    links.collect()
}

/// Sets the heights of all cards.
fn stack(picture: &Picture, columns: &mut [Vec<Block>; 4], links: &[Vec<Link>; 3]) {
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
    near(
        gateways,
        routes,
        to_routes.iter().map(|it| (it.from.0, it.to)),
        WIDE_GAP,
    );
    near(
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
    let shift = MARGIN + HEADING - if top.is_finite() { top } else { 0.0 };
    columns.iter_mut().flatten().for_each(|it| it.y += shift);
}

/// Sets a route and the backends beside it at one height; the height that they take.
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

/// Sets a column's cards, which keep their order, as near as they may be to the middle of what they are linked with. (Of
/// all places that keep the gaps, those with the least sum of squared distances: pool adjacent violators.)
fn near(
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
    // Each pool: where its first card would best stand, how many cards it has, and their height.
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
    /// Sets the places from left to right, and the lines.
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
        self.height = lowest.fold(MARGIN + HEADING, f64::max) + MARGIN;
    }

    /// Draws the lines of a channel that begins at `x`; its width.
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
                hold: link.hold,
                start: (x, start),
                lane: lane.map(|lane| x + CHANNEL + lane * LANE),
                end: (x + width, end),
            };
            self.edges.push(edge);
        }
        width
    }

    /// The heights at which a line begins and ends.
    fn ends(&self, at: usize, link: &Link) -> (f64, f64) {
        let start = self
            .block(at, link.from)
            .map_or(0.0, |from| match (at, link.from.1) {
                // A gateway's own lines begin at its name.
                (1, None) => from.y + 20.0,
                _ => from.middle(),
            });
        let end = self
            .block(at + 1, (link.to, None))
            .map_or(0.0, Block::middle);
        (start, end + link.aside)
    }

    /// A card by its place, or a part of it.
    fn block(&self, column: usize, (at, inner): (usize, Option<usize>)) -> Option<&Block> {
        let block = self.columns.get(column)?.get(at)?;
        match inner {
            Some(nth) => block.inner.get(nth),
            None => Some(block),
        }
    }

    /// Sets what holds nowhere below all else, row by row.
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
