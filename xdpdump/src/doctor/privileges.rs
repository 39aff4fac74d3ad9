//! What this process may do.

use std::{env, fs};

use rustix::thread::{CapabilitySet, capabilities};

use super::{Finding, Group, kernel::Offer};
use crate::{
    cpus,
    printable::shell_word,
    privilege::{Call, NEEDED, Obstacle, State},
    sys::perf_event::{self, Wakeup},
};

const GROUP: Group = Group::Privileges;

const LOCKDOWN: &str = "/sys/kernel/security/lockdown";

/// Looks at the rights of this process.
pub fn examine(offer: Offer) -> Vec<Finding> {
    let state = State::find();
    let held = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let mut findings = vec![needed(&state, held)];
    findings.extend(others(held));
    if state.has_seccomp_filter {
        findings.push(GROUP.ok(
            "seccomp",
            "system calls of this process pass a seccomp filter, as is usual in a container; a call that it forbids is named in its \
             line",
        ));
    }
    findings.push(perf(&state));
    findings.push(lockdown(&state, offer.mapped_rings.is_some()));
    findings.extend(unprivileged());
    findings
}

/// The command that gives the program file what a capture needs.
pub fn setcap() -> Option<String> {
    let file = fs::canonicalize(env::current_exe().ok()?).ok()?;
    let wanted: Vec<_> = NEEDED.iter().map(|(_, name)| *name).chain(["cap_net_raw"]).collect();
    Some(format!("setcap {}=ep {}", wanted.join(","), shell_word(file)))
}

/// The capabilities that every capture needs.
fn needed(state: &State, held: CapabilitySet) -> Finding {
    if state.in_user_namespace {
        return GROUP.failure("capabilities", format!("not allowed to capture{}", Obstacle::UserNamespace));
    }
    if state.missing.is_empty() {
        let which = NEEDED.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
        let instead = NEEDED.iter().any(|(needed, _)| !held.contains(*needed));
        let by = if instead { " (cap_sys_admin includes what is missing of it)" } else { "" };
        return GROUP.ok("capabilities", format!("this process has what a capture needs: {which}{by}"));
    }
    let which = state.missing.join(", ");
    if state.is_root {
        let why = Obstacle::Root(state.missing.clone());
        return GROUP.failure("capabilities", format!("not allowed to capture{why}"));
    }
    GROUP
        .failure(
            "capabilities",
            format!("this process lacks {which}, which every capture needs: run as root, or give them to the program file"),
        )
        .with(setcap())
}

/// The capabilities that some captures need.
fn others(held: CapabilitySet) -> Vec<Finding> {
    let lacks = |capability| !held.contains(capability);
    let mut findings = Vec::new();
    if lacks(CapabilitySet::NET_RAW) {
        findings.push(GROUP.warning(
            "promiscuous",
            "this process lacks cap_net_raw, which promiscuous mode needs: frames for other stations may be missing",
        ));
    }
    if lacks(CapabilitySet::SYS_ADMIN) {
        findings.push(GROUP.ok(
            "administration",
            "this process lacks cap_sys_admin, which only captures beside another XDP program and --netns need",
        ));
    }
    findings
}

/// Opens the perf event by which the kernel wakes the reader of a ring, for a moment.
fn perf(state: &State) -> Finding {
    let paranoia = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid")
        .map_or_else(|_| String::new(), |level| format!(" (kernel.perf_event_paranoid = {})", level.trim()));
    let Some(cpu) = cpus::online().ok().and_then(|online| online.first().copied()) else {
        return GROUP.unknown("perf", "which CPUs are online cannot be seen, so no perf event was tried");
    };
    let Err(error) = perf_event::open(cpu, Wakeup::EveryFrame) else {
        return GROUP.ok("perf", format!("perf events can be opened{paranoia}"));
    };
    match Obstacle::behind(&error, Call::PerfEventOpen) {
        Some(_) if !state.missing.is_empty() || state.in_user_namespace => GROUP.unknown(
            "perf",
            format!("whether perf events can be opened cannot be tried without the privileges of a capture{paranoia}"),
        ),
        Some(Obstacle::Unknown) if !paranoia.is_empty() => GROUP
            .failure("perf", format!("not allowed to open perf events, by which frames come to user space{paranoia}"))
            .with("sysctl -w kernel.perf_event_paranoid=2".to_owned()),
        Some(obstacle) => {
            GROUP.failure("perf", format!("{} open a perf event{obstacle}{paranoia}", obstacle.verb()))
        }
        None => GROUP.failure("perf", format!("cannot open a perf event of CPU {cpu}: {error}")),
    }
}

/// `are_accepted` says that the kernel accepted programs, so that nothing forbids them.
fn lockdown(state: &State, are_accepted: bool) -> Finding {
    let name = "lockdown";
    match &state.lockdown {
        Some(degree) if are_accepted => {
            GROUP.ok(name, format!("the kernel is locked down ({degree}), which does not forbid captures"))
        }
        Some(degree) => GROUP.unknown(
            name,
            format!("the kernel is locked down ({degree}); whether that forbids captures cannot be tried"),
        ),
        None if are_accepted || fs::exists(LOCKDOWN).unwrap_or(false) => {
            GROUP.ok(name, "no lockdown of the kernel forbids captures")
        }
        None => {
            GROUP.unknown(name, format!("the kernel does not say whether it is locked down ({LOCKDOWN})"))
        }
    }
}

/// Whether users without capabilities may load programs, which no capture depends on.
fn unprivileged() -> Option<Finding> {
    let setting = fs::read_to_string("/proc/sys/kernel/unprivileged_bpf_disabled").ok()?;
    let setting = setting.trim();
    let meaning = match setting {
        "0" => "users without capabilities may load BPF programs, which captures do not need",
        _ => "only processes with capabilities may load BPF programs",
    };
    Some(GROUP.ok("unprivileged", format!("{meaning} (kernel.unprivileged_bpf_disabled = {setting})")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::Verdict, privilege::missing};

    fn state(held: CapabilitySet) -> State {
        State {
            is_root: false,
            missing: missing(held),
            in_user_namespace: false,
            has_seccomp_filter: false,
            lockdown: None,
        }
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_gives_it() {
        let held = CapabilitySet::NET_ADMIN | CapabilitySet::BPF;
        let finding = needed(&state(held), held);
        assert_eq!(finding.verdict, Verdict::Failure);
        assert!(finding.sentence.starts_with("this process lacks cap_perfmon, which"), "{finding:?}");
        let command = finding.command.unwrap();
        assert!(
            command.starts_with("setcap cap_bpf,cap_net_admin,cap_perfmon,cap_net_raw=ep /"),
            "{command}"
        );
        assert!(others(held).iter().any(|finding| finding.name == "promiscuous"));
        let root = State { is_root: true, ..state(held) };
        assert!(needed(&root, held).sentence.contains("root lacks the capabilities cap_perfmon here"));
    }

    #[test]
    fn the_capabilities_of_the_file_suffice() {
        let held =
            CapabilitySet::NET_ADMIN | CapabilitySet::BPF | CapabilitySet::PERFMON | CapabilitySet::NET_RAW;
        assert_eq!(needed(&state(held), held).verdict, Verdict::Ok);
        assert!(others(held).iter().all(|finding| finding.verdict == Verdict::Ok));
        let old = CapabilitySet::NET_ADMIN | CapabilitySet::SYS_ADMIN;
        assert!(needed(&state(old), old).sentence.contains("cap_sys_admin includes"));
    }
}
