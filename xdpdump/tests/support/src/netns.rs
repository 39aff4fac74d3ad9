//! Network namespaces for tests, so that no test touches the machine's own interfaces.

use std::{
    ffi::{CString, OsStr},
    fs::{self, File},
    io::{self, Write},
    os::fd::AsRawFd,
    panic,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// A new network namespace that contains only `lo`, which is up. When dropped, also if the test panics, it is deleted with
/// everything in it.
#[derive(Debug)]
pub struct NetNs {
    name: String,
}

impl NetNs {
    /// Creates a namespace with a unique name.
    ///
    /// # Panics
    /// When not root, or without iproute2.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // SAFETY: geteuid has no preconditions.
        let user = unsafe { libc::geteuid() };
        assert!(user == 0, "tests on the real kernel need root: run `cargo xtask test`");

        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let netns = Self { name: format!("xdpd-{}-{number}", std::process::id()) };
        run("ip", ["netns", "add", &netns.name]);
        netns.ip(["link", "set", "lo", "up"]);
        netns
    }

    /// Two namespaces joined by a veth pair, `left` in the first and `right` in the second, both ends up.
    pub fn pair(left: &str, right: &str) -> (Self, Self) {
        let namespaces = (Self::new(), Self::new());
        join(&namespaces, left, right);
        namespaces
    }

    /// A quiet namespace with a pair of interfaces in it, `left` and `right`, both up.
    pub fn with_pair() -> Self {
        let netns = Self::quiet();
        netns.ip(["link", "add", "left", "type", "veth", "peer", "name", "right"]);
        netns.ip(["link", "set", "left", "up"]);
        netns.ip(["link", "set", "right", "up"]);
        netns
    }

    /// Like [`NetNs::pair`], but the kernel sends nothing by itself on either end: every frame comes from the test.
    pub fn quiet_pair(left: &str, right: &str) -> (Self, Self) {
        let namespaces = (Self::quiet(), Self::quiet());
        join(&namespaces, left, right);
        namespaces
    }

    /// A namespace in which the kernel sends nothing by itself on new interfaces.
    pub fn quiet() -> Self {
        let netns = Self::new();
        netns.run(|| {
            for interfaces in ["all", "default"] {
                fs::write(format!("/proc/sys/net/ipv6/conf/{interfaces}/disable_ipv6"), "1").unwrap();
            }
        });
        netns
    }

    /// Its name, as in `ip netns exec NAME`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `test` on a new thread inside the namespace, and panics if it panics.
    ///
    /// Sockets that it returns stay in the namespace. `/sys` still shows the machine's own namespace.
    pub fn run<T: Send>(&self, test: impl FnOnce() -> T + Send) -> T {
        let path = format!("/run/netns/{}", self.name);
        let inside = || {
            let namespace = File::open(&path).unwrap();
            // SAFETY: the descriptor is open; only this thread changes its namespace, and it ends with the test.
            let result = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
            assert_eq!(result, 0, "setns {path}: {}", io::Error::last_os_error());
            test()
        };
        thread::scope(|scope| scope.spawn(inside).join()).unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    /// A command that will run inside the namespace, with the namespace's `/sys`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Runs `ip ARGUMENTS` inside the namespace and returns what it prints.
    ///
    /// # Panics
    /// When the command fails.
    pub fn ip<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let prefix = ["-netns", &self.name].map(|argument| OsStr::new(argument).to_owned());
        run(
            "ip",
            prefix.into_iter().chain(arguments.into_iter().map(|argument| argument.as_ref().to_owned())),
        )
    }

    /// Runs a command inside the namespace to its end and returns what it prints.
    ///
    /// # Panics
    /// When the command fails.
    pub fn execute(&self, program: &str, arguments: &[&str]) -> String {
        run("ip", ["netns", "exec", &self.name, program].iter().chain(arguments))
    }

    /// The number of an interface.
    pub fn interface_index(&self, name: &str) -> u32 {
        let name = CString::new(name).unwrap();
        // SAFETY: the string ends with NUL and outlives the call.
        let index = self.run(|| unsafe { libc::if_nametoindex(name.as_ptr()) });
        assert_ne!(index, 0, "no interface {name:?}");
        index
    }

    /// The traces of a capture on an interface: XDP programs and promiscuous mode.
    pub fn traces(&self, interface: &str) -> Traces {
        let details = self.ip(["-d", "link", "show", interface]);
        let mut words = details.split_whitespace().skip_while(|word| *word != "promiscuity").skip(1);
        let promiscuity = words.next().unwrap().parse().unwrap();
        Traces { xdp: details.contains("prog/xdp"), promiscuity }
    }

    /// Runs many `ip` commands inside the namespace, one per line and without the word `ip`.
    ///
    /// # Panics
    /// When one fails.
    pub fn ip_batch(&self, commands: &str) {
        let mut ip = Command::new("ip")
            .args(["-netns", &self.name, "-batch", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run ip (package iproute2): {error}"));
        ip.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
        assert!(ip.wait().unwrap().success(), "ip -batch failed");
    }
}

/// The traces of a capture on an interface; the default means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Whether an XDP program is attached.
    pub xdp: bool,
    /// Number of requests for promiscuous mode that are held.
    pub promiscuity: u32,
}

fn join((a, b): &(NetNs, NetNs), left: &str, right: &str) {
    a.ip(["link", "add", left, "type", "veth", "peer", "name", right, "netns", &b.name]);
    a.ip(["link", "set", left, "up"]);
    b.ip(["link", "set", right, "up"]);
}

impl Drop for NetNs {
    fn drop(&mut self) {
        // A failure of the test itself is more important than a failure here.
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

/// Runs a command to its end and returns what it prints.
pub fn run<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run {program} (package iproute2): {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed with {}: {stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
