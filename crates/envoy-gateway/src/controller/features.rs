//! The features that the chart's values switch on or off (`config.envoyGateway.extensionApis`).
//!
//! What is off is not ignored but refused (`internal/gatewayapi` of Envoy Gateway, 1.5 to 1.9).

use super::release::{ControllerRelease, Setting};
use manifest::value::{Node, variable};

/// Where the switches stand below the controller's configuration.
const SWITCHES: &str = "extensionApis";

/// The first Envoy Gateway in which Lua is off unless it is switched on (release notes of 1.9.0).
pub const LUA_OFF_FROM: (u64, u64) = (1, 9);

/// A feature that the chart's values switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Backends.
    Backend,
    /// EnvoyPatchPolicies.
    EnvoyPatchPolicy,
    /// Lua in EnvoyExtensionPolicies.
    Lua,
    /// Secrets of type `gateway.envoyproxy.io/sds`.
    SdsSecrets,
}

/// Whether a feature is on, as far as a release's values say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    On,
    /// It is not.
    Off,
    /// Values that are not at hand, a variable or a patch may decide it.
    Unknown,
}

impl Feature {
    /// The key that switches it on.
    pub fn key(self) -> &'static str {
        match self {
            Feature::Backend => "enableBackend",
            Feature::EnvoyPatchPolicy => "enableEnvoyPatchPolicy",
            Feature::Lua => "enableLua",
            Feature::SdsSecrets => "enableSDSSecretRef",
        }
    }

    /// The path of its switch below the controller's configuration.
    pub fn path(self) -> [&'static str; 2] {
        [SWITCHES, self.key()]
    }

    /// Whether it is on in an Envoy Gateway of a minor version that a release installs.
    pub fn state(self, release: &ControllerRelease<'_>, minor: (u64, u64)) -> State {
        let on = switch(release, self.key());
        if self != Feature::Lua {
            return match on {
                Switch::Is(true) => State::On,
                Switch::Is(false) | Switch::Unset => State::Off,
                Switch::Unknown => State::Unknown,
            };
        }
        let is_off_by_default = minor >= LUA_OFF_FROM;
        // `disableLua` came first, and counts where `enableLua` is not true.
        match (on, switch(release, "disableLua")) {
            (Switch::Is(true), _) if is_off_by_default => State::On,
            (_, Switch::Is(true)) => State::Off,
            (_, Switch::Is(false)) => State::On,
            (Switch::Unknown, _) | (_, Switch::Unknown) => State::Unknown,
            _ if is_off_by_default => State::Off,
            _ => State::On,
        }
    }
}

/// What the values say of a switch.
enum Switch {
    Is(bool),
    Unset,
    Unknown,
}

fn switch(release: &ControllerRelease<'_>, key: &str) -> Switch {
    match release.setting(&[SWITCHES, key]) {
        Setting::Given(node, _) => read_switch(node).map_or(Switch::Unknown, Switch::Is),
        Setting::Unset => Switch::Unset,
        Setting::Unknown => Switch::Unknown,
    }
}

/// `true` or `false`; `None` of what Flux fills in, and of what is neither.
fn read_switch(node: &Node) -> Option<bool> {
    match node.as_str() {
        Some(text) if variable::in_text(text) => None,
        Some(text) => text.parse().ok(),
        None => node.as_bool(),
    }
}
