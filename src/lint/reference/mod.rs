//! References to what does not exist, or can't be used there.

pub mod extension_disabled;
pub mod lua_script;
pub mod missing_file;
pub mod missing_script;
pub mod not_permitted;
pub mod port;
pub mod scripts;
pub mod unlisted_file;
pub mod unusable;
