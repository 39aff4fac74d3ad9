//! Lowers addresses, ports and protocol numbers with their qualifiers.

use std::net::{IpAddr, Ipv6Addr};

use super::{
    super::{
        builder::Fragment,
        error::{Complaint, Span},
        ir::Width,
        names::{self, Service},
        syntax::{AddressKind, Operand, Protocol, Qualifiers, Side},
    },
    Lowered, Lowering,
    layer::{ARP, IPV4, IPV6, Link, RARP},
    link, misplaced,
    port::Ports,
};

impl Lowering {
    pub(super) fn address(&mut self, qualifiers: Qualifiers, operand: &Operand, span: &Span) -> Lowered {
        let complain = |message: String| Complaint::new(span.clone(), message);
        match (qualifiers.kind, operand) {
            (AddressKind::Default | AddressKind::Host, Operand::Name(name)) => {
                self.named_host(qualifiers, name, span)
            }
            (AddressKind::Net, Operand::Name(name)) => {
                let (address, mask) = names::network(name).map_err(complain)?;
                self.ipv4(qualifiers, address, mask, span)
            }
            (AddressKind::Port, Operand::Name(name)) => {
                let service = names::port(name).map_err(complain)?;
                self.named_ports(qualifiers, service, service, span)
            }
            (AddressKind::PortRange, Operand::Name(range)) => {
                let (first, last) = names::port_range(range).map_err(complain)?;
                self.named_ports(qualifiers, first, last, span)
            }
            (AddressKind::Port | AddressKind::PortRange, Operand::Number(number)) => {
                let port = u16::try_from(*number)
                    .map_err(|_| complain(format!("{number} is not a port: the highest is 65535")))?;
                let service = Service { port, protocol: None };
                self.named_ports(qualifiers, service, service, span)
            }
            (AddressKind::Protocol | AddressKind::ProtocolChain, Operand::Name(name)) => {
                let number = protocol_of_name(qualifiers.protocol, name).map_err(complain)?;
                self.inside(qualifiers, number, span)
            }
            (AddressKind::Protocol | AddressKind::ProtocolChain, Operand::Number(number)) => {
                self.inside(qualifiers, *number, span)
            }
            (AddressKind::Gateway, _) => {
                Err(complain("'gateway' is not supported (libpcap has it only without IPv6): write 'ether host … and not host …'".to_owned()))
            }
            (AddressKind::Default | AddressKind::Host, Operand::Mac(address))
                if qualifiers.protocol == Some(Protocol::Link) =>
            {
                self.mac(*address, qualifiers.side, span)
            }
            (_, Operand::Mac(_)) => Err(complain("a MAC address needs 'ether' or 'ether host' before it".to_owned())),
            (AddressKind::Default | AddressKind::Host | AddressKind::Net, Operand::Ipv4(address, 16))
                if qualifiers.protocol == Some(Protocol::Decnet) =>
            {
                // Six bits of area and ten bits of node.
                let (area, node) = (address >> 24, address >> 16 & 0xff);
                self.decnet((area << 10 | node) & 0xffff, qualifiers.side, span)
            }
            (AddressKind::Default | AddressKind::Host, Operand::Number(address)) => {
                self.ipv4(qualifiers, *address, u32::MAX, span)
            }
            (AddressKind::Net, Operand::Number(number)) => {
                let (address, mask) = names::left_aligned(*number);
                self.ipv4(qualifiers, address, mask, span)
            }
            (AddressKind::Default | AddressKind::Host | AddressKind::Net, Operand::Ipv4(address, bits)) => {
                self.ipv4(qualifiers, *address, u32::MAX << (32 - bits), span)
            }
            (AddressKind::Net, Operand::Ipv4Net(address, mask)) => self.ipv4(qualifiers, *address, *mask, span),
            (AddressKind::Net, Operand::Ipv6(address, prefix)) => self.ipv6(qualifiers, *address, *prefix, span),
            (AddressKind::Default | AddressKind::Host, Operand::Ipv6(address, 128)) => {
                self.ipv6(qualifiers, *address, 128, span)
            }
            (AddressKind::Default | AddressKind::Host, Operand::Ipv4Net(..) | Operand::Ipv6(..)) => {
                Err(complain("only a 'net' has a mask or a prefix".to_owned()))
            }
            (kind, Operand::Ipv4(..) | Operand::Ipv4Net(..) | Operand::Ipv6(..)) => {
                Err(complain(format!("an address is not a {}", match kind {
                    AddressKind::Port => "port",
                    AddressKind::PortRange => "range of ports",
                    _ => "protocol",
                })))
            }
        }
    }

