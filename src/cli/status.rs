//! `gatewayctl status`: the conditions that Envoy Gateway would write.

mod compared;
mod table;

use std::io::Write;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value as Json, json};
use table::{Line, counted};

use super::cluster::Connection;
use super::gathered::{ObjectSources, only, repository};
use super::output::Stream;
use super::scripts::InChild;
use super::used::Used;
use super::{Global, found};
use envoy_gateway::condition::{Condition, is_bad, kind};
use envoy_gateway::index::{GATEWAY_API, Key};
use envoy_gateway::{Knowledge, ListenerId, ObjectCondition, Resolved, Status, resolve};
use envoy_simulate::lua::refused_scripts;
use manifest::Object;
use manifest::diagnostic::printable::printable;

/// The name of the JSON format. Keys are added to it, never renamed or dropped.
const FORMAT: &str = "gatewayctl/status/v1";

/// Arguments of `status`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    place: ObjectSources,
    /// Treat objects that are not given as missing; without this, what depends on them is unknown
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    used: Used,
    /// The format of the conditions
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
    /// What to compare with: `cluster` is the conditions and addresses that its controllers wrote
    #[arg(long, value_name = "WHAT")]
    against: Option<Against>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Against {
    /// What the controllers of a live cluster wrote
    Cluster,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table that starts with what is refused
    Human,
    /// gatewayctl/status/v1
    Json,
}

impl Args {
    /// How much of the cluster is given.
    fn knowledge(&self) -> Knowledge {
        match self.complete {
            true => Knowledge::Complete,
            false => Knowledge::Partial,
        }
    }
}

/// Runs the command: prints the conditions that the controller would write. The exit code is 1 if it would refuse
/// something, or if a manifest has an error.
///
/// # Errors
/// If something can't be read.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    if let Some(Against::Cluster) = args.against {
        return compared::run(args, global, out);
    }
    let repository = repository(&args.place, &args.used, global)?;
    let mut clusters = repository.applied(global)?;
    if args.format == Format::Json {
        only(&clusters)?;
    }
    let mut is_refused = false;
    let runner = InChild::default();
    for (nth, gathered) in clusters.iter_mut().enumerate() {
        gathered.settings.knowledge = args.knowledge();
        gathered.settings.refused_scripts = refused_scripts(&gathered.objects, &runner)?;
        let resolved = resolve(&gathered.objects, &gathered.settings);
        let mut verdicts = resolved.verdicts();
        verdicts.sort_by_key(|verdict| {
            let key = Key::of(verdict.object);
            (weight(verdict), verdict.object.kind(), key)
        });
        let aimless = aimless(&resolved);
        match args.format {
            Format::Json => {
                let mut json = as_json(&resolved, &verdicts);
                json["without_status"] = aimless.iter().map(Aimless::json).collect();
                out.json(&json)?;
            }
            Format::Human => {
                gathered.write_heading(nth, out)?;
                let text = table(&verdicts, global.quiet, out.has_colour());
                write!(out.styled(), "{text}")?;
                for policy in &aimless {
                    writeln!(out.styled(), "{}", policy.text())?;
                }
            }
        }
        let mut weights = verdicts.iter().map(weight);
        is_refused |= weights.any(|weight| weight == Weight::Refused);
    }
    Ok(found(repository.is_broken || is_refused))
}

/// A policy that gets no status, because none of its targets is given or belongs to the controller.
struct Aimless<'a> {
    policy: &'a Object,
    targets: Vec<String>,
}

/// The policies without a status. Nothing else shows them.
fn aimless<'a>(resolved: &Resolved<'a>) -> Vec<Aimless<'a>> {
    let policies = resolved.policies().iter();
    let without = policies.filter(|it| it.ancestors.is_empty() && !it.targets.is_empty());
    without
        .map(|policy| Aimless {
            policy: policy.object,
            targets: policy
                .targets
                .iter()
                .map(|it| it.scope.to_string())
                .collect(),
        })
        .collect()
}

