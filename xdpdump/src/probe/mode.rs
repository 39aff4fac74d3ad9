//! Where in the receive path an XDP program runs.

use std::fmt;

/// An XDP attach mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver, before an skb is made.
    Native,
    /// In the network stack's generic path, on any driver.
    Skb,
    /// On the NIC itself.
    Offload,
}

impl Mode {
    /// `XDP_FLAGS_*_MODE`, include/uapi/linux/if_link.h.
    pub(super) fn flags(self) -> u32 {
        match self {
            Self::Skb => 1 << 1,
            Self::Native => 1 << 2,
            Self::Offload => 1 << 3,
        }
    }

    /// The command line's flag for it.
    pub fn option(self) -> &'static str {
        match self {
            Self::Native => "-N",
            Self::Skb => "-S",
            Self::Offload => "-H",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Skb => "generic (SKB)",
            Self::Offload => "offload",
        })
    }
}
