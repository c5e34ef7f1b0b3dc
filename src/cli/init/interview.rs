//! The questions of `init`. Each answer is judged when it is given, so nobody answers all of them for nothing.

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use crd_validate::schema::{Catalogue, Selection};
use manifest::diagnostic::printable::printable;

use super::{Answers, Args, problem};
use crate::cli::output::Stream;
use crate::cli::{Global, import};

/// Asks for what the flags don't say, if there is a terminal.
pub(super) struct Interview<'a> {
    args: &'a Args,
    catalogue: &'a Catalogue,
    out: &'a mut Stream,
    has_terminal: bool,
}

/// One question.
struct Question<'a> {
    text: &'a str,
    /// The flag that answers it, too.
    flag: &'a str,
    given: Option<&'a str>,
    default: Option<&'a str>,
}

impl<'a> Interview<'a> {
    pub(super) fn new(args: &'a Args, catalogue: &'a Catalogue, out: &'a mut Stream) -> Self {
        let has_terminal = std::io::stdin().is_terminal() && out.is_terminal();
        Interview {
            args,
            catalogue,
            out,
            has_terminal,
        }
    }

    /// Says that the folder has gateways already, which `import` can read. False if the user wants nothing beside them.
    pub(super) fn goes_on_beside_gateways(
        &mut self,
        root: &Path,
        global: &Global,
    ) -> anyhow::Result<bool> {
        let folders = import::folders_with_gateways(root);
        let Some(first) = folders.first() else {
            return Ok(true);
        };
        let first = match first.as_str() {
            "" => "this folder".to_owned(),
            folder => format!("`{}`", printable(folder)),
        };
        let there = format!(
            "there are gateways in {first} already; `gatewayctl import` writes the cluster.toml of gateways that exist"
        );
        if !self.has_terminal {
            if !global.quiet {
                writeln!(global.stderr(), "note: {there}")?;
            }
            return Ok(true);
        }
        let question = format!("{there}.\nBegin other ones beside them? (yes or no) [no]: ");
        loop {
            match self.read_line(&question)?.as_deref() {
                Some("y" | "yes") => return Ok(true),
                None | Some("" | "n" | "no") => return Ok(false),
                Some(_) => writeln!(self.out, "  write yes or no")?,
            }
        }
    }

    /// All answers, which together make a `cluster.toml` without errors.
    pub(super) fn answers(&mut self) -> anyhow::Result<Answers> {
        let newest = newest_chart(self.catalogue);
        // Until a question is answered, there is an answer that is right.
        let mut answers = Answers {
            domain: "example.com".to_owned(),
            certificate: "example-com-tls".to_owned(),
            gateways: Vec::new(),
            chart: newest.clone(),
        };
        let args = self.args;
        answers.domain = self.ask(
            Question {
                text: "The domain that the gateways serve",
                flag: "--domain",
                given: args.domain.as_deref(),
                default: None,
            },
            |domain| {
                let domain = domain.to_owned();
                Answers {
                    domain,
                    ..answers.clone()
                }
            },
        )?;
        let secret = format!("{}-tls", answers.domain.replace('.', "-"));
        answers.certificate = self.ask(
            Question {
                text: "The Secret with its TLS certificate",
                flag: "--certificate",
                given: args.certificate.as_deref(),
                default: Some(&secret),
            },
            |certificate| {
                let certificate = certificate.to_owned();
                Answers {
                    certificate,
                    ..answers.clone()
                }
            },
        )?;
        answers.chart = self.ask(
            Question {
                text: "The Envoy Gateway chart's version",
                flag: "--chart",
                given: args.chart.as_deref(),
                default: Some(&newest),
            },
            |chart| {
                let chart = chart.to_owned();
                Answers {
                    chart,
                    ..answers.clone()
                }
            },
        )?;
        for (name, address) in self.gateways()? {
            let flag = match &address {
                Some(_) => format!("--gateway {name}"),
                None => "--gateway NAME=ADDRESS".to_owned(),
            };
            let with = |address: &str| {
                let mut answers = answers.clone();
                answers.gateways.push((name.clone(), address.to_owned()));
                answers
            };
            let question = Question {
                text: &format!("The address of {name}"),
                flag: &flag,
                given: address.as_deref(),
                default: None,
            };
            let address = self.ask(question, with)?;
            answers.gateways.push((name, address));
        }
        Ok(answers)
    }

    /// The names of the gateways, with the addresses that flags give.
    fn gateways(&self) -> anyhow::Result<Vec<(String, Option<String>)>> {
        if self.args.gateways.is_empty() {
            return Ok(["envoy-external", "envoy-internal"]
                .map(|name| (name.to_owned(), None))
                .into());
        }
        let given = self.args.gateways.iter().map(|text| {
            let (name, address) = text.split_once('=').with_context(|| {
                format!("--gateway {text}: write NAME=ADDRESS, such as envoy-internal=10.10.30.25")
            })?;
            Ok((name.to_owned(), Some(address.to_owned())))
        });
        given.collect()
    }

    /// The answer to a question. `with` makes all answers of one, so that it can be judged.
    fn ask(
        &mut self,
        question: Question<'_>,
        with: impl Fn(&str) -> Answers,
    ) -> anyhow::Result<String> {
        let Question {
            text,
            flag,
            given,
            default,
        } = question;
        let wrong = |answer: &str| problem(&with(answer), self.catalogue);
        if let Some(given) = given {
            return match wrong(given) {
                Some(problem) => bail!("{flag} {given}: {problem}\n  nothing was written"),
                None => Ok(given.to_owned()),
            };
        }
        if !self.has_terminal {
            let default = default.with_context(|| {
                format!("{flag} is needed, because there is no terminal to ask on")
            })?;
            return match wrong(default) {
                Some(problem) => bail!("{problem}\n  help: give {flag}; nothing was written"),
                None => Ok(default.to_owned()),
            };
        }
        let shown = default.map_or_else(String::new, |default| format!(" [{default}]"));
        let prompt = format!("{text}{shown}: ");
        loop {
            let Some(line) = self.read_line(&prompt)? else {
                bail!("an answer is needed; you can also give it with {flag}");
            };
            let answer = match (line.as_str(), default) {
                ("", Some(default)) => default.to_owned(),
                ("", None) => {
                    writeln!(self.out, "  an answer is needed")?;
                    continue;
                }
                _ => line,
            };
            match problem(&with(&answer), self.catalogue) {
                Some(problem) => writeln!(self.out, "  {}", printable_lines(&problem))?,
                None => return Ok(answer),
            }
        }
    }

    /// A line from the terminal, without the blanks around it. None at its end.
    fn read_line(&mut self, prompt: &str) -> anyhow::Result<Option<String>> {
        write!(self.out, "{prompt}")?;
        self.out.flush()?;
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim().to_owned()))
    }
}

fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable).collect();
    lines.join("\n")
}

/// The newest chart in the catalogue.
fn newest_chart(catalogue: &Catalogue) -> String {
    let newest = Selection::newest(catalogue);
    let newest = newest.of("envoy-gateway");
    newest.map_or_else(String::new, |chosen| {
        let version = chosen.set.version.as_str();
        version.trim_start_matches('v').to_owned()
    })
}
