use crate::lint::front::fronts;
use crate::lint::support::{FRONT, with_context};
use flux_repo::fixture::tree;

#[test]
fn the_service_of_a_gateway_is_known() {
    let in_gateways = tree(FRONT);
    with_context(&in_gateways, |context| {
        let fronts = fronts(context);
        let workload = fronts[0].workload().expect("a workload");
        assert_eq!(
            (
                workload.kind,
                workload.namespace.as_str(),
                workload.name.as_str()
            ),
            ("Deployment", "network", "external")
        );
        let labels = fronts[0].service_labels();
        assert!(!labels.is_open);
        assert_eq!(
            labels.known["gateway.envoyproxy.io/owning-gateway-name"],
            "external"
        );
        assert_eq!(labels.known["tier"], "front");
        assert_eq!(labels.known["io.kubernetes.service.name"], "external");
    });
    let in_controllers = FRONT.replace("GatewayNamespace", "ControllerNamespace");
    with_context(&tree(&in_controllers), |context| {
        let workload = fronts(context)[0].workload().expect("a workload");
        assert_eq!(
            workload.name,
            envoy_gateway::proxies::hashed_deployment("network", "external")
        );
    });
}
