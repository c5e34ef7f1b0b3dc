//! Scripts and other extensions in EnvoyExtensionPolicies.
//!
//! A script is run for the traced request, as Envoy's Lua filter would run `envoy_on_request`, in a [`sandbox`] that
//! can't reach anything outside and stops scripts that use too much. If a script asks for something that only a
//! running cluster knows, its result is unknown. The caller of a trace provides the [`runner`].

mod bit;
mod check;
mod furnish;
mod handle;
mod pattern;
pub mod runner;
pub mod sandbox;
mod state;
mod strings;
#[cfg(test)]
mod tests;

use super::policies::InForce;
use super::route::ChosenRule;
use super::{Mark, Outcome, RequestState, SettingPlace, Stage, StageResult, Step, stop};
pub use check::refused_scripts;
use envoy_gateway::index::Key;
use envoy_gateway::policy::PolicyKind;
use envoy_gateway::read::{has, list, text};
use manifest::Object;
use manifest::value::path::nearest;
use manifest::value::{Map, Node, Pointer, variable};
pub use runner::{InProcess, Job, NotRun, Runner};
pub use sandbox::{Facts, Run, Verdict};

/// The key of a ConfigMap that Envoy Gateway prefers.
const KEY: &str = "lua";

/// Extensions other than scripts. Their effect can't be known here.
const OTHERS: [(&str, &str); 3] = [
    (
        "extProc",
        "an external processor may change or answer the request",
    ),
    ("wasm", "a Wasm module may change or answer the request"),
    (
        "dynamicModule",
        "a module of the proxy may change or answer the request",
    ),
];

/// A script, and where it is defined.
struct Script<'a> {
    text: String,
    place: SettingPlace<'a>,
    /// Its name in steps.
    name: String,
}

