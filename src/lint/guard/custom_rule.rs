//! Hostnames that a rule of the project's own refuses.

use super::exposed::Violation;
use crate::model::rules::Check;
use manifest::diagnostic::Diagnostic;

manifest::code! {
    "guard"/"custom-rule", Error, "A rule of the project's own, in `rules.check`, is false for a hostname.",
    r#"
An expression in `rules.check` must be true for each hostname at each gateway, and it is false for this one. The
message is the one that the rule gives. If the expression depends on something that is not known, for example who
publishes a DNS record, that is only a note. `gatewayctl explain rules.check.expression` lists what an expression
knows.

## Wrong

```toml
# HTTPRoute tools/admin has the hostname admin.example.com at envoy-external
[[rules.check]]
name = "administration is internal"
expression = "!(public && host.startsWith('admin.'))"
message = "administration must not be public"
```

## Right

```toml
# HTTPRoute tools/admin is attached to envoy-internal only
[[rules.check]]
name = "administration is internal"
expression = "!(public && host.startsWith('admin.'))"
message = "administration must not be public"
```
"#
}

/// Reports hostnames for which the expression is false, or not known.
pub(crate) fn report(violation: &Violation<'_, '_>, check: &Check) -> Diagnostic {
    let rule = check.message.as_ref().unwrap_or(&check.name);
    let message = format!("{rule}: {} at {}", violation.hosts(), violation.gateway);
    let why = match violation.is_certain {
        true => format!("the rule `{}` is false for it", check.name),
        false => format!(
            "whether the rule `{}` holds depends on something that is not known",
            check.name
        ),
    };
    violation
        .finding(CODE, message)
        .related(check.span, "the rule")
        .why(why)
        .help(
            "change the route, or add an exception with a reason and an end to `rules.exceptions`",
        )
}
