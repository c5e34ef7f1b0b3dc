//! Compares `cel-k8s` with `kube-cel`, an engine that others wrote, on every rule of the catalogue: both must give the
//! same verdict on the same value, or the difference must be one of those that [`divergences`] explains. An
//! explanation that no longer applies fails the test, too.
//!
//! A value is converted to CEL once, with its schema, so the test compares the engines and nothing else. The whole
//! validation is compared with an API server, in `oracle` and `live`.
//!
//! `cargo test --test it kube_cel:: -- --nocapture` prints the figures.

mod divergences;
mod engines;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use cel_k8s::Value;
use crd_validate::schema::node::{NodeId, Rule};
use crd_validate::schema::{Catalogue, KindSchema};
use divergences::{Difference, EXPRESSIONS, RULES};
use engines::{Compiled, Engines, Verdict};

/// The number of random values for each node of a schema that has rules.
const RANDOM_VALUES: usize = 40;

/// The minimum number of rules that are true for some of the values and false for others. The other rules need values
/// that are too rare.
const BOTH_VERDICTS: usize = 290;

/// The comparison of one rule, over all places where the catalogue has it.
struct Compared {
    compiled: Compiled,
    /// How often our verdict was true, false, and an error.
    verdicts: [usize; 3],
    agreed: usize,
}

impl Compared {
    fn new(rule: &str) -> Self {
        Compared {
            compiled: Compiled::new(rule),
            verdicts: [0; 3],
            agreed: 0,
        }
    }

    fn evaluations(&self) -> usize {
        self.verdicts.iter().sum()
    }

    fn compiles_in_both(&self) -> bool {
        self.compiled.ours.is_ok() && self.compiled.theirs.is_ok()
    }
}

#[derive(Default)]
struct Comparison {
    rules: BTreeMap<String, Compared>,
    /// How many evaluations each explanation explains.
    explained: BTreeMap<&'static str, usize>,
    /// The first difference of each rule without an explanation.
    unexplained: BTreeMap<String, String>,
}

impl Comparison {
    /// Evaluates the rules of a node on values of the node.
    fn node(&mut self, engines: &Engines, schema: &KindSchema<'_>, id: NodeId, values: &[Value]) {
        for rule in &schema.node(id).rules {
            for (index, value) in values.iter().enumerate() {
                // The API server evaluates no rule on null.
                if !matches!(value, Value::Null | Value::Unknown | Value::Invalid) {
                    let old = &values[(index + 1) % values.len()];
                    self.rule(engines, rule, value, old);
                }
            }
        }
    }

    fn rule(&mut self, engines: &Engines, rule: &Rule, value: &Value, old: &Value) {
        let text = &rule.rule;
        let compared = self.rules.entry(text.clone());
        let compared = compared.or_insert_with(|| Compared::new(text));
        let Compiled { ours, theirs } = &compared.compiled;
        let (Ok(ours), Ok(theirs)) = (ours, theirs) else {
            let problem = format!(
                "{text}\n  ours: {:?}\n  kube-cel: {:?}",
                ours.as_ref().err(),
                theirs.as_ref().err()
            );
            self.unexplained.insert(text.clone(), problem);
            return;
        };
        let old = match rule.optional_old_self {
            Some(true) => Value::some(old.clone()),
            _ => old.clone(),
        };
        let names = [("self", value.clone()), ("oldSelf", old)];
        let (ours, theirs) = (engines.ours(ours, &names), engines.theirs(theirs, &names));
        compared.verdicts[match ours {
            Verdict::True => 0,
            Verdict::False => 1,
            Verdict::Error(_) => 2,
        }] += 1;
        if ours == theirs {
            compared.agreed += 1;
            return;
        }
        let difference = Difference {
            rule: text,
            value,
            ours: &ours,
            theirs: &theirs,
        };
        match RULES.iter().find(|known| (known.explains)(&difference)) {
            Some(known) => *self.explained.entry(known.why).or_default() += 1,
            None => {
                let shown =
                    || format!("{text}\n  ours: {ours}\n  kube-cel: {theirs}\n  self: {value:?}");
                self.unexplained.entry(text.clone()).or_insert_with(shown);
            }
        }
    }

