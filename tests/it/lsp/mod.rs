//! `gatewayctl lsp`, asked by an editor.

mod client;

use serde_json::{Value, json};

use crate::common::{ENVOY, MINIMAL, Project};
use client::Client;

const ROUTE: &str = "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: app
  namespace: apps
spec:
  hostnames: [app.example.com]
  parentRefs:
    - name: envoy-external
      namespace: network
      sectionName: https
  rules:
    - backendRefs:
        - name: app
          port: 80
";

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata:
  name: app
  namespace: apps
spec:
  selector: {app: app}
  ports: [{name: http, port: 80}]
";

const ROUTE_FILE: &str = "kubernetes/apps/apps/app/route.yaml";
const SERVICE_FILE: &str = "kubernetes/apps/apps/app/service.yaml";

fn project() -> Project {
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [./route.yaml, ./service.yaml]\n";
    Project::new()
        .minimal("")
        .file(ROUTE_FILE, ROUTE)
        .file(SERVICE_FILE, SERVICE)
        .file("kubernetes/apps/apps/app/kustomization.yaml", kustomization)
        .rendered()
}

/// The files and lines of places.
fn places(found: &Value) -> Vec<String> {
    let list = found.as_array().cloned().unwrap_or_default();
    let place = |it: &Value| {
        let file = it["uri"]
            .as_str()
            .and_then(|uri| uri.rsplit_once("/root/"))
            .expect("a file")
            .1;
        format!("{file}:{}", it["range"]["start"]["line"])
    };
    list.iter().map(place).collect()
}

#[test]
fn findings_of_unsaved_texts_are_shown_where_validate_shows_them() {
    let project = project();
    let mut client = Client::start(&project);
    let typed = format!("# \u{1f600}\n{MINIMAL}[proxy]\nreplica = 1\n");
    client.open("cluster.toml", &typed);
    client.wait_for_findings("cluster.toml", &["13:0-7 config/unknown-key"]);
    let shown = client.findings("cluster.toml");
    let message = shown[0]["message"].as_str().expect("text");
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[0], "[proxy] has no key `replica`");
    assert!(lines[2].starts_with("help: write `replicas`"), "{message}");
    // An astral character counts as two.
    let typed = format!("dns = {{ \"\u{1f600}\" = 1, enabeld = true }}\n{MINIMAL}");
    client.change("cluster.toml", 2, &typed);
    let twice = ["0:8-12 config/unknown-key", "0:18-25 config/unknown-key"];
    client.wait_for_findings("cluster.toml", &twice);
    // What validate says of the same text on the disk is shown, at the same places.
    let broken = MINIMAL
        .replace("envoy-internal", "envoy-private")
        .replace("address = \"10.10.30.25\"", "adress = \"10.10.30.25\"");
    client.change("cluster.toml", 3, &broken);
    project.write("cluster.toml", &broken);
    let report: Value =
        serde_json::from_str(&project.run(["validate", "--format", "json"]).stdout).expect("JSON");
    let found = report["diagnostics"].as_array().expect("a list").iter();
    let mut wanted: Vec<(u64, u64, u64, &str)> = found
        .map(|it| {
            let at = if it["origin"].is_null() {
                it
            } else {
                &it["origin"]
            };
            let number = |key: &str| at[key].as_u64().expect("a number") - 1;
            let code = it["code"].as_str().expect("a code");
            (number("line"), number("column"), number("end_column"), code)
        })
        .collect();
    wanted.sort();
    assert!(!wanted.is_empty(), "{report}");
    let wanted = wanted
        .iter()
        .map(|(line, start, end, code)| format!("{line}:{start}-{end} {code}"));
    let wanted: Vec<String> = wanted.collect();
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    client.wait_for_findings("cluster.toml", &wanted);
    client.change("cluster.toml", 4, MINIMAL);
    client.wait_for_findings("cluster.toml", &[]);
    client.stop();
}

