//! Dependencies of Flux Kustomizations: whether they exist, and whether they form a circle.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Applied, Whole};
use crate::codes;
use flux_repo::{ClusterPlace, FLUX};
use manifest::diagnostic::Diagnostic;
use manifest::diagnostic::suggest::{MOST_COMPARED, MOST_LISTED, listed, nearest};
use manifest::finding;
use manifest::value::{Node, Pointer, variable};

/// A Flux Kustomization and its dependencies.
pub struct Waiting<'a> {
    /// The Flux Kustomization.
    pub of: Applied<'a>,
    /// The entries of `dependsOn`.
    pub needs: Vec<Need<'a>>,
}

/// An entry of `dependsOn`.
pub struct Need<'a> {
    /// Its path.
    pub pointer: Pointer,
    /// The namespace of the dependency.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
    /// Its index among all Flux Kustomizations, if it is given.
    pub found: Option<usize>,
}

/// All Flux Kustomizations with their dependencies.
pub fn waiting<'a>(whole: &Whole<'a>) -> Vec<Waiting<'a>> {
    let all: Vec<Applied> = whole.of_kind(FLUX, "Kustomization").collect();
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, one) in all.iter().enumerate() {
        by_name.entry(one.object.name()).or_default().push(at);
    }
    let find = |of: &Applied<'a>, namespace: &str, name: &str| {
        let mut named = by_name.get(name).into_iter().flatten().copied();
        named.find(|at| {
            all.get(*at).is_some_and(|there| {
                // An unknown namespace may be any.
                let is_there = there.object.namespace();
                (is_there == namespace || is_there.is_empty() || namespace.is_empty())
                    && whole.may_share_cluster(there.object, of.object)
            })
        })
    };
    let read = |of: &Applied<'a>| {
        let pointer = Pointer::root().key("spec").key("dependsOn");
        let items = of.object.node.at(&pointer).and_then(Node::as_list);
        let items = items.unwrap_or_default().iter().enumerate();
        items
            .filter_map(|(at, item)| {
                let name = item.get("name")?.as_str()?;
                let namespace = item.get("namespace").and_then(Node::as_str);
                let namespace = namespace.unwrap_or_else(|| of.object.namespace());
                Some(Need {
                    pointer: pointer.index(at).key("name"),
                    namespace,
                    name,
                    found: find(of, namespace, name),
                })
            })
            .collect()
    };
    all.iter()
        .map(|of| Waiting {
            of: *of,
            needs: read(of),
        })
        .collect()
}

/// Reports dependencies that don't exist, and circles.
pub fn check(whole: &Whole<'_>) -> Vec<Diagnostic> {
    let all = waiting(whole);
    let mut found = Vec::new();
    let mut nearby: BTreeMap<(ClusterPlace, &str), Near> = BTreeMap::new();
    for waiting in &all {
        let place = whole.delivery.place(&waiting.of.object.file);
        for need in waiting.needs.iter().filter(|need| need.is_missing()) {
            let near = nearby
                .entry((place.clone(), need.namespace))
                .or_insert_with(|| Near::new(whole, &all, &place, need.namespace));
            found.extend(missing(near, waiting, need));
        }
    }
    found.extend(circles(&all));
    found
}

impl Need<'_> {
    fn is_missing(&self) -> bool {
        self.found.is_none()
            && !self.namespace.is_empty()
            && !variable::in_text(self.name)
            && !variable::in_text(self.namespace)
    }
}

/// The Flux Kustomizations of a namespace that may be in the same cluster.
struct Near<'a> {
    names: Vec<&'a str>,
    /// Whether there are no others.
    is_known_in_full: bool,
}

