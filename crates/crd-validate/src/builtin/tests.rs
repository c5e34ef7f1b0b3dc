//! Objects of Kubernetes' own kinds, each with a mistake that only the server's Go code finds.

use manifest::Object;
use manifest::diagnostic::Sources;

fn found(yaml: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let id = sources.add("a.yaml", yaml);
    let (documents, problems) = manifest::read(&sources, id);
    assert!(problems.is_empty(), "{problems:?}");
    let object = Object::new(documents[0].node.clone(), "a.yaml");
    let found = super::check(&object).into_iter();
    found.map(|it| it.message).collect()
}

#[test]
fn single_mistakes_are_found() {
    let pod =
        |spec: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {spec}\n");
    for (yaml, want) in [
        (pod("{containers: []}"), "`spec.containers` is empty"),
        (
            pod("{containers: [{name: a}]}"),
            "`spec.containers[0].image` is missing",
        ),
        (
            pod("{containers: [{name: a, image: b, volumeMounts: [{name: v, mountPath: /v}]}]}"),
            "`spec.containers[0].volumeMounts[0].name` is not the name of a volume",
        ),
        (
            pod(
                "{containers: [{name: a, image: b, resources: {limits: {cpu: 1}, requests: {cpu: 2}}}]}",
            ),
            "`spec.containers[0].resources.requests` has more `cpu` than the limit",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a/b: c}\n".to_owned(),
            "`data[a/b]` can't have this key",
        ),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {type: ClusterIP}\n"
                .to_owned(),
            "`spec.ports` is missing",
        ),
    ] {
        assert_eq!(found(&yaml), [want], "{yaml}");
    }
}

#[test]
fn most_ingress_classes_have_no_parameters() {
    let class = |more: &str| {
        found(&format!(
            "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {{name: a}}\nspec: {{controller: \
             example.com/a{more}}}\n"
        ))
    };
    assert_eq!(class(""), [""; 0]);
    assert_eq!(class(", parameters: {kind: A, name: a}"), [""; 0]);
    assert_eq!(
        class(", parameters: {kind: A}"),
        ["`spec.parameters.name` is missing"]
    );
}

#[test]
fn scaling_to_zero_needs_a_metric_from_outside() {
    let autoscaler = |metric: &str| {
        found(&format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: a}}\nspec:\n  minReplicas: 0\n  maxReplicas: 2\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: a}}\n  metrics: [{metric}]\n"
        ))
    };
    let external =
        "{type: External, external: {metric: {name: a}, target: {type: Value, value: 1}}}";
    assert_eq!(autoscaler(external), [""; 0]);
    let cpu = "{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}";
    let want = "`spec.metrics` has nothing that is measured while there are no replicas, and `minReplicas` is 0";
    assert_eq!(autoscaler(cpu), [want]);
}

#[test]
fn fields_that_cant_be_changed_are_found() {
    let object = |yaml: &str| {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", yaml);
        let (documents, problems) = manifest::read(&sources, id);
        assert!(problems.is_empty(), "{problems:?}");
        Object::new(documents[0].node.clone(), "a.yaml")
    };
    for (head, before, after, want) in [
        (
            "apiVersion: apps/v1\nkind: Deployment",
            "spec: {selector: {matchLabels: {a: b}}}",
            "spec: {selector: {matchLabels: {a: c}}}",
            Some("/spec/selector"),
        ),
        (
            "apiVersion: apps/v1\nkind: StatefulSet",
            "spec: {serviceName: a, replicas: 1}",
            "spec: {serviceName: a, replicas: 2}",
            None,
        ),
        (
            "apiVersion: apps/v1\nkind: StatefulSet",
            "spec: {serviceName: a}",
            "spec: {serviceName: b}",
            Some("/spec"),
        ),
        (
            "apiVersion: v1\nkind: Service",
            "spec: {clusterIP: 10.96.0.5}",
            "spec: {clusterIP: 10.96.0.6}",
            Some("/spec/clusterIP"),
        ),
        (
            "apiVersion: v1\nkind: Service",
            "spec: {}",
            "spec: {clusterIP: 10.96.0.6}",
            None,
        ),
        (
            "apiVersion: v1\nkind: ConfigMap",
            "data: {a: b}",
            "data: {a: c}",
            None,
        ),
        (
            "apiVersion: v1\nkind: ConfigMap",
            "immutable: true\ndata: {a: b}",
            "immutable: true\ndata: {a: c}",
            Some("/data"),
        ),
        (
            "apiVersion: v1\nkind: Service",
            "spec: {clusterIP: \"${IP}\"}",
            "spec: {clusterIP: 10.96.0.6}",
            None,
        ),
    ] {
        let made = |rest: &str| object(&format!("{head}\nmetadata: {{name: a}}\n{rest}\n"));
        let found = super::changes(&made(before), &made(after));
        let found = found.first().and_then(|it| it.pointer.clone());
        assert_eq!(found.as_deref(), want, "{before} to {after}");
    }
}

