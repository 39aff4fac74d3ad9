//! What the driver of an interface tells an XDP program about a frame, besides its bytes.

use super::{
    Link,
    features::{Features, TAKES_TAGS_OFF},
    netdev::{self, RX_METADATA_HASH, RX_METADATA_TIME, RX_METADATA_VLAN_TAG},
};

/// Where the VLAN tags of received frames are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VlanTags {
    /// Among the bytes of the frame.
    InFrame,
    /// Taken off; an XDP program in the driver can ask for them.
    OnRequest,
    /// Taken off; an XDP program cannot know them.
    TakenOff,
}

impl VlanTags {
    /// Where they are for a program that does not ask for them.
    #[must_use]
    pub fn unless_asked(self) -> Self {
        if self == Self::OnRequest { Self::TakenOff } else { self }
    }
}

/// What a driver can tell an XDP program about a received frame, if it is asked (Linux 6.7 says so).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// When the frame arrived.
    pub time: bool,
    /// The hash by which the adapter chose the queue.
    pub hash: bool,
}

impl Link {
    /// What the driver can tell, as far as the kernel says.
    pub fn metadata(&self) -> Metadata {
        let known = self.rx_metadata().unwrap_or(0);
        Metadata { time: known & RX_METADATA_TIME != 0, hash: known & RX_METADATA_HASH != 0 }
    }

    /// Where the VLAN tags of frames that this interface receives are, as far as that is known.
    pub fn vlan_tags(&self) -> VlanTags {
        if !self.takes_tags_off() {
            return VlanTags::InFrame;
        }
        if self.tells_tags() { VlanTags::OnRequest } else { VlanTags::TakenOff }
    }

    /// Whether the driver tells an XDP program the VLAN tag that it took off a frame, as far as the kernel says.
    pub fn tells_tags(&self) -> bool {
        self.rx_metadata().is_some_and(|known| known & RX_METADATA_VLAN_TAG != 0)
    }

    /// Whether its frames come through other interfaces, its ports.
    pub fn has_ports(&self) -> bool {
        matches!(
            self.kind.as_deref(),
            Some("bridge" | "bond" | "team" | "macvlan" | "macvtap" | "openvswitch")
        )
    }

    fn takes_tags_off(&self) -> bool {
        let features = Features::of(&self.name).unwrap_or_default();
        TAKES_TAGS_OFF.iter().any(|name| features.is_on(name))
    }

    /// The functions by which the driver tells metadata (`enum netdev_xdp_rx_metadata`), one per bit.
    fn rx_metadata(&self) -> Option<u64> {
        netdev::device(self.index).ok()?.rx_metadata
    }
}
