//! Where policies apply, and which scopes contain which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::index::Key;
use crate::view::RouteKind;

/// Where a policy applies, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope<'a> {
    /// A Gateway with all its listeners.
    Gateway(Key<'a>),
    /// A listener of a Gateway.
    GatewayListener(Key<'a>, &'a str),
    /// A ListenerSet with all its listeners.
    Set(Key<'a>),
    /// A listener of a ListenerSet.
    SetListener(Key<'a>, &'a str),
    /// A route with all its rules.
    Route(RouteKind, Key<'a>),
    /// A rule of a route.
    Rule(RouteKind, Key<'a>, &'a str),
    /// An object of a kind that no such policy can target, or a GatewayClass.
    Other(&'a str, Key<'a>),
}

impl<'a> Scope<'a> {
    /// The scope of the whole object.
    pub fn whole(self) -> Self {
        match self {
            Scope::GatewayListener(key, _) => Scope::Gateway(key),
            Scope::SetListener(key, _) => Scope::Set(key),
            Scope::Rule(kind, key, _) => Scope::Route(kind, key),
            whole => whole,
        }
    }

    /// Whether it is a section of an object.
    pub fn is_section(self) -> bool {
        self.whole() != self
    }

    /// The kind of the object.
    pub fn kind(self) -> &'a str {
        match self {
            Scope::Gateway(_) | Scope::GatewayListener(..) => "Gateway",
            Scope::Set(_) | Scope::SetListener(..) => "ListenerSet",
            Scope::Route(kind, _) | Scope::Rule(kind, ..) => kind.as_str(),
            Scope::Other(kind, _) => kind,
        }
    }

    /// The namespace and name of the object.
    pub fn key(self) -> Key<'a> {
        match self {
            Scope::Gateway(key)
            | Scope::GatewayListener(key, _)
            | Scope::Set(key)
            | Scope::SetListener(key, _)
            | Scope::Route(_, key)
            | Scope::Rule(_, key, _)
            | Scope::Other(_, key) => key,
        }
    }

    /// The name of the section, if it is one.
    pub fn section(self) -> Option<&'a str> {
        match self {
            Scope::GatewayListener(_, name)
            | Scope::SetListener(_, name)
            | Scope::Rule(_, _, name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.key())?;
        match self.section() {
            Some(section) => write!(f, "/{section}"),
            None => Ok(()),
        }
    }
}

/// Which scopes have policies that replace those of wider scopes, or are merged with them.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    /// For each scope, the scopes whose policies replace its own or are merged with them.
    children: BTreeMap<Scope<'a>, BTreeSet<Scope<'a>>>,
    /// For each scope, the scopes that it contains and that have children.
    within: BTreeMap<Scope<'a>, BTreeSet<Scope<'a>>>,
}

impl<'a> Graph<'a> {
    /// Adds a child of a scope.
    pub(super) fn add(&mut self, parent: Scope<'a>, child: Scope<'a>) {
        self.children.entry(parent).or_default().insert(child);
        if parent.is_section() {
            self.within
                .entry(parent.whole())
                .or_default()
                .insert(parent);
        }
    }

    /// Records that a ListenerSet belongs to a Gateway.
    pub(super) fn put_set(&mut self, set: Key<'a>, gateway: Key<'a>) {
        self.within
            .entry(Scope::Gateway(gateway))
            .or_default()
            .insert(Scope::Set(set));
    }

    /// The direct children of a scope.
    pub(super) fn children(&self, scope: Scope<'a>) -> BTreeSet<Scope<'a>> {
        self.children.get(&scope).cloned().unwrap_or_default()
    }

    /// The children of a scope and of the scopes that it contains. A listener also has the routes of its whole
    /// Gateway.
    pub(super) fn descendants(&self, scope: Scope<'a>) -> BTreeSet<Scope<'a>> {
        let mut all = self.children(scope);
        if scope.is_section() {
            if !matches!(scope, Scope::Rule(..)) {
                let routes = self.children(scope.whole()).into_iter();
                all.extend(routes.filter(|child| matches!(child, Scope::Route(..))));
            }
            return all;
        }
        for inner in self.within.get(&scope).into_iter().flatten() {
            all.extend(self.children(*inner));
            if matches!(inner, Scope::Set(_)) {
                let listeners = self.within.get(inner).into_iter().flatten();
                all.extend(listeners.flat_map(|listener| self.children(*listener)));
            }
        }
        all
    }
}

/// Scopes as a list for a message.
pub(super) fn listed(scopes: &BTreeSet<Scope<'_>>) -> String {
    let all: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    all.join(", ")
}
