//! Interprets the table `[rules]`.

use super::{Allow, Check, Exception, Need, Pattern, Requirement, Rules, TLS_VERSIONS};
use crate::config::rules::{Allow as AllowTable, Exception as ExceptionTable, Rules as Table};
use crate::config::{Text, Texts, codes};
use crate::model::expression::Expression;
use envoy_gateway::exposure::table::GuardKind;
use k8s_syntax::time::date;
use manifest::diagnostic::suggest::{listed, nearest};
use manifest::diagnostic::{Diagnostic, Spanned};

/// Interprets the rules. Adds what is wrong with them to `problems`.
pub fn build(table: &Table, problems: &mut Vec<Diagnostic>) -> Rules {
    let requires = table.external.requires.iter();
    let requires = requires
        .filter_map(|text| requirement(text, problems))
        .collect();
    let checks = checks(table, problems);
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    let of_external = table
        .external
        .exceptions
        .iter()
        .map(|it| (it, Some("guard/missing-guard")));
    let exceptions = of_external.chain(table.exceptions.iter().map(|it| (it, None)));
    let exceptions = exceptions
        .filter_map(|(it, rule)| exception(it, rule, &names, problems))
        .collect();
    let on = |flag: &Option<Spanned<bool>>| flag.as_ref().filter(|it| it.value).map(|it| it.span);
    let never = table.namespaces.never_external.iter();
    Rules {
        requires,
        external_gateways: texts(&table.external.gateways).map(str::to_owned).collect(),
        never_external: never.map(|it| it.with(Pattern(it.value.clone()))).collect(),
        allow: table
            .allow
            .iter()
            .filter_map(|it| allow(it, problems))
            .collect(),
        tls_floor: tls_floor(table, problems),
        wildcards: on(&table.forbid_wildcards),
        backend_policy: on(&table.require_backend_policy),
        exceptions,
        checks,
        today: None,
    }
}

fn texts(all: &Texts) -> impl Iterator<Item = &str> {
    all.iter().map(|it| it.value.as_str())
}

fn patterns(all: &Texts) -> Vec<Pattern> {
    texts(all).map(|it| Pattern(it.to_owned())).collect()
}

fn requirement(text: &Text, problems: &mut Vec<Diagnostic>) -> Option<Requirement> {
    let mut any = Vec::new();
    for word in text.split(" or ").map(str::trim) {
        let need = match word {
            "auth" => Need::Auth,
            "allow list" => Need::AllowList,
            other => match GuardKind::parse(other) {
                Some(kind) => Need::Kind(kind),
                None => {
                    let kinds = GuardKind::ALL.iter().map(|kind| kind.as_str());
                    let known: Vec<&str> =
                        ["auth", "allow list"].into_iter().chain(kinds).collect();
                    let help = match nearest(other, known.iter().copied()) {
                        Some(near) => format!("write `{near}`"),
                        None => format!(
                            "write {}, or several with `or` between them",
                            listed(known.iter())
                        ),
                    };
                    problems.push(
                        Diagnostic::new(
                            codes::CONFIG_INVALID_VALUE,
                            format!("`{other}` is not a guard"),
                        )
                        .at(text.span)
                        .why("nothing could meet this requirement")
                        .help(help),
                    );
                    return None;
                }
            },
        };
        any.push(need);
    }
    Some(Requirement {
        text: text.clone(),
        any,
    })
}

fn tls_floor(table: &Table, problems: &mut Vec<Diagnostic>) -> Option<Text> {
    let floor = table.tls_floor.as_ref()?;
    if TLS_VERSIONS.contains(&floor.value.as_str()) {
        return Some(floor.clone());
    }
    problems.push(
        Diagnostic::new(
            codes::CONFIG_INVALID_VALUE,
            format!("`{}` is not a version of TLS", floor.value),
        )
        .at(floor.span)
        .why("the rule is not checked")
        .help("write \"1.0\", \"1.1\", \"1.2\" or \"1.3\""),
    );
    None
}

fn allow(table: &AllowTable, problems: &mut Vec<Diagnostic>) -> Option<Allow> {
    let first = [&table.gateways, &table.listeners, &table.hostnames];
    let span = table
        .namespaces
        .span
        .or_else(|| first.iter().find_map(|it| it.span));
    if table.namespaces.is_empty() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                "an entry of `rules.allow` has no `namespaces`",
            )
            .at(span)
            .why("it is not known whom it is for, so it is not checked")
            .help("add `namespaces = [\"*\"]`, or the names of the namespaces"),
        );
        return None;
    }
    Some(Allow {
        span,
        namespaces: patterns(&table.namespaces),
        gateways: patterns(&table.gateways),
        listeners: patterns(&table.listeners),
        ports: table.ports.iter().map(|it| it.value).collect(),
        hostnames: patterns(&table.hostnames),
    })
}

