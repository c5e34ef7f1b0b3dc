//! grafana-operator: the migration from version 4 to 5. The deprecated fields of version 5 are in
//! `version/deprecated-field`.

use super::{Change, Effect, Project, Touches, change};

pub(super) const PROJECT: Project = Project {
    name: "grafana-operator",
    title: "Grafana Operator",
    covers: ("4.0.0", "5.24.0"),
    changes: CHANGES,
};

const CHANGES: &[Change] = &[change(
    &["5.0.0"],
    Effect::Breaks,
    Touches::Field(
        &[
            "Grafana",
            "GrafanaDashboard",
            "GrafanaDataSource",
            "GrafanaFolder",
        ],
        "apiVersion",
        |it| it.text() == "integreatly.org/v1alpha1",
    ),
    "the API group is `grafana.integreatly.org`, in version `v1beta1`",
    "the new operator doesn't see objects of the old group, so nothing of it is in Grafana",
    "write `grafana.integreatly.org/v1beta1`, and `instanceSelector` in dashboards; GrafanaDataSource is called GrafanaDatasource",
)];
