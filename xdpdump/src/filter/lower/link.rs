//! Lowers tests at the link level: the protocol it carries, MAC addresses, LLC.

use super::{
    super::{
        builder::Fragment,
        error::{Complaint, Span},
        ir::{Comparison, Field, OUTBOUND, Width},
        syntax::{Llc, Protocol, Side},
    },
    Lowered, Lowering, layer,
    layer::{Link, Position},
};

/// Service access points (IEEE 802.2).
pub(super) const SAP_IP: u32 = 0x06;
pub(super) const SAP_STP: u32 = 0x42;
pub(super) const SAP_IPX: u32 = 0xe0;
pub(super) const SAP_NETBEUI: u32 = 0xf0;
pub(super) const SAP_ISO: u32 = 0xfe;
const IPX: u32 = 0x8137;
pub(super) const ATALK: u32 = 0x809b;
pub(super) const AARP: u32 = 0x80f3;
pub(super) const DECNET: u32 = 0x6003;
/// Numbers of frames without an EtherType in the header of Linux cooked captures (include/uapi/linux/if_ether.h): `ETH_P_802_2`,
/// and `ETH_P_802_3`, which has IPX without LLC header.
const COOKED_LLC: u32 = 4;
const COOKED_RAW_IPX: u32 = 1;
/// A greater value of the field is an EtherType; up to this value it is a length.
const MAX_LENGTH: u32 = 1500;

impl Lowering {
    /// True if the link carries this protocol: an EtherType, or a service access point if it is at most 1500.
    pub(super) fn ether_type(&mut self, protocol: u32, span: &Span) -> Lowered {
        if self.layers.labels > 0 {
            return self.behind_labels(protocol, span);
        }
        Ok(match self.layers.link {
            Link::Ethernet | Link::Cooked { .. } => self.ether_type_or_llc(protocol),
            Link::Loopback => self.family(protocol),
            Link::RawIp => match protocol {
                layer::IPV4 => self.version(self.layers.header, 0x40),
                layer::IPV6 => self.version(self.layers.header, 0x60),
                _ => self.builder.always(false),
            },
            Link::Ppp => {
                let field = self.load(self.layers.type_field, 0, Width::Half);
                self.builder.equals(field, ppp_protocol(protocol))
            }
            // LLC headers inside tunnels are not supported.
            Link::Tunnelled { .. } if protocol <= MAX_LENGTH => self.builder.always(false),
            Link::Tunnelled { ether_type } => self.builder.equals(ether_type, protocol),
        })
    }

    /// True if the IP header here has this version, given in the upper four bits of a byte.
    fn version(&mut self, at: Position, version: u32) -> Fragment {
        let first = self.load(at, 0, Width::Byte);
        self.builder.masked(first, version, 0xf0)
    }

    /// True after the last label of an MPLS stack, if the IP header there has the version of this protocol; MPLS does
    /// not name the protocol that it carries.
    fn behind_labels(&mut self, protocol: u32, span: &Span) -> Lowered {
        let version = match protocol {
            layer::IPV4 => 0x40,
            layer::IPV6 => 0x60,
            _ => {
                return Err(Complaint::new(
                    span.clone(),
                    "after MPLS labels, only IPv4 and IPv6 can be recognised",
                ));
            }
        };
        let network = self.layers.network_header();
        let label = self.load(network, 2u32.wrapping_neg(), Width::Byte);
        let last = self.builder.masked(label, 1, 1);
        let ip = self.version(network, version);
        Ok(self.builder.and(last, ip))
    }

    /// True if the header of a loopback has the address family of this protocol. NetBSD and OpenBSD, FreeBSD and macOS have
    /// different numbers for IPv6; each system writes them in its own byte order.
    fn family(&mut self, protocol: u32) -> Fragment {
        let families: &[u32] = match protocol {
            layer::IPV4 => &[2],
            layer::IPV6 => &[24, 28, 30],
            _ => return self.builder.always(false),
        };
        let field = self.load(self.layers.header, 0, Width::Word);
        let either_order = families.iter().flat_map(|family| [*family, family.swap_bytes()]);
        let each: Vec<_> = either_order.map(|family| self.builder.equals(field, family)).collect();
        self.any(each)
    }

    /// True if the frame was received or sent, one of [`INBOUND`](super::INBOUND) and [`OUTBOUND`](super::OUTBOUND).
    pub(super) fn direction(&mut self, direction: u32) -> Fragment {
        /// `PACKET_OUTGOING` (include/uapi/linux/if_packet.h).
        const OUTGOING: u32 = 4;
        let Link::Cooked { direction: (offset, width) } = self.layers.link else {
            return self.field_test(Field::Direction, Comparison::Equal, direction);
        };
        let field = self.load(self.layers.header, offset, width);
        let sent = self.builder.equals(field, OUTGOING);
        if direction == OUTBOUND { sent } else { sent.negated() }
    }

