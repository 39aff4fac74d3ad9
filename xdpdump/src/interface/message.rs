//! Netlink messages as bytes: built and parsed without a socket.
//!
//! Integers have the byte order of the machine and everything is aligned to 4 bytes (netlink(7), rtnetlink(7)). Parsing
//! ends at the first item whose length does not fit. It never panics, and every step consumes bytes.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use super::{AttachedProgram, Link, Peer, XdpMode};

/// Bytes of `struct nlmsghdr` (`include/uapi/linux/netlink.h`).
const MESSAGE_HEADER: usize = 16;
/// Bytes of `struct nlattr`.
const ATTRIBUTE_HEADER: usize = 4;
/// Bytes of `struct ifinfomsg` (`include/uapi/linux/rtnetlink.h`).
const LINK_HEADER: usize = 16;

/// Attributes nested in `IFLA_XDP`, and the values of the first of them (`include/uapi/linux/if_link.h`), which libc does
/// not have.
mod xdp {
    use aya_obj::generated::{
        IFLA_XDP_ATTACHED, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_HW_PROG_ID, IFLA_XDP_PROG_ID, IFLA_XDP_SKB_PROG_ID,
    };

    pub(super) const ATTACHED: u16 = IFLA_XDP_ATTACHED as u16;
    pub(super) const PROGRAM_ID: u16 = IFLA_XDP_PROG_ID as u16;
    pub(super) const DRIVER_PROGRAM_ID: u16 = IFLA_XDP_DRV_PROG_ID as u16;
    pub(super) const SKB_PROGRAM_ID: u16 = IFLA_XDP_SKB_PROG_ID as u16;
    pub(super) const HARDWARE_PROGRAM_ID: u16 = IFLA_XDP_HW_PROG_ID as u16;

    pub(super) const ATTACHED_DRIVER: u8 = 1;
    pub(super) const ATTACHED_SKB: u8 = 2;
    pub(super) const ATTACHED_HARDWARE: u8 = 3;
}

/// The links that a request asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Query<'a> {
    All,
    Index(u32),
    /// The link with this name or alternative name.
    Name(&'a OsStr),
}

/// The bytes of an `RTM_GETLINK` request.
pub(super) fn get_link(query: Query<'_>, sequence: u32) -> Vec<u8> {
    let (flags, index) = match query {
        Query::All => (libc::NLM_F_REQUEST | libc::NLM_F_DUMP, 0),
        Query::Index(index) => (libc::NLM_F_REQUEST, index),
        Query::Name(_) => (libc::NLM_F_REQUEST, 0),
    };
    let mut header = [0; LINK_HEADER];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    let mut message = begin(libc::RTM_GETLINK, flags, sequence, &header);

    // Without statistics, which would be half of every answer.
    push_attribute(&mut message, libc::IFLA_EXT_MASK, &libc::RTEXT_FILTER_SKIP_STATS.to_ne_bytes());
    if let Query::Name(name) = query {
        // For both attributes the kernel searches names and alternative names; they differ only in their maximum length.
        let kind = if name.len() < libc::IFNAMSIZ { libc::IFLA_IFNAME } else { libc::IFLA_ALT_IFNAME };
        push_attribute(&mut message, kind, &[name.as_bytes(), b"\0"].concat());
    }
    end(message)
}

/// The beginning of a message: its header, and the header of its kind. Attributes follow, then [`end`].
pub(super) fn begin(kind: u16, flags: i32, sequence: u32, header: &[u8]) -> Vec<u8> {
    let mut message = vec![0; MESSAGE_HEADER];
    message[4..6].copy_from_slice(&kind.to_ne_bytes());
    message[6..8].copy_from_slice(&(flags.cast_unsigned() as u16).to_ne_bytes());
    message[8..12].copy_from_slice(&sequence.to_ne_bytes());
    message.extend_from_slice(header);
    message
}

/// The finished message: its length is filled in.
pub(super) fn end(mut message: Vec<u8>) -> Vec<u8> {
    let length = message.len() as u32;
    message[..4].copy_from_slice(&length.to_ne_bytes());
    message
}

/// Appends an attribute.
pub(super) fn push_attribute(message: &mut Vec<u8>, kind: u16, payload: &[u8]) {
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

/// The messages of a datagram.
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

/// The attributes in `bytes`: type without the flag bits, and payload.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (payload, rest) = split_item(bytes, u16_at(bytes, 0)? as usize, ATTRIBUTE_HEADER)?;
        let kind = u16_at(bytes, 2)? & libc::NLA_TYPE_MASK.cast_unsigned() as u16;
        bytes = rest;
        Some((kind, payload))
    })
}

/// The index of the link that an `RTM_NEWLINK` or `RTM_DELLINK` message is about. Also `None` for messages of other address
/// families: a bridge announces its ports with them, and a port that leaves the bridge looks like a deletion.
pub(super) fn link_index(payload: &[u8]) -> Option<u32> {
    let family = i32::from(*payload.first()?);
    (family == libc::AF_UNSPEC).then(|| u32_at(payload, 4))?
}

