//! What the driver of an interface tells an XDP program about a frame, besides its bytes.

use std::io;

use super::{
    Link, message,
    message::{attributes, begin, end, push_attribute},
    netlink::Socket,
};
use crate::sys::ethtool::Ethtool;

/// The controller of generic netlink (include/uapi/linux/genetlink.h).
const CONTROLLER: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// The family `netdev`, Linux 6.3 (include/uapi/linux/netdev.h).
const NETDEV: &[u8] = b"netdev\0";
const GET_DEVICE: u8 = 1;
const IFINDEX: u16 = 1;
const RX_METADATA: u16 = 5;
const RX_METADATA_TIME: u8 = 1 << 0;
const RX_METADATA_HASH: u8 = 1 << 1;
const RX_METADATA_VLAN_TAG: u8 = 1 << 2;

/// Bytes of `struct genlmsghdr`.
const GENERIC_HEADER: usize = 4;

/// The features by which a driver takes VLAN tags off received frames, as `ethtool -k` prints them.
const TAKES_TAGS_OFF: [&[u8]; 2] = [b"rx-vlan-hw-parse", b"rx-vlan-stag-hw-parse"];

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
        let known = rx_metadata(self.index).unwrap_or(0);
        Metadata { time: known & RX_METADATA_TIME != 0, hash: known & RX_METADATA_HASH != 0 }
    }

    /// Where the VLAN tags of frames that this interface receives are, as far as that is known.
    pub fn vlan_tags(&self) -> VlanTags {
        if !self.takes_tags_off().unwrap_or(false) {
            return VlanTags::InFrame;
        }
        match rx_metadata(self.index) {
            Ok(known) if known & RX_METADATA_VLAN_TAG != 0 => VlanTags::OnRequest,
            _ => VlanTags::TakenOff,
        }
    }

    /// Whether its frames come through other interfaces, its ports.
    pub fn has_ports(&self) -> bool {
        matches!(
            self.kind.as_deref(),
            Some("bridge" | "bond" | "team" | "macvlan" | "macvtap" | "openvswitch")
        )
    }

    fn takes_tags_off(&self) -> io::Result<bool> {
        let ethtool = Ethtool::open()?;
        let active = ethtool.features(&self.name)?.active;
        let names = ethtool.feature_names(&self.name)?;
        let is_one = |name: &[u8]| TAKES_TAGS_OFF.contains(&message::text(name).as_encoded_bytes());
        Ok(names.iter().take(128).enumerate().any(|(bit, name)| active >> bit & 1 != 0 && is_one(name)))
    }
}

/// The functions by which a driver tells metadata (`enum netdev_xdp_rx_metadata`), one per bit.
fn rx_metadata(ifindex: u32) -> io::Result<u8> {
    let mut socket = Socket::open_generic()?;
    let family = ask(&mut socket, CONTROLLER, GET_FAMILY, (FAMILY_NAME, NETDEV), FAMILY_ID)?;
    let family = family.first_chunk().copied().map(u16::from_ne_bytes).ok_or(io::ErrorKind::NotFound)?;
    let known = ask(&mut socket, family, GET_DEVICE, (IFINDEX, &ifindex.to_ne_bytes()), RX_METADATA)?;
    // A number of 64 bits, of which the kernel uses three.
    let known = known.first_chunk().copied().map(u64::from_ne_bytes).ok_or(io::ErrorKind::NotFound)?;
    Ok(known as u8)
}

/// The attribute `wanted` in the answer to a request with one attribute.
fn ask(
    socket: &mut Socket,
    family: u16,
    command: u8,
    (kind, value): (u16, &[u8]),
    wanted: u16,
) -> io::Result<Vec<u8>> {
    let message = |sequence| {
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK;
        let mut message = begin(family, flags, sequence, &[command, 1, 0, 0]);
        push_attribute(&mut message, kind, value);
        end(message)
    };
    let mut found = None;
    socket.request(message, |answer| {
        let body = answer.payload.get(GENERIC_HEADER..).unwrap_or_default();
        found = attributes(body).find(|(kind, _)| *kind == wanted).map(|(_, value)| value.to_vec());
    })?;
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}
