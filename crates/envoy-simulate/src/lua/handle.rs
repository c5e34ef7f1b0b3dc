//! The handle that a script gets, as Envoy documents it (1.36 to 1.38, Lua filter): headers, responses, logs, and
//! information on the connection. Using anything else of it ends the script with an unknown result.

use std::rc::Rc;

use data_encoding::BASE64;
use mlua::{
    AnyUserData, FromLua, Function, Lua, LuaString, MetaMethod, Table, UserData, UserDataMethods,
    Value,
};

use super::furnish::{EACH, name_of};
use super::state::{CALL, State, StopReason, steps_for};

/// Headers that Envoy adds. Their values are not known here.
const ADDED: [&str; 3] = [
    "x-request-id",
    "x-envoy-external-address",
    "x-envoy-expected-rq-timeout-ms",
];

/// A string from a script. Numbers are converted.
struct Text(String);

impl FromLua for Text {
    fn from_lua(value: Value, lua: &Lua) -> mlua::Result<Self> {
        let text = LuaString::from_lua(value, lua)?;
        Ok(Text(text.to_string_lossy()))
    }
}

/// `request_handle`.
#[derive(Clone)]
pub(super) struct Handle {
    state: Rc<State>,
}

impl Handle {
    pub fn new(state: Rc<State>) -> Self {
        Handle { state }
    }
}

/// Creates one handle of each kind, so that the memory which Lua keeps for each kind is not counted as the script's.
pub(super) fn prepare(lua: &Lua, state: &Rc<State>) -> mlua::Result<()> {
    let state = || Rc::clone(state);
    let data = lua.create_table()?;
    lua.create_userdata(Handle::new(state()))?;
    lua.create_userdata(Headers { state: state() })?;
    lua.create_userdata(StreamInfo { state: state() })?;
    let state = state();
    lua.create_userdata(Metadata { state, data })?;
    Ok(())
}

impl UserData for Handle {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("headers", |_, this, ()| {
            this.state.charge(CALL)?;
            Ok(Headers {
                state: Rc::clone(&this.state),
            })
        });
        methods.add_method("respond", |_, this, (headers, _): (Table, Value)| {
            let status: Option<Text> = headers.get(":status")?;
            let status = status.and_then(|it| it.0.parse::<u16>().ok());
            match status.filter(|it| (200..600).contains(it)) {
                Some(status) => this.state.end::<()>(StopReason::Responded(status)),
                None => Err(mlua::Error::runtime(
                    "respond: `:status` must be a number from 200 to 599",
                )),
            }
        });
        for (name, level) in [
            ("logTrace", "trace"),
            ("logDebug", "debug"),
            ("logInfo", "info"),
            ("logWarn", "warning"),
            ("logErr", "error"),
            ("logCritical", "critical"),
        ] {
            methods.add_method(name, move |_, this, line: Text| {
                this.state.charge_call(line.0.len())?;
                this.state.log(&format!("{level}: {}", line.0));
                Ok(())
            });
        }
        methods.add_method("base64Escape", |lua, this, text: LuaString| {
            let text = text.as_bytes();
            this.state.charge_call(text.len())?;
            lua.create_string(BASE64.encode(&text))
        });
        methods.add_method("streamInfo", |_, this, ()| {
            this.state.charge(CALL)?;
            Ok(StreamInfo {
                state: Rc::clone(&this.state),
            })
        });
        methods.add_method("clearRouteCache", |_, this, ()| {
            this.state
                .unknown::<()>("another look for a route (`clearRouteCache`)")
        });
        methods.add_meta_method(MetaMethod::Index, |_, this, name: Value| {
            this.state
                .unknown::<()>(format!("`handle:{}()`", name_of(&name)))
        });
    }
}

/// `request_handle:headers()`.
struct Headers {
    state: Rc<State>,
}

impl Headers {
    /// The values of a header.
    fn values(&self, name: &str) -> mlua::Result<Vec<String>> {
        self.state.charge_call(name.len())?;
        let name = name.to_lowercase();
        let headers = self.state.headers.borrow();
        self.state
            .charge(u64::try_from(headers.len() / 4).unwrap_or(u64::MAX))?;
        let found: Vec<String> = headers
            .iter()
            .filter(|(its, _)| *its == name)
            .map(|(_, value)| value.clone())
            .collect();
        drop(headers);
        let bytes = found.iter().map(String::len).sum();
        self.state.charge(steps_for(bytes))?;
        let is_added = ADDED.contains(&name.as_str())
            || (name == "x-forwarded-for" && self.state.facts.peer.is_none());
        match found.is_empty() && is_added {
            true => self
                .state
                .unknown(format!("the header {name}, which Envoy adds")),
            false => Ok(found),
        }
    }

    fn change(&self, name: &str, replaces: bool, value: Option<String>) -> mlua::Result<()> {
        let length = value.as_ref().map_or(0, String::len);
        if name.len() > LONGEST_HEADER || length > LONGEST_HEADER {
            return Err(mlua::Error::runtime("a header longer than a request has"));
        }
        self.state.charge_call(name.len() + length)?;
        let name = name.to_lowercase();
        let mut headers = self.state.headers.borrow_mut();
        let mut changed = self.state.changed.borrow_mut();
        let others = headers.len() + changed.len();
        self.state
            .charge(u64::try_from(others / 4).unwrap_or(u64::MAX))?;
        self.state.keep(2 * name.len() + length)?;
        if replaces {
            headers.retain(|(its, _)| *its != name);
        }
        if let Some(value) = value {
            if headers.len() >= MOST_HEADERS {
                return Err(mlua::Error::runtime("more headers than a request has"));
            }
            headers.push((name.clone(), value));
        }
        if !changed.contains(&name) {
            changed.push(name);
        }
        Ok(())
    }
}