#[test]
fn a_name_that_is_typed_breaks_routes_in_other_files_until_it_is_closed() {
    let project = project();
    let mut client = Client::start(&project);
    client.open(
        "cluster.toml",
        &MINIMAL.replace("envoy-external", "envoy-public"),
    );
    client.wait_for_findings(ROUTE_FILE, &["8:12-26 attachment/no-gateway"]);
    client.close("cluster.toml");
    client.wait_for_findings(ROUTE_FILE, &[]);
    // An open manifest is also checked against its schema.
    client.open(ROUTE_FILE, &ROUTE.replace("hostnames", "hostname"));
    client.wait_for_findings(ROUTE_FILE, &["6:2-10 schema/unknown-field"]);
    // While it can't be parsed, only that is said.
    client.change(
        ROUTE_FILE,
        2,
        &ROUTE.replace("hostnames: [", "hostnames: [[\n"),
    );
    client.wait(|client, _| {
        let found = client.findings(ROUTE_FILE);
        (found.len() == 1 && found[0]["code"] == "yaml/syntax").then_some(())
    });
    client.change(ROUTE_FILE, 3, ROUTE);
    client.wait_for_findings(ROUTE_FILE, &[]);
    client.stop();
}

#[test]
fn typing_does_not_queue_up_work() {
    let project = project();
    let mut client = Client::start(&project);
    client.open(ROUTE_FILE, ROUTE);
    for version in 2..300 {
        client.change(
            ROUTE_FILE,
            version,
            &ROUTE.replace("hostnames", &format!("host{version}")),
        );
    }
    let last = ROUTE.replace("hostnames", "hostname");
    client.change(ROUTE_FILE, 300, &last);
    let hover = client.about(
        "textDocument/hover",
        ROUTE_FILE,
        &last,
        "parentRefs",
        json!({}),
    );
    assert!(
        hover["contents"]["value"]
            .as_str()
            .expect("text")
            .starts_with("HTTPRoute.spec.parentRefs: list of object"),
        "{hover}"
    );
    client.wait_for_findings(ROUTE_FILE, &["6:2-10 schema/unknown-field"]);
    client.stop();
}

#[test]
fn keys_fields_and_codes_are_explained() {
    let project = project();
    let mut client = Client::start(&project);
    let config = format!(
        "{MINIMAL}listeners.https.spec.tls.mode = \"Terminate\"\n[[validate.ignore]]\ncode = \"config/lua\"\nreason = \"a\"\n"
    );
    client.open("cluster.toml", &config);
    client.open_saved(ROUTE_FILE);
    for (file, text, what, wanted) in [
        (
            "cluster.toml",
            config.as_str(),
            "address =",
            "gateways.NAME.address: ",
        ),
        ("cluster.toml", &config, "gateways.envoy", "gateways: table"),
        (
            "cluster.toml",
            &config,
            "mode =",
            "Gateway.spec.listeners.tls.mode: string, in Gateway API",
        ),
        ("cluster.toml", &config, "config/lua", "config/lua"),
        (
            ROUTE_FILE,
            ROUTE,
            "sectionName",
            "HTTPRoute.spec.parentRefs.sectionName: string, in Gateway API",
        ),
        (
            ROUTE_FILE,
            ROUTE,
            "80",
            "HTTPRoute.spec.rules.backendRefs.port: integer",
        ),
    ] {
        let hover = client.about("textDocument/hover", file, text, what, json!({}));
        let shown = hover["contents"]["value"].as_str().unwrap_or_default();
        assert!(shown.contains(wanted), "{what}: {hover}");
    }
    client.stop();
}

