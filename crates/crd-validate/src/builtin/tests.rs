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
