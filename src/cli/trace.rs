//! `gatewayctl trace`: follows a request through the gateways.

use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value as Json, json};

use super::gathered::{Gathered, Repository, only};
use super::output::Stream;
use super::scripts::InChild;
use super::used::Used;
use super::{Global, found};
use envoy_gateway::controller::Files;
use envoy_gateway::helm_routes::charted;
use envoy_gateway::{Knowledge, resolve};
use envoy_simulate::lua::refused_scripts;
use envoy_simulate::{
    ClientCertificate, GatewayTrace, GeneratedConfigMap, Mark, Outcome, Request, SettingPlace,
    Share, Step, Trace, TraceInputs, trace,
};
use flux_repo::KeyContent;
use manifest::diagnostic::printable::printable;
use manifest::diagnostic::{Sources, Span};

/// The name of the JSON format. Keys are added to it, never renamed or dropped.
const FORMAT: &str = "gatewayctl/trace/v1";

/// Arguments of `trace`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// The URL of the request: https://app.example.com/path, ssh://git.example.com, tcp://HOST:PORT, …
    #[arg(value_name = "URL")]
    url: String,
    /// Manifests: files, folders, or `-` for standard input [default: the whole repository,
    /// with what cluster.toml renders]
    #[arg(long = "in", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The address that the connection comes from, as the gateway sees it
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
    /// The HTTP method
    #[arg(short = 'X', long, value_name = "METHOD", default_value = "GET")]
    method: String,
    /// A header of the request; may be given more than once
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Show only this gateway: its name, or NAMESPACE/NAME
    #[arg(long, value_name = "NAME")]
    gateway: Option<String>,
    /// Treat objects that are not given as missing; without this, what depends on them is unknown
    #[arg(long)]
    complete: bool,
    /// The certificate that the client shows, where the gateway may ask for one [default: not known]
    #[arg(long, value_name = "WHICH")]
    client_certificate: Option<Shown>,
    /// The client doesn't verify the gateway's certificate
    #[arg(short = 'k', long)]
    insecure: bool,
    #[command(flatten)]
    used: Used,
    /// The format of the result
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// None at all
    None,
    /// One that the gateway's authorities signed
    Trusted,
    /// One that they didn't sign
    Untrusted,
}

impl From<Shown> for ClientCertificate {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::None => ClientCertificate::None,
            Shown::Trusted => ClientCertificate::Trusted,
            Shown::Untrusted => ClientCertificate::Untrusted,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Step by step, for people
    Human,
    /// gatewayctl/trace/v1
    Json,
}

/// What a request is traced through in a cluster.
pub(super) struct Material {
    pub gathered: Gathered,
    pub generated: Vec<GeneratedConfigMap>,
}

/// What requests are traced through in each cluster.
///
/// # Errors
/// If there is no cluster of the name that `--cluster` gives.
pub(super) fn materials(
    repository: &Repository,
    is_complete: bool,
    global: &Global,
) -> anyhow::Result<Vec<Material>> {
    let clusters = repository.clusters(global)?.into_iter();
    let materials = clusters.map(|cluster| {
        let name = cluster.name.clone();
        let (gathered, generated) = repository.with_files(&cluster, |files| {
            (repository.applied_in(name, files), generated(files))
        });
        let mut material = Material {
            gathered,
            generated,
        };
        if is_complete {
            material.gathered.settings.knowledge = Knowledge::Complete;
        }
        material
    });
    Ok(materials.collect())
}

