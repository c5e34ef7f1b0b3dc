//! The lock: the record of what was written.

use gatewayctl::tree::Lock;

/// What is read is written as a lock that says the same.
pub fn parse(text: &str) {
    let Ok(lock) = Lock::parse("a.lock", text) else {
        return;
    };
    let back = Lock::parse("a.lock", &lock.text()).expect("what is written can be read");
    assert_eq!(back, lock);
}
