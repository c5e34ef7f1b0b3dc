//! The infrastructure of a gateway: the EnvoyProxy settings in force for it, and where each is written.

use super::read::{flag, text};
use manifest::Object;
use manifest::value::merge::merge;
use manifest::value::{Node, Pointer};

/// The EnvoyProxy that a gateway or a class refers to.
#[derive(Clone, Copy, Debug, Default)]
pub enum NamedProxy<'a> {
    /// It refers to none.
    #[default]
    None,
    /// It is given.
    Given(&'a Object),
    /// It is not given.
    NotGiven,
}

/// The settings in force for the proxies of a gateway.
#[derive(Clone, Debug, Default)]
pub struct GatewayInfra<'a> {
    /// The `spec` in force. Settings of the gateway override those of its class, and these override those of the
    /// controller.
    pub settings: Option<Node>,
    /// The EnvoyProxies that the settings come from, the one nearest to the gateway first. The controller's own
    /// configuration, which comes last, is not among them.
    pub proxies: Vec<&'a Object>,
    /// The EnvoyProxy that the gateway itself refers to; [`NamedProxy::None`] if the gateways of its class are merged,
    /// because it is then ignored.
    pub own: NamedProxy<'a>,
    /// Whether everything that the settings come from is given.
    pub is_known: bool,
    /// Whether all gateways of the class share the same proxy (`mergeGateways`).
    pub merges_gateways: bool,
}

impl<'a> NamedProxy<'a> {
    /// The EnvoyProxy, if it is given.
    pub fn given(self) -> Option<&'a Object> {
        match self {
            NamedProxy::Given(proxy) => Some(proxy),
            _ => None,
        }
    }
}

impl<'a> GatewayInfra<'a> {
    /// The settings for a gateway. `of_class` is the EnvoyProxy of its class; `None` if the class is not given. `own`
    /// is the EnvoyProxy that the gateway itself refers to. `of_controller` is the `spec` for all gateways in the
    /// controller's configuration.
    pub fn new(
        of_class: Option<NamedProxy<'a>>,
        own: NamedProxy<'a>,
        of_controller: Option<&Node>,
    ) -> Self {
        let class = of_class.unwrap_or_default().given();
        let merges_gateways = merges_gateways(class, of_controller);
        // Gateways that share a proxy can't have their own settings.
        let own = match merges_gateways {
            true => NamedProxy::None,
            false => own,
        };
        let is_given = |proxy| !matches!(proxy, NamedProxy::NotGiven);
        let gateway = own.given();
        let layers = Layers {
            gateway,
            class,
            of_controller,
        };
        GatewayInfra {
            settings: layers.in_force(),
            proxies: layers.proxies(),
            is_known: of_class.is_some_and(is_given) && is_given(own),
            own,
            merges_gateways,
        }
    }

    /// A setting below `provider.kubernetes`, which is about the Deployment, Service and so on of the proxy.
    pub fn kubernetes(&self, path: &[&str]) -> Option<&Node> {
        let settings = self.settings.as_ref()?;
        settings.path(&["provider", "kubernetes"])?.path(path)
    }

    /// The EnvoyProxy and the path where a setting below `provider.kubernetes` is written; `None` if it comes from the
    /// controller's configuration.
    pub fn place(&self, path: &[&str]) -> Option<(&'a Object, Pointer)> {
        let full = ["spec", "provider", "kubernetes"].iter().chain(path);
        let pointer = full.fold(Pointer::root(), |pointer, key| pointer.key(*key));
        let mut proxies = self.proxies.iter();
        let proxy = proxies.find(|proxy| proxy.node.at(&pointer).is_some())?;
        Some((*proxy, pointer))
    }
}

/// Whether all gateways of a class with this EnvoyProxy share the same proxy.
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

/// The sources of settings; each overrides those below it.
struct Layers<'a, 'n> {
    gateway: Option<&'a Object>,
    class: Option<&'a Object>,
    of_controller: Option<&'n Node>,
}

impl<'a> Layers<'a, '_> {
    /// The settings in force. Without a `mergeType`, the settings nearest to the gateway replace the others
    /// completely.
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
