//! Listeners that can't share a port.

use envoy_gateway::Listener;
use envoy_gateway::condition::Condition;
use manifest::diagnostic::Diagnostic;
use manifest::finding;

manifest::code! {
    "attachment"/"listener-conflict", Error, "Listeners that can't share a port.",
    r#"
Listeners that share a port must use protocols that Envoy can tell apart (HTTPS and TLS can be combined, and
UDP with any other), and they must have different hostnames. At most one of them may be plain TCP or UDP.
Conflicting listeners are not sent to Envoy, so connections to them are refused.

## Wrong

```yaml
listeners:
  - {name: http, port: 8080, protocol: HTTP}
  - {name: ssh, port: 8080, protocol: TCP}
```

## Right

```yaml
listeners:
  - {name: http, port: 8080, protocol: HTTP}
  - {name: ssh, port: 22, protocol: TCP}
```
"#
}

/// Reports a listener that conflicts with another, by its condition.
pub(super) fn report(listener: &Listener<'_>, conflict: &Condition) -> Diagnostic {
    let message = format!(
        "listener `{}` conflicts with another: {}",
        listener.name, conflict.message
    );
    finding(CODE, listener.object, &listener.pointer, message)
        .why("the listener is not sent to Envoy, so its requests are not answered")
        .help("give it a port or a hostname of its own")
}

/// Whether the schema's own rule reports it: the same port, protocol and hostname within one object.
pub(super) fn is_found_by_schema(all: &[Listener<'_>], listener: &Listener<'_>) -> bool {
    all.iter().any(|other| {
        !std::ptr::eq(other, listener)
            && std::ptr::eq(other.object, listener.object)
            && (other.port, other.protocol, other.hostname)
                == (listener.port, listener.protocol, listener.hostname)
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::attachment::support::{GATEWAY, said};

    #[test]
    fn listeners_in_conflict_are_told() {
        let text = GATEWAY.replace("port: 80, protocol: HTTP}", "port: 443, protocol: HTTP}");
        let found = said(&text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
                found[0].starts_with("attachment/listener-conflict /spec/listeners/0: listener `http` conflicts with another: protocols that can't share a port: network/external/http, network/external/https"),
                "{found:?}"
            );
    }
}
