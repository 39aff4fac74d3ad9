//! Netlink messages as bytes: built, walked and read without a socket.
//!
//! Integers have the byte order of the machine and everything is aligned to 4 bytes (netlink(7), rtnetlink(7)).
//! A walk ends at the first item whose length does not fit; it never panics and every step consumes bytes.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use super::{AttachedProgram, Link, XdpMode};

/// Bytes of `struct nlmsghdr` (include/uapi/linux/netlink.h).
const MESSAGE_HEADER: usize = 16;
/// Bytes of `struct nlattr`.
const ATTRIBUTE_HEADER: usize = 4;
/// Bytes of `struct ifinfomsg` (include/uapi/linux/rtnetlink.h).
const LINK_HEADER: usize = 16;

/// `RTEXT_FILTER_SKIP_STATS` (include/uapi/linux/rtnetlink.h): statistics are half of every answer.
const SKIP_STATISTICS: u32 = 1 << 3;

/// Attributes nested in `IFLA_XDP` and the values of the first (include/uapi/linux/if_link.h).
mod xdp {
    pub(super) const ATTACHED: u16 = 2;
    pub(super) const PROGRAM_ID: u16 = 4;
    pub(super) const DRIVER_PROGRAM_ID: u16 = 5;
    pub(super) const SKB_PROGRAM_ID: u16 = 6;
    pub(super) const HARDWARE_PROGRAM_ID: u16 = 7;

    pub(super) const ATTACHED_DRIVER: u8 = 1;
    pub(super) const ATTACHED_SKB: u8 = 2;
    pub(super) const ATTACHED_HARDWARE: u8 = 3;
}

/// Which links a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Query<'a> {
    All,
    Index(u32),
    /// A name or an alternative name.
    Name(&'a OsStr),
}

/// The bytes of an `RTM_GETLINK` request.
pub(super) fn get_link(query: Query<'_>, sequence: u32) -> Vec<u8> {
    let (flags, index) = match query {
        Query::All => (libc::NLM_F_REQUEST | libc::NLM_F_DUMP, 0),
        Query::Index(index) => (libc::NLM_F_REQUEST, index),
        Query::Name(_) => (libc::NLM_F_REQUEST, 0),
    };
    let mut message = vec![0; MESSAGE_HEADER + LINK_HEADER];
    message[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
    message[6..8].copy_from_slice(&(flags as u16).to_ne_bytes());
    message[8..12].copy_from_slice(&sequence.to_ne_bytes());
    message[20..24].copy_from_slice(&index.to_ne_bytes());

    push_attribute(&mut message, libc::IFLA_EXT_MASK, &SKIP_STATISTICS.to_ne_bytes());
    if let Query::Name(name) = query {
        // The kernel looks either up among names and alternative names; only the room differs.
        let kind = if name.len() < libc::IFNAMSIZ { libc::IFLA_IFNAME } else { libc::IFLA_ALT_IFNAME };
        push_attribute(&mut message, kind, &[name.as_bytes(), b"\0"].concat());
    }
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_ne_bytes());
    message
}

fn push_attribute(message: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    message.extend_from_slice(&((ATTRIBUTE_HEADER + payload.len()) as u16).to_ne_bytes());
    message.extend_from_slice(&kind.to_ne_bytes());
    message.extend_from_slice(payload);
    message.resize(message.len().next_multiple_of(4), 0);
}

/// One message of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) flags: u16,
    pub(super) sequence: u32,
    pub(super) payload: &'a [u8],
}

impl Message<'_> {
    /// The errno of an `NLMSG_ERROR` or `NLMSG_DONE` message; 0 means success.
    pub(super) fn errno(&self) -> i32 {
        u32_at(self.payload, 0).map_or(0, u32::cast_signed).saturating_neg()
    }
}

/// Walks the messages of a datagram.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let (payload, rest) = split_item(datagram, u32_at(datagram, 0)? as usize, MESSAGE_HEADER)?;
        let message = Message {
            kind: u16_at(datagram, 4)?,
            flags: u16_at(datagram, 6)?,
            sequence: u32_at(datagram, 8)?,
            payload,
        };
        datagram = rest;
        Some(message)
    })
}

