//! The places where the name of a gateway is written.

use super::index::{Index, Place, in_order};
use super::links::Reference;
use super::outline::unquoted;
use super::toml;
use manifest::value::Pointer;
use manifest::value::pointer::Step;

/// The name of the gateway that a value of `cluster.toml` is: a key below `gateways`, or an entry of a list of gateways. `key`
/// tells whether the key is meant and not its value.
pub fn gateway_at(pointer: &Pointer, is_key: bool, text: &str) -> Option<String> {
    let steps = pointer.steps();
    if steps
        .iter()
        .any(|step| matches!(step, Step::Key(key) if key == "spec" || key == "object"))
    {
        return None;
    }
    let (last, above) = steps.split_last()?;
    let is_below = key_of(above.last()) == Some("gateways");
    let is_listed = !is_key
        && (is_below && matches!(last, Step::Index(_)) || key_of(Some(last)) == Some("gateways"));
    match (is_key && is_below, last) {
        (true, Step::Key(name)) => Some(name.clone()),
        _ => is_listed.then(|| unquoted(text).to_owned()),
    }
}

fn key_of(step: Option<&Step>) -> Option<&str> {
    match step {
        Some(Step::Key(key)) => Some(key),
        _ => None,
    }
}

/// Everywhere that people write the name of a gateway, without quotes.
pub fn places(index: &Index, gateway: &Reference) -> Vec<Place> {
    let mut places = index.references(gateway);
    let is_configured = |name: &str| places.iter().any(|place| place.file == name);
    if let Some((name, text)) = index
        .configuration()
        .filter(|(name, _)| is_configured(name))
    {
        places.retain(|place| place.file != name);
        let outline = toml::outline(text);
        for entry in &outline.entries {
            for (range, is_key) in [(&entry.key, true), (&entry.value, false)] {
                let Some(range) = range else { continue };
                let written = text.get(range.clone()).unwrap_or_default();
                if gateway_at(&entry.pointer, is_key, written).as_deref() == Some(&*gateway.name) {
                    places.push(Place {
                        file: name.to_owned(),
                        range: range.clone(),
                    });
                }
            }
        }
    }
    for place in &mut places {
        let text = index.text(&place.file);
        let written = text.and_then(|text| text.get(place.range.clone()));
        if written.is_some_and(|written| unquoted(written).len() < written.len()) {
            place.range = place.range.start + 1..place.range.end - 1;
        }
    }
    in_order(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_renamed_in_cluster_toml_and_in_manifests() {
        let mut index = Index::default();
        let toml = "[gateways.a]\naddress = \"a\"\n[gateways.a.listeners.https]\nport = 1\n[ssh]\ngateways = [\"a\", \"b\"]\n[lua]\ngateways = \"a\"\n[autoscaling.gateways.a]\nmax = 2\nspec.gateways = [\"a\"]\n";
        index.configure("cluster.toml", toml, Some("network"));
        let route = "kind: HTTPRoute\nmetadata: {name: a}\nspec:\n  parentRefs: [{name: \"a\", namespace: network}, {name: a, namespace: other}]\n";
        index.set_text("route.yaml", &route.into());
        let places = places(&index, &index.gateway("a"));
        let mut texts = [toml.to_owned(), route.to_owned()];
        for place in places.iter().rev() {
            let [config, manifest] = &mut texts;
            let text = if place.file == "cluster.toml" {
                config
            } else {
                manifest
            };
            text.replace_range(place.range.clone(), "new");
        }
        assert_eq!(
            texts[0],
            "[gateways.new]\naddress = \"a\"\n[gateways.new.listeners.https]\nport = 1\n[ssh]\ngateways = [\"new\", \"b\"]\n[lua]\ngateways = \"new\"\n[autoscaling.gateways.new]\nmax = 2\nspec.gateways = [\"a\"]\n"
        );
        assert_eq!(texts[1], route.replace("\"a\"", "\"new\""));
    }
}
