//! The program file, and its place in Wireshark.

use std::path::Path;

use rustix::thread::CapabilitySet;

use super::{Finding, Group, privileges::setcap};
use crate::{
    extcap::{self, Listing},
    printable::printable,
    privilege::{FileCapabilities, missing, names},
    report::sentence,
};

const GROUP: Group = Group::Installation;

/// The file of this process.
const PROGRAM: &str = "/proc/self/exe";

/// Looks at the program file.
pub fn examine() -> Vec<Finding> {
    let found = FileCapabilities::of(Path::new(PROGRAM));
    let file = match found {
        Ok(found) => capabilities(found),
        Err(error) => GROUP.unknown(
            "file-capabilities",
            format!("the capabilities of the program file cannot be read ({error})"),
        ),
    };
    [Some(file), extcap()].into_iter().flatten().collect()
}

fn capabilities(found: Option<FileCapabilities>) -> Finding {
    const NAME: &str = "file-capabilities";
    let Some(found) = found else {
        return GROUP
            .ok(NAME, "the program file has no capabilities, so only root can capture; setcap lets everybody who may run it")
            .with(setcap());
    };
    let has = names(found.permitted).join(", ");
    let lacks = missing(found.permitted);
    if found.is_ignored {
        GROUP.warning(
            NAME,
            format!("the program file has {has}, but lies on a file system that is mounted with nosuid, where they do not count"),
        )
    } else if !lacks.is_empty() {
        GROUP
            .warning(NAME, format!("the program file has {has}, and lacks {}", lacks.join(", ")))
            .with(setcap())
    } else if !found.effective {
        GROUP
            .warning(
                NAME,
                format!("the program file has {has}, but not as effective ones, so they are not used"),
            )
            .with(setcap())
    } else if !found.permitted.contains(CapabilitySet::NET_RAW) {
        GROUP
            .warning(NAME, format!("the program file has {has}, and lacks cap_net_raw for promiscuous mode"))
            .with(setcap())
    } else {
        let namespace = if found.of_user_namespace { ", which count in one user namespace only" } else { "" };
        GROUP
            .ok(NAME, format!("the program file has {has}{namespace}: every user who may run it can capture"))
    }
}

/// Whether Wireshark lists the interfaces of xdpdump, if there is a Wireshark.
fn extcap() -> Option<Finding> {
    match extcap::listing() {
        Ok(listing) => listed(listing),
        Err(error) => Some(GROUP.unknown("extcap", sentence(&error))),
    }
}

fn listed(listing: Listing) -> Option<Finding> {
    const NAME: &str = "extcap";
    const INSTALL: &str = "xdpdump extcap install";
    let finding = match listing {
        Listing::NoWireshark => return None,
        Listing::Here(link) => {
            GROUP.ok(NAME, format!("Wireshark lists the interfaces as \"XDP on …\" ({})", printable(link)))
        }
        Listing::Elsewhere(link, target) => GROUP
            .warning(
                NAME,
                format!("Wireshark starts another program: {} leads to {}", printable(link), printable(target)),
            )
            .with(INSTALL.to_owned()),
        Listing::Nowhere => GROUP
            .ok(
                NAME,
                "Wireshark does not list the interfaces of this program; `extcap install` changes that, with --system for all users",
            )
            .with(INSTALL.to_owned()),
    };
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn a_link_to_another_program_is_replaced_by_a_command() {
        let link = || "/home/a/.local/lib/wireshark/extcap/xdpdump".into();
        assert_eq!(listed(Listing::NoWireshark), None);
        let finding = |listing| listed(listing).map(|finding| (finding.verdict, finding.command.is_some()));
        assert_eq!(finding(Listing::Here(link())), Some((Verdict::Ok, false)));
        assert_eq!(finding(Listing::Nowhere), Some((Verdict::Ok, true)));
        let gone = Listing::Elsewhere(link(), "/opt/old/xdpdump".into());
        assert_eq!(finding(gone), Some((Verdict::Warning, true)));
    }

    #[test]
    fn what_a_file_lacks_is_mended_by_a_command() {
        let usual =
            CapabilitySet::NET_ADMIN | CapabilitySet::BPF | CapabilitySet::PERFMON | CapabilitySet::NET_RAW;
        let file = FileCapabilities {
            permitted: usual,
            effective: true,
            of_user_namespace: false,
            is_ignored: false,
        };
        for (found, verdict, words) in [
            (None, Verdict::Ok, "only root"),
            (Some(file), Verdict::Ok, "every user"),
            (Some(FileCapabilities { of_user_namespace: true, ..file }), Verdict::Ok, "one user namespace"),
            (Some(FileCapabilities { effective: false, ..file }), Verdict::Warning, "not as effective"),
            (Some(FileCapabilities { is_ignored: true, ..file }), Verdict::Warning, "nosuid"),
            (
                Some(FileCapabilities { permitted: usual - CapabilitySet::NET_RAW, ..file }),
                Verdict::Warning,
                "lacks cap_net_raw",
            ),
            (
                Some(FileCapabilities { permitted: usual - CapabilitySet::BPF, ..file }),
                Verdict::Warning,
                "lacks cap_bpf",
            ),
        ] {
            let finding = capabilities(found);
            assert_eq!(finding.verdict, verdict, "{finding:?}");
            assert!(finding.sentence.contains(words), "{finding:?}");
        }
    }
}
