//! What the kernel offers to captures.

use std::{fs, io};

use super::{Finding, Group};
use crate::{
    cpus,
    privilege::Obstacle,
    probe::{
        self, Probe, RingLayout,
        features::{self, Candidate, FromTypes},
    },
    report::sentence,
    sys::kernel,
    transport::mapped::Lengths,
};

const GROUP: Group = Group::Kernel;

/// What other checks need to know about the kernel; `None` for what could not be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Native mode sees frames in several buffers.
    pub several_buffers: Option<bool>,
    /// Frames come through mapped rings.
    pub mapped_rings: Option<bool>,
    /// A program can ask drivers for VLAN tags.
    pub tells_tags: Option<bool>,
    /// Programs may run before and after others.
    pub beside: Option<bool>,
}

/// Looks at the kernel, and tries what it offers.
pub fn examine() -> (Vec<Finding>, Offer) {
    let release = format!("{} on {}", kernel::operating_system(), kernel::machine());
    let mut findings = vec![GROUP.ok("release", release)];
    let mut offer = Offer::default();
    let tried = tries(&mut findings, &mut offer);
    types(&mut findings, &mut offer, tried);
    (findings, offer)
}

/// Loads programs; returns whether the process may.
fn tries(findings: &mut Vec<Finding>, offer: &mut Offer) -> bool {
    match features::load_smallest() {
        Ok(is_compiled) => {
            findings.push(GROUP.ok("programs", "XDP programs are accepted"));
            findings.push(compiler(is_compiled));
        }
        Err(error) if is_want_of_privileges(&error) => {
            let names = [
                ("programs", "whether XDP programs are accepted"),
                ("attachment", "whether programs go away with the process"),
                ("rings", "the kind of rings that frames come through"),
                ("buffers", "whether native mode sees frames in several buffers"),
                ("sent", "the way in which sent frames are captured"),
            ];
            findings.extend(names.map(|(name, what)| {
                GROUP.unknown(name, format!("{what} cannot be tried without the privileges of a capture"))
            }));
            return false;
        }
        Err(error) => {
            findings.push(GROUP.failure("programs", sentence(&error)));
            return false;
        }
    }
    findings.push(match features::has_xdp_links() {
        Ok(true) => GROUP.ok("attachment", "programs are attached so that they go away with the process"),
        Ok(false) => GROUP.failure("attachment", probe::Error::KernelTooOld.to_string()),
        Err(error) => GROUP.unknown("attachment", sentence(&error)),
    });
    rings(findings, offer);
    findings.push(sent());
    true
}

/// Whether the finding about privileges says why.
fn is_want_of_privileges(error: &probe::Error) -> bool {
    matches!(
        error,
        probe::Error::Permission(Obstacle::Capabilities | Obstacle::Root(_) | Obstacle::UserNamespace)
    )
}

fn compiler(is_compiled: bool) -> Finding {
    const SWITCH: &str = "/proc/sys/net/core/bpf_jit_enable";
    if is_compiled {
        return GROUP.ok("compiler", "programs are compiled to instructions of the CPU (JIT)");
    }
    let command =
        fs::exists(SWITCH).unwrap_or(false).then(|| "sysctl -w net.core.bpf_jit_enable=1".to_owned());
    GROUP
        .warning(
            "compiler",
            "programs are interpreted, not compiled (JIT): every frame costs several times as much",
        )
        .with(command)
}

/// Loads the programs of captures through each kind of rings.
fn rings(findings: &mut Vec<Finding>, offer: &mut Offer) {
    let several = Candidate::Received { several_buffers: true };
    let single = Candidate::Received { several_buffers: false };
    let through = |layout, candidate| Probe::load(layout).and_then(|probe| probe.try_to_load(candidate));
    let least = Lengths::within(0);
    let mapped =
        RingLayout { cpus: 1, small_len: least.small, ring_len: least.large, value_len: least.value_len() };
    let perf = RingLayout::without_rings(cpus::limit());
    let layout = match through(mapped, single) {
        Ok(()) => {
            offer.mapped_rings = Some(true);
            findings.push(GROUP.ok("rings", "frames come through mapped rings, the fastest kind"));
            mapped
        }
        Err(error) => match through(perf, single) {
            Ok(()) => {
                offer.mapped_rings = Some(false);
                findings.push(GROUP.warning(
                    "rings",
                    format!(
                        "frames come through perf rings, which cost more: this kernel has no mapped rings, which take \
                         Linux 5.18 ({})",
                        sentence(&error)
                    ),
                ));
                perf
            }
            Err(error) => {
                findings.push(GROUP.failure("rings", sentence(&error)));
                return;
            }
        },
    };
    offer.several_buffers = Some(through(layout, several).is_ok());
    findings.push(if offer.several_buffers == Some(true) {
        GROUP.ok("buffers", "native mode sees frames in several buffers, such as jumbo frames")
    } else {
        GROUP.warning(
            "buffers",
            "native mode is for MTUs that fit into a page: frames in several buffers take Linux 5.18; generic mode (-S) \
             captures any",
        )
    });
}

