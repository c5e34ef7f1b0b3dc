//! The features that the chart's values enable or disable (`config.envoyGateway.extensionApis`).
//!
//! Objects that use a disabled feature are refused, not ignored (`internal/gatewayapi` of Envoy Gateway, 1.5 to 1.9).

use super::release::{ControllerRelease, Setting};
use manifest::value::{Node, variable};

/// The key of the switches in the controller's configuration.
const SWITCHES: &str = "extensionApis";

/// The first version of Envoy Gateway in which Lua is disabled by default (release notes of 1.9.0).
pub const LUA_OFF_FROM: (u64, u64) = (1, 9);

/// A feature that the chart's values enable or disable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Objects of kind Backend.
    Backend,
    /// Objects of kind EnvoyPatchPolicy.
    EnvoyPatchPolicy,
    /// Lua scripts in EnvoyExtensionPolicies.
    Lua,
    /// Secrets of type `gateway.envoyproxy.io/sds`.
    SdsSecrets,
}

/// Whether a feature is enabled, as far as the values of a release say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is enabled.
    On,
    /// It is disabled.
    Off,
    /// Unknown, because it may depend on values that are not given, a Flux variable or a patch.
    Unknown,
}

impl Feature {
    /// The key that enables it.
    pub fn key(self) -> &'static str {
        match self {
            Feature::Backend => "enableBackend",
            Feature::EnvoyPatchPolicy => "enableEnvoyPatchPolicy",
            Feature::Lua => "enableLua",
            Feature::SdsSecrets => "enableSDSSecretRef",
        }
    }

    /// The path of its switch in the controller's configuration.
    pub fn path(self) -> [&'static str; 2] {
        [SWITCHES, self.key()]
    }

    /// Whether it is enabled in an Envoy Gateway of the given minor version that a release installs.
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
        // `disableLua` is the older switch, and counts if `enableLua` is not true.
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

/// The value of a switch.
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

/// Reads `true` or `false`; `None` if the value contains a Flux variable or is neither of the two.
fn read_switch(node: &Node) -> Option<bool> {
    match node.as_str() {
        Some(text) if variable::in_text(text) => None,
        Some(text) => text.parse().ok(),
        None => node.as_bool(),
    }
}
