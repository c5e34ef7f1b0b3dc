//! Parses lock files, the record of what was written.

use gatewayctl::tree::Lock;

/// A lock file that can be read must be the same after it is written and read again.
pub fn parse(text: &str) {
    let Ok(lock) = Lock::parse("a.lock", text) else {
        return;
    };
    let back = Lock::parse("a.lock", &lock.text()).expect("what is written can be read");
    assert_eq!(back, lock);
}
