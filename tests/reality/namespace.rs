//! Network namespaces: each has ports and addresses of its own, and nothing in it reaches anything outside.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The network namespace of the current thread, and of all threads and processes that it starts.
#[derive(Debug)]
pub struct Namespace {
    addresses: Mutex<BTreeSet<IpAddr>>,
}

/// Whether this process may make network namespaces.
pub fn may_be_made() -> Result<(), String> {
    let made = Command::new("unshare").args(["--net", "true"]).output();
    match made {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(
            "this user may not make network namespaces (as a user who isn't root: unshare --user --map-root-user \
             cargo test --test reality)"
                .to_owned(),
        ),
    }
}

/// Runs a function in a new thread, and that in a new network namespace, which ends together with the last thread and
/// process in it. Only a few run at the same time, because every one starts an Envoy.
pub fn in_new<T: Send>(run: impl FnOnce(&Namespace) -> T + Send) -> T {
    let _turn = turn();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| run(&Namespace::enter()));
        match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// One of two turns: the machines of CI have two processors.
fn turn() -> MutexGuard<'static, ()> {
    static TURNS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
    let [first, second] = &TURNS;
    match first.try_lock() {
        Ok(turn) => turn,
        Err(_) => second.lock().unwrap_or_else(PoisonError::into_inner),
    }
}

impl Namespace {
    /// A process makes the namespace and waits, until this thread has moved into it.
    fn enter() -> Self {
        let mut maker = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "unshare", "--net", "sh", "-c"])
            .arg("ip link set lo up && echo made && exec cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process in a network namespace");
        let mut said = String::new();
        let stdout = maker.stdout.take().expect("its output");
        let _ = BufReader::new(stdout).read_line(&mut said);
        assert_eq!(said, "made\n", "a network namespace with a loopback device");
        let file = File::open(format!("/proc/{}/ns/net", maker.id())).expect("the namespace");
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("this thread moves into the namespace");
        maker.kill().expect("the process ends");
        maker.wait().expect("the process has ended");
        Namespace {
            addresses: Mutex::default(),
        }
    }

    /// Whether anything listens on a port of UDP.
    pub fn listens_on_udp(&self, port: u16) -> bool {
        // The local address and port are the second column, in hexadecimal digits.
        let sockets = ["udp", "udp6"].map(|it| format!("/proc/thread-self/net/{it}"));
        let sockets = sockets.map(|it| std::fs::read_to_string(it).unwrap_or_default());
        let mut lines = sockets.iter().flat_map(|it| it.lines());
        let end = format!(":{port:04X}");
        lines.any(|line| {
            let local = line.split_whitespace().nth(1);
            local.is_some_and(|it| it.ends_with(&end))
        })
    }

    /// Adds an address that servers may listen on and clients may come from.
    pub fn add_address(&self, address: IpAddr) {
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if address.is_loopback() || !addresses.insert(address) {
            return;
        }
        let added = Command::new("ip")
            .args(["address", "add", &address.to_string(), "dev", "lo"])
            .args(address.is_ipv6().then_some("nodad"))
            .status();
        assert!(
            added.is_ok_and(|status| status.success()),
            "{address} is added to the loopback device"
        );
    }
}
