//! Work grows no faster than its input. Allocations are counted, by number and bytes, which is the same on every
//! machine. There is only one test, because the allocations of all threads of this program are counted together.

use std::alloc::System;

use crd_validate::schema::Catalogue;
use gatewayctl::compile::{World, compile};
use gatewayctl::config;
use gatewayctl::render::files::Inputs;
use gatewayctl::report::{Format, Report, Terminal};
use manifest::diagnostic::{Diagnostic, Sources};
use manifest::read;
use manifest::value::variable;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The maximum factor for an input of twice the size.
const MOST: f64 = 2.2;

/// Work that is not counted: tables that double their capacity, and values that are created once.
const SLACK: Work = Work {
    allocations: 2_000,
    bytes: 2 << 20,
};

/// The allocations of some work.
#[derive(Clone, Copy, Debug)]
struct Work {
    allocations: usize,
    bytes: usize,
}

fn counted(work: impl FnOnce()) -> Work {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    Work {
        allocations: change.allocations + change.reallocations,
        bytes: change.bytes_allocated,
    }
}

/// Compares the work for an input of `size` with that for one of twice the size.
fn grows(
    what: &str,
    size: usize,
    input: impl Fn(usize) -> String,
    work: impl Fn(&str),
) -> Option<String> {
    let (small, large) = (input(size), input(2 * size));
    // After this, everything that is created only once exists.
    work(&small);
    let (once, twice) = (counted(|| work(&small)), counted(|| work(&large)));
    let is_within = |once: usize, twice: usize, slack: usize| {
        twice <= slack || twice as f64 <= MOST * once as f64 + slack as f64
    };
    let is_good = is_within(once.allocations, twice.allocations, SLACK.allocations)
        && is_within(once.bytes, twice.bytes, SLACK.bytes);
    (!is_good).then(|| format!("{what}: {once:?} for {size}, {twice:?} for twice as many"))
}

fn toml(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add("cluster.toml", text);
    let (_, found) = config::load(&sources, id);
    tell(found, &sources);
}

fn yaml(text: &str) {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", text);
    let (_, found) = read::read(&sources, id);
    tell(found, &sources);
}

fn variables(text: &str) {
    variable::in_text(text);
    variable::replaced(text, "x");
    assert!(variable::all(text).count() <= text.len());
}

/// A file system without files.
struct Nothing;

impl Inputs for Nothing {
    fn read(&self, _: &str) -> Option<String> {
        None
    }
}

impl World for Nothing {
    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn tell(found: Vec<Diagnostic>, sources: &Sources) {
    let report = Report::new(found, 1, 1, sources);
    let written = Format::Json.write(&report, sources, Terminal::default(), &mut std::io::sink());
    written.expect("nowhere takes everything");
}

fn repeated(unit: &'static str) -> impl Fn(usize) -> String {
    move |count| unit.repeat(count)
}

fn numbered(line: impl Fn(usize) -> String) -> impl Fn(usize) -> String {
    move |count| (0..count).map(&line).collect()
}

/// A document whose aliases multiply the number of values by nine at each level.
fn bomb(levels: usize) -> String {
    let level = |at: usize| match at {
        0 => "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(),
        _ => format!("a{at}: &a{at} [{}]\n", format!("*a{}, ", at - 1).repeat(9)),
    };
    (0..levels).map(level).collect()
}

#[test]
fn twice_the_input_takes_at_most_2_2_times_the_work() {
    let catalogue = Catalogue::embedded();
    let compiled = |text: &str| {
        let compiled = compile("cluster.toml", text, &Nothing, &catalogue);
        tell(compiled.diagnostics, &compiled.sources);
    };
    let gateways = |count: usize| {
        let gateways = (0..count).map(|at| {
            format!(
                "[gateways.g{at}]\naddress = \"10.10.{}.{}\"\n",
                at / 250,
                at % 250 + 1
            )
        });
        format!(
            "domain = \"example.com\"\nchart.version = \"1.9.0\"\n{}",
            gateways.collect::<String>()
        )
    };
    let too_fast = [
        grows("lists in lists", 20_000, repeated("["), |text| {
            toml(&format!("a = {text}"))
        }),
        grows("tables in tables", 20_000, repeated("{a="), |text| {
            toml(&format!("a = {text}"))
        }),
        grows("a dotted key", 20_000, repeated("a."), |text| {
            toml(&format!("{text}a = 1"))
        }),
        grows(
            "mistakes upon mistakes",
            5_000,
            numbered(|at| format!("[g.a{at}]\n")),
            toml,
        ),
        grows("broken lines", 20_000, repeated("= \n"), toml),
        grows(
            "unknown keys",
            5_000,
            numbered(|at| format!("k{at} = 1\n")),
            toml,
        ),
        grows("gateways", 40, gateways, compiled),
        grows("YAML lists in lists", 50_000, repeated("["), yaml),
        grows("YAML maps in maps", 50_000, repeated("{a: "), yaml),
        grows("YAML keys of keys", 50_000, repeated("? "), yaml),
        grows(
            "anchors",
            10_000,
            numbered(|at| format!("- &a{at} x\n")),
            yaml,
        ),
        grows("documents", 10_000, repeated("---\na: 1\n"), yaml),
        grows("broken documents", 5_000, repeated("---\na: [\n"), yaml),
        grows("keys", 10_000, numbered(|at| format!("k{at}: v\n")), yaml),
        grows("variables", 10_000, repeated("${A} "), variables),
        grows(
            "variables that don't end",
            2_000,
            repeated("${A"),
            variables,
        ),
    ];
    for levels in [10, 20, 40] {
        let bomb = bomb(levels);
        let work = counted(|| yaml(&bomb));
        assert!(
            work.bytes < 256 << 20,
            "aliases of {levels} levels: {work:?}"
        );
    }
    let too_fast: Vec<String> = too_fast.into_iter().flatten().collect();
    assert!(too_fast.is_empty(), "{too_fast:#?}");
}