#[test]
fn keys_fields_values_and_names_are_offered() {
    let project = project();
    let mut client = Client::start(&project);
    client.open("cluster.toml", MINIMAL);
    client.open(ROUTE_FILE, ROUTE);
    let mut version = 1;
    for (file, marked, wanted) in [
        ("cluster.toml", format!("{MINIMAL}[prox¦"), "proxy"),
        (
            "cluster.toml",
            format!("{MINIMAL}[redirect]\ngateways = [\"¦\"]\n"),
            "envoy-internal",
        ),
        (
            "cluster.toml",
            format!("{MINIMAL}[proxy]\nkind = ¦\n"),
            "DaemonSet",
        ),
        (
            ROUTE_FILE,
            ROUTE.replace("  rules:", "  ¦\n  rules:"),
            "useDefaultGateways",
        ),
        (
            ROUTE_FILE,
            ROUTE.replace("- name: envoy-external", "- name: ¦"),
            "envoy-internal",
        ),
        (
            ROUTE_FILE,
            ROUTE.replace("sectionName: https", "sectionName: ¦"),
            "https",
        ),
        (
            ROUTE_FILE,
            ROUTE.replace("        - name: app", "        - name: ¦"),
            "app",
        ),
        (
            ROUTE_FILE,
            ROUTE.replace("namespace: network", "namespace: ¦"),
            "network",
        ),
        (
            ROUTE_FILE,
            format!("{ROUTE}      matches:\n        - path:\n            type: ¦"),
            "PathPrefix",
        ),
        (
            ROUTE_FILE,
            "apiVersion: gateway.networking.k8s.io/v1\nkind: ¦".to_owned(),
            "HTTPRoute",
        ),
        (
            ROUTE_FILE,
            "kind: HTTPRoute\napiVersion: ¦".to_owned(),
            "gateway.networking.k8s.io/v1",
        ),
    ] {
        version += 1;
        let found = client.completions(file, version, &marked);
        assert!(found.iter().any(|it| it == wanted), "{marked}: {found:?}");
    }
    client.stop();
}

#[test]
fn definitions_are_found_across_files() {
    let project = project();
    let mut client = Client::start(&project);
    client.open_saved("cluster.toml");
    client.open_saved(ROUTE_FILE);
    client.open_saved(ENVOY);
    let rendered = project.read(ENVOY);
    for (file, text, what, wanted) in [
        (ROUTE_FILE, ROUTE, "envoy-external", "cluster.toml:6"),
        (ROUTE_FILE, ROUTE, "https", "cluster.toml:6"),
        (
            ROUTE_FILE,
            ROUTE,
            "app\n          port",
            &format!("{SERVICE_FILE}:3"),
        ),
        (ENVOY, &rendered, "10.10.30.26", "cluster.toml:7"),
    ] {
        let found = client.about("textDocument/definition", file, text, what, json!({}));
        assert_eq!(places(&found), [wanted], "{what}: {found}");
    }
    let found = client.about(
        "textDocument/references",
        "cluster.toml",
        MINIMAL,
        "envoy-external",
        json!({"context": {"includeDeclaration": true}}),
    );
    assert_eq!(
        places(&found),
        ["cluster.toml:6".to_owned(), format!("{ROUTE_FILE}:8")]
    );
    let found = client.about(
        "textDocument/references",
        SERVICE_FILE,
        SERVICE,
        "app",
        json!({}),
    );
    assert_eq!(found, Value::Null, "the file is not open");
    client.open_saved(SERVICE_FILE);
    let found = client.about(
        "textDocument/references",
        SERVICE_FILE,
        SERVICE,
        "app",
        json!({"context": {"includeDeclaration": false}}),
    );
    assert_eq!(places(&found), [format!("{ROUTE_FILE}:13")]);
    client.stop();
}

#[test]
fn a_gateway_is_renamed_everywhere() {
    let project = project();
    let mut client = Client::start(&project);
    client.open_saved(ROUTE_FILE);
    let prepared = client.about(
        "textDocument/prepareRename",
        ROUTE_FILE,
        ROUTE,
        "envoy-external",
        json!({}),
    );
    assert_eq!(prepared["placeholder"], "envoy-external");
    let edit = client.about(
        "textDocument/rename",
        ROUTE_FILE,
        ROUTE,
        "envoy-external",
        json!({"newName": "public"}),
    );
    let changes = edit["changes"].as_object().expect("changes");
    let mut changed: Vec<(&str, usize)> = changes
        .iter()
        .map(|(uri, edits)| {
            (
                uri.rsplit('/').next().expect("a name"),
                edits.as_array().expect("edits").len(),
            )
        })
        .collect();
    changed.sort();
    assert_eq!(changed, [("cluster.toml", 1), ("route.yaml", 1)]);
    for refused in ["", "a b", "A", "a.b", "x\ny"] {
        let edit = client.about(
            "textDocument/rename",
            ROUTE_FILE,
            ROUTE,
            "envoy-external",
            json!({"newName": refused}),
        );
        assert_eq!(edit, Value::Null, "{refused:?}");
    }
    let nothing = client.about(
        "textDocument/prepareRename",
        ROUTE_FILE,
        ROUTE,
        "app.example.com",
        json!({}),
    );
    assert_eq!(nothing, Value::Null);
    client.stop();
}

