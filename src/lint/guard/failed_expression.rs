//! Expressions that fail.

use crate::model::rules::Check;
use manifest::diagnostic::Diagnostic;

manifest::code! {
    "guard"/"failed-expression", Error, "An expression in `rules.check` fails, so the rule is not checked.",
    r#"
The expression of a rule could not be evaluated for a hostname: it asks for an item of a list that is shorter, divides
by zero, or takes too many steps. So it is not known whether the rule holds there. Write the expression so that it has
a result for every hostname; `size(routes) > 1 && …` and `routes.exists(…)` are the usual ways.

## Wrong

```toml
[[rules.check]]
expression = "routes[1].namespace == 'apps'"
```

## Right

```toml
[[rules.check]]
expression = "routes.all(route, route.namespace == 'apps')"
```
"#
}

/// Reports an expression that fails for a hostname.
pub(crate) fn report(check: &Check, why: &str, host: &str, gateway: &str) -> Diagnostic {
    let message = format!("the rule `{}` can't be checked: {why}", check.name);
    Diagnostic::new(CODE, message)
        .at(check.span)
        .why(format!(
            "it is not known whether the rule holds for {host} at {gateway}"
        ))
        .help("write the expression so that it has a result for every hostname")
}
