//! `[listener_sets.NAME]`

use super::gateway::Listener;
use super::types::{Named, Text, Texts};

object_table! {
    /// Listeners that a team has in its own namespace, with certificates that are there, too: a ListenerSet, or an
    /// XListenerSet before Gateway API 1.5. The gateway allows those of its namespace.
    pub struct ListenerSet {
        /// The namespace of the team.
        pub namespace: Option<Text>,
        /// The gateway that gets the listeners. It has a default only if there is a single gateway, so that nothing
        /// becomes public by accident.
        pub gateway: Option<Text>,
        /// The hostnames, each of which gets a listener for HTTPS on port 443.
        pub hostnames: Texts,
        /// The Secrets with the certificates of all listeners, in the namespace of the team.
        pub certificates: Texts,
        /// Further listeners, by name. By default, only routes of the team's namespace may attach.
        pub listeners: Named<Listener>,
    }
}