    fn ether_type_or_llc(&mut self, protocol: u32) -> Fragment {
        match protocol {
            SAP_ISO | SAP_IP | SAP_NETBEUI => {
                let llc = self.is_llc();
                let points = self.load(self.layers.payload, 0, Width::Half);
                let points = self.builder.equals(points, protocol << 8 | protocol);
                self.builder.and(llc, points)
            }
            SAP_IPX => {
                let is_ethernet = self.layers.link == Link::Ethernet;
                let mut other = self.type_is(IPX);
                if !is_ethernet {
                    let raw = self.type_is(COOKED_RAW_IPX);
                    other = self.builder.or(other, raw);
                }
                let llc = self.is_llc();
                let any = if is_ethernet {
                    let snap = self.snap(0, IPX);
                    let point = self.point_is(SAP_IPX);
                    let any = self.builder.or(snap, point);
                    let raw = self.load(self.layers.payload, 0, Width::Half);
                    let raw = self.builder.equals(raw, 0xffff);
                    self.builder.or(any, raw)
                } else {
                    let point = self.point_is(SAP_IPX);
                    let snap = self.snap(0, IPX);
                    self.builder.or(point, snap)
                };
                let llc = self.builder.and(llc, any);
                self.builder.or(other, llc)
            }
            ATALK | AARP => {
                let ether_type = self.type_is(protocol);
                let llc = self.is_llc();
                let snap = self.snap(if protocol == ATALK { 0x08_0007 } else { 0 }, protocol);
                let llc = self.builder.and(llc, snap);
                self.builder.or(ether_type, llc)
            }
            ..=MAX_LENGTH => {
                let llc = self.is_llc();
                let point = self.point_is(protocol);
                self.builder.and(llc, point)
            }
            _ => self.type_is(protocol),
        }
    }

    fn type_is(&mut self, protocol: u32) -> Fragment {
        let field = self.load(self.layers.type_field, 0, Width::Half);
        self.builder.equals(field, protocol)
    }

    /// True if the frame is for this service access point, if an LLC header follows.
    fn point_is(&mut self, point: u32) -> Fragment {
        let field = self.load(self.layers.payload, 0, Width::Byte);
        self.builder.equals(field, point)
    }

    /// True if an LLC header follows: on Ethernet the type field is a length.
    fn is_llc(&mut self) -> Fragment {
        if self.layers.link != Link::Ethernet {
            return self.type_is(COOKED_LLC);
        }
        let field = self.load(self.layers.type_field, 0, Width::Half);
        let most = self.builder.constant(MAX_LENGTH);
        self.builder.test(Comparison::Greater, field, most).negated()
    }

    /// True for a SNAP header with this organisation and protocol.
    fn snap(&mut self, organisation: u32, protocol: u32) -> Fragment {
        let last = self.load(self.layers.payload, 4, Width::Word);
        let last = self.builder.equals(last, organisation << 16 | protocol);
        let first = self.load(self.layers.payload, 0, Width::Word);
        let first = self.builder.equals(first, 0xaaaa_0300 | organisation >> 16);
        self.builder.and(last, first)
    }

    /// Lowers `llc`: IEEE 802.2 frames, by their control field.
    pub(super) fn llc(&mut self, llc: Llc, span: &Span) -> Lowered {
        if self.layers.link != Link::Ethernet {
            return Err(Complaint::new(span.clone(), "'llc' is only supported on Ethernet"));
        }
        let length = self.is_llc();
        let points = self.load(self.layers.payload, 0, Width::Half);
        let not_raw_ipx = self.builder.equals(points, 0xffff).negated();
        let any = self.builder.and(length, not_raw_ipx);
        let (number, mask) = match llc {
            Llc::Any => return Ok(any),
            Llc::Information => (0, 0x01),
            Llc::Supervisory => (0x01, 0x03),
            Llc::Unnumbered => (0x03, 0x03),
            Llc::SupervisoryType(control) => (control, 0x0f),
            Llc::UnnumberedType(control) => (control, 0xef),
        };
        let control = self.load(self.layers.payload, 2, Width::Byte);
        let control = self.builder.masked(control, number, mask);
        Ok(self.builder.and(any, control))
    }

    /// Lowers a MAC address.
    pub(super) fn mac(&mut self, address: [u8; 6], side: Side, span: &Span) -> Lowered {
        let check = self.has_link_header(span)?;
        let host = self.mac_on(address, side);
        Ok(match check {
            Some(check) => self.builder.and(check, host),
            None => host,
        })
    }