impl<'a> RequestState<'a, '_> {
    /// Runs the scripts that apply to the request.
    pub(super) fn extensions(&mut self, chosen: &ChosenRule<'a>) -> StageResult<()> {
        let policy = self.in_force(PolicyKind::Extension, chosen.listener, Some(chosen));
        let Some(policy) = policy else {
            return Ok(());
        };
        if let Some(why) = policy.refused.clone() {
            let step = Step::new(Stage::Extension, format!("{} is refused", policy.named()))
                .mark(Mark::Stops)
                .detail(why);
            self.add_for(step, &policy, &[]);
            return stop(
                500,
                "a refused EnvoyExtensionPolicy makes its routes answer 500",
            );
        }
        for (at, script) in list(&policy.spec, &["lua"]).iter().enumerate() {
            match self.script(&policy, at, script) {
                Ok(script) => self.run_script(&policy, script)?,
                Err(step) => self.add(*step),
            }
        }
        for (key, what) in OTHERS {
            if has(&policy.spec, &[key]) {
                let step = Step::new(Stage::Extension, what).mark(Mark::Unknown);
                let step = step.detail(format!("`{key}` of {}", policy.named()));
                self.add_for(step, &policy, &[key]);
            }
        }
        Ok(())
    }

    /// A script of a policy.
    ///
    /// # Errors
    /// If the script is not given; the error is a step that says so.
    fn script(
        &self,
        policy: &InForce<'a>,
        at: usize,
        node: &Node,
    ) -> Result<Script<'a>, Box<Step<'a>>> {
        let missing = |what: String| {
            let mut step = Step::new(Stage::Extension, what).mark(Mark::Unknown);
            step.place = policy.place(&["lua"]);
            Box::new(step.detail("so it is not known what the script does with the request"))
        };
        let Some(mut place) = policy.place(&["lua"]) else {
            return Err(missing("a script without a policy".to_owned()));
        };
        place.pointer = place.pointer.index(at);
        let owner = place.object;
        if let Some(inline) = text(node, &["inline"]) {
            return Ok(Script {
                text: inline.to_owned(),
                place,
                name: "the script".to_owned(),
            });
        }
        let key = Key {
            namespace: owner.namespace(),
            name: text(node, &["valueRef", "name"]).unwrap_or_default(),
        };
        if let Some(object) = self.inputs.find("ConfigMap", key) {
            let data = object.node.get("data").and_then(Node::as_map);
            let found = data.and_then(chosen_key);
            return match found {
                Some((name, text)) => Ok(Script {
                    text: text.to_owned(),
                    place: SettingPlace {
                        object,
                        pointer: Pointer::root().key("data").key(name),
                    },
                    name: format!("`{name}` of ConfigMap {key}"),
                }),
                None => Err(missing(format!("ConfigMap {key} contains no script"))),
            };
        }
        self.generated(owner, key, place).ok_or_else(|| {
            missing(format!(
                "ConfigMap {key}, which should contain a script, is not in the given files"
            ))
        })
    }

    /// The script in a ConfigMap that a kustomization generates. If several have the name, the nearest one to the
    /// policy counts.
    fn generated(
        &self,
        owner: &Object,
        key: Key<'_>,
        place: SettingPlace<'a>,
    ) -> Option<Script<'a>> {
        let of_name = self
            .inputs
            .generated
            .iter()
            .filter(|it| it.name == key.name);
        let nearest = nearest(&owner.file, of_name, |it| &it.by);
        let mut keys = nearest.first()?.keys.iter();
        let chosen = keys
            .clone()
            .find(|(name, ..)| name == KEY)
            .or_else(|| keys.next())?;
        let (_, file, text) = chosen;
        Some(Script {
            text: text.clone()?,
            place,
            name: file.clone(),
        })
    }

    fn run_script(&mut self, policy: &InForce<'a>, script: Script<'a>) -> StageResult<()> {
        let agent = self.request.header("user-agent");
        let agent = match &agent {
            Some(agent) => format!("for user agent `{agent}`"),
            None => "for a request without a user agent".to_owned(),
        };
        let name = &script.name;
        let job = Job {
            name: format!("{name}, `lua` of {},", policy.named()),
            script: script.text.clone(),
            facts: self.facts(),
            is_check: false,
        };
        let run = match self.inputs.runner.run(&job) {
            Ok(run) => run,
            Err(why) => {
                let text = format!("{name} could not be run: {}", why.why);
                let step = Step::new(Stage::Extension, text).mark(Mark::Unknown);
                self.add(step.place(script.place));
                return Err(Outcome::Unknown("a script could not be run".to_owned()));
            }
        };
        let (text, mark) = match &run.verdict {
            Verdict::Passes { changed } if changed.is_empty() => {
                (format!("{name} lets the request pass"), Mark::Passes)
            }
            Verdict::Passes { changed } => (
                format!(
                    "{name} lets the request pass, and changes {}",
                    listed(changed)
                ),
                Mark::Passes,
            ),
            Verdict::Responds { status } => (format!("{name} responds with {status}"), Mark::Stops),
            Verdict::Fails(message) => (format!("{name} fails: {message}"), Mark::Minds),
            Verdict::Unloadable(message) => {
                (format!("{name} can't be loaded: {message}"), Mark::Stops)
            }
            Verdict::Unknown(what) => (
                format!("{name} uses {what}, which is only known in Envoy"),
                Mark::Unknown,
            ),
            Verdict::Limit(what) => (
                format!("{name} was stopped, because it exceeded its limit of {what}"),
                Mark::Unknown,
            ),
        };
        let mut step = Step::new(Stage::Extension, text)
            .mark(mark)
            .detail(format!("{agent}; `lua` of {}", policy.named()))
            .place(script.place);
        if let Verdict::Fails(_) = run.verdict {
            step = step.detail("Envoy logs the error and lets the request pass");
        }
        if variable::in_text(&script.text) {
            step = step.detail("Flux may replace a `${…}` in it before Envoy reads it");
        }
        let logs = run.logs.iter().map(|line| format!("it logs: {line}"));
        self.add(logs.fold(step, Step::detail));
        match run.verdict {
            Verdict::Responds { status } => stop(status, "a script responds to the request"),
            Verdict::Unloadable(_) => {
                stop(500, "Envoy Gateway refuses a script that can't be loaded")
            }
            Verdict::Limit(_) => Err(Outcome::Unknown(
                "a script did not end within its limits".to_owned(),
            )),
            Verdict::Passes { .. } => {
                self.take_headers(run.headers);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What a script can ask about the request.
    fn facts(&self) -> Facts {
        let request = &self.request;
        let mut headers = vec![
            (":method".to_owned(), request.method.clone()),
            (":scheme".to_owned(), request.scheme.as_str().to_owned()),
            (":authority".to_owned(), request.authority.clone()),
            (":path".to_owned(), request.target()),
        ];
        headers.extend(request.headers.iter().cloned());
        let is_set = |name: &str| request.headers.iter().any(|(its, _)| its == name);
        if !is_set("x-forwarded-proto") {
            let scheme = request.scheme.as_str().to_owned();
            headers.push(("x-forwarded-proto".to_owned(), scheme));
        }
        if let Some(from) = request.from {
            let chain = match request.header("x-forwarded-for") {
                Some(before) => format!("{before},{from}"),
                None => from.to_string(),
            };
            headers.retain(|(name, _)| name != "x-forwarded-for");
            headers.push(("x-forwarded-for".to_owned(), chain));
        }
        Facts {
            headers,
            client: self.client.map(|it| it.to_string()),
            peer: request.from.map(|it| it.to_string()),
            server_name: request.scheme.is_tls().then(|| request.host.clone()),
        }
    }

    /// Takes over the headers as a script left them, without those that Envoy itself adds.
    fn take_headers(&mut self, headers: Vec<(String, String)>) {
        let before = self.facts().headers;
        if headers != before {
            let own = headers
                .into_iter()
                .filter(|(name, _)| !name.starts_with(':'));
            self.request.headers = own.collect();
        }
    }
}

/// Names separated by commas; only the first ones if there are many.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => first.join(", "),
        Some(more) => format!("{} and {more} more", first.join(", ")),
    }
}

/// The key that Envoy Gateway uses: `lua`, else the first one.
fn chosen_key(data: &Map) -> Option<(&str, &str)> {
    let named = data.get(KEY).and_then(|it| Some((KEY, it.as_str()?)));
    let mut texts = data
        .iter()
        .filter_map(|(name, it)| Some((name, it.as_str()?)));
    named.or_else(|| texts.next())
}