fn checks(table: &Table, problems: &mut Vec<Diagnostic>) -> Vec<Check> {
    let mut all = Vec::new();
    for check in &table.check {
        let name = check.name.as_ref();
        let at = name.or(check.message.as_ref()).and_then(|it| it.span);
        let Some(text) = &check.expression else {
            problems.push(
                Diagnostic::new(
                    codes::CONFIG_MISSING_KEY,
                    "a rule of `rules.check` has no `expression`",
                )
                .at(at)
                .why("there is nothing to check")
                .help("add `expression = \"…\"`, such as `!public || 'oidc' in guards`"),
            );
            continue;
        };
        match Expression::parse(text) {
            Ok(expression) => all.push(Check {
                name: name.map_or_else(|| text.value.clone(), |it| it.value.clone()),
                message: check.message.as_ref().map(|it| it.value.clone()),
                expression,
                span: text.span,
            }),
            Err(wrong) => problems.push(
                Diagnostic::new(
                    codes::CONFIG_INVALID_VALUE,
                    format!("the expression is wrong: {}", wrong.message),
                )
                .at(text.span)
                .why("the rule is not checked")
                .help(wrong.help),
            ),
        }
    }
    all
}

fn exception(
    table: &ExceptionTable,
    rule: Option<&str>,
    names: &[&str],
    problems: &mut Vec<Diagnostic>,
) -> Option<Exception> {
    let keys = [
        &table.rule,
        &table.host,
        &table.namespace,
        &table.route,
        &table.gateway,
    ];
    let given = keys.into_iter().flatten().next();
    let at = given.or(table.reason.as_ref()).or(table.until.as_ref());
    let at = at.and_then(|it| it.span);
    let missing = [
        (
            given.is_none(),
            "doesn't say what it is for",
            "add `host`, `namespace`, `route`, `gateway` or `rule`",
        ),
        (
            table.reason.is_none(),
            "has no `reason`",
            "add `reason = \"…\"`, so that others know when it can be removed",
        ),
        (
            table.until.is_none(),
            "has no end",
            "add `until = \"2027-01-31\"`, the last day on which it holds",
        ),
    ];
    if let Some((_, what, help)) = missing.into_iter().find(|(is_missing, ..)| *is_missing) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_MISSING_KEY,
                format!("an exception from the rules {what}"),
            )
            .at(at)
            .why("the exception doesn't hold")
            .help(help),
        );
        return None;
    }
    let until = table.until.as_ref()?;
    if date(until).is_none() {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_INVALID_VALUE,
                format!("`{}` is not a date", until.value),
            )
            .at(until.span)
            .why("it is not known when the exception ends, so it doesn't hold")
            .help("write the last day on which it holds as \"2027-01-31\""),
        );
        return None;
    }
    if let Some(named) = &table.rule
        && !named.starts_with("guard/")
        && !names.contains(&named.value.as_str())
    {
        let help = match nearest(named, names.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None => "write the code of a rule, such as `guard/wildcard`, or the name of one in `rules.check`".to_owned(),
        };
        problems.push(
            Diagnostic::new(
                codes::CONFIG_UNKNOWN_REFERENCE,
                format!("there is no rule `{}`", named.value),
            )
            .at(named.span)
            .why("the exception has no effect")
            .help(help),
        );
        return None;
    }
    let pattern = |text: &Option<Text>| text.as_ref().map(|it| Pattern(it.value.clone()));
    Some(Exception {
        span: until.span,
        reason: table
            .reason
            .as_ref()
            .map(|it| it.value.clone())
            .unwrap_or_default(),
        until: until.value.clone(),
        rule: table
            .rule
            .as_ref()
            .map(|it| it.value.clone())
            .or(rule.map(str::to_owned)),
        host: pattern(&table.host),
        namespace: pattern(&table.namespace),
        route: pattern(&table.route),
        gateway: pattern(&table.gateway),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_do_not_exist_are_no_dates() {
        for (text, holds) in [
            ("2027-01-31", true),
            ("2028-02-29", true),
            ("2027-02-29", false),
            ("2027-13-01", false),
            ("2027-1-1", false),
            ("soon", false),
            ("2027-01-31-", false),
        ] {
            assert_eq!(date(text).is_some(), holds, "{text}");
        }
    }
}