/// Parses the payload of an `RTM_NEWLINK` message; `None` when its header is not complete.
pub(super) fn link(payload: &[u8]) -> Option<Link> {
    let flags = u32_at(payload, 8)?;
    let mut link = Link {
        index: link_index(payload)?,
        hardware_type: u16_at(payload, 2)?,
        up: flags & libc::IFF_UP as u32 != 0,
        running: flags & libc::IFF_RUNNING as u32 != 0,
        ..Link::default()
    };
    let mut peer_is_elsewhere = false;
    for (kind, payload) in attributes(payload.get(LINK_HEADER..)?) {
        match kind {
            libc::IFLA_LINK => link.peer = u32_at(payload, 0).map(|index| Peer { index, elsewhere: false }),
            // The number of that namespace, seen from this one.
            libc::IFLA_LINK_NETNSID => peer_is_elsewhere = true,
            libc::IFLA_IFNAME => link.name = text(payload),
            libc::IFLA_ADDRESS => link.mac = payload.try_into().ok().filter(|mac| *mac != [0; 6]),
            libc::IFLA_MTU => link.mtu = u32_at(payload, 0).unwrap_or_default(),
            libc::IFLA_IFALIAS => link.alias = Some(text(payload)),
            libc::IFLA_LINKINFO => link.kind = nested_kind(payload),
            libc::IFLA_XDP => link.xdp = attached_programs(payload),
            libc::IFLA_NUM_RX_QUEUES => link.receive_queues = u32_at(payload, 0).unwrap_or_default(),
            libc::IFLA_PROMISCUITY => link.promiscuity = u32_at(payload, 0).unwrap_or_default(),
            libc::IFLA_PROP_LIST => link.alternative_names = alternative_names(payload),
            _ => {}
        }
    }
    if let Some(peer) = &mut link.peer {
        peer.elsewhere = peer_is_elsewhere;
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
            xdp::HARDWARE_PROGRAM_ID => XdpMode::Offload,
            xdp::ATTACHED => {
                only.0 = match payload.first() {
                    Some(&xdp::ATTACHED_DRIVER) => Some(XdpMode::Native),
                    Some(&xdp::ATTACHED_SKB) => Some(XdpMode::Skb),
                    Some(&xdp::ATTACHED_HARDWARE) => Some(XdpMode::Offload),
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
    // Kernels before 4.19 allow one mode at a time and have one attribute for its program.
    if let (true, (Some(mode), Some(program_id))) = (programs.is_empty(), only) {
        programs.push(AttachedProgram { mode, program_id });
    }
    programs
}

/// The bytes before the terminating NUL.
pub(super) fn text(payload: &[u8]) -> OsString {
    OsString::from_vec(payload.split(|byte| *byte == 0).next().unwrap_or_default().to_vec())
}

/// Splits `bytes` after an item of `length` bytes; returns the item without its header, and the rest.
fn split_item(bytes: &[u8], length: usize, header: usize) -> Option<(&[u8], &[u8])> {
    let payload = bytes.get(header..length)?;
    let rest = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((payload, rest))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The payload of an `RTM_NEWLINK` message.
    fn new_link(
        family: u8,
        hardware_type: u16,
        index: u32,
        flags: u32,
        attributes: &[(u16, Vec<u8>)],
    ) -> Vec<u8> {
        let mut payload = vec![family, 0];
        payload.extend(hardware_type.to_ne_bytes());
        payload.extend([index, flags, 0].map(u32::to_ne_bytes).concat());
        payload.extend(nest(attributes));
        payload
    }

    fn nest(attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, payload) in attributes {
            push_attribute(&mut bytes, *kind, payload);
        }
        bytes
    }

    fn datagram(kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = ((MESSAGE_HEADER + payload.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn reads_everything_of_a_link() {
        let payload = new_link(
            0,
            libc::ARPHRD_ETHER,
            7,
            (libc::IFF_UP | libc::IFF_RUNNING) as u32,
            &[
                (libc::IFLA_IFNAME, b"\xffth0\0".to_vec()),
                (libc::IFLA_LINK_NETNSID, 1u32.to_ne_bytes().to_vec()),
                (libc::IFLA_LINK, 2u32.to_ne_bytes().to_vec()),
                (libc::IFLA_ADDRESS, vec![2, 0, 0, 0, 0, 1]),
                (libc::IFLA_MTU, 9000u32.to_ne_bytes().to_vec()),
                (libc::IFLA_IFALIAS, b"uplink".to_vec()),
                (libc::IFLA_NUM_RX_QUEUES, 8u32.to_ne_bytes().to_vec()),
                (libc::IFLA_PROMISCUITY, 2u32.to_ne_bytes().to_vec()),
                (libc::IFLA_LINKINFO, nest(&[(libc::IFLA_INFO_KIND, b"veth\0".to_vec())])),
                (
                    libc::IFLA_PROP_LIST | libc::NLA_F_NESTED as u16,
                    nest(&[
                        (libc::IFLA_ALT_IFNAME, b"one\0".to_vec()),
                        (libc::IFLA_ALT_IFNAME, b"two\0".to_vec()),
                    ]),
                ),
                (
                    libc::IFLA_XDP,
                    nest(&[
                        (xdp::ATTACHED, vec![4]),
                        (xdp::DRIVER_PROGRAM_ID, 42u32.to_ne_bytes().to_vec()),
                        (xdp::HARDWARE_PROGRAM_ID, 43u32.to_ne_bytes().to_vec()),
                    ]),
                ),
            ],
        );
        let expected = Link {
            index: 7,
            name: OsString::from_vec(b"\xffth0".to_vec()),
            alternative_names: vec!["one".into(), "two".into()],
            alias: Some("uplink".into()),
            mac: Some([2, 0, 0, 0, 0, 1]),
            mtu: 9000,
            up: true,
            running: true,
            kind: Some("veth".to_owned()),
            hardware_type: libc::ARPHRD_ETHER,
            driver: None,
            xdp: vec![
                AttachedProgram { mode: XdpMode::Native, program_id: 42 },
                AttachedProgram { mode: XdpMode::Offload, program_id: 43 },
            ],
            peer: Some(Peer { index: 2, elsewhere: true }),
            receive_queues: 8,
            promiscuity: 2,
        };
        assert_eq!(link(&payload), Some(expected));
    }

    #[test]
    fn programs_of_old_kernels_are_read_from_the_single_attribute() {
        let attributes =
            nest(&[(xdp::PROGRAM_ID, 9u32.to_ne_bytes().to_vec()), (xdp::ATTACHED, vec![xdp::ATTACHED_SKB])]);
        assert_eq!(attached_programs(&attributes), [AttachedProgram { mode: XdpMode::Skb, program_id: 9 }]);
        assert_eq!(attached_programs(&nest(&[(xdp::ATTACHED, vec![0])])), []);
    }

    #[test]
    fn messages_of_bridges_are_not_about_links() {
        assert_eq!(link_index(&new_link(0, 1, 7, 0, &[])), Some(7));
        assert_eq!(link_index(&new_link(libc::AF_BRIDGE as u8, 1, 7, 0, &[])), None);
    }

    #[test]
    fn error_numbers_are_positive_and_the_worst_one_does_not_overflow() {
        let errno = |code: i32| {
            let payload = code.to_ne_bytes();
            Message { kind: 2, flags: 0, sequence: 0, payload: &payload }.errno()
        };
        assert_eq!(errno(0), 0);
        assert_eq!(errno(-libc::ENODEV), libc::ENODEV);
        assert_eq!(errno(i32::MIN), i32::MAX);
    }

    proptest! {
        /// Lengths and kinds are mostly small numbers, so that parsing gets past the first header.
        #[test]
        fn any_bytes_are_walked_to_an_end(words in vec(prop_oneof![0..64u16, any::<u16>()], 0..400)) {
            let bytes = words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
            let walked = messages(&bytes).map(|message| message.payload.len() + MESSAGE_HEADER).sum::<usize>();
            prop_assert!(walked <= bytes.len());
            let walked = attributes(&bytes).map(|(_, payload)| payload.len() + ATTRIBUTE_HEADER).sum::<usize>();
            prop_assert!(walked <= bytes.len());
            for message in messages(&bytes) {
                let _ = (message.errno(), link(message.payload));
            }
            let _ = link(&bytes);
        }

        #[test]
        fn damaged_answers_are_survived(at in 0..200usize, byte: u8, cut in 0..200usize) {
            let xdp = nest(&[(xdp::ATTACHED, vec![1]), (xdp::DRIVER_PROGRAM_ID, vec![42, 0, 0, 0])]);
            let payload = new_link(0, 1, 7, 1, &[(libc::IFLA_IFNAME, b"eth0\0".to_vec()), (libc::IFLA_XDP, xdp)]);
            let mut bytes = [datagram(libc::RTM_NEWLINK, &payload), datagram(3, &[0; 4])].concat();
            if let Some(damaged) = bytes.get_mut(at) {
                *damaged = byte;
            }
            bytes.truncate(cut.max(1));
            for message in messages(&bytes) {
                if let Some(link) = link(message.payload) {
                    prop_assert!(link.xdp.len() <= 1);
                }
            }
        }

        #[test]
        fn what_is_written_is_walked_back(
            payloads in vec((0..0x3fffu16, vec(any::<u8>(), 0..50)), 0..20),
        ) {
            let walked: Vec<_> = attributes(&nest(&payloads)).map(|(kind, bytes)| (kind, bytes.to_vec())).collect();
            prop_assert_eq!(&walked, &payloads);
            let datagrams = payloads.iter().flat_map(|(kind, payload)| datagram(*kind, payload)).collect::<Vec<_>>();
            let walked: Vec<_> = messages(&datagrams).map(|message| (message.kind, message.payload.to_vec())).collect();
            prop_assert_eq!(walked, payloads);
        }
    }
}
