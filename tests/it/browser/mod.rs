//! Tests the pages of `graph`, `exposure` and `diff` in a real browser: they load nothing, log no errors, show everything,
//! and can be used with the keyboard and at any width.
//!
//! The browser is Chromium (Debian: `apt-get install chromium`), or the one that `GATEWAYCTL_BROWSER` names. Without
//! one, the tests are skipped, and say so.
#![cfg(target_os = "linux")]

mod devtools;
mod pages;

use crate::common::{Project, REFERENCE};
use devtools::{Browser, Page};
use serde_json::{Value, json};

const APPS: &str = include_str!("../front_door/apps.yaml");
const CHECKS: &str = include_str!("checks.js");

/// A browser; `None`, and a word about it, if there is none.
fn started() -> Option<Browser> {
    let browser = Browser::start();
    if browser.is_none() {
        println!("skipped: there is no Chromium here (GATEWAYCTL_BROWSER names one)");
    }
    browser
}

/// A browser with the page for these manifests; `None` if there is no browser.
fn page(apps: &str) -> Option<(Browser, Page, Project)> {
    let mut browser = started()?;
    let project = Project::new()
        .config(REFERENCE)
        .rendered()
        .file("apps.yaml", apps);
    let html = project
        .run(["graph", "--format", "html", "kubernetes", "apps.yaml"])
        .success()
        .stdout;
    project.write("front-door.html", html);
    let page = browser.open(&project.path("front-door.html"));
    Some((browser, page, project))
}

fn asked(browser: &mut Browser, page: &Page, expression: &str) -> Value {
    browser.evaluate(page, &format!("{CHECKS}\n{expression}"))
}

#[test]
fn the_page_loads_nothing_and_complains_of_nothing() {
    let Some((mut browser, page, _project)) = page(APPS) else {
        return;
    };
    // Pending events arrive before this answer.
    asked(&mut browser, &page, "1");
    assert_eq!(
        browser.requests(),
        [""; 0],
        "what it asked for, besides itself"
    );
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn everything_is_there_and_nothing_is_clipped_or_overlaps() {
    let Some((mut browser, page, _project)) = page(APPS) else {
        return;
    };
    let roles = asked(&mut browser, &page, "roles()");
    assert_eq!(
        roles,
        json!({"source": 2, "gateway": 2, "listener": 7, "route": 9, "backend": 10, "loose": 1})
    );
    assert_eq!(asked(&mut browser, &page, "spilled()"), json!([]));
    assert_eq!(asked(&mut browser, &page, "overlapping()"), json!([]));
    assert_eq!(asked(&mut browser, &page, "crossed()"), json!([]));
}

#[test]
fn all_text_can_be_read_by_day_and_by_night() {
    let Some((mut browser, page, _project)) = page(APPS) else {
        return;
    };
    for scheme in ["light", "dark"] {
        browser.prefer(&page, scheme, "screen");
        assert_eq!(asked(&mut browser, &page, "faint()"), json!([]), "{scheme}");
    }
    let ground = "getComputedStyle(document.querySelector('.ground')).fill";
    browser.prefer(&page, "dark", "screen");
    let dark = asked(&mut browser, &page, ground);
    browser.prefer(&page, "dark", "print");
    assert_ne!(asked(&mut browser, &page, ground), dark, "paper is light");
    let bar = "getComputedStyle(document.querySelector('.bar')).display";
    assert_eq!(asked(&mut browser, &page, bar), json!("none"));
}

#[test]
fn a_route_can_be_chosen_with_the_keyboard_and_shows_its_way() {
    let Some((mut browser, page, _project)) = page(APPS) else {
        return;
    };
    browser.press(&page, "/");
    browser.write(&page, "wiki");
    assert_eq!(
        asked(
            &mut browser,
            &page,
            "document.getElementById('count').value"
        ),
        json!("2 found")
    );
    browser.press(&page, "Escape");
    browser.press(&page, "/");
    browser.write(&page, "grafana");
    browser.press(&page, "Enter");
    let at = "document.activeElement.querySelector('title').textContent";
    assert_eq!(
        asked(&mut browser, &page, at),
        json!("HTTPRoute observability/grafana")
    );
    let lit = asked(&mut browser, &page, "lit()");
    assert_eq!(
        lit,
        json!([
            "internal network",
            "Gateway network/envoy-internal",
            "listener https, HTTPS 443",
            "HTTPRoute observability/grafana",
            "Service observability/grafana",
        ])
    );
    browser.press(&page, "ArrowRight");
    assert_eq!(
        asked(&mut browser, &page, at),
        json!("Service observability/grafana")
    );
    browser.press(&page, "ArrowLeft");
    browser.press(&page, "ArrowLeft");
    assert_eq!(
        asked(&mut browser, &page, at),
        json!("listener https, HTTPS 443")
    );
    let about = asked(
        &mut browser,
        &page,
        "document.getElementById('about').innerText",
    );
    assert!(
        about
            .as_str()
            .is_some_and(|it| it.contains("Accepts routes from all namespaces")),
        "{about}"
    );
    browser.press(&page, "Enter");
    let pressed = "document.activeElement.getAttribute('aria-pressed')";
    assert_eq!(asked(&mut browser, &page, pressed), json!("true"));
    browser.press(&page, "Escape");
    assert_eq!(asked(&mut browser, &page, pressed), json!("false"));
}

/// 90 routes in three namespaces; the gateway refuses every tenth, whose listener does not exist.
fn many_routes() -> String {
    let route = |at: usize| {
        let namespace = ["media", "tools", "web"][at % 3];
        let section = if at.is_multiple_of(10) {
            "httpx"
        } else {
            "https"
        };
        format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: app-{at}, namespace: {namespace}}}
spec:
  parentRefs: [{{name: envoy-external, namespace: network, sectionName: {section}}}]
  hostnames: [app-{at}.example.com]
  rules: [{{backendRefs: [{{name: app-{at}, port: 80}}]}}]
"
        )
    };
    (0..90).map(route).collect::<Vec<_>>().join("---\n")
}

