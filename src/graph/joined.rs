//! One picture of several clusters.

use super::model::{LinkSource, Name, Picture};

/// The pictures of several clusters as one. Each name has the name of its cluster in front.
pub fn joined(pictures: Vec<(String, Picture)>) -> Picture {
    let mut whole = Picture::default();
    for (cluster, mut own) in pictures {
        let named = |name: &mut Name| name.cluster = Some(cluster.clone());
        let gateways = whole.gateways.len();
        let backends = whole.backends.len();
        let policies = whole.policies.len();
        let move_policies = |all: &mut Vec<usize>| all.iter_mut().for_each(|at| *at += policies);
        for gateway in &mut own.gateways {
            named(&mut gateway.name);
            move_policies(&mut gateway.policies);
            for listener in &mut gateway.listeners {
                move_policies(&mut listener.policies);
            }
        }
        for route in &mut own.routes {
            named(&mut route.name);
            move_policies(&mut route.policies);
            for link in &mut route.links {
                link.from = match link.from {
                    LinkSource::Listener(gateway, nth) => {
                        LinkSource::Listener(gateway + gateways, nth)
                    }
                    LinkSource::Gateway(gateway) => LinkSource::Gateway(gateway + gateways),
                };
            }
            for (backend, _) in &mut route.backends {
                *backend += backends;
            }
        }
        own.backends.iter_mut().for_each(|it| named(&mut it.name));
        own.policies.iter_mut().for_each(|it| named(&mut it.name));
        whole.gateways.extend(own.gateways);
        whole.routes.extend(own.routes);
        whole.backends.extend(own.backends);
        whole.policies.extend(own.policies);
    }
    whole
}
