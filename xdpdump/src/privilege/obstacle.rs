//! Why the kernel refuses a system call, as far as a process can find out, and what to do about it.

use std::{fmt, fs, io, os::unix::fs::MetadataExt as _};

use rustix::{
    process::geteuid,
    thread::{CapabilitySet, capabilities},
};

/// Inode number of the initial user namespace (`PROC_USER_INIT_INO`, include/linux/proc_ns.h; since v6.18
/// `USER_NS_INIT_INO`, include/uapi/linux/nsfs.h).
const INITIAL_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// The capabilities that capturing with XDP requires.
pub const NEEDED: [(CapabilitySet, &str); 3] = [
    (CapabilitySet::BPF, "cap_bpf"),
    (CapabilitySet::NET_ADMIN, "cap_net_admin"),
    (CapabilitySet::PERFMON, "cap_perfmon"),
];

/// A system call that a capture needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Loads programs and creates maps.
    Bpf,
    /// Creates perf rings, or the events that wake up the reader of mapped rings.
    PerfEventOpen,
}

/// Why this process may not make a system call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The process lacks capabilities.
    Capabilities,
    /// The process is root, and still lacks these capabilities.
    Root(Vec<&'static str>),
    /// The process is in a user namespace, and its capabilities count only there.
    UserNamespace,
    /// The process has all capabilities, but also a seccomp filter.
    Seccomp(Call),
    /// The process has all capabilities, but the kernel is locked down to this degree.
    Lockdown(String),
    /// The process has all capabilities, and no other reason can be found: probably a security module.
    Unknown,
    /// The kernel does not have the system call.
    Missing(Call),
}

impl Obstacle {
    /// Why `call` failed with `error`; `None` if the error is not a refusal. Files in `/proc` and `/sys` that are
    /// missing count as saying that there is no obstacle.
    pub fn behind(error: &io::Error, call: Call) -> Option<Self> {
        let refusal = match (error.raw_os_error()?, call) {
            // With EACCES, the verifier also rejects a program.
            (libc::EPERM, _) | (libc::EACCES, Call::PerfEventOpen) => Refusal::Forbidden,
            (libc::ENOSYS, _) => Refusal::Missing,
            _ => return None,
        };
        Some(Self::of(&State::find(), refusal, call))
    }

    fn of(state: &State, refusal: Refusal, call: Call) -> Self {
        match (refusal, state) {
            // Some seccomp filters answer that a forbidden call does not exist.
            (_, state)
                if state.has_seccomp_filter && (refusal == Refusal::Missing || state.has_everything()) =>
            {
                Self::Seccomp(call)
            }
            (Refusal::Missing, _) => Self::Missing(call),
            // Capabilities inside the user namespace do not count.
            (_, State { in_user_namespace: true, .. }) => Self::UserNamespace,
            (_, State { missing, is_root, .. }) if !missing.is_empty() => {
                if *is_root {
                    Self::Root(missing.clone())
                } else {
                    Self::Capabilities
                }
            }
            (_, State { lockdown: Some(degree), .. }) => Self::Lockdown(degree.clone()),
            (_, State { .. }) => Self::Unknown,
        }
    }

    /// Whether the process may not or cannot make the call; stands before the action and the obstacle in a message.
    pub fn verb(&self) -> &'static str {
        if matches!(self, Self::Missing(_)) { "not able to" } else { "not allowed to" }
    }
}

/// The kind of an error that refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Forbidden,
    /// The error says that there is no such call.
    Missing,
}

impl State {
    /// The state of this process. Files in `/proc` and `/sys` that are missing count as saying that there is no obstacle.
    pub fn find() -> Self {
        let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let user_namespace = fs::metadata("/proc/self/ns/user").map(|namespace| namespace.ino()).ok();
        Self {
            is_root: geteuid().is_root(),
            missing: missing(held),
            in_user_namespace: user_namespace.is_some_and(|number| number != INITIAL_USER_NAMESPACE),
            has_seccomp_filter: has_seccomp_filter(&status),
            lockdown: lockdown_degree(&lockdown),
        }
    }

    fn has_everything(&self) -> bool {
        !self.in_user_namespace && self.missing.is_empty()
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bpf => "bpf(2)",
            Self::PerfEventOpen => "perf_event_open(2)",
        })
    }
}