#[test]
fn a_large_page_starts_with_its_gateways_and_unfolds_what_is_searched() {
    let Some((mut browser, page, _project)) = page(&many_routes()) else {
        return;
    };
    let ask = |browser: &mut Browser, what: &str| asked(browser, &page, what);
    let summaries = "Array.from(document.querySelectorAll('summary')).map((it) => it.textContent)";
    assert_eq!(
        ask(&mut browser, summaries),
        json!([
            "dev 1 route",
            "media 30 routes 3 with problems",
            "network 1 route",
            "tools 30 routes 3 with problems",
            "web 30 routes 3 with problems",
        ])
    );
    let height = ask(&mut browser, "box(drawing).height");
    assert!(
        height.as_f64().is_some_and(|it| it < 1200.0),
        "the overview is {height} px high"
    );
    assert_eq!(ask(&mut browser, "roles().gateway"), json!(2));
    assert_eq!(ask(&mut browser, "spilled()"), json!([]));
    assert_eq!(ask(&mut browser, "overlapping()"), json!([]));
    let open = "document.querySelectorAll('details[open]').length";
    assert_eq!(ask(&mut browser, open), json!(0));

    browser.press(&page, "/");
    browser.write(&page, "refused");
    let count = "document.getElementById('count').value";
    assert_eq!(ask(&mut browser, count), json!("9 found"));
    assert_eq!(ask(&mut browser, open), json!(3));
    let is_seen = "(() => { const it = box(list('.node.route.on', document)[0]); return it.top > 0 && it.bottom < innerHeight; })()";
    assert_eq!(ask(&mut browser, is_seen), json!(true));
    let part = "drawing = document.querySelector('details[open] .front-door')";
    for check in ["spilled()", "overlapping()", "crossed()"] {
        assert_eq!(
            ask(&mut browser, &format!("{part}; {check}")),
            json!([]),
            "{check}"
        );
    }
    browser.press(&page, "Escape");
    assert_eq!(ask(&mut browser, open), json!(0));

    let width = "drawing.getAttribute('width')";
    let before = ask(&mut browser, width);
    ask(&mut browser, "document.getElementById('smaller').click()");
    assert_ne!(ask(&mut browser, width), before);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_checks_see_what_is_wrong() {
    let Some((mut browser, page, _project)) = page(APPS) else {
        return;
    };
    let seen = |browser: &mut Browser, change: &str, check: &str| {
        let found = asked(browser, &page, &format!("{change}; {check}"));
        found.as_array().map_or(0, Vec::len)
    };
    let long = "list('.route text')[0].textContent = 'w'.repeat(200)";
    assert!(seen(&mut browser, long, "spilled()") > 0);
    assert!(seen(&mut browser, "1", "overlapping()") > 0);
    let moved = "list('.card').at(-2).setAttribute('y', list('.card').at(-3).getAttribute('y'))";
    assert!(seen(&mut browser, moved, "overlapping()") > 1);
    let wide = "list('.gateway .card')[0].setAttribute('width', 330)";
    assert!(seen(&mut browser, wide, "crossed()") > 0);
    let pale = "list('.title')[0].style.fill = '#eeeeee'";
    assert!(seen(&mut browser, pale, "faint()") > 0);
    let call = "console.warn('x'); new Image().src = 'https://example.com/x.png'";
    seen(&mut browser, call, "1");
    // The page's own policy blocks these requests, and the browser logs that.
    assert!(
        browser.complaints().len() >= 2,
        "{:?}",
        browser.complaints()
    );
}

#[test]
fn names_stay_text() {
    let hostile = "<img src=x onerror=alert(1)></title></desc><script>document.title='taken'</script>&amp;\\\"'";
    let apps = format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: \"{hostile}\", namespace: \"日本語の名前空間とても長い名前空間の名前\"}}
spec:
  parentRefs: [{{name: envoy-external, namespace: network, sectionName: https}}]
  hostnames: [\"{hostile}\", \"{}.example.com\", \"\\e[31m\\u202E\"]
  rules: [{{backendRefs: [{{name: \"{hostile}\", port: 80}}]}}]
",
        "w".repeat(240)
    );
    let Some((mut browser, page, _project)) = page(&apps) else {
        return;
    };
    let title = asked(&mut browser, &page, "document.title");
    assert!(
        title
            .as_str()
            .is_some_and(|it| it.starts_with("The front door: ")),
        "{title}"
    );
    assert_eq!(
        asked(
            &mut browser,
            &page,
            "document.querySelectorAll('img, script').length"
        ),
        json!(1)
    );
    assert_eq!(asked(&mut browser, &page, "spilled()"), json!([]));
    assert_eq!(asked(&mut browser, &page, "overlapping()"), json!([]));
    assert_eq!(browser.requests(), [""; 0]);
    assert_eq!(browser.complaints(), [""; 0]);
}
