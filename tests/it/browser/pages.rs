//! Tests the pages of `exposure` and `diff`.

use super::{APPS, asked, started};
use crate::common::{Project, REFERENCE};
use serde_json::{Value, json};

use super::devtools::{Browser, Page};

/// A browser with the page that a command prints, which exits with this code.
fn opened(project: &Project, arguments: &[&str], code: i32) -> Option<(Browser, Page)> {
    let mut browser = started()?;
    let html = project.run(arguments.iter().copied()).code(code).stdout;
    project.write("page.html", html);
    let page = browser.open(&project.path("page.html"));
    Some((browser, page))
}

fn reference() -> Project {
    let project = Project::new().config(REFERENCE).rendered();
    project.file("apps.yaml", APPS)
}

const EXPOSURE: [&str; 5] = ["exposure", "kubernetes", "apps.yaml", "--format", "html"];
const DIFF: [&str; 3] = ["diff", "--format", "html"];

/// Everything is inside of the window and can be read, at each width and in both modes.
fn assert_readable(browser: &mut Browser, page: &Page) {
    for width in [1280, 400] {
        browser.resize(page, width);
        for scheme in ["light", "dark"] {
            browser.prefer(page, scheme, "screen");
            let shown = format!("{width} px, {scheme}");
            assert_eq!(asked(browser, page, "wide()"), json!([]), "{shown}");
            assert_eq!(asked(browser, page, "pale()"), json!([]), "{shown}");
        }
    }
    browser.resize(page, 1280);
    assert_eq!(browser.requests(), [""; 0]);
    assert_eq!(browser.complaints(), [""; 0]);
}

/// What is seen after something was typed into the search field.
fn searched(browser: &mut Browser, page: &Page, text: &str, what: &str) -> (Value, Value) {
    browser.press(page, "Escape");
    browser.press(page, "/");
    browser.write(page, text);
    let count = asked(browser, page, "document.getElementById('count').value");
    (count, asked(browser, page, &format!("seen('{what}')")))
}

#[test]
fn the_page_of_exposure_can_be_read_and_searched() {
    let project = reference();
    let Some((mut browser, page)) = opened(&project, &EXPOSURE, 0) else {
        return;
    };
    assert_readable(&mut browser, &page);
    assert_eq!(
        asked(&mut browser, &page, "seen('h3')"),
        json!([
            "From the Internet: 5 hostnames, 1 port",
            "From the internal network: 5 hostnames, 1 port"
        ])
    );
    let bare = asked(&mut browser, &page, "seen('.bare')");
    assert_eq!(bare, json!(["none"]), "ssh from the Internet has no guard");
    let (count, hostnames) = searched(&mut browser, &page, "grafana", "tbody th");
    assert_eq!(
        (count, hostnames),
        (json!("1 found"), json!(["grafana.example.com"]))
    );
    // Groups in which nothing is found are hidden, with their headings.
    assert_eq!(
        asked(&mut browser, &page, "seen('h3')"),
        json!(["From the internal network: 5 hostnames, 1 port"])
    );
    let (count, rows) = searched(&mut browser, &page, "no such name", "tr, .cards");
    assert_eq!((count, rows), (json!("0 found"), json!([])));
    browser.press(&page, "Escape");
    assert_eq!(
        asked(&mut browser, &page, "seen('tbody tr').length"),
        json!(12)
    );
}

#[test]
fn the_page_of_a_diff_begins_with_exposure_and_can_be_folded() {
    let project = reference();
    project.edit("cluster.toml", "10.10.30.26", "10.10.30.99");
    let Some((mut browser, page)) = opened(&project, &DIFF, 1) else {
        return;
    };
    assert_readable(&mut browser, &page);
    assert_eq!(
        asked(&mut browser, &page, "seen('h2')"),
        json!(["Exposure", "Objects"])
    );
    assert_eq!(
        asked(&mut browser, &page, "seen('.changes li')"),
        json!(["changed\nnetwork/envoy-external now requests 10.10.30.99, previously 10.10.30.26"])
    );
    let lines = asked(&mut browser, &page, "seen('pre span')");
    let lines = lines.as_array().cloned().unwrap_or_default();
    for line in ["- 10.10.30.26", "+ 10.10.30.99"] {
        assert!(lines.contains(&json!(line)), "{lines:?}");
    }
    let fold = "document.getElementById('fold').click()";
    asked(&mut browser, &page, fold);
    assert_eq!(asked(&mut browser, &page, "seen('pre')"), json!([]));
    // A search opens what it finds, and closes it again.
    let (_, paths) = searched(&mut browser, &page, "lbipam", ".path");
    assert!(paths.as_array().is_some_and(|it| !it.is_empty()), "{paths}");
    browser.press(&page, "Escape");
    assert_eq!(asked(&mut browser, &page, "seen('pre')"), json!([]));
}

#[test]
fn a_diff_without_changes_says_so() {
    let project = reference();
    let Some((mut browser, page)) = opened(&project, &DIFF, 0) else {
        return;
    };
    assert_eq!(
        asked(&mut browser, &page, "seen('h1, button')"),
        json!(["What changes: no difference"])
    );
}

const HOSTILE: &str = "<img src=x onerror=alert(1)></title></pre><script>document.title='taken'</script>&amp;\\\"'::error::";

#[test]
fn names_and_values_stay_text() {
    let route = format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: \"{HOSTILE}\", namespace: \"日本語の名前空間\"}}
spec:
  parentRefs: [{{name: envoy-external, namespace: network, sectionName: https}}]
  hostnames: [\"{HOSTILE}\", \"{}.example.com\", \"\\e[31m\\u202E\"]
  rules: [{{backendRefs: [{{name: \"{HOSTILE}\", port: 80}}]}}]
",
        "w".repeat(240)
    );
    let project = Project::new().config(REFERENCE).rendered();
    let project = project.file("apps.yaml", &route);
    // What was rendered for another cluster.toml has a value that is none of ours.
    let policy = "kubernetes/apps/network/envoy-gateway/app/envoy.yaml";
    project.edit(
        policy,
        "10.10.30.26",
        "<script>document.title='taken'</script>",
    );
    for (arguments, code) in [(&EXPOSURE[..], 0), (&DIFF[..], 1)] {
        let Some((mut browser, page)) = opened(&project, arguments, code) else {
            return;
        };
        assert_readable(&mut browser, &page);
        let title = asked(&mut browser, &page, "document.title");
        assert!(
            title.as_str().is_some_and(|it| it.starts_with("Wh")),
            "{title}"
        );
        let foreign = "document.querySelectorAll('img, main script').length";
        assert_eq!(asked(&mut browser, &page, foreign), json!(0));
    }
}