impl<'a> Near<'a> {
    fn new(
        whole: &Whole<'a>,
        all: &[Waiting<'a>],
        place: &ClusterPlace<'_>,
        namespace: &str,
    ) -> Self {
        let near: Vec<&Waiting> = all
            .iter()
            .filter(|one| {
                one.of.object.namespace() == namespace
                    && place.may_share_cluster(&whole.delivery.place(&one.of.object.file))
            })
            .collect();
        Near {
            is_known_in_full: !near.is_empty() && is_known_in_full(whole, namespace, &near),
            names: near.iter().map(|one| one.of.object.name()).collect(),
        }
    }

    /// A suggestion for a name that doesn't exist.
    fn help(&self, wanted: &str) -> String {
        let compared = self.names.iter().copied().take(MOST_COMPARED);
        if let Some(name) = nearest(wanted, compared) {
            return format!("did you mean `{name}`?");
        }
        format!("there are {}", listed(self.names.iter()))
    }
}

fn missing(near: &Near<'_>, waiting: &Waiting<'_>, need: &Need<'_>) -> Option<Diagnostic> {
    if !near.is_known_in_full {
        return None;
    }
    let help = near.help(need.name);
    let message = format!(
        "there is no Flux Kustomization {} in the namespace {}",
        need.name, need.namespace
    );
    Some(
        finding(
            codes::FLUX_MISSING_DEPENDENCY,
            waiting.of.object,
            &need.pointer,
            message,
        )
        .why(format!(
            "Flux waits for it and never applies {}",
            waiting.of.object.name()
        ))
        .help(help),
    )
}

/// The namespace that Flux Kustomizations of all folders usually share.
const SHARED: &str = "flux-system";

/// Whether all Flux Kustomizations of a namespace are given: one kustomization lists them and everything that it
/// lists is given, or everything that applies them is given, up to the Kustomization that Flux starts with.
fn is_known_in_full(whole: &Whole<'_>, namespace: &str, all: &[&Waiting<'_>]) -> bool {
    let lacking: HashSet<usize> = whole.delivery.missing().iter().map(|one| one.by).collect();
    let lacks = |by: usize| lacking.contains(&by);
    let are_complete = all.iter().all(|one| {
        one.of.way.is_some_and(|way| {
            !way.is_partly_unknown && way.listed_by.map_or(way.flux.is_some(), |by| !lacks(by))
        })
    });
    let listers: BTreeSet<_> = all
        .iter()
        .map(|one| one.of.way.and_then(|way| way.listed_by))
        .collect();
    let is_one_folder = listers.len() == 1 && namespace != SHARED;
    are_complete && (is_one_folder || all.iter().all(|one| begins_with_flux(whole, one.of.at)))
}

/// Whether everything that applies a Flux Kustomization is given, up to one that applies itself.
fn begins_with_flux(whole: &Whole<'_>, flux: usize) -> bool {
    let mut at = flux;
    for _ in 0..DEEPEST {
        let above = whole.delivery.ways(at).first().and_then(|way| way.flux);
        match above {
            Some(above) if above == at => return whole.delivery.missing().is_empty(),
            Some(above) => at = above,
            None => return false,
        }
    }
    false
}

/// A bound on how deeply Flux Kustomizations apply each other.
const DEEPEST: usize = 16;

/// Each circle once, reported at its first member.
fn circles(all: &[Waiting<'_>]) -> Vec<Diagnostic> {
    let mut state = vec![State::New; all.len()];
    let mut found = Vec::new();
    for start in 0..all.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        if state.get(start) != Some(&State::New) {
            continue;
        }
        set(&mut state, start, State::OnTheWay(0));
        while let Some((at, next)) = path.last_mut() {
            let need = all.get(*at).and_then(|one| one.needs.get(*next));
            *next += 1;
            let Some(need) = need else {
                set(&mut state, *at, State::Done);
                path.pop();
                continue;
            };
            let Some(to) = need.found else { continue };
            match state.get(to) {
                Some(State::New) => {
                    set(&mut state, to, State::OnTheWay(path.len()));
                    path.push((to, 0));
                }
                Some(State::OnTheWay(from)) => found.extend(circle(all, &path, *from)),
                _ => {}
            }
        }
    }
    found
}

/// The state of a Flux Kustomization during the search.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// It is in the current path, at this index.
    OnTheWay(usize),
    Done,
}

fn set(all: &mut [State], at: usize, state: State) {
    if let Some(slot) = all.get_mut(at) {
        *slot = state;
    }
}

/// The circle that is closed if the last member of a path depends on the one at `from`.
fn circle(all: &[Waiting<'_>], path: &[(usize, usize)], from: usize) -> Option<Diagnostic> {
    let circle = path.get(from..)?;
    let members: Vec<(&Waiting, &Need)> = circle
        .iter()
        .take(MOST_LISTED)
        .filter_map(|(at, next)| {
            let one = all.get(*at)?;
            Some((one, one.needs.get(next.checked_sub(1)?)?))
        })
        .collect();
    let (first, need) = members.first()?;
    let name = first.of.object.name();
    let message = if members.len() == 1 {
        format!("{name} depends on itself")
    } else {
        let names: Vec<&str> = members
            .iter()
            .map(|(one, _)| one.of.object.name())
            .collect();
        match circle.len() - members.len() {
            0 => format!("{} wait for each other", names.join(", ")),
            others => format!(
                "{} and {others} others wait for each other",
                names.join(", ")
            ),
        }
    };
    let mut one = finding(
        codes::FLUX_CIRCULAR_DEPENDENCY,
        first.of.object,
        &need.pointer,
        message,
    )
    .why("Flux applies none of them, because each waits until another is ready")
    .help("remove one of these dependencies; a health check can wait for a single object instead");
    for (other, need) in members.iter().skip(1) {
        one = one.related(
            other.of.object.span(&need.pointer),
            format!("{} waits for {}", other.of.object.name(), need.name),
        );
    }
    Some(one)
}
