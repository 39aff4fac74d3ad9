//! Why the kernel says EPERM, as far as a process can find out, and what to do about it.

use std::{fmt, fs, os::unix::fs::MetadataExt as _};

use rustix::{
    process::geteuid,
    thread::{CapabilitySet, capabilities},
};

/// Number of the initial user namespace (`PROC_USER_INIT_INO`, include/linux/proc_ns.h; since v6.18 `USER_NS_INIT_INO`,
/// include/uapi/linux/nsfs.h).
const INITIAL_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// What XDP takes.
const NEEDED: [(CapabilitySet, &str); 3] = [
    (CapabilitySet::BPF, "cap_bpf"),
    (CapabilitySet::NET_ADMIN, "cap_net_admin"),
    (CapabilitySet::PERFMON, "cap_perfmon"),
];

/// What stands between this process and an XDP program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It lacks capabilities.
    Capabilities,
    /// It is root, and still lacks these capabilities.
    Root(Vec<&'static str>),
    /// Its capabilities count only inside a user namespace.
    UserNamespace,
    /// It has everything, and a seccomp filter.
    Seccomp,
    /// It has everything; the kernel is locked down to this degree.
    Lockdown(String),
    /// It has everything, and nothing else is to be seen: a security module, most likely.
    Unknown,
}

impl Obstacle {
    /// Looks for what is in the way of this process. What `/proc` and `/sys` do not tell where they are missing is taken not
    /// to be there.
    pub fn find() -> Self {
        let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let user_namespace = fs::metadata("/proc/self/ns/user").map(|namespace| namespace.ino()).ok();
        Self::of(&State {
            is_root: geteuid().is_root(),
            missing: missing(held),
            in_user_namespace: user_namespace.is_some_and(|number| number != INITIAL_USER_NAMESPACE),
            has_seccomp_filter: has_seccomp_filter(&status),
            lockdown: lockdown_degree(&lockdown),
        })
    }

    fn of(state: &State) -> Self {
        match state {
            // Whatever it has in there does not count.
            State { in_user_namespace: true, .. } => Self::UserNamespace,
            State { missing, is_root, .. } if !missing.is_empty() => {
                if *is_root {
                    Self::Root(missing.clone())
                } else {
                    Self::Capabilities
                }
            }
            State { has_seccomp_filter: true, .. } => Self::Seccomp,
            State { lockdown: Some(degree), .. } => Self::Lockdown(degree.clone()),
            State { .. } => Self::Unknown,
        }
    }
}

/// A sentence without its full stop, to follow "not allowed to load and attach an XDP program".
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capabilities => f.write_str(
                ": run as root, or give the program the capabilities cap_bpf, cap_net_admin and cap_perfmon",
            ),
            Self::Root(missing) => write!(
                f,
                ": root lacks the capabilities {} here, as in a container: start it with them (such as \
                 `--cap-add BPF --cap-add NET_ADMIN --cap-add PERFMON`), or run xdpdump on the host",
                missing.join(", ")
            ),
            Self::UserNamespace => f.write_str(
                " from a user namespace, such as a rootless container: the kernel wants cap_bpf, cap_net_admin and \
                 cap_perfmon outside of it. Run xdpdump as root on the host, and `nsenter --target PID --net` before it for \
                 the interfaces of process PID",
            ),
            Self::Seccomp => f.write_str(
                ": this process has the capabilities, but a seccomp filter that forbids bpf(2), as containers have: start it \
                 with a profile that allows bpf and perf_event_open (such as `--security-opt seccomp=unconfined`), or run \
                 xdpdump on the host",
            ),
            Self::Lockdown(degree) => write!(
                f,
                ": the kernel is locked down ({degree}, /sys/kernel/security/lockdown): boot it without `lockdown=`, or with \
                 Secure Boot off"
            ),
            Self::Unknown => f.write_str(
                ": this process has the capabilities, so a security module (SELinux, AppArmor) or the kernel's configuration \
                 forbids it: the kernel's log (`dmesg`) or the audit log says which",
            ),
        }
    }
}

/// What decides.
#[derive(Debug)]
struct State {
    is_root: bool,
    missing: Vec<&'static str>,
    in_user_namespace: bool,
    has_seccomp_filter: bool,
    lockdown: Option<String>,
}

/// What `held` lacks. `CAP_SYS_ADMIN` includes what was split off it in Linux 5.8.
fn missing(held: CapabilitySet) -> Vec<&'static str> {
    let split_off = |needed| needed != CapabilitySet::NET_ADMIN && held.contains(CapabilitySet::SYS_ADMIN);
    NEEDED
        .into_iter()
        .filter_map(|(needed, name)| (!held.contains(needed) && !split_off(needed)).then_some(name))
        .collect()
}

/// From `/proc/PID/status`: mode 2 is a filter (proc_pid_status(5)).
fn has_seccomp_filter(status: &str) -> bool {
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
}

/// The degree in brackets of `none [integrity] confidentiality`; nothing when it is `none`.
fn lockdown_degree(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    let (degree, _) = rest.split_once(']')?;
    (degree != "none").then(|| degree.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            is_root: true,
            missing: Vec::new(),
            in_user_namespace: false,
            has_seccomp_filter: false,
            lockdown: None,
        }
    }

    #[test]
    fn root_is_never_told_to_be_root() {
        let lacking = State { missing: vec!["cap_bpf"], has_seccomp_filter: true, ..state() };
        let locked = State { lockdown: Some("confidentiality".to_owned()), ..state() };
        for (state, word) in [
            (State { in_user_namespace: true, ..state() }, "user namespace"),
            (lacking, "root lacks the capabilities cap_bpf here"),
            (State { has_seccomp_filter: true, ..state() }, "seccomp"),
            (locked, "locked down (confidentiality"),
            (state(), "security module"),
        ] {
            let sentence = Obstacle::of(&state).to_string();
            assert!(sentence.contains(word) && !sentence.contains("run as root,"), "{sentence}");
        }
    }

    #[test]
    fn others_are_told_what_they_lack() {
        let state = State { is_root: false, missing: vec!["cap_bpf"], has_seccomp_filter: true, ..state() };
        assert_eq!(Obstacle::of(&state), Obstacle::Capabilities);
    }

    #[test]
    fn capabilities_are_those_of_the_kernel() {
        assert_eq!(missing(CapabilitySet::empty()), ["cap_bpf", "cap_net_admin", "cap_perfmon"]);
        assert_eq!(missing(CapabilitySet::SYS_ADMIN), ["cap_net_admin"]);
        assert_eq!(missing(CapabilitySet::BPF | CapabilitySet::NET_ADMIN), ["cap_perfmon"]);
    }

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert!(has_seccomp_filter("NoNewPrivs:\t0\nSeccomp:\t2\nSeccomp_filters:\t1\n"));
        assert!(!has_seccomp_filter("Seccomp:\t0\nSeccomp_filters:\t2\n"));
        assert_eq!(lockdown_degree("[none] integrity confidentiality\n"), None);
        assert_eq!(lockdown_degree("none integrity [confidentiality]\n").as_deref(), Some("confidentiality"));
        assert_eq!(lockdown_degree(""), None);
    }
}