#[test]
fn a_finding_with_a_known_word_is_mended() {
    let project = project();
    let mut client = Client::start(&project);
    let typed = ROUTE.replace("envoy-external", "envoy-externl");
    client.open(ROUTE_FILE, &typed);
    client.wait_for_findings(ROUTE_FILE, &["8:12-25 attachment/no-gateway"]);
    let range = json!({"start": {"line": 8, "character": 14}, "end": {"line": 8, "character": 14}});
    let found = client.request(
        "textDocument/codeAction",
        json!({"textDocument": {"uri": client.uri(ROUTE_FILE)}, "range": range, "context": {"diagnostics": []}}),
    );
    assert_eq!(found[0]["title"], "Write `envoy-external`", "{found}");
    let edit = &found[0]["edit"]["changes"][client.uri(ROUTE_FILE)][0];
    assert_eq!(edit["newText"], "envoy-external");
    assert_eq!(edit["range"]["start"], json!({"line": 8, "character": 12}));
    client.stop();
}

/// The actions at a position.
fn actions(client: &mut Client, file: &str, line: u32, character: u32) -> Value {
    let at = json!({"line": line, "character": character});
    let params = json!({"textDocument": {"uri": client.uri(file)}, "range": {"start": at, "end": at}, "context": {"diagnostics": []}});
    client.request("textDocument/codeAction", params)
}

#[test]
fn a_version_of_a_chart_is_upgraded_as_the_command_does_it() {
    let older = MINIMAL.replace("version = \"1.9.0\"", "version = \"1.8.3\"");
    let project = Project::new().config(&older).rendered();
    let mut client = Client::start(&project);
    client.open_saved("cluster.toml");
    let found = actions(&mut client, "cluster.toml", 4, 13);
    let title = found[0]["title"].as_str().unwrap_or_default();
    let newest = title.strip_prefix("Upgrade to Envoy Gateway ");
    let newest = newest.unwrap_or_else(|| panic!("{found}")).to_owned();
    let edits = &found[0]["edit"]["changes"][client.uri("cluster.toml")];
    assert_eq!(
        *edits,
        json!([{"range": {"start": {"line": 4, "character": 11}, "end": {"line": 4, "character": 16}}, "newText": newest}])
    );
    // Elsewhere, and with the newest release, there is nothing to offer.
    assert_eq!(actions(&mut client, "cluster.toml", 0, 3), json!([]));
    client.stop();
    let project = Project::new()
        .config(MINIMAL.replace("1.9.0", &newest))
        .rendered();
    let mut client = Client::start(&project);
    client.open_saved("cluster.toml");
    assert_eq!(actions(&mut client, "cluster.toml", 4, 13), json!([]));
    client.stop();
}

#[test]
fn a_line_above_a_route_says_who_can_reach_it() {
    let project = project();
    let mut client = Client::start(&project);
    client.open_saved(ROUTE_FILE);
    let params = json!({"textDocument": {"uri": client.uri(ROUTE_FILE)}});
    let lenses = client.request("textDocument/codeLens", params.clone());
    assert_eq!(
        lenses[0]["command"]["title"],
        "app.example.com is external, by envoy-external (https); no guards"
    );
    assert_eq!(
        lenses[0]["range"]["start"],
        json!({"line": 3, "character": 8})
    );
    client.change(
        ROUTE_FILE,
        2,
        &ROUTE.replace("envoy-external", "envoy-internal"),
    );
    client.wait_until_asked("workspace/codeLens/refresh");
    let lenses = client.request("textDocument/codeLens", params);
    assert_eq!(
        lenses[0]["command"]["title"],
        "app.example.com is internal, by envoy-internal (https); no guards"
    );
    client.stop();
}

