//! `[redirects.NAME]`, `[responses.NAME]`

use super::file;

/// The rules of the route `old`.
fn rules(keys: &str) -> String {
    let tables = format!(
        "[redirects.old]\ngateways = \"envoy-external\"\nhostnames = \"old.example.com\"\n{keys}"
    );
    let text = file(&tables, "envoy.yaml");
    let mut objects = text.split("---\n");
    let own = objects.find(|object| object.contains("  name: old\n"));
    let (_, rules) = own
        .and_then(|own| own.split_once("  rules:\n"))
        .expect("rules");
    rules.to_owned()
}

#[test]
fn a_redirect_keeps_the_path_unless_it_names_one() {
    assert_eq!(
        rules("to = \"https://www.example.com\"\n"),
        "    - filters:
        - type: RequestRedirect
          requestRedirect:
            scheme: https
            hostname: www.example.com
            statusCode: 301
"
    );
    assert_eq!(
        rules("to = \"https://www.example.com:8443/new\"\npath = \"/old\"\nstatus = 302\n"),
        "    - matches:
        - path:
            type: PathPrefix
            value: /old
      filters:
        - type: RequestRedirect
          requestRedirect:
            scheme: https
            hostname: www.example.com
            port: 8443
            path:
              type: ReplaceFullPath
              replaceFullPath: /new
            statusCode: 302
"
    );
    let kept = rules("to = \"/new\"\nkeep_path = true\n");
    let path = "            path:\n              type: ReplacePrefixMatch\n              replacePrefixMatch: /new\n";
    assert!(kept.contains(path), "{kept}");
}

#[test]
fn a_response_is_a_filter_that_the_route_names() {
    let text = file(
        "[responses.robots]\ngateways = \"envoy-external\"\nhostnames = \"www.example.com\"\npath = \"/robots.txt\"\ncontent_type = \"text/plain\"\nbody = \"none\"\n",
        "envoy.yaml",
    );
    let objects = "      filters:
        - type: ExtensionRef
          extensionRef:
            group: gateway.envoyproxy.io
            kind: HTTPRouteFilter
            name: robots
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: HTTPRouteFilter
metadata:
  name: robots
spec:
  directResponse:
    contentType: text/plain
    statusCode: 200
    body:
      type: Inline
      inline: none
";
    assert!(text.contains(objects), "{text}");
}
