//! A repository of twice the size takes about twice the work, in whichever direction it grows.
//!
//! Work is counted in instructions by valgrind's cachegrind, which gives the same number on every machine. Without
//! it, these tests are skipped, and say so.

use std::fmt::Write as _;
use std::process::Command;

use crate::common::{PROGRAM, Project};

/// A repository that grows in one direction: its name, how it is written, and its first size, which is large enough
/// for quadratic growth to show.
type Dimension = (&'static str, fn(usize) -> String, usize);

const HEAD: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: envoy}
spec: {controllerName: gateway.envoyproxy.io/gatewayclass-controller}
";

fn gateway(name: &str, listeners: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: {name}, namespace: network}}
spec:
  gatewayClassName: envoy
  listeners:
{listeners}"
    )
}

const HTTPS: &str = "    - {name: https, port: 443, protocol: HTTPS, hostname: '*.example.com', allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: tls}]}}\n";

fn route(name: &str, host: &str, parents: &str, rules: &str) -> String {
    format!(
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}, namespace: apps}}
spec:
  hostnames: [{host}]
  parentRefs: [{parents}]
  rules: [{rules}]
"
    )
}

const TO_APP: &str = "{backendRefs: [{name: app, port: 80}]}";
const EXTERNAL: &str = "{name: external, namespace: network}";

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect()
}

fn routes_of_one_hostname(count: usize) -> String {
    let routes = many(count, |at| {
        route(&format!("r{at}"), "app.example.com", EXTERNAL, TO_APP)
    });
    format!("{HEAD}{}{routes}", gateway("external", HTTPS))
}

fn routes_and_hostnames(count: usize) -> String {
    let routes = many(count, |at| {
        route(
            &format!("r{at}"),
            &format!("a{at}.example.com"),
            EXTERNAL,
            TO_APP,
        )
    });
    format!("{HEAD}{}{routes}", gateway("external", HTTPS))
}

fn gateways(count: usize) -> String {
    let all = many(count, |at| gateway(&format!("g{at}"), HTTPS));
    let routes = many(count, |at| {
        let parent = format!("{{name: g{at}, namespace: network}}");
        route(
            &format!("r{at}"),
            &format!("a{at}.example.com"),
            &parent,
            TO_APP,
        )
    });
    format!("{HEAD}{all}{routes}")
}

fn listener_sets(count: usize) -> String {
    let sets = many(count, |at| {
        format!("---
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: {{name: s{at}, namespace: network}}
spec:
  parentRef: {{name: external}}
  listeners: [{{name: l, port: 443, protocol: HTTPS, hostname: s{at}.example.net, tls: {{certificateRefs: [{{name: tls}}]}}}}]
")
    });
    let head = gateway("external", HTTPS).replace(
        "  listeners:",
        "  allowedListeners: {namespaces: {from: All}}\n  listeners:",
    );
    let routes = many(count, |at| {
        let parent = format!("{{kind: ListenerSet, name: s{at}, namespace: network}}");
        route(
            &format!("r{at}"),
            &format!("s{at}.example.net"),
            &parent,
            TO_APP,
        )
    });
    format!("{HEAD}{head}{sets}{routes}")
}

fn rules(count: usize) -> String {
    let rules: Vec<String> = (0..count)
        .map(|at| format!("{{matches: [{{path: {{type: PathPrefix, value: /{at}}}}}], backendRefs: [{{name: app, port: 80}}]}}"))
        .collect();
    let route = route("r", "a.example.com", EXTERNAL, &rules.join(", "));
    format!("{HEAD}{}{route}", gateway("external", HTTPS))
}

fn policies(count: usize) -> String {
    let policies = many(count, |at| {
        format!(
            "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {{name: p{at}, namespace: network}}
spec: {{targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: external}}]}}
"
        )
    });
    format!("{HEAD}{}{policies}", gateway("external", HTTPS))
}

fn pools(count: usize) -> String {
    let blocks = many(count, |at| {
        format!("    - {{cidr: 10.10.{}.{}/32}}\n", at / 200, at % 200)
    });
    let services = many(count, |at| {
        format!(
            "---
apiVersion: v1
kind: Service
metadata: {{name: s{at}, namespace: apps, annotations: {{lbipam.cilium.io/ips: 10.10.{}.{}}}}}
spec: {{type: LoadBalancer, ports: [{{port: 80}}]}}
",
            at / 200,
            at % 200
        )
    });
    format!(
        "apiVersion: cilium.io/v2
kind: CiliumLoadBalancerIPPool
metadata: {{name: pool}}
spec:
  blocks:
{blocks}{services}"
    )
}