/// Walks attributes: their type without the flag bits, and their payload.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (payload, rest) = split_item(bytes, u16_at(bytes, 0)? as usize, ATTRIBUTE_HEADER)?;
        let kind = u16_at(bytes, 2)? & libc::NLA_TYPE_MASK as u16;
        bytes = rest;
        Some((kind, payload))
    })
}

/// The index of the link an `RTM_NEWLINK` or `RTM_DELLINK` message is about. `None` also for messages of other
/// families: a bridge announces its ports with them, and a port leaving the bridge looks like a deletion.
pub(super) fn link_index(payload: &[u8]) -> Option<u32> {
    let family = i32::from(*payload.first()?);
    (family == libc::AF_UNSPEC).then(|| u32_at(payload, 4))?
}

/// Reads the payload of an `RTM_NEWLINK` message; `None` when it has no whole header.
pub(super) fn link(payload: &[u8]) -> Option<Link> {
    let flags = u32_at(payload, 8)?;
    let mut link = Link {
        index: link_index(payload)?,
        hardware_type: u16_at(payload, 2)?,
        up: flags & libc::IFF_UP as u32 != 0,
        running: flags & libc::IFF_RUNNING as u32 != 0,
        ..Link::default()
    };
    for (kind, payload) in attributes(payload.get(LINK_HEADER..)?) {
        match kind {
            libc::IFLA_IFNAME => link.name = text(payload),
            libc::IFLA_ADDRESS => link.mac = payload.try_into().ok().filter(|mac| *mac != [0; 6]),
            libc::IFLA_MTU => link.mtu = u32_at(payload, 0).unwrap_or_default(),
            libc::IFLA_IFALIAS => link.alias = Some(text(payload)),
            libc::IFLA_LINKINFO => link.kind = nested_kind(payload),
            libc::IFLA_XDP => link.xdp = attached_programs(payload),
            libc::IFLA_PROP_LIST => link.alternative_names = alternative_names(payload),
            _ => {}
        }
    }
    Some(link)
}

fn nested_kind(payload: &[u8]) -> Option<String> {
    let (_, kind) = attributes(payload).find(|(kind, _)| *kind == libc::IFLA_INFO_KIND)?;
    Some(text(kind).to_string_lossy().into_owned())
}

fn alternative_names(payload: &[u8]) -> Vec<OsString> {
    attributes(payload)
        .filter(|(kind, _)| *kind == libc::IFLA_ALT_IFNAME)
        .map(|(_, name)| text(name))
        .collect()
}

fn attached_programs(payload: &[u8]) -> Vec<AttachedProgram> {
    let mut programs = Vec::new();
    let mut only = (None, None);
    for (kind, payload) in attributes(payload) {
        let mode = match kind {
            xdp::DRIVER_PROGRAM_ID => XdpMode::Native,
            xdp::SKB_PROGRAM_ID => XdpMode::Skb,
            xdp::HARDWARE_PROGRAM_ID => XdpMode::Hardware,
            xdp::ATTACHED => {
                only.0 = match payload.first() {
                    Some(&xdp::ATTACHED_DRIVER) => Some(XdpMode::Native),
                    Some(&xdp::ATTACHED_SKB) => Some(XdpMode::Skb),
                    Some(&xdp::ATTACHED_HARDWARE) => Some(XdpMode::Hardware),
                    _ => None,
                };
                continue;
            }
            xdp::PROGRAM_ID => {
                only.1 = u32_at(payload, 0);
                continue;
            }
            _ => continue,
        };
        programs.extend(u32_at(payload, 0).map(|program_id| AttachedProgram { mode, program_id }));
    }
    // Kernels before 4.19 have one mode at a time and one attribute for its program.
    if let (true, (Some(mode), Some(program_id))) = (programs.is_empty(), only) {
        programs.push(AttachedProgram { mode, program_id });
    }
    programs
}

/// The bytes before the terminating NUL.
pub(super) fn text(payload: &[u8]) -> OsString {
    OsString::from_vec(payload.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
}

/// The payload of the item at the start of `bytes`, which is `length` bytes long including its header, and what
/// follows it.
fn split_item(bytes: &[u8], length: usize, header: usize) -> Option<(&[u8], &[u8])> {
    let payload = bytes.get(header..length)?;
    let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((payload, rest))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}