    /// Prints the figures.
    fn print(&self) {
        let sum = |of: fn(&Compared) -> usize| self.rules.values().map(of).sum::<usize>();
        println!(
            "kube-cel: {} rules, {} compiled by both, {} both true and false; {} evaluations: {} agreed, {} explained, \
             {} rules with unexplained differences",
            self.rules.len(),
            sum(|rule| usize::from(rule.compiles_in_both())),
            self.with_both_verdicts(),
            sum(Compared::evaluations),
            sum(|rule| rule.agreed),
            self.explained.values().sum::<usize>(),
            self.unexplained.len(),
        );
        for (why, count) in &self.explained {
            println!("  {count} explained: {why}");
        }
    }

    fn with_both_verdicts(&self) -> usize {
        let verdicts = self.rules.values().map(|rule| rule.verdicts);
        verdicts.filter(|[yes, no, _]| *yes > 0 && *no > 0).count()
    }
}

/// Every rule in the files of the catalogue, by its text.
fn all_rules(catalogue: &Catalogue) -> BTreeSet<String> {
    let mut rules = BTreeSet::new();
    for entry in catalogue.entries() {
        let compiled = entry.compiled().expect("a schema of the catalogue");
        for id in (0_u32..).take(compiled.node_count()) {
            let of_node = compiled.node(NodeId(id)).rules.iter();
            rules.extend(of_node.map(|rule| rule.rule.clone()));
        }
    }
    rules
}

#[test]
fn kube_cel_gives_the_same_verdicts_on_every_rule_except_for_what_is_explained() {
    let catalogue = Catalogue::embedded();
    let engines = Engines::new();
    let objects = values::rendered_objects();
    let mut comparison = Comparison::default();
    let mut seed = 0;
    for (index, entry) in catalogue.entries().iter().enumerate() {
        for version in &entry.served {
            crate::fuzz::with(index, version, |schema| {
                for id in values::nodes_with_rules(schema) {
                    seed += 1;
                    let random = values::random(schema, id, seed, RANDOM_VALUES);
                    comparison.node(&engines, schema, id, &random);
                }
                let of_kind = objects.iter().filter(|object| {
                    entry.is(object.group(), object.kind()) && object.version() == version
                });
                for object in of_kind {
                    for (id, value) in values::in_object(schema, &object.node) {
                        comparison.node(&engines, schema, id, &[value]);
                    }
                }
            });
        }
    }
    comparison.print();
    let compared: BTreeSet<String> = comparison.rules.keys().cloned().collect();
    assert_eq!(compared, all_rules(&catalogue));
    let unexplained: Vec<&String> = comparison.unexplained.values().collect();
    assert!(
        unexplained.is_empty(),
        "without an explanation: {unexplained:#?}"
    );
    for known in RULES {
        let applies = comparison.explained.contains_key(known.why);
        assert!(applies, "no rule differs any more because {}", known.why);
    }
    assert!(comparison.with_both_verdicts() >= BOTH_VERDICTS);
}

/// What our README says about `kube-cel`. Every expression is true for cel-go, which the API server uses.
#[test]
fn kube_cel_has_no_result_or_another_one_for_these_expressions() {
    let engines = Engines::new();
    for (expression, why) in EXPRESSIONS {
        let compiled = Compiled::new(expression);
        let ours = compiled
            .ours
            .unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(engines.ours(&ours, &[]), Verdict::True, "{expression}");
        if let Ok(theirs) = compiled.theirs {
            let theirs = engines.theirs(&theirs, &[]);
            assert!(
                theirs != Verdict::True,
                "{expression}: kube-cel no longer differs, so it is wrong that {why}"
            );
        }
    }
}