#[test]
fn what_flux_fills_in_is_accepted() {
    let yaml = "apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  selector: {matchLabels: {app: \"${APP}\"}}
  template:
    metadata: {labels: {app: \"${APP}\"}}
    spec:
      containers:
        - {name: \"${APP}\", image: \"${IMAGE}\", resources: {limits: {cpu: \"${CPU}\"}, requests: {cpu: 2}}}
";
    assert_eq!(found(yaml), Vec::<String>::new());
}

/// An object of a kind, with these fields besides its name.
fn object(version: &str, kind: &str, fields: &str) -> String {
    format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n{fields}\n")
}

#[test]
fn what_depends_on_another_field_is_told_at_the_field_that_the_server_names() {
    let job = |fields: &str| {
        let pod = "{restartPolicy: Never, containers: [{name: a, image: b}]}";
        object(
            "batch/v1",
            "Job",
            &format!("spec: {{template: {{spec: {pod}}}, {fields}}}"),
        )
    };
    let pod = |fields: &str| {
        let containers = "containers: [{name: a, image: b}]";
        object("v1", "Pod", &format!("spec: {{{containers}, {fields}}}"))
    };
    let container = |fields: &str| {
        object(
            "v1",
            "Pod",
            &format!("spec: {{containers: [{{name: a, image: b, {fields}}}]}}"),
        )
    };
    let service = |fields: &str| object("v1", "Service", &format!("spec: {{{fields}}}"));
    let port = "ports: [{port: 80}]";
    for (yaml, want) in [
        (
            job(
                "completionMode: Indexed, completions: 2, backoffLimitPerIndex: 1, maxFailedIndexes: 3",
            ),
            "`spec.maxFailedIndexes` can't be 3",
        ),
        (
            job("backoffLimitPerIndex: 1"),
            "`spec.backoffLimitPerIndex` can only be given for an indexed Job",
        ),
        (
            job("podFailurePolicy: {rules: [{action: Ignore}]}"),
            "`spec.podFailurePolicy.rules[0]` has no condition",
        ),
        (
            job(
                "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {containerName: b, operator: In, values: [1]}}]}",
            ),
            "`spec.podFailurePolicy.rules[0].onExitCodes.containerName` can't be \"b\"",
        ),
        (
            pod("volumes: [{name: v, emptyDir: {}, hostPath: {path: /a}}]"),
            "`spec.volumes[0].hostPath` can't be given beside `emptyDir`",
        ),
        (
            pod(
                "volumes: [{name: v, downwardAPI: {items: [{path: a, fieldRef: {fieldPath: spec.nodeName}}]}}]",
            ),
            "`spec.volumes[0].downwardAPI.items[0].fieldRef.fieldPath` can't be \"spec.nodeName\"",
        ),
        (
            container(
                "env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['a/b/c']\"}}}]",
            ),
            "`spec.containers[0].env[0].valueFrom.fieldRef` is not valid",
        ),
        (
            container("resources: {claims: [{name: gpu}]}"),
            "`spec.containers[0].resources.claims[0]` is not a claim of the pod",
        ),
        (
            container("lifecycle: {preStop: {sleep: {seconds: 60}}}"),
            "`spec.containers[0].lifecycle.preStop.sleep` takes longer than the pod has to end",
        ),
        (
            pod("securityContext: {sysctls: [{name: Net.x, value: a}]}"),
            "`spec.securityContext.sysctls[0].name` can't be \"Net.x\"",
        ),
        (
            service(&format!("{port}, clusterIPs: [10.96.0.7]")),
            "`spec.clusterIPs` must begin with `spec.clusterIP`",
        ),
        (
            service(&format!(
                "{port}, clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7, 10.96.0.8]"
            )),
            "`spec.clusterIPs` has two addresses of the same family",
        ),
        (
            service(&format!("{port}, externalIPs: [127.0.0.1]")),
            "`spec.externalIPs[0]` can't be \"127.0.0.1\"",
        ),
        (
            service("type: ExternalName, externalName: a.example.com, ipFamilies: [IPv4]"),
            "`spec.ipFamilies` can't be given for an `ExternalName` Service",
        ),
        (
            object(
                "networking.k8s.io/v1",
                "IngressClass",
                "spec: {controller: example.com/a, parameters: {kind: A, name: a, scope: Namespace}}",
            ),
            "`spec.parameters.namespace` is missing",
        ),
        (
            object(
                "v1",
                "ResourceQuota",
                "spec: {hard: {pods: 1, requests.cpu: 1}, scopes: [BestEffort]}",
            ),
            "`spec.scopes` don't fit to a resource in `spec.hard`",
        ),
        (
            object("v1", "ResourceQuota", "spec: {hard: {pods: 1500m}}"),
            "`spec.hard.pods` can't be \"1500m\"",
        ),
        (
            object("v1", "Namespace", "spec: {finalizers: [mine]}"),
            "`spec.finalizers` has a name that is not allowed",
        ),
        (
            object(
                "storage.k8s.io/v1",
                "StorageClass",
                "provisioner: a\nallowedTopologies: [{matchLabelExpressions: [{key: zone, values: [a, a]}]}]",
            ),
            "`allowedTopologies[0].matchLabelExpressions[0].values[1]` is the same as one before it",
        ),
        (
            object(
                "autoscaling/v2",
                "HorizontalPodAutoscaler",
                "spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}, metrics: [{type: Pods, pods: {metric: {name: a}, target: {type: AverageValue, averageValue: 0}}}]}",
            ),
            "`spec.metrics[0].pods.target.averageValue` can't be 0",
        ),
        (
            object(
                "node.k8s.io/v1",
                "RuntimeClass",
                "handler: a\nscheduling: {tolerations: [{operator: Exists}, {operator: Exists}]}",
            ),
            "`scheduling.tolerations[1]` is the same as one before it",
        ),
        (
            object(
                "v1",
                "PersistentVolume",
                "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], nodeAffinity: {}, nfs: {server: a, path: /}}",
            ),
            "`spec.nodeAffinity.required` is missing",
        ),
    ] {
        assert_eq!(found(&yaml), [want], "{yaml}");
    }
}

#[test]
fn what_the_server_lets_pass_is_not_spoken_of() {
    for yaml in [
        // The template's image may have blanks around it, unlike that of a pod.
        object(
            "apps/v1",
            "Deployment",
            "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: ' b'}]}}}",
        ),
        object(
            "v1",
            "Service",
            "spec: {clusterIP: None, ports: [{port: 80, targetPort: ''}]}",
        ),
        object(
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}\nsubjects: [{kind: Group, name: a, apiGroup: ''}]",
        ),
        object(
            "v1",
            "PersistentVolumeClaim",
            "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}, dataSource: {kind: Other, name: a}}",
        ),
        object(
            "v1",
            "PersistentVolume",
            "spec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], csi: {driver: a, volumeHandle: b, nodeStageSecretRef: {}}}",
        ),
    ] {
        assert_eq!(found(&yaml), [""; 0], "{yaml}");
    }
}