/// Runs the command: prints how each gateway handles a request. The exit code is 1 if a gateway answers with an error
/// (a status of 400 or more, a closed connection, a redirect loop), or if no gateway takes the request.
///
/// # Errors
/// If the request is not valid, something can't be read, or a script could not be run.
pub(super) fn run(args: &Args, global: &Global, out: &mut Stream) -> anyhow::Result<ExitCode> {
    let mut request = Request::get(&args.url)?;
    request.set_method(&args.method)?;
    for line in &args.headers {
        request.add_header(line)?;
    }
    request.from = args.from;
    request.verifies = !args.insecure;
    request.certificate = args.client_certificate.map(ClientCertificate::from);
    let repository = Repository::read(&args.paths, &args.used, global)?;
    let mut materials = materials(&repository, args.complete, global)?;
    if args.format == Format::Json && materials.len() > 1 {
        let gathered: Vec<Gathered> = materials.drain(..).map(|it| it.gathered).collect();
        only(&gathered)?;
    }
    let runner = InChild::default();
    // With several clusters, the request is meant for one of them.
    let mut is_wrong = true;
    for (nth, material) in materials.iter_mut().enumerate() {
        let gathered = &mut material.gathered;
        // In a process of its own: what the controller's check takes is not taken from the request's scripts.
        let checker = InChild::default();
        gathered.settings.refused_scripts = refused_scripts(&gathered.objects, &checker)?;
        let Gathered {
            objects,
            settings,
            values_from,
            ..
        } = &material.gathered;
        let charted = charted(objects, values_from);
        let resolved = resolve(objects.iter().chain(charted.objects()), settings);
        let inputs = TraceInputs {
            resolved: &resolved,
            objects,
            charted: &charted,
            generated: &material.generated,
            runner: &runner,
        };
        let traced = trace(&inputs, &request, args.gateway.as_deref());
        match args.format {
            Format::Json => {
                let json = as_json(&request, &traced, &repository.sources);
                out.json(&json)?;
            }
            Format::Human => {
                material.gathered.write_heading(nth, out)?;
                let text = as_text(&request, &traced, &repository.sources, out.has_colour());
                write!(out.styled(), "{text}")?;
            }
        }
        if let Some(failure) = runner.failures().into_iter().next() {
            out.flush()?;
            return Err(failure.into());
        }
        let mut gateways = traced.gateways.iter();
        is_wrong &= traced.gateways.is_empty() || gateways.any(|one| one.outcome.is_failure());
    }
    Ok(found(is_wrong))
}

/// The ConfigMaps that kustomizations generate, with the texts of their files.
fn generated(files: &Files<'_>) -> Vec<GeneratedConfigMap> {
    let maps = files.delivery.generated().iter();
    let maps = maps.filter(|map| map.generator.kind == "ConfigMap");
    maps.flat_map(|map| {
        let by = files.objects.get(map.by).map_or("", |it| it.file.as_str());
        let keys = map.generator.keys.iter();
        let keys: Vec<_> = keys
            .map(|(key, content)| match content {
                KeyContent::File(file) => (key.clone(), file.clone(), (files.text_of)(file)),
                KeyContent::Text(text) => (key.clone(), by.to_owned(), Some(text.clone())),
            })
            .collect();
        map.names().map(move |name| GeneratedConfigMap {
            name,
            by: by.to_owned(),
            keys: keys.clone(),
        })
    })
    .collect()
}

/// The object that decides a step, for people: `FILE:LINE`, and the line of `cluster.toml` that it comes from.
fn place_of(place: &SettingPlace<'_>, sources: &Sources) -> String {
    let object = place.object;
    let line = |span: Span| sources.locate(span).line;
    let file = match object.span(&place.pointer) {
        // A value may have been written in another file, by a patch.
        Some(span) => format!("{}:{}", sources.locate(span).file, line(span)),
        None => object.file.clone(),
    };
    match object.origin(&place.pointer) {
        Some(span) => {
            let name = sources.get(span.source).name();
            format!("{file}, from {name}:{}", line(span))
        }
        None => file,
    }
}

/// The trace as text for people.
fn as_text(request: &Request, trace: &Trace<'_>, sources: &Sources, colour: bool) -> String {
    let paint = |code: &str, text: &str| match colour {
        true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        false => text.to_owned(),
    };
    let from = request
        .from
        .map_or(String::new(), |it| format!(" from {it}"));
    let method = match request.scheme.is_http() {
        true => format!("{} ", request.method),
        false => String::new(),
    };
    let head = printable(&format!("{method}{request}{from}"));
    let mut text = format!("{}\n", paint("1", &head));
    for note in &trace.notes {
        text.push_str(&format!("  note: {}\n", printable(note)));
    }
    for one in &trace.gateways {
        text.push('\n');
        for step in &one.steps {
            push_step(&mut text, step, sources, &paint);
        }
        let code = match &one.outcome {
            outcome if outcome.is_failure() => "31",
            Outcome::Unknown(_) => "36",
            _ => "32",
        };
        let ends = paint(code, &printable(&ends(&one.outcome)));
        text.push_str(&format!("  => {ends}\n"));
    }
    text
}

fn push_step(
    text: &mut String,
    step: &Step<'_>,
    sources: &Sources,
    paint: &dyn Fn(&str, &str) -> String,
) {
    let (sign, code) = match step.mark {
        Mark::Passes => (" ", "32"),
        Mark::Minds => ("!", "33"),
        Mark::Unknown => ("?", "36"),
        Mark::Stops => ("x", "31"),
    };
    let stage = format!("{:<12}", step.stage.as_str());
    let line = printable(&step.text);
    text.push_str(&format!(
        "{} {}{line}\n",
        paint(code, sign),
        paint(code, &stage)
    ));
    for detail in &step.details {
        text.push_str(&format!("{:14}{}\n", "", printable(detail)));
    }
    if let Some(place) = &step.place {
        let place = format!("--> {}", printable(&place_of(place, sources)));
        text.push_str(&format!("{:14}{}\n", "", paint("2", &place)));
    }
}

