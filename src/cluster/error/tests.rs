use super::*;

fn text(value: &str) -> String {
    value.to_owned()
}

#[test]
fn a_failure_says_what_where_why_and_what_to_do() {
    let server = || text("https://10.10.30.1:6443");
    let request = || text("GET /api/v1/namespaces");
    let after = Duration::from_secs(5);
    let all = [
        Error::NoKubeconfig {
            looked: vec![text("~/.kube/config")],
        },
        Error::Kubeconfig {
            place: text("a"),
            problem: text("no YAML"),
        },
        Error::UnknownContext {
            place: text("a"),
            context: text("hoem"),
            known: vec![text("home")],
        },
        Error::NoContext {
            place: text("a"),
            known: Vec::new(),
        },
        Error::Credentials {
            server: server(),
            problem: text("`login` ended with 1"),
        },
        Error::Unreachable {
            server: server(),
            problem: text("connection refused"),
        },
        Error::Certificate {
            server: server(),
            problem: text("expired"),
            expired: true,
        },
        Error::Certificate {
            server: server(),
            problem: text("unknown issuer"),
            expired: false,
        },
        Error::Unauthorized {
            server: server(),
            context: text("home"),
        },
        Error::Forbidden {
            request: request(),
            message: text("no"),
        },
        Error::Stalled {
            server: server(),
            request: request(),
            after,
        },
        Error::OutOfTime {
            server: server(),
            request: request(),
            after,
        },
        Error::Busy {
            server: server(),
            request: request(),
            status: 429,
            tries: 5,
            message: text("slow down"),
        },
        Error::Busy {
            server: server(),
            request: request(),
            status: 503,
            tries: 5,
            message: text("etcd"),
        },
        Error::Refused {
            object: text("Gateway a/b"),
            message: text("no"),
        },
        Error::NotWritten {
            object: text("widgets.example.com"),
            status: 422,
            message: text("spec.versions: Required value"),
        },
        Error::Conflict {
            object: text("widgets.example.com"),
            message: text("spec"),
        },
        Error::Answer {
            server: server(),
            request: request(),
            problem: text("no JSON"),
        },
        Error::Variable {
            object: text("Gateway a/b"),
            problem: text("${A}"),
        },
        Error::NotEstablished {
            name: text("widgets.example.com"),
            problem: text("NamesAccepted is False"),
            after,
        },
    ];
    let told: Vec<String> = all.iter().map(|error| error.told()).collect();
    insta::with_settings!({
            snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"),
            omit_expression => true,
        }, { insta::assert_snapshot!(told.join("\n\n")) });
}