impl Aimless<'_> {
    fn text(&self) -> String {
        let text = format!(
            "no status: {} {}, because none of its targets is given: {}",
            self.policy.kind(),
            Key::of(self.policy),
            self.targets.join(", ")
        );
        printable(&text)
    }

    fn json(&self) -> Json {
        json!({
            "kind": self.policy.kind(),
            "namespace": self.policy.namespace(),
            "name": self.policy.name(),
            "targets": self.targets,
        })
    }
}

/// How serious a condition is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Something is refused or not done.
    Refused,
    /// Something is done differently from what one may expect.
    ToCheck,
    /// It depends on objects that are not given.
    Unknown,
    /// Everything is as it should be.
    Fine,
}

fn weight(verdict: &ObjectCondition<'_, '_>) -> Weight {
    weigh(verdict.condition.kind, verdict.condition.status)
}

fn weigh(kind: &str, status: Status) -> Weight {
    match (kind, status) {
        (_, Status::Unknown) => Weight::Unknown,
        (kind::CONFLICTED, Status::True) => Weight::Refused,
        (_, Status::False) if is_bad(kind, status) => Weight::Refused,
        _ if is_bad(kind, status) => Weight::ToCheck,
        _ => Weight::Fine,
    }
}

/// The conditions as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `conditions`: each with `kind`, `namespace`, `name` of its object; `on` (`object`, `listener`, `parent`) and
///   `which` (empty; a listener's name; `namespace/name/section` of a parent, as written); `type`, `status`
///   (`True`, `False`, `Unknown`), `reason`, `message`.
/// - `without_status`: the policies that get no condition, because none of their `targets` is given; each with `kind`,
///   `namespace`, `name` and `targets`. [`run`] adds it.
/// - `listeners`: each with `kind`, `namespace`, `name` of the Gateway or ListenerSet; `listener`; `attachedRoutes`;
///   `supportedKinds`, each with `group` and `kind`.
/// - `gateways`: each with `namespace`, `name` and the `addresses` that it requests.
///
/// With `--against cluster`, `compared::Compared::json` adds keys.
fn as_json(resolved: &Resolved<'_>, verdicts: &[ObjectCondition<'_, '_>]) -> Json {
    let conditions = verdicts.iter().map(|verdict| {
        let condition = verdict.condition;
        let (on, which) = (verdict.on.as_str(), verdict.on.which());
        as_condition(
            verdict.object,
            (on, &which),
            condition.kind,
            Some(condition),
        )
    });
    let attached = resolved.attached_routes();
    let listeners = resolved.listeners().iter().enumerate();
    let listeners = listeners.map(|(at, listener)| {
        let kinds = listener.kinds.iter();
        let kinds = kinds.map(|kind| json!({"group": GATEWAY_API, "kind": kind.as_str()}));
        json!({
            "kind": listener.object.kind(),
            "namespace": listener.object.namespace(),
            "name": listener.object.name(),
            "listener": listener.name,
            "attachedRoutes": attached.get(&ListenerId(at)).copied().unwrap_or_default(),
            "supportedKinds": kinds.collect::<Vec<_>>(),
        })
    });
    let gateways = resolved.gateways().iter().filter(|it| it.class.is_some());
    let gateways = gateways.map(|gateway| {
        let addresses = gateway.status_addresses().into_iter().map(|it| it.text);
        json!({
            "namespace": gateway.object.namespace(),
            "name": gateway.object.name(),
            "addresses": addresses.collect::<Vec<_>>(),
        })
    });
    json!({
        "schema": FORMAT,
        "conditions": conditions.collect::<Vec<_>>(),
        "listeners": listeners.collect::<Vec<_>>(),
        "gateways": gateways.collect::<Vec<_>>(),
    })
}

/// One element of `conditions`; `null` if no condition is computed.
fn as_condition(
    object: &Object,
    (on, which): (&str, &str),
    kind: &str,
    computed: Option<&Condition>,
) -> Json {
    json!({
        "kind": object.kind(),
        "namespace": object.namespace(),
        "name": object.name(),
        "on": on,
        "which": which,
        "type": kind,
        "status": computed.map(|it| it.status.as_str()),
        "reason": computed.map(|it| &it.reason),
        "message": computed.map(|it| &it.message),
    })
}

