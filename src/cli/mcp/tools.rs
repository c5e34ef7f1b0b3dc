//! The tools: commands of this program that only read, with the arguments that an assistant may choose.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path};

use clap::Parser;
use serde_json::{Map, Value, json};

use super::super::output::Stream;
use super::super::{Cli, Global, run_command};

/// A command as a tool.
struct Tool {
    name: &'static str,
    about: &'static str,
    /// The arguments that it always gets.
    always: &'static [&'static str],
    arguments: &'static [Argument],
}

/// An argument that an assistant may choose.
struct Argument {
    name: &'static str,
    about: &'static str,
    is_required: bool,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A word of the command line.
    Word,
    /// A path in the repository.
    Path,
    /// The value of this option.
    Option(&'static str),
}

const JSON: &str = "--format=json";

const fn argument(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument {
        name,
        about,
        is_required: false,
        kind,
    }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Argument {
    Argument {
        is_required: true,
        ..argument(name, kind, about)
    }
}

const TOOLS: [Tool; 6] = [
    Tool {
        name: "validate",
        about: "Finds what the API server, Flux, Envoy Gateway or Envoy would refuse, and what would have no effect: in cluster.toml with everything that it renders, or in the whole repository. Answers with findings, each with its place, its code and what to do.",
        always: &[JSON],
        arguments: &[
            argument(
                "path",
                Kind::Path,
                "a file or folder of the repository, instead of all of it",
            ),
            argument(
                "against",
                Kind::Option("--against"),
                "only findings that are new since a revision: git:main",
            ),
        ],
    },
    Tool {
        name: "status",
        about: "The conditions that Envoy Gateway would write on gateways, routes and policies, computed from the files.",
        always: &[JSON],
        arguments: &[],
    },
    Tool {
        name: "exposure",
        about: "Who can reach what: each hostname with its gateway, DNS records, guards and routes; or what a change gives or takes.",
        always: &[JSON],
        arguments: &[argument(
            "against",
            Kind::Option("--against"),
            "only what has changed since a revision: git:main",
        )],
    },
    Tool {
        name: "trace",
        about: "Follows one request through gateway, listener, route and policies to its backend, or to the place where it ends.",
        always: &[JSON],
        arguments: &[
            required(
                "url",
                Kind::Word,
                "the URL of the request: https://app.example.com/path",
            ),
            argument(
                "from",
                Kind::Option("--from"),
                "the IP address that the connection comes from",
            ),
            argument("method", Kind::Option("--method"), "the HTTP method"),
            argument(
                "gateway",
                Kind::Option("--gateway"),
                "only this gateway: NAME or NAMESPACE/NAME",
            ),
        ],
    },
    Tool {
        name: "why",
        about: "Which line of cluster.toml a rendered value comes from.",
        always: &[],
        arguments: &[
            required(
                "file",
                Kind::Path,
                "a rendered file, with or without a line: FILE or FILE:LINE",
            ),
            argument(
                "pointer",
                Kind::Word,
                "a JSON pointer into its object: /spec/listeners/0/port",
            ),
        ],
    },
    Tool {
        name: "explain",
        about: "Explains the code of a finding (config/unknown-key), a key of cluster.toml (proxy.replicas), a field of a kind in the version in use (Gateway.spec.listeners), or finds a word.",
        always: &[],
        arguments: &[argument(
            "what",
            Kind::Word,
            "the code, key, field or word; without it, everything is listed",
        )],
    },
];

/// The most text that is answered, in bytes.
const LARGEST: usize = 1 << 20;

/// The tools with the schemas of their arguments.
pub(super) fn list() -> Vec<Value> {
    let tools = TOOLS.iter().map(|tool| {
        let properties = tool.arguments.iter().map(|argument| {
            let schema = json!({"type": "string", "description": argument.about});
            (argument.name.to_owned(), schema)
        });
        let required = tool
            .arguments
            .iter()
            .filter(|argument| argument.is_required);
        json!({
            "name": tool.name,
            "description": tool.about,
            "inputSchema": {
                "type": "object",
                "properties": properties.collect::<Map<String, Value>>(),
                "required": required.map(|argument| argument.name).collect::<Vec<_>>(),
                "additionalProperties": false,
            },
            "annotations": {"readOnlyHint": true, "openWorldHint": false},
        })
    });
    tools.collect()
}

/// Runs a tool. Its failures are results too, which the assistant reads.
///
/// # Errors
/// If there is no such tool, or its arguments are not those that it takes.
pub(super) fn call(params: &Value, global: &Global) -> Result<Value, String> {
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Some(tool) = TOOLS.iter().find(|tool| tool.name == name) else {
        return Err("there is no such tool".to_owned());
    };
    let words = words(tool, params.get("arguments"))?;
    let (text, is_error) = match printed(&words, global) {
        Ok(text) => (text, false),
        Err(why) => (why, true),
    };
    Ok(json!({"content": [{"type": "text", "text": text}], "isError": is_error}))
}

/// The command line of a call.
fn words(tool: &Tool, given: Option<&Value>) -> Result<Vec<String>, String> {
    let empty = Map::new();
    let given = match given {
        None | Some(Value::Null) => &empty,
        Some(Value::Object(given)) => given,
        Some(_) => return Err("the arguments are no object".to_owned()),
    };
    let known = |name: &String| tool.arguments.iter().any(|argument| argument.name == name);
    if let Some(other) = given.keys().find(|name| !known(name)) {
        return Err(format!("{} takes no argument `{other}`", tool.name));
    }
    let mut options: Vec<String> = tool.always.iter().map(|it| (*it).to_owned()).collect();
    let mut positional = Vec::new();
    for argument in tool.arguments {
        let value = match given.get(argument.name) {
            Some(Value::String(value)) if !value.is_empty() => value,
            None | Some(Value::Null) if !argument.is_required => continue,
            _ => return Err(format!("`{}` must be a text", argument.name)),
        };
        match argument.kind {
            Kind::Option("--against") if !value.starts_with("git:") => {
                return Err("`against` must be `git:` and a revision".to_owned());
            }
            Kind::Option(option) => options.push(format!("{option}={value}")),
            Kind::Path if !is_inside(value) => {
                return Err(format!("`{value}` is not a path in the repository"));
            }
            Kind::Path | Kind::Word => positional.push(value.clone()),
        }
    }
    let mut words = vec![tool.name.to_owned()];
    words.append(&mut options);
    // No value can be taken for an option.
    words.push("--".to_owned());
    words.append(&mut positional);
    Ok(words)
}

/// Whether a path is a relative one that doesn't lead out of the folder, and not standard input.
fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    path != "-" && parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// What a command prints.
///
/// # Errors
/// If it can't do its work.
fn printed(words: &[String], global: &Global) -> Result<String, String> {
    let program = std::iter::once("gatewayctl");
    let cli = Cli::try_parse_from(program.chain(words.iter().map(String::as_str)));
    let cli = Cli {
        global: Global {
            quiet: false,
            verbose: false,
            ..global.clone()
        },
        ..cli.map_err(|error| error.to_string())?
    };
    let (mut out, text) = Stream::text();
    // A bug in a command must not end the server.
    let ran = catch_unwind(AssertUnwindSafe(|| run_command(cli, &mut out)));
    let ran = ran.unwrap_or_else(|_| Err(anyhow::anyhow!("this is a bug in gatewayctl")));
    let mut text = String::from_utf8_lossy(&text.borrow()).into_owned();
    if text.len() > LARGEST {
        let end = (0..=LARGEST).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push_str("\n… the rest is left out: ask for less, for example for one path or against a revision");
    }
    match ran {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("{text}error: {error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, arguments: Value) -> Result<String, String> {
        let tool = TOOLS.iter().find(|tool| tool.name == name).expect("a tool");
        words(tool, Some(&arguments)).map(|words| words.join(" "))
    }

    #[test]
    fn arguments_become_a_command_line_in_which_none_is_taken_for_an_option() {
        assert_eq!(
            line("validate", json!({})).as_deref(),
            Ok("validate --format=json --")
        );
        let given = json!({"url": "--in=/etc", "from": "10.0.0.1"});
        assert_eq!(
            line("trace", given).as_deref(),
            Ok("trace --format=json --from=10.0.0.1 -- --in=/etc")
        );
        for (tool, given) in [
            ("validate", json!({"path": "/etc"})),
            ("validate", json!({"path": "../other"})),
            ("validate", json!({"path": "-"})),
            ("validate", json!({"against": "cluster"})),
            ("validate", json!({"format": "human"})),
            ("validate", json!([])),
            ("trace", json!({})),
            ("trace", json!({"url": 1})),
            ("why", json!({"file": "a/../../b"})),
        ] {
            assert!(line(tool, given.clone()).is_err(), "{tool} {given}");
        }
    }

    #[test]
    fn every_tool_is_a_command_that_takes_its_arguments() {
        for tool in &TOOLS {
            let value = |argument: &Argument| match argument.name {
                "against" => "git:main",
                "from" => "10.0.0.1",
                _ => "a",
            };
            let given = tool
                .arguments
                .iter()
                .map(|it| (it.name.to_owned(), value(it).into()));
            let given: Map<String, Value> = given.collect();
            let words = words(tool, Some(&given.into())).expect("known arguments");
            let all = std::iter::once("gatewayctl".to_owned()).chain(words);
            Cli::try_parse_from(all).unwrap_or_else(|error| panic!("{}: {error}", tool.name));
        }
    }
}
