//! `[rules]`

use super::types::{Text, Texts};
use manifest::diagnostic::Spanned;

table! {
    /// What must never be merged. `validate` checks these rules on what the cluster makes of all objects, as `exposure`
    /// shows it, so it doesn't matter by which kind of object a hostname is exposed.
    pub struct Rules {
        /// What is required of everything on external gateways.
        pub external: External,
        /// Which namespaces may be exposed.
        pub namespaces: NamespaceRules,
        /// Which namespaces may use which gateways, listeners, ports and hostnames. A namespace that an entry names may do
        /// only what one of its entries allows; all other namespaces may do anything.
        pub allow: Vec<Allow>,
        /// The lowest TLS version that a listener may accept: `1.0`, `1.1`, `1.2` or `1.3`.
        pub tls_floor: Option<Text>,
        /// `true`: no route may have a hostname with a wildcard, or none at all. Redirects may.
        pub forbid_wildcards: Option<Spanned<bool>>,
        /// `true`: a BackendTrafficPolicy must apply to each route that has backends.
        pub require_backend_policy: Option<Spanned<bool>>,
        /// Rules of your own.
        pub check: Vec<Check>,
        /// What the rules don't apply to, each with a reason and an end.
        pub exceptions: Vec<Exception>,
    }
}

table! {
    /// What is required of everything on external gateways.
    pub struct External {
        /// The guards that every answer must have, except for redirects: `auth`, `allow list`, or the name of a guard
        /// that `exposure` shows, such as `oidc`. `or` separates alternatives, and every entry of the list must be met.
        pub requires: Texts,
        /// The gateways that are external, by name, where neither an address nor a name says so.
        pub gateways: Texts,
        /// What this rule doesn't apply to, each with a reason and an end.
        pub exceptions: Vec<Exception>,
    }
}

table! {
    /// Which namespaces may be exposed.
    pub struct NamespaceRules {
        /// Namespaces whose routes must not be attached to an external gateway. `*` stands for any characters.
        pub never_external: Texts,
    }
}

table! {
    /// What namespaces may use. A key that is not given allows everything. In names, `*` stands for any characters.
    pub struct Allow {
        /// The namespaces of the routes.
        pub namespaces: Texts,
        /// The gateways: names, or `NAMESPACE/NAME`.
        pub gateways: Texts,
        /// The names of the listeners.
        pub listeners: Texts,
        /// The ports of the listeners.
        pub ports: Vec<Spanned<i64>>,
        /// The hostnames: `*.apps.example.com` stands for all below `apps.example.com`.
        pub hostnames: Texts,
    }
}

table! {
    /// A rule of your own, as an expression over each hostname at each gateway.
    pub struct Check {
        /// The name of the rule.
        pub name: Option<Text>,
        /// An expression in the Common Expression Language that must be true. It knows `host` (a string; `*` for any, and
        /// empty for TCP and UDP), `gateway` (`NAMESPACE/NAME`), `public` (whether the gateway is external), `namespace` (that of the routes),
        /// `routes` (`kind`, `namespace`, `name`, `release`), `guards` (the names of guards in front of every answer),
        /// `allows` (the networks of allow lists), `dns` (`by`, `provider`, `target`), `listeners`, `ports`, `backends`,
        /// `redirect` (whether all answers are redirects) and `plain` (whether something is answered without TLS).
        /// Hostnames that are only redirected are left out unless the expression asks for `redirect`.
        pub expression: Option<Text>,
        /// What is wrong if it is false.
        pub message: Option<Text>,
    }
}

table! {
    /// What a rule doesn't apply to. An entry fits what has all of its keys; it needs a `reason`, an `until` and at least one
    /// other key. In names, `*` stands for any characters.
    pub struct Exception {
        /// The code of the rule, such as `guard/wildcard`, or the name of a rule of your own. Default: all.
        pub rule: Option<Text>,
        /// The hostname.
        pub host: Option<Text>,
        /// The namespace of the route.
        pub namespace: Option<Text>,
        /// The name of the route or, if a chart creates it, of its HelmRelease.
        pub route: Option<Text>,
        /// The gateway: its name, or `NAMESPACE/NAME`.
        pub gateway: Option<Text>,
        /// Why the rule doesn't apply.
        pub reason: Option<Text>,
        /// The last day of the exception: `2027-01-31`, with or without quotes. After it, the exception is an error.
        pub until: Option<Text>,
    }
}
