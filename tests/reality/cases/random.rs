//! Random front doors: the controller and Envoy take what `validate` has no error and nothing about Envoy for, and requests
//! go where `trace` says. `FRONT_DOORS=500` asks about so many, `FRONT_DOORS=41..60` about
//! these, and `FRONT_DOORS_IN` keeps them in a folder.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::common::Project;
use crate::foretold;
use crate::front_door::FrontDoor;
use crate::generator::{self, RandomFrontDoor};
use crate::request::Request;
use crate::surroundings::list;
use crate::table::{Row, Table};
use crate::tools::{Tools, tools};
use crate::translation::Translator;

/// How many front doors are asked about unless `FRONT_DOORS` says otherwise.
const FEW: u64 = 40;

/// How many of the requests are sent to each gateway.
const REQUESTS: usize = 5;

#[test]
fn random_front_doors_are_as_foretold() {
    let Some(tools) = tools() else { return };
    let (first, last) = wanted();
    let next = AtomicU64::new(first);
    let table = Mutex::new(Table::default());
    let rendered = AtomicU64::new(0);
    std::thread::scope(|scope| {
        // The machines of CI have two processors.
        for _ in 0..2 {
            scope.spawn(|| {
                let mut translator = Translator::start(tools);
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number > last {
                        return;
                    }
                    let mut own = Table::default();
                    let front_door = generator::front_door(number);
                    if compare(tools, &mut translator, number, &front_door, &mut own) {
                        rendered.fetch_add(1, Ordering::SeqCst);
                    }
                    table.lock().expect("the table").extend(own);
                }
            });
        }
    });
    println!(
        "front doors {first} to {last}: {} are rendered",
        rendered.into_inner()
    );
    let table = table.into_inner().expect("the table");
    let title = format!("random front doors {first} to {last}");
    let is_usual = std::env::var_os("FRONT_DOORS").is_none();
    match is_usual || std::env::var_os("UPDATE").is_some() {
        true => table.conclude(&title),
        false => {
            table.check(&title);
        }
    }
}

/// The numbers of the first and the last front door.
fn wanted() -> (u64, u64) {
    let number = |text: &str| {
        text.parse()
            .expect("FRONT_DOORS is a number, or two with `..`")
    };
    let wanted = std::env::var("FRONT_DOORS").ok();
    match wanted.as_deref().map(|it| it.split_once("..").ok_or(it)) {
        None => (1, FEW),
        Some(Ok((first, last))) => (number(first), number(last)),
        Some(Err(last)) => (1, number(last)),
    }
}

/// Compares one front door; false if `render` refuses it.
fn compare(
    tools: &Tools,
    translator: &mut Translator,
    number: u64,
    random: &RandomFrontDoor,
    table: &mut Table,
) -> bool {
    let project = Project::new().config(&random.config);
    let rendered = project.run(["render"]);
    if rendered.code != Some(0) {
        println!("front door {number} is not rendered:\n{}", rendered.stderr);
        return false;
    }
    let name = format!("random front door {number}");
    let front_door = FrontDoor::rendered(&name, &random.config, &random.apps);
    if let Ok(folder) = std::env::var("FRONT_DOORS_IN") {
        let file = |end: &str| format!("{folder}/{number}.{end}");
        std::fs::write(file("toml"), &random.config).expect("a file");
        std::fs::write(file("apps.yaml"), &random.apps).expect("a file");
    }
    let translated = front_door.translate(translator);
    let warned = warned(&front_door.project);
    let or_not = |is_foretold: bool, what: &str| match is_foretold {
        // A finding says what may happen.
        true => vec![what.to_owned(), format!("not {what}")],
        false => vec![what.to_owned()],
    };
    let translation = &translated.translation;
    let mut refusals = translation.refusals();
    refusals.extend(translation.unreadable.clone());
    refusals.extend(translation.errors.clone());
    table.add(Row {
        input: name.clone(),
        question: format!("does the controller accept it? {}", refusals.join("; ")),
        foretold: or_not(!warned.is_empty(), "accepted"),
        happened: match refusals.is_empty() {
            true => "accepted".to_owned(),
            false => "not accepted".to_owned(),
        },
    });
    if translation.unreadable.is_some() {
        return true;
    }
    for gateway in front_door.gateways() {
        translated.run(tools, &gateway, |running| {
            let refused = running.refused();
            table.add(Row {
                input: format!("{name}, {gateway}"),
                question: format!("does Envoy take all listeners? {refused:?}"),
                foretold: or_not(!warned.is_empty(), "taken"),
                happened: match refused.is_empty() {
                    true => "taken".to_owned(),
                    false => "not taken".to_owned(),
                },
            });
            for url in sample(number, &random.urls) {
                running.compare(table, &Request::get(url).from("10.1.2.3"));
            }
        });
    }
    true
}

/// Some of the URLs, other ones for each front door.
fn sample(number: u64, urls: &[String]) -> Vec<&str> {
    let first = usize::try_from(number).unwrap_or_default() * REQUESTS;
    let places = (first..first + REQUESTS).map(|at| at % urls.len());
    places.map(|at| urls[at].as_str()).collect()
}

/// What `validate` says that foretells a refusal: errors, and everything about Envoy.
fn warned(project: &Project) -> Vec<String> {
    let report = foretold::validate(project);
    let all = list(&report["diagnostics"]).iter();
    let is_about_envoy = |it: &Value| {
        let code = it["code"].as_str().unwrap_or_default();
        code.starts_with("envoy/")
    };
    all.filter(|it| it["severity"] == "error" || is_about_envoy(it))
        .map(|it| it["code"].to_string())
        .collect()
}