    /// Lowers `proto` and `protochain`.
    fn inside(&mut self, qualifiers: Qualifiers, number: u32, span: &Span) -> Lowered {
        if qualifiers.kind == AddressKind::ProtocolChain {
            self.protocol_chain(qualifiers.protocol, number, span)
        } else {
            self.protocol_number(qualifiers.protocol, number, span)
        }
    }

    fn named_host(&mut self, mut qualifiers: Qualifiers, name: &str, span: &Span) -> Lowered {
        let complain = |message: String| Complaint::new(span.clone(), message);
        if qualifiers.protocol == Some(Protocol::Link) {
            let address = names::ether_host(name).map_err(complain)?;
            return self.mac(address, qualifiers.side, span);
        }
        if qualifiers.protocol == Some(Protocol::Decnet) {
            return Err(complain("names of DECnet hosts cannot be resolved; write area.node".to_owned()));
        }
        let wanted = qualifiers.protocol;
        let mut any: Option<Fragment> = None;
        for address in names::host(name).map_err(complain)? {
            let host = match address {
                IpAddr::V4(_) if wanted == Some(Protocol::Ipv6) => continue,
                IpAddr::V6(_) if wanted == Some(Protocol::Ip) => continue,
                IpAddr::V4(address) => {
                    // Frames without an EtherType cannot be ARP.
                    if wanted.is_none() && matches!(self.layers.link, Link::RawIp | Link::Loopback) {
                        qualifiers.protocol = Some(Protocol::Ip);
                    }
                    self.ipv4(qualifiers, address.into(), u32::MAX, span)?
                }
                IpAddr::V6(address) => {
                    self.ipv6(Qualifiers { protocol: wanted, ..qualifiers }, address, 128, span)?
                }
            };
            any = Some(self.builder.or_also(any, host));
        }
        any.ok_or_else(|| complain(format!("host '{name}' has no address of this kind")))
    }

    /// Lowers ports that were given by name or number. A service that is assigned for one protocol matches only that
    /// protocol.
    fn named_ports(&mut self, qualifiers: Qualifiers, first: Service, last: Service, span: &Span) -> Lowered {
        let asked = match qualifiers.protocol {
            None => None,
            Some(Protocol::Tcp) => Some(names::TCP),
            Some(Protocol::Udp) => Some(names::UDP),
            Some(Protocol::Sctp) => Some(names::SCTP),
            Some(protocol) => {
                return Err(misplaced(protocol, "ports; only tcp, udp and sctp have them", span));
            }
        };
        // If the two services are assigned for different protocols, the range is for all protocols.
        let assigned = if first.protocol == last.protocol { first.protocol } else { None };
        if let (Some(asked), Some(assigned)) = (asked, assigned)
            && asked != assigned
        {
            let its = if assigned == names::TCP { "tcp" } else { "udp" };
            return Err(Complaint::new(span.clone(), format!("this service is assigned for {its} only")));
        }
        let ports = if first == last {
            Ports::One(first.port)
        } else {
            Ports::Range(first.port.min(last.port), first.port.max(last.port))
        };
        self.ports(ports, asked.or(assigned), qualifiers.side, span)
    }

    fn ipv4(&mut self, qualifiers: Qualifiers, address: u32, mask: u32, span: &Span) -> Lowered {
        let side = qualifiers.side;
        match qualifiers.protocol {
            None => {
                let ip = self.ipv4_field(address, mask, side, IPV4, span)?;
                if self.layers.labels > 0 {
                    return Ok(ip);
                }
                let arp = self.ipv4_field(address, mask, side, ARP, span)?;
                let rarp = self.ipv4_field(address, mask, side, RARP, span)?;
                let any = self.builder.or(ip, arp);
                Ok(self.builder.or(any, rarp))
            }
            Some(Protocol::Ip) => self.ipv4_field(address, mask, side, IPV4, span),
            Some(Protocol::Arp) => self.ipv4_field(address, mask, side, ARP, span),
            Some(Protocol::Rarp) => self.ipv4_field(address, mask, side, RARP, span),
            Some(Protocol::Decnet) => self.decnet(address, side, span),
            Some(Protocol::Link) => Err(Complaint::new(span.clone(), "this is not a MAC address")),
            Some(protocol) => {
                Err(misplaced(protocol, "IPv4 addresses; only ip, arp and rarp have them", span))
            }
        }
    }

