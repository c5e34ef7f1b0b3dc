//! prometheus-operator: its changelog from 0.80 to 0.93. Schemas report what the newest CRDs refuse.

use super::{Change, Effect, Instead, Project, Seen, Touches, always, change, mended};

pub(super) const PROJECT: Project = Project {
    name: "prometheus-operator",
    title: "Prometheus Operator",
    covers: ("0.80.0", "0.93.0"),
    changes: CHANGES,
};

const PROMETHEUS: &[&str] = &["Prometheus", "PrometheusAgent"];
const SCRAPES: &[&str] = &["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"];

fn is_not_a_url(seen: &Seen<'_>) -> bool {
    !seen.text().starts_with("http://") && !seen.text().starts_with("https://")
}

fn has_two_ways_to_log_in(seen: &Seen<'_>) -> bool {
    let ways = ["basicAuth", "authorization", "oauth2"];
    ways.into_iter().filter(|way| !seen.lacks(way)).count() > 1
}

const CHANGES: &[Change] = &[
    mended(
        change(
            &["0.81.0"],
            Effect::Breaks,
            Touches::Field(SCRAPES, "spec.scrapeFallbackProtocol", always),
            "`scrapeFallbackProtocol` is called `fallbackScrapeProtocol`",
            "the API server refuses the object, or removes the field",
            "write `fallbackScrapeProtocol`",
        ),
        Instead::Key("fallbackScrapeProtocol"),
    ),
    change(
        &["0.81.0"],
        Effect::Breaks,
        Touches::Field(&["ScrapeConfig"], "spec.openstackSDConfigs[].role", |it| {
            matches!(it.text(), "instance" | "hypervisor")
        }),
        "the roles of OpenStack begin with a capital letter",
        "the API server refuses the object",
        "write `Instance` or `Hypervisor`",
    ),
    change(
        &["0.88.0"],
        Effect::Breaks,
        Touches::Field(&["ScrapeConfig"], "spec.ec2SDConfigs", always),
        "discovery in EC2 is refused for Prometheus 3.8 and later",
        "the ScrapeConfig is not in Prometheus' configuration",
        "give the version of Prometheus that you run (`spec.version`), and check that it still has it",
    ),
    change(
        &["0.90.0"],
        Effect::Breaks,
        Touches::Field(PROMETHEUS, "spec.remoteWrite[].url", is_not_a_url),
        "the URL of a remote write begins with `http://` or `https://`",
        "Prometheus is not configured as long as it doesn't",
        "write the whole URL",
    ),
    change(
        &["0.91.0"],
        Effect::Breaks,
        Touches::Field(&["ScrapeConfig"], "spec", has_two_ways_to_log_in),
        "only one of `basicAuth`, `authorization` and `oauth2` may be set",
        "the API server refuses the object",
        "remove the others",
    ),
    change(
        &["0.92.0"],
        Effect::Breaks,
        Touches::Field(PROMETHEUS, "spec.remoteRead[].url", is_not_a_url),
        "the URL of a remote read must be valid",
        "the API server refuses the object",
        "write the whole URL",
    ),
    change(
        &["0.92.0"],
        Effect::Breaks,
        Touches::Field(SCRAPES, "spec.endpoints[].oauth2.tokenUrl", is_not_a_url),
        "`tokenUrl` must be a URL",
        "the API server refuses the object",
        "write the whole URL",
    ),
    change(
        &["0.93.0"],
        Effect::Behaves,
        Touches::Field(&["Prometheus"], "spec.thanos.objectStorageConfig", always),
        "Prometheus compacts its blocks although Thanos uploads them (Prometheus 3.9, Thanos 0.41)",
        "before, compaction was off; it takes memory and disk",
        "write `disableCompaction: true` to keep it as it was",
    ),
    change(
        &["0.93.0"],
        Effect::Behaves,
        Touches::Field(PROMETHEUS, "spec.remoteWrite[].messageVersion", |it| {
            it.text() == "V2.0"
        }),
        "metadata are not sent by themselves with messages of version 2.0",
        "they are part of the messages",
        "nothing to do",
    ),
];
