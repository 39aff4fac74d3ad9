//! Capabilities: those that a capture needs after it has begun, and how the others are given up.

use std::{fmt, io, thread};

use super::file::names;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// A set of capabilities that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities(pub(super) CapabilitySet);

impl Capabilities {
    /// No capability.
    pub const NONE: Self = Self(CapabilitySet::empty());
    /// Everything that a capture can ask for, until it has begun.
    pub const TO_BEGIN: Self = Self(
        CapabilitySet::NET_ADMIN
            .union(CapabilitySet::NET_RAW)
            .union(CapabilitySet::IPC_LOCK)
            .union(CapabilitySet::SYS_ADMIN)
            .union(CapabilitySet::PERFMON)
            .union(CapabilitySet::BPF),
    );
    /// To open the perf event of a CPU that comes online (perf_event_open(2)).
    pub const PERF_EVENTS: Self = Self(CapabilitySet::PERFMON);
    /// The same, where the kernel has Debian's `kernel.perf_event_paranoid=3`.
    pub const PERF_EVENTS_OF_ROOT: Self = Self(CapabilitySet::SYS_ADMIN);
    /// To map a perf ring that is larger than a user may lock (`perf_mmap`, kernel/events/core.c, v6.18).
    pub const LARGE_PERF_RINGS: Self = Self(CapabilitySet::IPC_LOCK);
    /// To use maps whose descriptors are open, on kernels that ask for a capability for that as well.
    pub const MAPS: Self = Self(CapabilitySet::BPF);
    /// To load a program and attach it to an interface.
    pub const ATTACH: Self =
        Self(CapabilitySet::NET_ADMIN.union(CapabilitySet::PERFMON).union(CapabilitySet::BPF));
    /// To open programs of others, for a capture beside them (`bpf_prog_get_fd_by_id`, kernel/bpf/syscall.c, v6.18).
    pub const OPEN_PROGRAMS: Self = Self(CapabilitySet::SYS_ADMIN);
    /// To change an interface back.
    pub const CONFIGURE: Self = Self(CapabilitySet::NET_ADMIN);

    /// These and others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0.union(others.0))
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = names(self.0);
        if names.is_empty() { f.write_str("none") } else { f.write_str(&names.join(", ")) }
    }
}

/// Gives up, for good, all capabilities of this thread but those in `keep`, also in programs that it starts. Returns those
/// that it still has.
///
/// # Errors
/// The error of the system call.
pub fn keep_only(keep: Capabilities) -> io::Result<Capabilities> {
    let had = capabilities(None)?;
    let kept = had.permitted & keep.0;
    shrink_bounding_set(kept);
    set_capabilities(
        None,
        CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() },
    )?;
    set_no_new_privs(true)?;
    Ok(Capabilities(kept))
}

/// Leaves programs that are started no others either, if this thread has CAP_SETPCAP; `no_new_privs` does the same without.
pub(super) fn shrink_bounding_set(keep: CapabilitySet) {
    for (capability, _) in every() {
        if !keep.contains(capability) && capability_is_in_bounding_set(capability).unwrap_or(false) {
            let _ = remove_capability_from_bounding_set(capability);
        }
    }
}

fn every() -> impl Iterator<Item = (CapabilitySet, u32)> {
    CapabilitySet::all().iter().zip(0..)
}

/// Whether `action` fails without capabilities: it is tried in a thread that has none.
pub fn takes_capabilities<E: Send>(action: impl FnOnce() -> Result<(), E> + Send) -> bool {
    let without = || {
        let nothing = CapabilitySet::empty();
        set_capabilities(
            None,
            CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing },
        )
        .is_err()
            || action().is_err()
    };
    thread::scope(|scope| scope.spawn(without).join().unwrap_or(true))
}
