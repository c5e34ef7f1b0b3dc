//! References to what does not exist, or can't be used there.

mod app_template;
pub(crate) mod extension_disabled;
pub(crate) mod instead;
mod lua_calls;
pub(crate) mod lua_script;
pub(crate) mod missing_file;
pub(crate) mod missing_script;
pub(crate) mod misspelt_annotation;
pub(crate) mod misspelt_value;
pub(crate) mod names;
pub(crate) mod no_certificate;
pub(crate) mod not_permitted;
pub(crate) mod other_schema;
pub(crate) mod parameters;
pub(crate) mod port;
pub(crate) mod rate_limit_service;
pub(crate) mod scripts;
pub(crate) mod unknown_certificate;
pub(crate) mod unknown_class;
pub(crate) mod unknown_controller;
pub(crate) mod unknown_identifier;
pub(crate) mod unknown_issuer;
pub(crate) mod unknown_object;
pub(crate) mod unknown_provider;
pub(crate) mod unknown_resource;
pub(crate) mod unlisted_file;
pub(crate) mod unusable;
