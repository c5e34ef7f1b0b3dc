//! Durations and quantities, as Go and Kubernetes parse them.

use crate::fault::{Fault, Faults};
use crate::read::has;
use k8s_syntax::time;
use manifest::value::{Kind, Node, variable};

/// The integer value of a Kubernetes quantity (apimachinery's `Quantity.AsInt64`). `None` if it is not a quantity, or
/// not an integer.
pub fn whole(node: &Node) -> Option<i128> {
    let text = match &node.kind {
        Kind::Number(number) => number.to_string(),
        Kind::String(text) => text.clone(),
        _ => return None,
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '-' | '+' | '.'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (power, base): (u32, i128) = match suffix {
        "" => (0, 10),
        "k" => (3, 10),
        "M" => (6, 10),
        "G" => (9, 10),
        "T" => (12, 10),
        "P" => (15, 10),
        "E" => (18, 10),
        "Ki" => (10, 2),
        "Mi" => (20, 2),
        "Gi" => (30, 2),
        "Ti" => (40, 2),
        "Pi" => (50, 2),
        "Ei" => (60, 2),
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = base.checked_pow(power)?;
    let digits: i128 = whole.parse().ok()?;
    let mut value = digits.checked_mul(scale)?;
    if !fraction.is_empty() {
        let part: i128 = fraction.parse().ok()?;
        let below = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let scaled = part.checked_mul(scale)?;
        if scaled % below != 0 {
            return None;
        }
        value = value.checked_add(scaled / below)?;
    }
    Some(value)
}

/// Reports invalid durations.
pub fn check_durations(spec: &Node, paths: &[&[&str]], faults: &mut Faults) {
    for path in paths {
        let text = spec.path(path).and_then(Node::as_str);
        if let Some(text) =
            text.filter(|text| time::duration(text).is_none() && !variable::in_text(text))
        {
            faults.push(Fault::invalid(format!(
                "`{}`: `{text}` is not a duration",
                path.join(".")
            )));
        }
    }
}

/// Reports a quantity that is not an integer, or out of bounds.
pub fn check_quantity(spec: &Node, path: &[&str], least: i128, most: i128, faults: &mut Faults) {
    let Some(node) = spec.path(path).filter(|_| has(spec, path)) else {
        return;
    };
    if node.as_str().is_some_and(variable::in_text) {
        return;
    }
    let name = path.join(".");
    match whole(node) {
        None => faults.push(Fault::invalid(format!(
            "`{name}` is not a whole number of bytes"
        ))),
        Some(value) if value < least || value > most => {
            faults.push(Fault::invalid(format!(
                "`{name}` is {value}; it must be from {least} to {most}"
            )));
        }
        Some(_) => {}
    }
}

/// Reports sizes of HTTP/2 windows that are out of bounds.
pub fn check_http2_windows(spec: &Node, faults: &mut Faults) {
    for window in ["initialStreamWindowSize", "initialConnectionWindowSize"] {
        let path = ["http2", window];
        check_quantity(spec, &path, 65_535, i128::from(i32::MAX), faults);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_whole_or_nothing() {
        let of = |text: &str| whole(&Node::string(text));
        assert_eq!(of("1Ki"), Some(1024));
        assert_eq!(of("1.5k"), Some(1500));
        assert_eq!(of("1T"), Some(1_000_000_000_000));
        assert_eq!(of("100m"), None);
        assert_eq!(of("0.5"), None);
        assert_eq!(of("x"), None);
    }
}
