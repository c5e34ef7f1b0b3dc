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
            });
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
