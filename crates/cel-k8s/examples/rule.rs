//! Evaluates a rule: `cargo run --example rule "self.size() < 10" gateway`, where the second word becomes the string `self`.

use std::error::Error;

use cel_k8s::{Run, Value, parse};
use k8s_syntax::pattern::Patterns;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [rule, value] = words.as_slice() else {
        return Err("give a rule, and the text that `self` stands for".into());
    };
    let rule = parse(rule).map_err(|problem| format!("{problem:?}"))?;
    let patterns = Patterns::default();
    let mut run = Run::new(&patterns, 1_000_000);
    run.bind("self", Value::string(value.as_str()));
    println!("{:?}", run.value(&rule));
    Ok(())
}
