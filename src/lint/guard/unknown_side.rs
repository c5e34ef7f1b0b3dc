//! Gateways of which it is not known whether they are external.

use manifest::diagnostic::{Diagnostic, Span};
use manifest::value::Pointer;
use manifest::{Object, finding};

manifest::code! {
    "guard"/"unknown-side", Note, "It is not known whether a gateway is external, so some rules are not checked for it.",
    r#"
Rules about external gateways need to know which gateways are external. That follows from a public address, or from a
word such as `external` or `lan` in the name of the gateway, of its class, or in the target of its DNS records. For
this gateway, nothing says it. If it is external, name it in `rules.external.gateways`. If it is internal, give it a
name that says so.

## Wrong

```toml
# the gateway is called `main` and has a private address
[rules.external]
requires = ["auth or allow list"]
```

## Right

```toml
[rules.external]
gateways = ["main"]
requires = ["auth or allow list"]
```
"#
}

/// Reports a gateway.
pub(crate) fn report(gateway: &Object, name: &str, rule: Option<Span>) -> Diagnostic {
    let pointer = Pointer::root().key("metadata").key("name");
    let message = format!("it is not known whether gateway {name} is external");
    finding(CODE, gateway, &pointer, message)
        .related(rule, "a rule about external gateways")
        .why("the rules about external gateways are not checked for its routes")
        .help("if it is external, name it in `rules.external.gateways`")
}