    /// The address fields in the header of IPv4, ARP or RARP.
    fn ipv4_field(&mut self, address: u32, mask: u32, side: Side, ether_type: u32, span: &Span) -> Lowered {
        let (source, destination) = if ether_type == IPV4 { (12, 16) } else { (14, 24) };
        self.on_sides(side, source, destination, &mut |lowering, offset| {
            let carried = lowering.ether_type(ether_type, span)?;
            let field = lowering.load(lowering.layers.network_header(), offset, Width::Word);
            let host = lowering.builder.masked(field, address, mask);
            Ok(lowering.builder.and(carried, host))
        })
    }

    fn ipv6(&mut self, qualifiers: Qualifiers, address: Ipv6Addr, prefix: u32, span: &Span) -> Lowered {
        if let Some(protocol) = qualifiers.protocol.filter(|&protocol| protocol != Protocol::Ipv6) {
            return Err(misplaced(protocol, "IPv6 addresses; only ip6 has them", span));
        }
        let address = u128::from(address);
        let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
        self.on_sides(qualifiers.side, 8, 24, &mut |lowering, offset| {
            let mut all = lowering.ether_type(IPV6, span)?;
            for word in 0..4 {
                let shift = 96 - 32 * word;
                let field = lowering.load(lowering.layers.network_header(), offset + 4 * word, Width::Word);
                let part = lowering.builder.masked(field, (address >> shift) as u32, (mask >> shift) as u32);
                all = lowering.builder.and(all, part);
            }
            Ok(all)
        })
    }

    fn on_sides(
        &mut self,
        side: Side,
        source: u32,
        destination: u32,
        at: &mut dyn FnMut(&mut Self, u32) -> Lowered,
    ) -> Lowered {
        match side {
            Side::Source => at(self, source),
            Side::Destination => at(self, destination),
            Side::Any | Side::Either => {
                let (source, destination) = (at(self, source)?, at(self, destination)?);
                Ok(self.builder.or(source, destination))
            }
            Side::Both => {
                let (source, destination) = (at(self, source)?, at(self, destination)?);
                Ok(self.builder.and(source, destination))
            }
        }
    }

    /// A DECnet Phase IV address, in packets with a short or long header, with or without a byte of padding.
    fn decnet(&mut self, address: u32, side: Side, span: &Span) -> Lowered {
        let address = u32::from((address as u16).swap_bytes());
        // The offset of the field after the flags in a short header; `long` is the offset in a long header.
        self.on_sides(side, 3, 1, &mut |lowering, short| {
            let long = if short == 3 { 15 } else { 7 };
            let carried = lowering.ether_type(link::DECNET, span)?;
            let network = lowering.layers.network_header();
            let mut any: Option<Fragment> = None;
            for (width, flags, mask, offset) in [
                (Width::Byte, 0x02, 0x07, 2 + short),
                (Width::Half, 0x8102, 0xff07, 3 + short),
                (Width::Byte, 0x06, 0x07, 2 + long),
                (Width::Half, 0x8106, 0xff07, 3 + long),
            ] {
                // Unlike in the other protocols, a length of two bytes comes between the EtherType and the flags.
                let field = lowering.load(network, 2, width);
                let form = lowering.builder.masked(field, flags, mask);
                let field = lowering.load(network, offset, Width::Half);
                let host = lowering.builder.equals(field, address);
                let both = lowering.builder.and(form, host);
                any = Some(lowering.builder.or_also(any, both));
            }
            Ok(match any {
                Some(any) => lowering.builder.and(carried, any),
                None => carried,
            })
        })
    }
}

/// The number of a protocol by its name: an EtherType, an ISO protocol or an IP protocol.
fn protocol_of_name(within: Option<Protocol>, name: &str) -> Result<u32, String> {
    match within {
        Some(Protocol::Link) => {
            let known = [
                ("aarp", link::AARP),
                ("arp", ARP),
                ("atalk", link::ATALK),
                ("decnet", link::DECNET),
                ("ip", IPV4),
                ("ip6", IPV6),
                ("ipx", link::SAP_IPX),
                ("iso", link::SAP_ISO),
                ("lat", 0x6004),
                ("loopback", 0x9000),
                ("mopdl", 0x6001),
                ("moprc", 0x6002),
                ("netbeui", link::SAP_NETBEUI),
                ("rarp", RARP),
                ("sca", 0x6007),
                ("stp", link::SAP_STP),
            ];
            let found = known.iter().find(|(known, _)| *known == name);
            found
                .map(|&(_, number)| number)
                .ok_or_else(|| format!("no protocol of Ethernet is called '{name}'"))
        }
        Some(Protocol::Iso) => match name {
            "clnp" => Ok(0x81),
            "esis" => Ok(0x82),
            "isis" => Ok(0x83),
            _ => Err(format!("no protocol of ISO is called '{name}'; there are clnp, esis and isis")),
        },
        _ => names::protocol(name),
    }
}