fn sent() -> Finding {
    match features::has_tcx() {
        Ok(true) => GROUP.ok("sent", "sent frames (-Q out) are captured through tcx"),
        Ok(false) => GROUP.ok(
            "sent",
            "sent frames (-Q out) are captured by a filter of clsact; one that `kill -9` leaves behind is removed by the next \
             capture (tcx takes Linux 6.6)",
        ),
        Err(error) => {
            GROUP.warning("sent", format!("sent frames (-Q out) are not captured: {}", sentence(&error)))
        }
    }
}

/// Looks into the kernel's type information.
fn types(findings: &mut Vec<Finding>, offer: &mut Offer, may_load: bool) {
    let FromTypes { metadata, beside } = match features::from_types() {
        Ok(types) => types,
        Err(error) => {
            let without = "nothing is captured beside another XDP program, and VLAN tags that a driver takes off are missing";
            (offer.tells_tags, offer.beside) = (Some(false), Some(false));
            findings.push(if error.kind() == io::ErrorKind::NotFound {
                let why =
                    "the kernel has no type information (/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF)";
                GROUP.warning("types", format!("{why}: {without}"))
            } else {
                let why = "the kernel's type information (/sys/kernel/btf/vmlinux) cannot be read";
                GROUP.warning("types", format!("{why} ({error}): {without}"))
            });
            return;
        }
    };
    findings.push(GROUP.ok("types", "the kernel has type information (BTF)"));
    offer.tells_tags = Some(metadata[0]);
    findings.push(GROUP.ok("metadata", told(metadata)));
    findings.push(match beside {
        _ if !may_load => GROUP.unknown(
            "beside",
            "whether captures can run beside another XDP program cannot be tried without the privileges of a capture",
        ),
        Ok(()) => {
            offer.beside = Some(true);
            GROUP.ok("beside", "captures can run beside another XDP program (--at)")
        }
        Err(reason @ features::Untraceable::NotTried) => {
            GROUP.unknown("beside", format!("whether captures can run beside another XDP program: {reason}"))
        }
        Err(reason) => {
            offer.beside = Some(false);
            GROUP.warning("beside", format!("captures cannot run beside another XDP program: {reason}"))
        }
    });
}

/// What XDP programs can ask a driver for.
fn told([tag, time, hash]: [bool; 3]) -> String {
    let all = [(tag, "VLAN tags", "6.8"), (time, "time stamps", "6.3"), (hash, "hashes", "6.3")];
    let list = |is_told: bool| {
        let words: Vec<_> = all
            .iter()
            .filter(|(told, ..)| *told == is_told)
            .map(
                |(_, what, since)| {
                    if is_told { (*what).to_owned() } else { format!("{what} (Linux {since})") }
                },
            )
            .collect();
        words.join(", ")
    };
    match (list(true), list(false)) {
        (told, missing) if missing.is_empty() => format!("XDP programs can ask drivers for {told}"),
        (told, missing) if told.is_empty() => format!("XDP programs cannot ask drivers for {missing}"),
        (told, missing) => format!("XDP programs can ask drivers for {told}, not for {missing}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_drivers_tell_is_a_sentence() {
        assert_eq!(told([true; 3]), "XDP programs can ask drivers for VLAN tags, time stamps, hashes");
        assert_eq!(
            told([false, true, true]),
            "XDP programs can ask drivers for time stamps, hashes, not for VLAN tags (Linux 6.8)"
        );
        assert!(
            told([false; 3]).starts_with("XDP programs cannot ask drivers for VLAN tags (Linux 6.8), time")
        );
    }
}
