//! Faults in an EnvoyProxy that its schema allows, and the backends of its telemetry.

use super::Resolver;
use super::backend_ref::{BackendUse, Protocol};
use super::fault::Fault;
use super::read::{flag, has, list, text};
use super::view::{GatewayId, Reference};
use super::{
    condition::{Status, kind},
    index::ENVOY_GATEWAY,
};
use manifest::Object;
use manifest::value::Node;

/// Checks whether the controller can use an EnvoyProxy.
///
/// # Errors
/// Why it can't.
pub fn check_proxy(proxy: &Object) -> Result<(), Fault> {
    let mut wrong = Vec::new();
    let log = ["spec", "telemetry", "accessLog"];
    let log = proxy.node.path(&log);
    let is_off = log.is_some_and(|log| flag(log, &["disable"]) == Some(true));
    let settings = log.filter(|_| !is_off);
    for setting in settings.map_or(&[][..], |log| list(log, &["settings"])) {
        if text(setting, &["format", "type"]) == Some("Text") && !has(setting, &["format", "text"])
        {
            wrong.push("an access log of format Text has no `text`".to_owned());
        }
        for sink in list(setting, &["sinks"]) {
            for (sink_type, key) in [("File", "file"), ("OpenTelemetry", "openTelemetry")] {
                if text(sink, &["type"]) == Some(sink_type) && !has(sink, &[key]) {
                    wrong.push(format!(
                        "an access log's sink of type {sink_type} has no `{key}`"
                    ));
                }
            }
        }
    }
    for sink in list(&proxy.node, &["spec", "telemetry", "metrics", "sinks"]) {
        if text(sink, &["type"]) == Some("OpenTelemetry") && !has(sink, &["openTelemetry"]) {
            wrong.push("a metrics sink of type OpenTelemetry has no `openTelemetry`".to_owned());
        }
    }
    let path = ["spec", "telemetry", "metrics", "clusterStatName"];
    if let Some(name) = text(&proxy.node, &path)
        && let Err(fault) = check_stat_name(name, CLUSTER_STATS)
    {
        wrong.push(fault.message);
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Fault::new(
            "InvalidParameters",
            format!(
                "EnvoyProxy {}: {}",
                super::index::Key::of(proxy),
                wrong.join("; ")
            ),
        )),
    }
}

/// The operators in the names of a route's statistics.
pub(super) const ROUTE_STATS: &[&str] = &[
    "%ROUTE_NAME%",
    "%ROUTE_NAMESPACE%",
    "%ROUTE_KIND%",
    "%ROUTE_RULE_NAME%",
];

/// The operators in the names of a cluster's statistics.
const CLUSTER_STATS: &[&str] = &[
    "%ROUTE_NAME%",
    "%ROUTE_NAMESPACE%",
    "%ROUTE_KIND%",
    "%ROUTE_RULE_NAME%",
    "%ROUTE_RULE_NUMBER%",
    "%BACKEND_REFS%",
];

/// Checks the operators in the name of statistics.
///
/// # Errors
/// If one is not known.
pub(super) fn check_stat_name(name: &str, known: &[&str]) -> Result<(), Fault> {
    let mut parts = name.split('%');
    parts.next();
    let mut is_any = false;
    while let (Some(operator), Some(_)) = (parts.next(), parts.next()) {
        is_any = true;
        let operator = format!("%{operator}%");
        if !known.contains(&operator.as_str()) {
            return Err(Fault::invalid(format!(
                "the name of statistics `{name}` has the unknown operator `{operator}`"
            )));
        }
    }
    match is_any || !name.contains('%') {
        true => Ok(()),
        false => Err(Fault::invalid(format!(
            "the name of statistics `{name}` has a single `%`"
        ))),
    }
}

/// Whether a text is CEL. Flux variables may stand for anything.
pub(super) fn is_cel(text: &str) -> bool {
    manifest::value::variable::in_text(text) || cel_k8s::parse(text).is_ok()
}

