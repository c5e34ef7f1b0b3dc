//! Listeners that accept older versions of TLS than `rules.tls_floor`.

use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "guard"/"tls-floor", Error, "A listener accepts a lower TLS version than `[rules]` allows.",
    r#"
`rules.tls_floor` is the lowest version of TLS that a listener may accept. A listener accepts a lower one: the
ClientTrafficPolicy that applies to it says so, or no policy says anything, and then Envoy accepts TLS 1.2. Listeners
that pass TLS through are not looked at, because the backend decides there.

## Wrong

```toml
[rules]
tls_floor = "1.3"

[client_traffic]
tls = { min_version = "1.2" }
```

## Right

```toml
[rules]
tls_floor = "1.3"

[client_traffic]
tls = { min_version = "1.3" }
```
"#
}

/// Reports a listener that accepts `version`. `place` is the object and the field that decides it.
pub(crate) fn report(
    listener: &str,
    version: &str,
    floor: &str,
    place: (&Object, &Pointer),
    rule: Option<Span>,
) -> Diagnostic {
    let (object, pointer) = place;
    let message =
        format!("{listener} accepts TLS {version}, and the lowest version allowed is {floor}");
    finding(CODE, object, pointer, message)
        .related(rule, "the lowest version allowed")
        .why(format!("clients may connect with TLS {version}"))
        .help(format!("set `tls.minVersion: \"{floor}\"` in a ClientTrafficPolicy for it; in cluster.toml, that is `client_traffic.tls.min_version`"))
}
