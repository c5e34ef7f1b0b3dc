//! Kubernetes' format library: named string formats.

use super::{Function, global, member, no_overload, url};
use crate::eval::{Answer, Run};
use crate::value::Value;
use k8s_syntax::format::violated;
use k8s_syntax::names;

/// A named format.
pub struct Format {
    /// Its name in rules.
    pub name: &'static str,
    holds: fn(&str) -> bool,
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Formats for prefixes of names, which may end in `-`.
fn prefix(text: &str, holds: fn(&str) -> bool) -> bool {
    match text.strip_suffix('-') {
        Some(text) if !text.is_empty() => holds(&format!("{text}a")),
        _ => holds(text),
    }
}

static FORMATS: &[Format] = &[
    Format {
        name: "dns1123Label",
        holds: names::is_dns_label,
    },
    Format {
        name: "dns1123Subdomain",
        holds: names::is_dns_subdomain,
    },
    Format {
        name: "dns1035Label",
        holds: names::is_dns_1035_label,
    },
    Format {
        name: "qualifiedName",
        holds: names::is_qualified_name,
    },
    Format {
        name: "dns1123LabelPrefix",
        holds: |text| prefix(text, names::is_dns_label),
    },
    Format {
        name: "dns1123SubdomainPrefix",
        holds: |text| prefix(text, names::is_dns_subdomain),
    },
    Format {
        name: "dns1035LabelPrefix",
        holds: |text| prefix(text, names::is_dns_1035_label),
    },
    Format {
        name: "labelValue",
        holds: names::is_label_value,
    },
    Format {
        name: "uri",
        holds: |text| url::Url::parse(text).is_some(),
    },
    Format {
        name: "uuid",
        holds: |text| violated("uuid", text).is_none(),
    },
    Format {
        name: "byte",
        holds: |text| violated("byte", text).is_none(),
    },
    Format {
        name: "date",
        holds: |text| violated("date", text).is_none(),
    },
    Format {
        name: "datetime",
        holds: |text| violated("datetime", text).is_none(),
    },
];

fn named(name: &str) -> Value {
    let format = FORMATS.iter().find(|format| format.name == name);
    format.map_or(Value::Optional(None), |format| {
        Value::some(Value::Format(format))
    })
}

macro_rules! formats {
    ($($name:literal),*) => {
        &[
            $(global(concat!("format.", $name), 0, 0, |_, _| match named($name) {
                Value::Optional(Some(format)) => Ok((*format).clone()),
                other => Ok(other),
            }),)*
            global("format.named", 1, 1, |_, it| match it {
                [Value::String(name)] => Ok(named(name)),
                _ => Err(no_overload("format.named", it)),
            }),
            member("validate", 1, 1, validate),
        ]
    };
}

pub(super) const FUNCTIONS: &[Function] = formats!(
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime"
);

/// The problems of a string; an absent optional if there are none.
fn validate(run: &mut Run<'_>, it: &[Value]) -> Answer {
    let [Value::Format(format), Value::String(text)] = it else {
        return Err(no_overload("validate", it));
    };
    run.spend_text(text.len())?;
    if (format.holds)(text) {
        return Ok(Value::Optional(None));
    }
    let problem = Value::string(format!("{text:?} is not of the format {}", format.name));
    Ok(Value::some(Value::list(vec![problem])))
}