impl<'a> Resolver<'a, '_> {
    /// Checks that the backends of a gateway's telemetry exist.
    pub(super) fn check_telemetry(&mut self, id: GatewayId) {
        let Some(gateway) = self.view.gateway(id) else {
            return;
        };
        let class = gateway.class.and_then(|class| self.view.class(class));
        // The namespace of the EnvoyProxy decides where its references lead. If proxies are merged, that of the
        // gateway's own counts.
        let Some(proxy) = gateway.proxy.or(class.and_then(|class| class.proxy)) else {
            return;
        };
        let Some(settings) = gateway.infra.settings.clone() else {
            return;
        };
        let fault = backends(&settings)
            .into_iter()
            .find_map(|(what, reference)| {
                let found = self.check_sink(id, proxy, &reference);
                found.err().map(|fault| fault.at(what))
            })
            .or_else(|| unreadable_match(&settings));
        let Some(fault) = fault.filter(|fault| !fault.is_unknown) else {
            return;
        };
        if let Some(gateway) = self.view.lists.gateway.get_mut(id.0) {
            let conditions = &mut gateway.conditions;
            conditions.set(
                kind::ACCEPTED,
                Status::False,
                "InvalidParameters",
                fault.message,
            );
        }
    }

    fn check_sink(
        &mut self,
        id: GatewayId,
        proxy: &'a Object,
        reference: &Node,
    ) -> Result<(), Fault> {
        let want = BackendUse {
            node: reference,
            namespace: proxy.namespace(),
            protocol: Protocol::Tcp,
            allows_sockets: true,
        };
        let kind = text(reference, &["kind"]).unwrap_or("Service");
        match kind {
            "Service" | "Backend" => self.check_object(&want)?,
            other => {
                return Err(Fault::invalid(format!("a {other} can't be a backend here")));
            }
        };
        let under = Reference {
            group: Some(ENVOY_GATEWAY),
            kind: Some("EnvoyProxy"),
            namespace: Some(proxy.namespace()),
            name: proxy.name(),
            section: None,
            port: None,
        };
        self.endpoints(&want, Some(id))?;
        self.apply_backend_tls(&want, &under, Some(id))
    }
}

/// The first condition of an access log that is not CEL.
fn unreadable_match(settings: &Node) -> Option<Fault> {
    let log = settings.path(&["telemetry", "accessLog"])?;
    if flag(log, &["disable"]) == Some(true) {
        return None;
    }
    let all = list(log, &["settings"]).iter();
    let mut matches = all.flat_map(|it| list(it, &["matches"]).iter().filter_map(Node::as_str));
    let wrong = matches.find(|text| !is_cel(text))?;
    Some(Fault::invalid(format!(
        "access log: `{wrong}` is not a CEL expression"
    )))
}

/// The `backendRefs` of telemetry settings, in the order in which they are checked.
fn backends(settings: &Node) -> Vec<(&'static str, Node)> {
    let mut all = Vec::new();
    let mut add = |what, holder: Option<&Node>| {
        let refs = holder.map_or(&[][..], |holder| list(holder, &["backendRefs"]));
        all.extend(refs.iter().map(|one| (what, one.clone())));
    };
    let log = settings.path(&["telemetry", "accessLog"]);
    let is_off = log.is_some_and(|log| flag(log, &["disable"]) == Some(true));
    for setting in log
        .filter(|_| !is_off)
        .map_or(&[][..], |log| list(log, &["settings"]))
    {
        for sink in list(setting, &["sinks"]) {
            let key = match text(sink, &["type"]) {
                Some("ALS") => "als",
                Some("OpenTelemetry") => "openTelemetry",
                _ => continue,
            };
            add("access log", sink.get(key));
        }
    }
    add(
        "tracing",
        settings.path(&["telemetry", "tracing", "provider"]),
    );
    for sink in list(settings, &["telemetry", "metrics", "sinks"]) {
        add("metrics", sink.get("openTelemetry"));
    }
    all
}