fn flux_kustomizations(count: usize) -> String {
    many(count, |at| {
        format!("---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: k{at}, namespace: flux-system}}
spec: {{interval: 1h, path: ./k{at}, prune: true, sourceRef: {{kind: GitRepository, name: flux-system}}, dependsOn: [{{name: k{}}}]}}
", at + 1)
    })
}

/// Many findings in one line of a file.
fn one_line(count: usize) -> String {
    let keys: Vec<String> = (0..count).map(|at| format!("k{at}: 1")).collect();
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: a}}, data: {{{}}}}}\n",
        keys.join(", ")
    )
}

fn findings(count: usize) -> String {
    many(count, |at| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{at}, namespace: a}}\ndatas: {{a: b}}\n"
        )
    })
}

/// A script with its own variables, which Flux would substitute.
fn script(count: usize) -> String {
    let mut text = String::from("apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: k, namespace: flux-system}
spec: {interval: 1h, path: ., prune: true, sourceRef: {kind: GitRepository, name: flux-system}, postBuild: {substitute: {A: b}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: a}
data:
  a: |
");
    for at in 0..count {
        writeln!(text, "    echo ${{v{at}}}").expect("a string");
    }
    text
}

/// The instructions of `gatewayctl ARGS` on a repository with one file; `None` if they can't be counted.
fn instructions(args: &[&str], text: &str) -> Option<u64> {
    let project = Project::new().file("a.yaml", text);
    let run = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        // Everything runs on one thread, because waiting threads execute instructions too.
        .env("RAYON_NUM_THREADS", "1")
        .arg(PROGRAM)
        .args(args)
        .current_dir(project.root())
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(matches!(run.status.code(), Some(0 | 1)), "{said}");
    let counted = said.lines().find_map(|line| line.split_once("I   refs:"));
    let counted = counted.unwrap_or_else(|| panic!("valgrind counted nothing: {said}"));
    let counted: String = counted.1.chars().filter(char::is_ascii_digit).collect();
    Some(counted.parse().expect("a number"))
}

/// The second half of a repository may add at most 2.2 times what the second quarter adds: with linear growth it is
/// twice as much, with quadratic growth four times. The constant part of every run cancels out.
fn grows_evenly(args: &[&str], dimensions: &[Dimension]) {
    for (what, write, count) in dimensions {
        let work = |count| instructions(args, &write(count));
        let (Some(quarter), Some(half), Some(whole)) =
            (work(count / 2), work(*count), work(2 * count))
        else {
            return println!("skipped: there is no valgrind to count instructions");
        };
        let (second_quarter, second_half) =
            (half.saturating_sub(quarter), whole.saturating_sub(half));
        let growth = second_half as f64 / second_quarter.max(1) as f64;
        println!(
            "{} of {} {what}: {whole} instructions; the second half adds {growth:.2} times what the second quarter adds",
            args.join(" "),
            2 * count
        );
        assert!(
            growth < 2.2,
            "{what}: {quarter}, {half} and {whole} instructions for {}, {count} and {}",
            count / 2,
            2 * count
        );
    }
}

#[test]
fn the_status_takes_twice_the_work_for_twice_the_repository() {
    grows_evenly(
        &["status", "."],
        &[
            ("routes of one hostname", routes_of_one_hostname, 100),
            ("routes", routes_and_hostnames, 60),
            ("gateways", gateways, 60),
            ("ListenerSets", listener_sets, 60),
            ("rules", rules, 120),
            ("policies", policies, 60),
        ],
    );
}

#[test]
fn validation_takes_twice_the_work_for_twice_the_repository() {
    grows_evenly(
        &["validate", "."],
        &[
            ("routes of one hostname", routes_of_one_hostname, 100),
            ("addresses and blocks of pools", pools, 120),
            ("Flux Kustomizations", flux_kustomizations, 100),
            ("keys on one line", one_line, 1_000),
            ("findings", findings, 60),
            ("variables of a script", script, 500),
        ],
    );
}