/// The limits on headers. They are at least those of Envoy.
const MOST_HEADERS: usize = 1000;
const LONGEST_HEADER: usize = 60 << 10;

impl UserData for Headers {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("get", |_, this, name: Text| {
            let values = this.values(&name.0)?;
            Ok((!values.is_empty()).then(|| values.join(",")))
        });
        methods.add_method("getAtIndex", |_, this, (name, at): (Text, i64)| {
            let values = this.values(&name.0)?;
            Ok(usize::try_from(at)
                .ok()
                .and_then(|at| values.get(at).cloned()))
        });
        methods.add_method("getNumValues", |_, this, name: Text| {
            Ok(this.values(&name.0)?.len())
        });
        methods.add_method("add", |_, this, (name, value): (Text, Text)| {
            this.change(&name.0, false, Some(value.0))
        });
        methods.add_method("replace", |_, this, (name, value): (Text, Text)| {
            this.change(&name.0, true, Some(value.0))
        });
        methods.add_method("remove", |_, this, name: Text| {
            this.change(&name.0, true, None)
        });
        methods.add_meta_method(MetaMethod::Pairs, |lua, this, ()| {
            let headers = this.state.headers.borrow();
            let bytes = headers.iter().map(|(name, value)| name.len() + value.len());
            this.state.charge_call(bytes.sum())?;
            this.state
                .charge(u64::try_from(headers.len()).unwrap_or(u64::MAX))?;
            let names = headers.iter().map(|(name, _)| name.as_str());
            let values = headers.iter().map(|(_, value)| value.as_str());
            let names = lua.create_sequence_from(names)?;
            let values = lua.create_sequence_from(values)?;
            let each: Function = lua.named_registry_value(EACH)?;
            let next: Function = each.call((names, values))?;
            Ok((next, Value::Nil, Value::Nil))
        });
        methods.add_meta_method(MetaMethod::Index, |_, this, name: Value| {
            this.state
                .unknown::<()>(format!("`headers:{}()`", name_of(&name)))
        });
    }
}

/// `request_handle:streamInfo()`.
struct StreamInfo {
    state: Rc<State>,
}

impl StreamInfo {
    /// An address with a port of 0, because the port is not known.
    fn address(&self, address: Option<&String>, name: &str) -> mlua::Result<String> {
        self.state.charge(CALL)?;
        match address {
            // Scripts remove the port, so any value will do.
            Some(address) if address.contains(':') => Ok(format!("[{address}]:0")),
            Some(address) => Ok(format!("{address}:0")),
            None => self.state.unknown(format!("`streamInfo():{name}()`")),
        }
    }
}

impl UserData for StreamInfo {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("downstreamRemoteAddress", |_, this, ()| {
            this.address(this.state.facts.client.as_ref(), "downstreamRemoteAddress")
        });
        methods.add_method("downstreamDirectRemoteAddress", |_, this, ()| {
            let peer = this.state.facts.peer.as_ref();
            this.address(peer, "downstreamDirectRemoteAddress")
        });
        methods.add_method("requestedServerName", |_, this, ()| {
            let name = this.state.facts.server_name.clone().unwrap_or_default();
            this.state.charge_call(name.len())?;
            Ok(name)
        });
        methods.add_method("dynamicMetadata", |lua, this, ()| {
            this.state.charge(CALL)?;
            // There is one table for each run, so that a script can read what it has put there.
            let kept: Option<AnyUserData> = lua.named_registry_value("metadata")?;
            if let Some(kept) = kept {
                return Ok(kept);
            }
            let data = lua.create_table()?;
            let made = lua.create_userdata(Metadata {
                state: Rc::clone(&this.state),
                data,
            })?;
            lua.set_named_registry_value("metadata", &made)?;
            Ok(made)
        });
        methods.add_meta_method(MetaMethod::Index, |_, this, name: Value| {
            this.state
                .unknown::<()>(format!("`streamInfo():{}()`", name_of(&name)))
        });
    }
}

/// `streamInfo():dynamicMetadata()`: only what the script itself has put there. What other filters put there is not
/// known.
struct Metadata {
    state: Rc<State>,
    data: Table,
}

impl UserData for Metadata {
    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method(
            "set",
            |lua, this, (filter, key, value): (Text, Value, Value)| {
                this.state.charge_call(filter.0.len())?;
                let old: Option<Table> = this.data.get(filter.0.as_str())?;
                let table = match old {
                    Some(table) => table,
                    None => lua.create_table()?,
                };
                table.set(key, value)?;
                this.data.set(filter.0, table)
            },
        );
        methods.add_method("get", |_, this, filter: Text| {
            this.state.charge_call(filter.0.len())?;
            let own: Option<Table> = this.data.get(filter.0.as_str())?;
            match own {
                Some(own) => Ok(own),
                None => this.state.unknown(format!("the metadata of {}", filter.0)),
            }
        });
        methods.add_meta_method(MetaMethod::Index, |_, this, name: Value| {
            this.state
                .unknown::<()>(format!("`dynamicMetadata():{}()`", name_of(&name)))
        });
    }
}