#[test]
fn a_repository_without_cluster_toml_is_served_too() {
    let project = Project::new()
        .file("a/route.yaml", ROUTE)
        .file("a/service.yaml", SERVICE);
    project.shell("git init -q .").success();
    let mut client = Client::start(&project);
    client.open("a/route.yaml", &ROUTE.replace("hostnames", "hostname"));
    client.wait_for_findings("a/route.yaml", &["6:2-10 schema/unknown-field"]);
    let found = client.about(
        "textDocument/definition",
        "a/route.yaml",
        ROUTE,
        "app\n          port",
        json!({}),
    );
    assert_eq!(places(&found), ["a/service.yaml:3"]);
    client.stop();
}

#[test]
fn a_document_of_no_repository_is_explained_but_its_folder_is_not_searched() {
    let project = Project::new().file("route.yaml", ROUTE.replace("hostnames", "hostname"));
    let mut client = Client::start(&project);
    client.open_saved("route.yaml");
    let hover = client.about(
        "textDocument/hover",
        "route.yaml",
        ROUTE,
        "parentRefs",
        json!({}),
    );
    assert!(
        hover["contents"]["value"]
            .as_str()
            .expect("text")
            .contains("HTTPRoute.spec.parentRefs")
    );
    let params = json!({"textDocument": {"uri": client.uri("route.yaml")}});
    assert_eq!(client.request("textDocument/codeLens", params), json!([]));
    client.stop();
}

#[test]
fn nonsense_is_refused_and_ends_nothing() {
    let project = project();
    let mut client = Client::uninitialized(&project);
    let early = client.ask("textDocument/hover", json!({}));
    assert_eq!(early["error"]["code"], -32002);
    client.write(b"Content-Length: 4\r\n\r\n{{{{");
    client.wait(|_, message| (message["error"]["code"] == -32700).then_some(()));
    client.write(b"Content-Length: nine\r\n\r\n");
    client.wait(|_, message| (message["error"]["code"] == -32700).then_some(()));
    client.request("initialize", json!({"rootUri": 7, "workspaceFolders": [{"uri": "http://example.com"}], "capabilities": []}));
    let uri = client.uri("cluster.toml");
    for (method, params) in [
        ("textDocument/didOpen", json!({"textDocument": 1})),
        (
            "textDocument/didChange",
            json!({"textDocument": {"uri": uri, "version": 1}, "contentChanges": [{"text": "x"}]}),
        ),
        (
            "textDocument/didClose",
            json!({"textDocument": {"uri": "untitled:1"}}),
        ),
        ("workspace/didChangeWorkspaceFolders", json!([])),
        ("$/cancelRequest", json!({"id": {}})),
        ("no/such", Value::Null),
    ] {
        client.notify(method, params);
    }
    for method in [
        "textDocument/hover",
        "textDocument/rename",
        "textDocument/codeLens",
        "textDocument/codeAction",
    ] {
        for params in [
            Value::Null,
            json!([1]),
            json!({"textDocument": {"uri": uri}, "position": {"line": 4294967295_u32, "character": 4294967295_u32}}),
            json!({"textDocument": {"uri": "file:///no/such/file"}, "position": {"line": -1, "character": "x"}}),
        ] {
            assert_eq!(client.request(method, params), Value::Null, "{method}");
        }
    }
    let unknown = client.ask("no/such", json!({}));
    assert_eq!(unknown["error"]["code"], -32601);
    // A document with a position that it doesn't have, and one that is no file.
    client.open("cluster.toml", "\u{1f600}");
    for line in [0, 9] {
        let params =
            json!({"textDocument": {"uri": uri}, "position": {"line": line, "character": 1}});
        client.request("textDocument/hover", params.clone());
        client.request("textDocument/completion", params);
    }
    client.notify("textDocument/didOpen", json!({"textDocument": {"uri": "untitled:a.yaml", "languageId": "yaml", "version": 1, "text": ROUTE}}));
    let params = json!({"textDocument": {"uri": "untitled:a.yaml"}, "position": {"line": 7, "character": 4}});
    let hover = client.request("textDocument/hover", params);
    assert!(
        hover["contents"]["value"]
            .as_str()
            .expect("text")
            .contains("parentRefs"),
        "{hover}"
    );
    client.stop();
    let client = Client::start(&project);
    assert_eq!(client.leave(), Some(1), "it was not shut down");
}
