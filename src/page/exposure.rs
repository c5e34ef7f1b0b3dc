//! Who can reach what, as a page: the gateways, and the hostnames of each side of the network, the external ones first.

use envoy_gateway::exposure::{Change, ExposedGateway, Exposure, Hostname, Side, Table, words};

use super::changes;
use super::escape::xml;
use super::{Page, counted};

/// What can be searched in these pages.
const SEARCHED: &str = "hostname, gateway, route, guard";

/// The page of what is reachable, for each cluster with its name if there are several.
pub fn page(clusters: &[(Option<String>, Table)]) -> String {
    let all = clusters.iter().flat_map(|(_, table)| &table.exposures);
    let title = format!("Who can reach what: {}", names(all));
    let mut main = format!("<div class=\"text\">\n<h1>{}</h1>\n", xml(&title));
    for (cluster, table) in clusters {
        if let Some(name) = cluster {
            main.push_str(&format!("<h2>{}</h2>\n", xml(name)));
        }
        content(&mut main, table);
    }
    main.push_str("</div>\n");
    Page::of_rows(title, SEARCHED, "", main)
}

/// The page of what has changed since a revision.
pub fn page_of_changes(changes: &[Change], since: &str) -> String {
    let title = format!("What changes in who can reach what since {since}");
    let mut main = format!("<div class=\"text\">\n<h1>{}</h1>\n", xml(&title));
    match changes.is_empty() {
        true => main.push_str("<p>Nothing changes.</p>\n"),
        false => main.push_str(&changes::list(changes)),
    }
    main.push_str("</div>\n");
    Page::of_rows(title, SEARCHED, "", main)
}

/// How many names there are: `11 hostnames, 1 port`.
fn names<'e>(exposures: impl Iterator<Item = &'e Exposure>) -> String {
    let is_hostname = |it: &&Exposure| matches!(it.hostname, Hostname::Name(_));
    let (hostnames, ports): (Vec<&Exposure>, Vec<&Exposure>) = exposures.partition(is_hostname);
    let hostnames = counted(hostnames.len(), "hostname", "hostnames");
    match ports.len() {
        0 => hostnames,
        ports => format!("{hostnames}, {}", counted(ports, "port", "ports")),
    }
}

fn content(main: &mut String, table: &Table) {
    main.push_str("<ul class=\"cards group\" aria-label=\"Gateways\">\n");
    for gateway in &table.gateways {
        main.push_str(&card(gateway));
    }
    main.push_str("</ul>\n");
    if table.exposures.is_empty() {
        main.push_str("<p>Nothing is exposed: no route is attached.</p>\n");
    }
    for side in [Side::External, Side::Unknown, Side::Internal] {
        let of_side = |it: &&Exposure| table.side(&it.gateway) == side;
        let exposures: Vec<&Exposure> = table.exposures.iter().filter(of_side).collect();
        if !exposures.is_empty() {
            main.push_str(&rows(table, side, &exposures));
        }
    }
}

fn card(gateway: &ExposedGateway) -> String {
    let side = gateway.reach.side.as_str();
    let mut text = format!(
        "<li class=\"item\"><b>{}</b> <span class=\"word {side}\">{side}</span>\n<div class=\"faint\">{}</div>\n<dl>",
        xml(&gateway.name),
        xml(&words::reach(gateway)),
    );
    let mut entry = |name: &str, values: Vec<String>| {
        if !values.is_empty() {
            let values: Vec<String> = values.iter().map(|it| code(it)).collect();
            let values = values.join("<br>");
            text.push_str(&format!("<dt>{name}</dt><dd>{values}</dd>"));
        }
    };
    entry("addresses", gateway.addresses.clone());
    entry("DNS target", gateway.target.iter().cloned().collect());
    let listeners = gateway.listeners.iter().map(|it| {
        let hostname = it.hostname.as_deref().unwrap_or("any");
        format!("{} {} {} {hostname}", it.name, it.protocol, it.port)
    });
    entry("listeners", listeners.collect());
    let trusted = words::trusted(gateway).into_iter();
    entry("trusts", trusted.map(str::to_owned).collect());
    text + "</dl></li>\n"
}

fn rows(table: &Table, side: Side, exposures: &[&Exposure]) -> String {
    let title = match side {
        Side::External => "From the Internet",
        Side::Internal => "From the internal network",
        Side::Unknown => "It is not known from where",
    };
    let mut text = format!(
        "<section class=\"group\">\n<h3>{title}: {}</h3>\n<table>\n<thead><tr><th scope=\"col\">hostname</th><th scope=\"col\">gateway</th><th scope=\"col\">DNS record</th><th scope=\"col\">guards</th><th scope=\"col\">routes</th><th scope=\"col\">backends</th></tr></thead>\n<tbody>\n",
        names(exposures.iter().copied())
    );
    for exposure in exposures {
        text.push_str(&row(table, side, exposure));
    }
    text + "</tbody>\n</table>\n</section>\n"
}

fn row(table: &Table, side: Side, exposure: &Exposure) -> String {
    let remarks = words::remarks(exposure);
    let remarks = remarks
        .iter()
        .map(|it| format!(" <span class=\"word unknown\">{it}</span>"));
    let remarks: String = remarks.collect();
    let front = table.gateway(&exposure.gateway);
    let gateway = words::short(table, &exposure.gateway);
    let gateway = format!("{gateway} {}", exposure.listeners.join(","));
    // Whoever opens the page looks for what everybody can reach unchecked.
    let is_bare = exposure.guards.is_empty() && side != Side::Internal && !exposure.is_redirect;
    let bare = if is_bare { " class=\"bare\"" } else { "" };
    let guards = words::guards(&exposure.guards);
    format!(
        "<tr class=\"item\" data-also=\"{also}\"><th scope=\"row\">{hostname}{remarks}</th><td data-name=\"gateway\"><span>{gateway}</span></td><td data-name=\"DNS record\"><span>{records}</span></td><td data-name=\"guards\"><span{bare}>{guards}</span></td><td data-name=\"routes\"><span>{routes}</span></td><td data-name=\"backends\"><span>{backends}</span></td></tr>\n",
        also = side.as_str(),
        hostname = code(&words::hostname(exposure)),
        gateway = xml(&gateway),
        records = xml(&words::records(exposure, front)),
        guards = xml(&guards),
        routes = lines(&words::routes(exposure)),
        backends = lines(&exposure.backends),
    )
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", xml(text))
}

fn lines(texts: &[String]) -> String {
    let lines: Vec<String> = texts.iter().map(|it| xml(it)).collect();
    lines.join("<br>")
}
