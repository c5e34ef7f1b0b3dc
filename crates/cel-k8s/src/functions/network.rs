//! Kubernetes' IP and CIDR libraries. Addresses with a zone and IPv4-mapped IPv6 addresses are not accepted.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Function, global, member, no_overload};
use crate::eval::{Answer, Fault, Run};
use crate::value::Value;

fn parse_ip(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => None,
        _ => Some(address),
    }
}

fn parse_cidr(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    let length = (length == "0" || !length.starts_with(['0', '+'])).then_some(length)?;
    IpNet::new(parse_ip(address)?, length.parse().ok()?).ok()
}

pub(super) const FUNCTIONS: &[Function] = &[
    global("ip", 1, 1, |_, it| match it {
        [Value::String(text)] => parse_ip(text)
            .map(Value::Ip)
            .ok_or_else(|| Fault::Error(format!("IP Address {text:?} parse error"))),
        _ => Err(no_overload("ip", it)),
    }),
    global("isIP", 1, 2, is_ip),
    global("ip.isCanonical", 1, 1, |_, it| match it {
        [Value::String(text)] => parse_ip(text)
            .map(|address| Value::Bool(address.to_string() == **text))
            .ok_or_else(|| Fault::Error(format!("IP Address {text:?} parse error"))),
        _ => Err(no_overload("ip.isCanonical", it)),
    }),
    global("cidr", 1, 1, |_, it| match it {
        [Value::String(text)] => parse_cidr(text)
            .map(Value::Cidr)
            .ok_or_else(|| Fault::Error(format!("network address parse error: {text:?}"))),
        _ => Err(no_overload("cidr", it)),
    }),
    global("isCIDR", 1, 1, |_, it| match it {
        [Value::String(text)] => Ok(Value::Bool(parse_cidr(text).is_some())),
        _ => Err(no_overload("isCIDR", it)),
    }),
    member("family", 0, 0, |_, it| {
        of(it, |address| {
            Value::Int(if address.is_ipv4() { 4 } else { 6 })
        })
    }),
    member("isUnspecified", 0, 0, |_, it| {
        of(it, |address| Value::Bool(address.is_unspecified()))
    }),
    member("isLoopback", 0, 0, |_, it| {
        of(it, |address| Value::Bool(address.is_loopback()))
    }),
    member("isLinkLocalMulticast", 0, 0, |_, it| {
        of(it, |address| Value::Bool(is_link_local_multicast(address)))
    }),
    member("isLinkLocalUnicast", 0, 0, |_, it| {
        of(it, |address| Value::Bool(is_link_local(address)))
    }),
    member("isGlobalUnicast", 0, 0, |_, it| {
        of(it, |address| Value::Bool(is_global(address)))
    }),
    member("containsIP", 1, 1, contains_ip),
    member("containsCIDR", 1, 1, contains_cidr),
    member("ip", 0, 0, |_, it| match it {
        [Value::Cidr(network)] => Ok(Value::Ip(network.addr())),
        _ => Err(no_overload("ip", it)),
    }),
    member("masked", 0, 0, |_, it| match it {
        [Value::Cidr(network)] => Ok(Value::Cidr(network.trunc())),
        _ => Err(no_overload("masked", it)),
    }),
    member("prefixLength", 0, 0, |_, it| match it {
        [Value::Cidr(network)] => Ok(Value::Int(i64::from(network.prefix_len()))),
        _ => Err(no_overload("prefixLength", it)),
    }),
];

fn is_ip(_: &mut Run<'_>, it: &[Value]) -> Answer {
    match it {
        [Value::String(text)] => Ok(Value::Bool(parse_ip(text).is_some())),
        _ => Err(no_overload("isIP", it)),
    }
}

fn of(it: &[Value], ask: fn(&IpAddr) -> Value) -> Answer {
    match it {
        [Value::Ip(address)] => Ok(ask(address)),
        _ => Err(no_overload("ip", it)),
    }
}

fn is_link_local(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn is_link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => matches!(v4.octets(), [224, 0, 0, _]),
        IpAddr::V6(v6) => v6.octets().first() == Some(&0xff) && v6.segments()[0] & 0xf == 2,
    }
}

fn is_global(address: &IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    !is_broadcast
        && !address.is_unspecified()
        && !address.is_loopback()
        && !address.is_multicast()
        && !is_link_local(address)
}

fn contains_ip(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let (network, address) = match it {
        [Value::Cidr(network), Value::Ip(address)] => (network, *address),
        [Value::Cidr(network), Value::String(text)] => {
            let address = parse_ip(text);
            let address =
                address.ok_or_else(|| Fault::Error(format!("IP Address {text:?} parse error")))?;
            (network, address)
        }
        _ => return Err(no_overload("containsIP", it)),
    };
    Ok(Value::Bool(network.contains(&address)))
}

fn contains_cidr(_: &mut Run<'_>, it: &[Value]) -> Answer {
    let (network, inner) = match it {
        [Value::Cidr(network), Value::Cidr(inner)] => (network, *inner),
        [Value::Cidr(network), Value::String(text)] => {
            let inner = parse_cidr(text);
            let inner = inner
                .ok_or_else(|| Fault::Error(format!("network address parse error: {text:?}")))?;
            (network, inner)
        }
        _ => return Err(no_overload("containsCIDR", it)),
    };
    Ok(Value::Bool(network.trunc().contains(&inner.trunc())))
}