/// The outcome, in one line.
fn ends(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Backends(shares) => {
            let all: Vec<String> = shares.iter().map(share).collect();
            all.join(", ")
        }
        Outcome::Response { status, why } => format!("{status}: {why}"),
        Outcome::Redirect {
            status,
            location,
            is_loop,
        } => match is_loop {
            true => format!("{status} to {location}: a redirect loop"),
            false => format!("{status} to {location}"),
        },
        Outcome::Closed(why) => format!("no answer: {why}"),
        Outcome::Unknown(why) => format!("unknown: {why}"),
    }
}

fn share(share: &Share) -> String {
    let port = share.port.map_or(String::new(), |port| format!(":{port}"));
    let name = format!("{} {}/{}{port}", share.kind, share.namespace, share.name);
    let part = match share.percent {
        100 => String::new(),
        percent => format!(" ({percent} of 100)"),
    };
    match share.is_refused {
        true => format!("500 in place of {name}{part}"),
        false => format!("{name}{part}"),
    }
}

/// The trace as JSON:
///
/// - `schema`: [`FORMAT`].
/// - `request`: `url`, `method`, `from` (or `null`), `headers` (a list of `name`, `value`).
/// - `notes`: texts.
/// - `ways`: each with `gateway` (`namespace`, `name`), `steps` and `outcome`.
/// - a step: `stage`, `mark` (`passes`, `minds`, `unknown`, `stops`), `text`, `details`, `at` (`kind`, `namespace`, `name`,
///   `pointer`, `file`, `line`; `origin`, `origin_line` where it was rendered; or `null`).
/// - an outcome: `kind` (`backends`, `response`, `redirect`, `closed`, `unknown`), `is_failure`, and by its kind `backends`
///   (`kind`, `namespace`, `name`, `port`, `percent`, `is_refused`), `status`, `location`, `is_loop`, `why`.
fn as_json(request: &Request, trace: &Trace<'_>, sources: &Sources) -> Json {
    let headers = request.headers.iter();
    let headers: Vec<Json> = headers
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let gateways: Vec<Json> = trace
        .gateways
        .iter()
        .map(|one| gateway_json(one, sources))
        .collect();
    json!({
        "schema": FORMAT,
        "request": {
            "url": request.to_string(),
            "method": request.method,
            "from": request.from,
            "headers": headers,
        },
        "notes": trace.notes,
        "ways": gateways,
    })
}

fn gateway_json(one: &GatewayTrace<'_>, sources: &Sources) -> Json {
    let steps = one.steps.iter().map(|step| {
        json!({
            "stage": step.stage.as_str(),
            "mark": step.mark.as_str(),
            "text": step.text,
            "details": step.details,
            "at": step.place.as_ref().map(|place| place_json(place, sources)),
        })
    });
    json!({
        "gateway": {"namespace": one.gateway.namespace(), "name": one.gateway.name()},
        "steps": steps.collect::<Vec<_>>(),
        "outcome": outcome_json(&one.outcome),
    })
}

fn place_json(place: &SettingPlace<'_>, sources: &Sources) -> Json {
    let object = place.object;
    let line = |span: Span| sources.locate(span).line;
    let origin = object.origin(&place.pointer);
    json!({
        "kind": object.kind(),
        "namespace": object.namespace(),
        "name": object.name(),
        "pointer": place.pointer.to_string(),
        "file": object.file,
        "line": object.span(&place.pointer).map(line),
        "origin": origin.map(|span| sources.get(span.source).name().to_owned()),
        "origin_line": origin.map(line),
    })
}

fn outcome_json(outcome: &Outcome) -> Json {
    let mut json = match outcome {
        Outcome::Backends(shares) => {
            let shares = shares.iter().map(|it| {
                json!({
                    "kind": it.kind, "namespace": it.namespace, "name": it.name, "port": it.port,
                    "percent": it.percent, "is_refused": it.is_refused,
                })
            });
            json!({"kind": "backends", "backends": shares.collect::<Vec<_>>()})
        }
        Outcome::Response { status, why } => {
            json!({"kind": "response", "status": status, "why": why})
        }
        Outcome::Redirect {
            status,
            location,
            is_loop,
        } => json!({
            "kind": "redirect", "status": status, "location": location, "is_loop": is_loop,
        }),
        Outcome::Closed(why) => json!({"kind": "closed", "why": why}),
        Outcome::Unknown(why) => json!({"kind": "unknown", "why": why}),
    };
    json["is_failure"] = json!(outcome.is_failure());
    json
}