/// The conditions as a table. If `is_quiet`, only those that need attention.
fn table(verdicts: &[ObjectCondition<'_, '_>], is_quiet: bool, colour: bool) -> String {
    let shown =
        |verdict: &&ObjectCondition<'_, '_>| !is_quiet || weight(verdict) <= Weight::ToCheck;
    let lines: Vec<Line<5>> = verdicts.iter().filter(shown).map(line).collect();
    let head = ["object", "on", "condition", "reason", "message"];
    let mut text = table::table(head, &lines, 2, colour);
    if !is_quiet {
        let weights: Vec<Weight> = verdicts.iter().map(weight).collect();
        text.push_str(&counted(
            &weights,
            &[
                (Weight::Refused, "refused"),
                (Weight::ToCheck, "to check"),
                (Weight::Unknown, "unknown"),
                (Weight::Fine, "fine"),
            ],
        ));
    }
    text
}

fn line(verdict: &ObjectCondition<'_, '_>) -> Line<5> {
    let condition = verdict.condition;
    Line {
        cells: [
            format!("{} {}", verdict.object.kind(), Key::of(verdict.object)),
            on(verdict.on.as_str(), &verdict.on.which()),
            format!("{}={}", condition.kind, condition.status),
            condition.reason.to_string(),
            condition.message.clone(),
        ],
        code: match weight(verdict) {
            Weight::Refused => "31",
            Weight::ToCheck => "33",
            Weight::Unknown => "36",
            Weight::Fine => "32",
        },
    }
}

/// What a condition is about, if that is not the object as a whole.
fn on(word: &str, which: &str) -> String {
    match word {
        "object" => String::new(),
        word => format!("{word} {which}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envoy_gateway::Settings;
    use manifest::diagnostic::Sources;
    use manifest::read;

    pub fn objects(text: &str) -> Vec<Object> {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", text);
        let (documents, problems) = read(&sources, id);
        assert!(problems.is_empty(), "{problems:?}");
        let object = |node| Object::new(node, "a.yaml");
        documents.into_iter().map(|it| object(it.node)).collect()
    }

    const GATEWAY: &str = "
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: external, namespace: network}
spec:
  gatewayClassName: envoy
  listeners:
    - {name: http, port: 80, protocol: HTTP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: app, namespace: apps}
spec:
  parentRefs: [{name: external, namespace: network, sectionName: https}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
";

    #[test]
    fn the_table_begins_with_what_is_refused() {
        let objects = objects(GATEWAY);
        let resolved = resolve(&objects, &Settings::default());
        let mut verdicts = resolved.verdicts();
        verdicts.sort_by_key(weight);
        let text = table(&verdicts, false, false);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[1].starts_with(
                "HTTPRoute apps/app        parent network/external/https  Accepted=False"
            ),
            "{text}"
        );
        assert!(lines[1].contains("NoMatchingParent"), "{text}");
        assert!(lines[2].contains("ResolvedRefs=Unknown"), "{text}");
        assert_eq!(
            *lines.last().expect("a line"),
            "1 refused, 1 unknown, 4 fine"
        );
        assert_eq!(table(&verdicts, true, false).lines().count(), 2);
        assert!(table(&verdicts, false, true).contains("\u{1b}[31mAccepted=False\u{1b}[0m"));
    }

    #[test]
    fn the_json_has_a_condition_each() {
        let objects = objects(GATEWAY);
        let resolved = resolve(&objects, &Settings::default());
        let json = as_json(&resolved, &resolved.verdicts());
        assert_eq!(json["schema"], "gatewayctl/status/v1");
        let all = json["conditions"].as_array().expect("a list");
        let first = all.iter().find(|it| it["on"] == "listener");
        let first = first.expect("a condition of the listener");
        assert_eq!(first["which"], "http");
        assert_eq!(first["status"], "True");
        let listener = &json["listeners"][0];
        assert_eq!(listener["listener"], "http");
        assert_eq!(listener["attachedRoutes"], 0);
        assert_eq!(listener["supportedKinds"][0]["kind"], "HTTPRoute");
    }
}
