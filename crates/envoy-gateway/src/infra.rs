//! The infrastructure of a gateway: the settings of an EnvoyProxy that are in force for it, and where each is written.

use super::read::{flag, text};
use manifest::Object;
use manifest::value::merge::merge;
use manifest::value::{Node, Pointer};

/// The EnvoyProxy that a gateway or a class names.
#[derive(Clone, Copy, Debug, Default)]
pub enum NamedProxy<'a> {
    /// It names none.
    #[default]
    None,
    /// This one.
    AtHand(&'a Object),
    /// One that is not at hand.
    NotAtHand,
}

/// The settings in force for a gateway's proxies.
#[derive(Clone, Debug, Default)]
pub struct GatewayInfra<'a> {
    /// The `spec` in force: the gateway's own over its class's over the controller's.
    pub settings: Option<Node>,
    /// The EnvoyProxies that it is made of, the nearest to the gateway first; the controller's own configuration may
    /// hold a further one below these.
    pub proxies: Vec<&'a Object>,
    /// The EnvoyProxy that the gateway itself names, where that counts.
    pub own: NamedProxy<'a>,
    /// Whether all that the settings come from is at hand.
    pub is_known: bool,
    /// Whether all gateways of the class share one proxy (`mergeGateways`).
    pub merges_gateways: bool,
}

impl<'a> NamedProxy<'a> {
    /// The EnvoyProxy, where it is at hand.
    pub fn at_hand(self) -> Option<&'a Object> {
        match self {
            NamedProxy::AtHand(proxy) => Some(proxy),
            _ => None,
        }
    }
}

impl<'a> GatewayInfra<'a> {
    /// The settings for a gateway whose class names the EnvoyProxy `of_class`; `None` where the class is not at hand.
    /// `own` is the one that the gateway itself names, `of_controller` the `spec` that the controller's configuration
    /// gives for all gateways.
    pub fn new(
        of_class: Option<NamedProxy<'a>>,
        own: NamedProxy<'a>,
        of_controller: Option<&Node>,
    ) -> Self {
        let class = of_class.unwrap_or_default().at_hand();
        let merges_gateways = merges_gateways(class, of_controller);
        // Gateways that share one proxy can't have settings of their own.
        let own = match merges_gateways {
            true => NamedProxy::None,
            false => own,
        };
        let is_at_hand = |proxy| !matches!(proxy, NamedProxy::NotAtHand);
        let gateway = own.at_hand();
        let layers = Layers {
            gateway,
            class,
            of_controller,
        };
        GatewayInfra {
            settings: layers.in_force(),
            proxies: layers.proxies(),
            is_known: of_class.is_some_and(is_at_hand) && is_at_hand(own),
            own,
            merges_gateways,
        }
    }

    /// A setting of what Kubernetes runs: below `provider.kubernetes`.
    pub fn kubernetes(&self, path: &[&str]) -> Option<&Node> {
        let settings = self.settings.as_ref()?;
        settings.path(&["provider", "kubernetes"])?.path(path)
    }

    /// The EnvoyProxy in which a setting below `provider.kubernetes` is written, and where; `None` where the
    /// controller's configuration says it.
    pub fn place(&self, path: &[&str]) -> Option<(&'a Object, Pointer)> {
        let full = ["spec", "provider", "kubernetes"].iter().chain(path);
        let pointer = full.fold(Pointer::root(), |pointer, key| pointer.key(*key));
        let mut proxies = self.proxies.iter();
        let proxy = proxies.find(|proxy| proxy.node.at(&pointer).is_some())?;
        Some((*proxy, pointer))
    }
}

/// Whether all gateways of a class with this EnvoyProxy share one proxy.
pub fn merges_gateways(class: Option<&Object>, of_controller: Option<&Node>) -> bool {
    let specs = class.and_then(spec).into_iter().chain(of_controller);
    let mut said = specs.filter_map(|spec| flag(spec, &["mergeGateways"]));
    said.next().unwrap_or_default()
}

fn spec(proxy: &Object) -> Option<&Node> {
    proxy.node.get("spec")
}

fn merge_type(proxy: Option<&Object>) -> Option<&str> {
    text(spec(proxy?)?, &["mergeType"])
}

/// The settings that lie over each other.
struct Layers<'a, 'n> {
    gateway: Option<&'a Object>,
    class: Option<&'a Object>,
    of_controller: Option<&'n Node>,
}

impl<'a> Layers<'a, '_> {
    /// Without a `mergeType` the nearest replaces the others whole.
    fn in_force(&self) -> Option<Node> {
        let (gateway, class) = (self.gateway.and_then(spec), self.class.and_then(spec));
        let both = lay(class.cloned(), gateway.cloned(), merge_type(self.gateway));
        let outer = merge_type(self.class).or(merge_type(self.gateway));
        lay(self.of_controller.cloned(), both, outer)
    }

    fn proxies(&self) -> Vec<&'a Object> {
        match (self.gateway, self.class) {
            (Some(gateway), Some(class)) if is_merged(merge_type(Some(gateway))) => {
                vec![gateway, class]
            }
            (gateway, class) => gateway.or(class).into_iter().collect(),
        }
    }
}

fn is_merged(merge_type: Option<&str>) -> bool {
    merge_type.is_some_and(|it| it != "Replace")
}

fn lay(below: Option<Node>, above: Option<Node>, merge_type: Option<&str>) -> Option<Node> {
    match (below, above) {
        (Some(mut below), Some(above)) if is_merged(merge_type) => {
            merge(&mut below, above);
            Some(below)
        }
        (below, above) => above.or(below),
    }
}
