//! What a driver and its queues can do, from the family `netdev` of generic netlink (include/uapi/linux/netdev.h, v6.18).
//!
//! The kernel answers without privileges, and for the network namespace of the socket.

use std::io;

use super::{
    Link,
    message::{attributes, begin, end, push_attribute, u32_at},
    netlink::Socket,
};

/// The controller of generic netlink (include/uapi/linux/genetlink.h).
const CONTROLLER: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// The family, since Linux 6.3, and its commands: devices since 6.3, queues and NAPI contexts since 6.8.
const NETDEV: &[u8] = b"netdev\0";
const GET_DEVICE: u8 = 1;
const GET_QUEUES: u8 = 10;
const GET_NAPI: u8 = 11;

/// Attributes of a device, a queue and a NAPI context.
const DEVICE_IFINDEX: u16 = 1;
const DEVICE_XDP: u16 = 3;
const DEVICE_RX_METADATA: u16 = 5;
const QUEUE_ID: u16 = 1;
const QUEUE_IFINDEX: u16 = 2;
const QUEUE_TYPE: u16 = 3;
const QUEUE_NAPI: u16 = 4;
const NAPI_IFINDEX: u16 = 1;
const NAPI_ID: u16 = 2;
const NAPI_IRQ: u16 = 3;

/// `NETDEV_QUEUE_TYPE_RX`.
const RECEIVES: u32 = 0;

/// `enum netdev_xdp_act`.
const XDP_BASIC: u64 = 1 << 0;
const XDP_OFFLOAD: u64 = 1 << 4;
const XDP_SEVERAL_BUFFERS: u64 = 1 << 5;

/// The bits of `enum netdev_xdp_act`, from the lowest, by the names of Linux's documentation.
const XDP_NAMES: [&str; 7] =
    ["basic", "redirect", "ndo-xmit", "xsk-zerocopy", "hw-offload", "rx-sg", "ndo-xmit-sg"];

/// `enum netdev_xdp_rx_metadata`.
pub(super) const RX_METADATA_TIME: u64 = 1 << 0;
pub(super) const RX_METADATA_HASH: u64 = 1 << 1;
pub(super) const RX_METADATA_VLAN_TAG: u64 = 1 << 2;

/// Bytes of `struct genlmsghdr`.
const GENERIC_HEADER: usize = 4;

/// What a driver says about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Device {
    /// `enum netdev_xdp_act`.
    xdp: Option<u64>,
    /// `enum netdev_xdp_rx_metadata`; Linux 6.7.
    pub(super) rx_metadata: Option<u64>,
}

/// What a driver can do with XDP programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XdpFeatures(u64);

impl XdpFeatures {
    /// Whether programs run in the driver.
    pub fn native(self) -> bool {
        self.0 & XDP_BASIC != 0
    }

    /// Whether they see frames that lie in several buffers.
    pub fn several_buffers(self) -> bool {
        self.0 & XDP_SEVERAL_BUFFERS != 0
    }

    /// Whether programs run on the NIC.
    pub fn offload(self) -> bool {
        self.0 & XDP_OFFLOAD != 0
    }

    /// The features by name, without those that this version does not know.
    pub fn names(self) -> Vec<&'static str> {
        let is_on = |bit: usize| self.0 >> bit & 1 != 0;
        XDP_NAMES.iter().enumerate().filter_map(|(bit, name)| is_on(bit).then_some(*name)).collect()
    }
}

/// A receive queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Its number.
    pub id: u32,
    /// The number of its interrupt, if the driver tells it.
    pub interrupt: Option<u32>,
}

