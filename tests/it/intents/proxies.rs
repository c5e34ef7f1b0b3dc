//! Pods of proxies, and the release of the chart

use super::{file, object};

#[test]
fn pods_get_their_nodes_their_limits_and_their_registry() {
    let rendered = object(
        "[proxy]\nnode_selector.\"example.com/edge\" = \"true\"\ntolerations = [{ key = \"edge\", operator = \"Exists\" }]\n\
         topology_spread = [{ maxSkew = 1, topologyKey = \"kubernetes.io/hostname\", whenUnsatisfiable = \"ScheduleAnyway\" }]\n\
         security_context.readOnlyRootFilesystem = true\nenv.GODEBUG = \"netdns=go\"\nimage_pull_secrets = \"registry\"\n\
         disruption_budget.min_available = 1\nhpa = { min = 2, max = 6, cpu = 70, memory = 80 }\npriority_class = \"system-cluster-critical\"\n\
         service = { name = \"edge\", type = \"LoadBalancer\", annotations = { \"example.com/pool\" = \"edge\" } }\n",
        "EnvoyProxy",
    );
    let fields = "      envoyDeployment:
        container:
          env:
            - name: GODEBUG
              value: netdns=go
          securityContext:
            readOnlyRootFilesystem: true
        pod:
          imagePullSecrets:
            - name: registry
          nodeSelector:
            example.com/edge: \"true\"
          priorityClassName: system-cluster-critical
          tolerations:
            - key: edge
              operator: Exists
          topologySpreadConstraints:
            - maxSkew: 1
              topologyKey: kubernetes.io/hostname
              whenUnsatisfiable: ScheduleAnyway
      envoyHpa:
        maxReplicas: 6
        metrics:
          - type: Resource
            resource:
              name: cpu
              target:
                type: Utilization
                averageUtilization: 70
          - type: Resource
            resource:
              name: memory
              target:
                type: Utilization
                averageUtilization: 80
        minReplicas: 2
      envoyPDB:
        minAvailable: 1
      envoyService:
        annotations:
          example.com/pool: edge
        name: edge
        type: LoadBalancer
";
    assert!(rendered.contains(fields), "{rendered}");
}

#[test]
fn a_daemon_set_has_the_same_settings_and_none_by_itself() {
    let with = |more: &str| {
        object(
            &format!("[proxy]\nkind = \"DaemonSet\"\n{more}"),
            "EnvoyProxy",
        )
    };
    assert!(with("").contains("      envoyDaemonSet: {}\n"));
    let edge = with("node_selector.edge = \"true\"\n");
    let fields = "      envoyDaemonSet:\n        pod:\n          nodeSelector:\n            edge: \"true\"\n";
    assert!(edge.contains(fields), "{edge}");
}

#[test]
fn a_gateway_inherits_what_it_does_not_set() {
    let rendered = file(
        "[proxy]\nnode_selector.a = \"b\"\nservice.type = \"LoadBalancer\"\n[gateways.envoy-external.proxy]\nnode_selector.c = \"d\"\nservice.name = \"edge\"\n",
        "envoy.yaml",
    );
    let own = rendered
        .split("---\n")
        .find(|object| object.contains("name: edge"));
    let own = own.expect("the gateway's own proxy");
    assert!(
        own.contains("            a: b\n            c: d\n"),
        "{own}"
    );
    assert!(own.contains("type: LoadBalancer"), "{own}");
}

#[test]
fn the_release_says_what_happens_after_failures() {
    let rendered = file(
        "[chart.release]\ntimeout = \"15m\"\nmax_history = 2\nkeep_history = false\ninstall.retries = -1\nupgrade = { crds = \"Skip\", retries = 3, cleanup_on_fail = true, strategy = \"rollback\" }\n",
        "helmrelease.yaml",
    );
    let fields = "  timeout: 15m
  maxHistory: 2
  install:
    crds: CreateReplace
    remediation:
      retries: -1
  upgrade:
    cleanupOnFail: true
    crds: Skip
    remediation:
      retries: 3
      strategy: rollback
  uninstall:
    keepHistory: false
";
    assert!(rendered.contains(fields), "{rendered}");
}
