//! The kernels to test on.

use std::fmt;

/// A release of Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Code name.
    pub name: &'static str,
    /// Whether its security updates are in a separate archive.
    pub has_security: bool,
}

const BULLSEYE: Suite = Suite { name: "bullseye", has_security: true };
/// Without security updates: the real-time kernel of the last one is listed, but its file does not exist.
const BULLSEYE_RT: Suite = Suite { has_security: false, ..BULLSEYE };
pub(super) const BOOKWORM: Suite = Suite { name: "bookworm", has_security: true };
const BACKPORTS: Suite = Suite { name: "trixie-backports", has_security: false };

/// A kernel built by Debian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its name in this command: the version, with `-rt` for the real-time variant.
    pub name: &'static str,
    /// The release that contains it.
    pub suite: Suite,
    /// The package that depends on its newest build, without `linux-image-`.
    pub flavour: &'static str,
    /// The version in the name of its source package, if modules are built for it.
    pub source: Option<&'static str>,
}

/// All kernels, oldest first. The version of `newest` changes over time.
pub const KERNELS: [Kernel; 8] = [
    Kernel { name: "5.10", suite: BULLSEYE, flavour: "amd64", source: None },
    Kernel { name: "5.10-rt", suite: BULLSEYE_RT, flavour: "rt-amd64", source: None },
    Kernel { name: "6.1", suite: BOOKWORM, flavour: "amd64", source: Some("6.1") },
    Kernel { name: "6.1-rt", suite: BOOKWORM, flavour: "rt-amd64", source: None },
    Kernel { name: "6.12", suite: BOOKWORM, flavour: "6.12-amd64", source: Some("6.12") },
    Kernel { name: "6.12-rt", suite: BOOKWORM, flavour: "6.12-rt-amd64", source: Some("6.12") },
    Kernel { name: "newest", suite: BACKPORTS, flavour: "amd64", source: None },
    Kernel { name: "newest-rt", suite: BACKPORTS, flavour: "rt-amd64", source: None },
];

impl Kernel {
    /// Whether the test binary `target` has anything to test on this kernel.
    pub fn runs(&self, target: &str) -> bool {
        match target {
            // An image takes packages, and the machine has no network.
            "kernel_fleet" => false,
            "vm_adapter" => self.has_adapter(),
            "vm_offload" => self.source.is_some(),
            "vm_realtime" => self.name.ends_with("-rt"),
            _ => true,
        }
    }

    /// Whether the simulated adapter is built for it. The kernel tells since Linux 6.7 what drivers tell XDP programs.
    pub fn has_adapter(&self) -> bool {
        self.source == Some("6.12")
    }

    /// The kernel with this name.
    pub fn find(name: &str) -> Option<Self> {
        KERNELS.into_iter().find(|kernel| kernel.name == name)
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}