impl Link {
    /// What the driver can do with XDP programs (Linux 6.3).
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn xdp_features(&self) -> io::Result<XdpFeatures> {
        device(self.index)?.xdp.map(XdpFeatures).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The receive queues that are in use (Linux 6.8); none while the interface is down.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn receive_queues(&self) -> io::Result<Vec<Queue>> {
        let mut socket = Socket::open_generic()?;
        let family = family(&mut socket)?;
        let index = self.index.to_ne_bytes();
        let queues = dump(&mut socket, family, GET_QUEUES, (QUEUE_IFINDEX, &index))?;
        let contexts = dump(&mut socket, family, GET_NAPI, (NAPI_IFINDEX, &index))?;
        Ok(receive_queues(&queues, &contexts))
    }
}

/// What the driver of an interface says about itself.
pub(super) fn device(ifindex: u32) -> io::Result<Device> {
    let mut socket = Socket::open_generic()?;
    let family = family(&mut socket)?;
    let mut found = None;
    ask(&mut socket, family, GET_DEVICE, 0, (DEVICE_IFINDEX, &ifindex.to_ne_bytes()), |body| {
        found = Some(parse_device(body));
    })?;
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn family(socket: &mut Socket) -> io::Result<u16> {
    let mut found = None;
    ask(socket, CONTROLLER, GET_FAMILY, 0, (FAMILY_NAME, NETDEV), |body| {
        found = parse_family(body);
    })?;
    found.ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn dump(socket: &mut Socket, family: u16, command: u8, attribute: (u16, &[u8])) -> io::Result<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    ask(socket, family, command, libc::NLM_F_DUMP, attribute, |body| bodies.push(body.to_vec()))?;
    Ok(bodies)
}

/// Sends a request with one attribute, and calls `each` with the attributes of every answer.
fn ask(
    socket: &mut Socket,
    family: u16,
    command: u8,
    flags: i32,
    (kind, value): (u16, &[u8]),
    mut each: impl FnMut(&[u8]),
) -> io::Result<()> {
    let message = |sequence| {
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | flags;
        let mut message = begin(family, flags, sequence, &[command, 1, 0, 0]);
        push_attribute(&mut message, kind, value);
        end(message)
    };
    socket.request(message, |answer| each(answer.payload.get(GENERIC_HEADER..).unwrap_or_default()))
}

fn parse_family(body: &[u8]) -> Option<u16> {
    let (_, id) = attributes(body).find(|(kind, _)| *kind == FAMILY_ID)?;
    id.first_chunk().copied().map(u16::from_ne_bytes)
}

fn parse_device(body: &[u8]) -> Device {
    let number = |wanted| {
        let (_, value) = attributes(body).find(|(kind, _)| *kind == wanted)?;
        value.first_chunk().copied().map(u64::from_ne_bytes)
    };
    Device { xdp: number(DEVICE_XDP), rx_metadata: number(DEVICE_RX_METADATA) }
}

/// The receive queues among `queues`, each with the interrupt of its NAPI context among `contexts`.
fn receive_queues(queues: &[Vec<u8>], contexts: &[Vec<u8>]) -> Vec<Queue> {
    let number = |body: &[u8], wanted| {
        let (_, value) = attributes(body).find(|(kind, _)| *kind == wanted)?;
        u32_at(value, 0)
    };
    let interrupt = |napi| {
        let context = contexts.iter().find(|context| number(context, NAPI_ID) == Some(napi))?;
        number(context, NAPI_IRQ)
    };
    let receives = |body: &&Vec<u8>| number(body, QUEUE_TYPE) == Some(RECEIVES);
    let mut found: Vec<_> = queues
        .iter()
        .filter(receives)
        .filter_map(|body| {
            let id = number(body, QUEUE_ID)?;
            Some(Queue { id, interrupt: number(body, QUEUE_NAPI).and_then(interrupt) })
        })
        .collect();
    found.sort_by_key(|queue| queue.id);
    found
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn body(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (kind, value) in attributes {
            push_attribute(&mut bytes, *kind, value);
        }
        bytes
    }

    #[test]
    fn a_driver_says_what_it_can_do() {
        // What Linux 6.18 says about a veth interface, and about one whose driver has no XDP.
        let veth = body(&[(1, &7u32.to_ne_bytes()), (3, &0x23u64.to_ne_bytes()), (5, &7u64.to_ne_bytes())]);
        let device = parse_device(&veth);
        assert_eq!(device.rx_metadata, Some(RX_METADATA_TIME | RX_METADATA_HASH | RX_METADATA_VLAN_TAG));
        let features = XdpFeatures(device.xdp.unwrap());
        assert!(features.native() && features.several_buffers() && !features.offload());
        assert_eq!(features.names(), ["basic", "redirect", "rx-sg"]);
        let none = XdpFeatures(parse_device(&body(&[(3, &[0; 8])])).xdp.unwrap());
        assert!(!none.native() && !none.several_buffers());
        assert_eq!(none.names(), [""; 0]);
        assert_eq!(XdpFeatures(u64::MAX).names().len(), XDP_NAMES.len(), "bits of later kernels");
        assert_eq!(parse_device(&body(&[(3, &[1, 0, 0])])), Device::default(), "too short for a number");
    }

    #[test]
    fn queues_have_the_interrupts_of_their_contexts() {
        let word = |value: u32| value.to_ne_bytes();
        let queue = |id: u32, kind: u32, napi: u32| {
            body(&[(1, &word(id)), (3, &word(kind)), (2, &word(4)), (4, &word(napi))])
        };
        let queues = [queue(1, 0, 258), queue(0, 0, 257), queue(0, 1, 257), queue(2, 0, 999)];
        let contexts = [
            body(&[(2, &word(257)), (1, &word(4)), (3, &word(38))]),
            body(&[(2, &word(258)), (1, &word(4))]),
        ];
        assert_eq!(
            receive_queues(&queues, &contexts),
            [
                Queue { id: 0, interrupt: Some(38) },
                Queue { id: 1, interrupt: None },
                Queue { id: 2, interrupt: None }
            ]
        );
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(bodies in vec(vec(prop_oneof![0..8u8, any::<u8>()], 0..80), 0..6)) {
            for body in &bodies {
                let _ = (parse_family(body), parse_device(body));
            }
            prop_assert!(receive_queues(&bodies, &bodies).len() <= bodies.len());
        }
    }
}