    fn mac_on(&mut self, address: [u8; 6], side: Side) -> Fragment {
        let offset = match side {
            Side::Source => 6,
            Side::Destination => 0,
            Side::Any | Side::Either => {
                let source = self.mac_on(address, Side::Source);
                let destination = self.mac_on(address, Side::Destination);
                return self.builder.or(source, destination);
            }
            Side::Both => {
                let source = self.mac_on(address, Side::Source);
                let destination = self.mac_on(address, Side::Destination);
                return self.builder.and(source, destination);
            }
        };
        let [a, b, c, d, e, f] = address;
        let last = self.load(self.layers.header, offset + 2, Width::Word);
        let last = self.builder.equals(last, u32::from_be_bytes([c, d, e, f]));
        let first = self.load(self.layers.header, offset, Width::Half);
        let first = self.builder.equals(first, u32::from_be_bytes([0, 0, a, b]));
        self.builder.and(last, first)
    }

    /// The condition under which the frame has MAC addresses; `None` outside tunnels, where it always has them.
    fn has_link_header(&mut self, span: &Span) -> Result<Option<Fragment>, Complaint> {
        match self.layers.link {
            Link::RawIp | Link::Loopback | Link::Cooked { .. } | Link::Ppp => {
                Err(Complaint::new(span.clone(), "MAC addresses are only supported on Ethernet"))
            }
            Link::Ethernet if !self.layers.in_geneve => Ok(None),
            // In a tunnel that carries IP directly, the payload begins where the link-level header would.
            Link::Ethernet | Link::Tunnelled { .. } => {
                match (self.layers.header.base, self.layers.payload.base) {
                    (Some(header), Some(payload)) => {
                        Ok(Some(self.builder.test(Comparison::Equal, header, payload).negated()))
                    }
                    _ => Ok(None),
                }
            }
        }
    }

    pub(super) fn broadcast(&mut self, protocol: Option<Protocol>, span: &Span) -> Lowered {
        match protocol {
            None | Some(Protocol::Link) => self.mac([0xff; 6], Side::Destination, span),
            Some(Protocol::Ip) => {
                // Without the network's mask, only these two addresses are known to be broadcasts.
                let ip = self.ether_type(layer::IPV4, span)?;
                let network = self.layers.network_header();
                let destination = self.load(network, 16, Width::Word);
                let zeros = self.builder.equals(destination, 0);
                let ones = self.builder.equals(destination, u32::MAX);
                let any = self.builder.or(zeros, ones);
                Ok(self.builder.and(ip, any))
            }
            Some(protocol) => {
                Err(super::misplaced(protocol, "broadcasts; only 'ether' and 'ip' have them", span))
            }
        }
    }

    pub(super) fn multicast(&mut self, protocol: Option<Protocol>, span: &Span) -> Lowered {
        match protocol {
            None | Some(Protocol::Link) => {
                let check = self.has_link_header(span)?;
                let first = self.load(self.layers.header, 0, Width::Byte);
                let one = self.builder.constant(1);
                let group = self.builder.test(Comparison::Common, first, one);
                Ok(match check {
                    Some(check) => self.builder.and(check, group),
                    None => group,
                })
            }
            Some(Protocol::Ip) => {
                let ip = self.ether_type(layer::IPV4, span)?;
                let destination = self.load(self.layers.network_header(), 16, Width::Byte);
                let least = self.builder.constant(224);
                let group = self.builder.test(Comparison::GreaterEqual, destination, least);
                Ok(self.builder.and(ip, group))
            }
            Some(Protocol::Ipv6) => {
                let ip = self.ether_type(layer::IPV6, span)?;
                let destination = self.load(self.layers.network_header(), 24, Width::Byte);
                let group = self.builder.equals(destination, 255);
                Ok(self.builder.and(ip, group))
            }
            Some(protocol) => {
                Err(super::misplaced(protocol, "multicasts; only 'ether', 'ip' and 'ip6' have them", span))
            }
        }
    }
}

/// PPP's protocol number of an EtherType (<https://www.iana.org/assignments/ppp-numbers>).
fn ppp_protocol(protocol: u32) -> u32 {
    match protocol {
        layer::IPV4 => 0x0021,
        layer::IPV6 => 0x0057,
        DECNET => 0x0027,
        ATALK => 0x0029,
        SAP_ISO => 0x0023,
        SAP_STP => 0x0031,
        SAP_IPX => 0x002b,
        // XNS; on Ethernet, its EtherType is in the range of lengths.
        0x0600 => 0x0025,
        other => other,
    }
}
