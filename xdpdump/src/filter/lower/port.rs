//! Lowers ports of TCP, UDP and SCTP.

use super::{
    super::{
        builder::Fragment,
        error::Span,
        ir::{Comparison, ValueId, Width},
        names::{SCTP, TCP, UDP},
        syntax::{Operator, Side},
    },
    Lowered, Lowering, Position,
    layer::{IPV4, IPV6, IPV6_HEADER},
};

/// In the order in which libpcap tests them.
const WITH_PORTS: [u32; 3] = [SCTP, TCP, UDP];

/// The ports that match.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ports {
    One(u16),
    /// From the first to the second, both included.
    Range(u16, u16),
}

impl Lowering {
    /// Lowers ports of one protocol, or of all protocols that have ports.
    pub(super) fn ports(&mut self, ports: Ports, protocol: Option<u32>, side: Side, span: &Span) -> Lowered {
        let ipv6 = self.ports_of(ports, protocol, side, IPV6, span)?;
        let ipv4 = self.ports_of(ports, protocol, side, IPV4, span)?;
        Ok(self.builder.or(ipv6, ipv4))
    }

    /// Lowers ports over one version of IP.
    pub(super) fn ports_of(
        &mut self,
        ports: Ports,
        protocol: Option<u32>,
        side: Side,
        version: u32,
        span: &Span,
    ) -> Lowered {
        let ip = self.ether_type(version, span)?;
        let mut any: Option<Fragment> = None;
        for number in WITH_PORTS.into_iter().filter(|&number| protocol.is_none_or(|only| only == number)) {
            let network = self.layers.network_header();
            let field = self.load(network, if version == IPV4 { 9 } else { 6 }, Width::Byte);
            let mut test = self.builder.equals(field, number);
            if version == IPV4 {
                let first = self.first_fragment();
                test = self.builder.and(test, first);
            }
            let transport = if version == IPV4 { self.ipv4_payload() } else { network.plus(IPV6_HEADER) };
            let ports = self.on_side(ports, side, transport);
            test = self.builder.and(test, ports);
            any = Some(self.builder.or_also(any, test));
        }
        Ok(match any {
            Some(any) => self.builder.and(ip, any),
            None => ip,
        })
    }

    fn on_side(&mut self, ports: Ports, side: Side, transport: Position) -> Fragment {
        match side {
            Side::Source => self.port_at(ports, transport),
            Side::Destination => self.port_at(ports, transport.plus(2)),
            Side::Any | Side::Either | Side::Both => {
                let source = self.port_at(ports, transport);
                let destination = self.port_at(ports, transport.plus(2));
                if side == Side::Both {
                    self.builder.and(source, destination)
                } else {
                    self.builder.or(source, destination)
                }
            }
        }
    }

    fn port_at(&mut self, ports: Ports, at: Position) -> Fragment {
        let port = self.load(at, 0, Width::Half);
        match ports {
            Ports::One(number) => self.builder.equals(port, u32::from(number)),
            Ports::Range(first, last) => {
                let (first, last) =
                    (self.builder.constant(u32::from(first)), self.builder.constant(u32::from(last)));
                let from = self.builder.test(Comparison::GreaterEqual, port, first);
                let to = self.builder.test(Comparison::Greater, port, last).negated();
                self.builder.and(from, to)
            }
        }
    }

    /// True unless this is a later fragment, which does not begin with a transport header.
    pub(super) fn first_fragment(&mut self) -> Fragment {
        let fragment = self.load(self.layers.network_header(), 6, Width::Half);
        let offset = self.builder.constant(0x1fff);
        self.builder.test(Comparison::Common, fragment, offset).negated()
    }

    /// The end of the IPv4 header, according to its length field.
    pub(super) fn ipv4_payload(&mut self) -> Position {
        let network = self.layers.network_header();
        let base = self.ipv4_header_length(network);
        Position { base: Some(base), offset: network.offset }
    }

    /// The length of the IPv4 header in bytes, plus the base of its position.
    pub(super) fn ipv4_header_length(&mut self, network: Position) -> ValueId {
        let first = self.load(network, 0, Width::Byte);
        let (mask, two) = (self.builder.constant(0x0f), self.builder.constant(2));
        let words = self.builder.binary(Operator::And, first, mask);
        let length = self.builder.binary(Operator::ShiftLeft, words, two);
        match network.base {
            Some(base) => self.builder.binary(Operator::Add, length, base),
            None => length,
        }
    }
}
