//! What is wrong with publishers and the names that they publish.

use super::super::Version;
use super::super::names;
use super::{SOURCES, kind_of};
use crate::config::dns::{Publisher, PublisherKind};
use crate::config::{Text, codes};
use manifest::diagnostic::suggest::nearest;
use manifest::diagnostic::{Diagnostic, Span};

pub(super) fn two_targets(gateway: &Text, prefix: &Text, one: &Text, other: &Text) -> Diagnostic {
    let message = format!(
        "the publishers of {} read the same annotation, and need different targets: {} and {}",
        gateway.value, one.value, other.value
    );
    Diagnostic::new(codes::CONFIG_CONTRADICTION, message)
        .at(other.span.or(gateway.span))
        .related(one.span, "the other target")
        .why(format!("a gateway has one annotation {}/target", prefix.value))
        .help("give one of them an `annotation_prefix` of its own, as its flag `--annotation-prefix` has it")
}

pub(super) fn unread(gateway: &Text, span: Option<Span>) -> Diagnostic {
    let message = format!("no publisher reads the annotations of {}", gateway.value);
    Diagnostic::new(codes::CONFIG_CONTRADICTION, message)
        .at(span)
        .why("its hostname and target would be written nowhere")
        .help(format!(
            "add \"{}\" to the `gateways` of one of [dns.publishers], or remove `dns` here",
            gateway.value
        ))
}

pub(super) fn no_reader(gateway: &Text) -> Diagnostic {
    let message = format!("no publisher reads the DNSEndpoint of {}", gateway.value);
    Diagnostic::new(codes::CONFIG_CONTRADICTION, message)
        .at(gateway.span)
        .why("the gateway's hostname would have no record")
        .help("add `crd` to the `sources` of an external-dns for this gateway, or remove `dns.endpoint`")
}

pub(super) fn no_record(gateway: &Text) -> Diagnostic {
    let message = format!("the DNSEndpoint of {} would have no record", gateway.value);
    Diagnostic::new(codes::CONFIG_MISSING_KEY, message)
        .at(gateway.span)
        .why("a record needs a hostname and something that it leads to")
        .help("give the gateway an `address`, or write `dns.endpoint.targets` and `dns.hostname`")
}

pub(super) fn check(publisher: &Publisher, problems: &mut Vec<Diagnostic>) {
    names::check_pairs("gateway labels", &publisher.gateway_labels, true, problems);
    for source in publisher.sources.iter() {
        let mut known = SOURCES.iter().map(|(there, _)| *there);
        if !known.any(|there| there == source.value) {
            problems.push(unknown_source(source));
        }
    }
    let version = publisher.version.as_ref();
    if let Some(version) = version.filter(|text| Version::parse(text).is_none()) {
        let message = format!("{:?} is not a version of external-dns", version.value);
        problems.push(
            Diagnostic::new(codes::CONFIG_INVALID_VALUE, message)
                .at(version.span)
                .why("the version decides the prefix of its annotations")
                .help("write three numbers, such as \"0.22.0\""),
        );
    }
    let unread = [
        publisher.version.as_ref(),
        publisher.annotation_prefix.as_ref(),
        publisher.target.as_ref(),
    ];
    let is_k8s_gateway = kind_of(publisher) == PublisherKind::K8sGateway;
    let unread = unread.into_iter().flatten().map(|text| text.span).next();
    if let Some(span) = unread.filter(|_| is_k8s_gateway) {
        problems.push(
            Diagnostic::new(
                codes::CONFIG_CONTRADICTION,
                "k8s-gateway has no annotations, so it takes none of `version`, `annotation_prefix` and `target`",
            )
            .at(span)
            .why("it answers with the addresses of the gateway, and the key would have no effect")
            .help("remove the key, or set `kind = \"external-dns\"`"),
        );
    }
}

fn unknown_source(source: &Text) -> Diagnostic {
    let known = || SOURCES.iter().map(|(there, _)| *there);
    let help = match nearest(source, known()) {
        Some(near) => format!("write `{near}`"),
        None => format!(
            "those that matter here are {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    };
    Diagnostic::new(
        codes::CONFIG_INVALID_VALUE,
        format!(
            "{:?} is no source of external-dns that reads gateways",
            source.value
        ),
    )
    .at(source.span)
    .why("it would not be known which names are published")
    .help(help)
}