/// A sentence without its full stop that follows [`Obstacle::verb`] and "load and attach an XDP program".
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capabilities => f.write_str(
                ": run as root, or give the program the capabilities cap_bpf, cap_net_admin and cap_perfmon",
            ),
            Self::Root(missing) => write!(
                f,
                ": root lacks the capabilities {} here, as is usual in a container: start the container with them (\
                 `--cap-add BPF --cap-add NET_ADMIN --cap-add PERFMON`), or run xdpdump on the host",
                missing.join(", ")
            ),
            Self::UserNamespace => f.write_str(
                " from a user namespace, such as a rootless container: the kernel requires cap_bpf, cap_net_admin and \
                 cap_perfmon outside of it. Run xdpdump as root on the host; to capture on the interfaces of process PID, start \
                 it with `nsenter --target PID --net`",
            ),
            Self::Seccomp(call) => write!(
                f,
                ": this process has a seccomp filter that forbids {call}, as is usual in a container: start the container with a profile that \
                 allows bpf and perf_event_open (such as `--security-opt seccomp=unconfined`), or run xdpdump on the host"
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
            Self::Missing(call) => {
                let option = match call {
                    Call::Bpf => "CONFIG_BPF_SYSCALL",
                    Call::PerfEventOpen => "CONFIG_PERF_EVENTS",
                };
                write!(
                    f,
                    ": this kernel has no {call}: it was built without {option}, or belongs to a sandbox that imitates Linux; run \
                     xdpdump on a kernel that has it"
                )
            }
        }
    }
}

/// The facts that an obstacle is found from.
#[derive(Clone, Debug)]
pub struct State {
    /// Whether the user is root.
    pub is_root: bool,
    /// Those of the needed capabilities that are missing.
    pub missing: Vec<&'static str>,
    /// Whether the process is in another user namespace than that of the host.
    pub in_user_namespace: bool,
    /// Whether system calls pass a seccomp filter.
    pub has_seccomp_filter: bool,
    /// The degree to which the kernel is locked down; `None` if it is not, or does not tell.
    pub lockdown: Option<String>,
}

/// The needed capabilities that `held` lacks. `CAP_SYS_ADMIN` includes the capabilities that were split off it in Linux 5.8.
pub fn missing(held: CapabilitySet) -> Vec<&'static str> {
    let split_off = |needed| needed != CapabilitySet::NET_ADMIN && held.contains(CapabilitySet::SYS_ADMIN);
    NEEDED
        .into_iter()
        .filter_map(|(needed, name)| (!held.contains(needed) && !split_off(needed)).then_some(name))
        .collect()
}

/// Whether `/proc/PID/status` names a seccomp filter, which is mode 2 (proc_pid_status(5)).
fn has_seccomp_filter(status: &str) -> bool {
    status.lines().any(|line| line.strip_prefix("Seccomp:").is_some_and(|mode| mode.trim() == "2"))
}

/// The degree in brackets, as in `none [integrity] confidentiality`; `None` if it is `none`.
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
            (
                State { has_seccomp_filter: true, ..state() },
                "a seccomp filter that forbids perf_event_open(2)",
            ),
            (locked, "locked down (confidentiality"),
            (state(), "security module"),
        ] {
            let sentence = Obstacle::of(&state, Refusal::Forbidden, Call::PerfEventOpen).to_string();
            assert!(sentence.contains(word) && !sentence.contains("run as root,"), "{sentence}");
        }
    }

    #[test]
    fn others_are_told_what_they_lack() {
        let state = State { is_root: false, missing: vec!["cap_bpf"], has_seccomp_filter: true, ..state() };
        assert_eq!(Obstacle::of(&state, Refusal::Forbidden, Call::Bpf), Obstacle::Capabilities);
    }

    #[test]
    fn a_call_that_is_not_there_is_the_kernels_fault_or_that_of_a_filter() {
        let of = |has_seccomp_filter| {
            let state = State { is_root: false, missing: vec!["cap_bpf"], has_seccomp_filter, ..state() };
            Obstacle::of(&state, Refusal::Missing, Call::Bpf)
        };
        assert_eq!(of(true), Obstacle::Seccomp(Call::Bpf));
        assert_eq!(of(false), Obstacle::Missing(Call::Bpf));
        assert!(of(false).to_string().contains("this kernel has no bpf(2)"), "{}", of(false));
    }

    #[test]
    fn other_errors_refuse_nothing() {
        let behind = |errno, call| Obstacle::behind(&io::Error::from_raw_os_error(errno), call);
        assert_eq!(behind(libc::EACCES, Call::Bpf), None, "the verifier");
        assert_eq!(behind(libc::ENODEV, Call::PerfEventOpen), None);
        assert!(behind(libc::EACCES, Call::PerfEventOpen).is_some());
        assert!(behind(libc::EPERM, Call::Bpf).is_some());
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
