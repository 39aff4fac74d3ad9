//! Application protocols, recognised by the port of either side (IANA service names).

use std::ops::RangeInclusive;

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ptp;
use crate::decode::network::ip;
use crate::decode::printer::Printer;
use crate::decode::routing::{babel, bfd, bgp, hsrp, ldp, lmp, lsp_ping, rip, ripng};
use crate::decode::services::{
    aodv, bcm_li, beep, bootp, dhcpv6, dns, hncp, ike, kerberos, lines, lwapp, lwres, msdp, nfs, ntp, olsr,
    openflow, pptp, radius, resp, rpki_router, rx, sflow, snmp, someip, syslog, tftp, timed, vqp,
};
use crate::decode::tunnels::{geneve, l2tp, lisp, mpls, vxlan};

/// What the headers before a datagram's or segment's payload say, and the payload.
#[derive(Clone, Copy)]
pub(in crate::decode) struct Payload<'a> {
    /// What the IP header says.
    pub(in crate::decode) header: &'a ip::Header,
    /// Source and destination port.
    pub(in crate::decode) ports: [u16; 2],
    pub(in crate::decode) layer: Layer<'a>,
}

/// Prints the payload of one protocol.
type Print = fn(&mut Printer<'_>, Payload<'_>) -> Printed;

/// Whose port counts, the ports, and the printer of a protocol.
type Service = (Side, RangeInclusive<u16>, Print);

/// Whose port counts.
#[derive(Clone, Copy)]
enum Side {
    Either,
    /// Only the receiver's: the protocol's senders have any port.
    Receiver,
    /// Only the sender's.
    Sender,
}

/// The protocols over UDP; where the ports belong to two of them, the first one counts. So they are in tcpdump's order.
const UDP: &[Service] = &[
    (Side::Either, 53..=53, |p, payload| dns::print(p, payload.layer, false)),
    (Side::Either, 5353..=5353, |p, payload| dns::print(p, payload.layer, true)),
    (Side::Either, 525..=525, |p, payload| timed::print(p, payload.layer)),
    (Side::Either, 69..=69, |p, payload| tftp::print(p, payload.layer)),
    (Side::Either, 67..=68, |p, payload| bootp::print(p, payload.layer)),
    (Side::Either, rip::PORT..=rip::PORT, |p, payload| rip::print(p, payload.layer)),
    (Side::Either, 654..=654, |p, payload| aodv::print(p, payload.header.is_v6(), payload.layer)),
    (Side::Either, 4500..=4500, |p, payload| {
        ike::print_translated(p, payload.header.src, payload.header.dst, payload.layer)
    }),
    (Side::Either, 500..=500, |p, payload| {
        ike::print(p, payload.header.src, payload.header.dst, payload.layer)
    }),
    (Side::Either, 8500..=8500, |p, payload| {
        ike::print(p, payload.header.src, payload.header.dst, payload.layer)
    }),
    (Side::Either, 7500..=7500, |p, payload| {
        ike::print(p, payload.header.src, payload.header.dst, payload.layer)
    }),
    (Side::Either, 161..=162, |p, payload| snmp::print(p, payload.layer)),
    (Side::Either, 123..=123, |p, payload| ntp::print(p, payload.layer)),
    (Side::Either, 88..=88, |p, payload| kerberos::print(p, payload.layer)),
    (Side::Either, 750..=750, |p, payload| kerberos::print(p, payload.layer)),
    (Side::Either, 7000..=7009, |p, payload| rx::print(p, payload.layer)),
    (Side::Either, ripng::PORT..=ripng::PORT, |p, payload| ripng::print(p, payload.layer)),
    (Side::Either, 546..=547, |p, payload| dhcpv6::print(p, payload.layer)),
    (Side::Either, babel::PORT..=babel::OLD_PORT, |p, payload| babel::print(p, payload.layer)),
    (Side::Either, 8231..=8231, |p, payload| hncp::print(p, payload.layer)),
    (Side::Either, 1645..=1646, |p, payload| radius::print(p, payload.layer)),
    (Side::Either, 1812..=1813, |p, payload| radius::print(p, payload.layer)),
    (Side::Either, 1700..=1700, |p, payload| radius::print(p, payload.layer)),
    (Side::Either, 3799..=3799, |p, payload| radius::print(p, payload.layer)),
    (Side::Either, 921..=921, |p, payload| lwres::print(p, payload.layer)),
    (Side::Receiver, hsrp::PORT..=hsrp::PORT, |p, payload| hsrp::print(p, payload.layer)),
    (Side::Either, ldp::PORT..=ldp::PORT, |p, payload| ldp::print(p, payload.layer)),
    (Side::Either, 698..=698, |p, payload| olsr::print(p, payload.header.is_v6(), payload.layer)),
    (Side::Either, lsp_ping::PORT..=lsp_ping::PORT, |p, payload| lsp_ping::print(p, payload.layer)),
    (Side::Either, lmp::PORT..=lmp::PORT, |p, payload| lmp::print(p, payload.layer)),
    (Side::Receiver, bfd::CONTROL..=bfd::ECHO, |p, payload| bfd::print(p, payload.ports[1], payload.layer)),
    (Side::Receiver, bfd::MULTIHOP..=bfd::MULTIHOP, |p, payload| {
        bfd::print(p, payload.ports[1], payload.layer)
    }),
    (Side::Receiver, bfd::LAG..=bfd::LAG, |p, payload| bfd::print(p, payload.ports[1], payload.layer)),
    (Side::Either, 1589..=1589, |p, payload| vqp::print(p, payload.layer)),
    (Side::Either, 6343..=6343, |p, payload| sflow::print(p, payload.layer)),
    (Side::Either, 12222..=12223, |p, payload| lwapp::print(p, payload.ports, payload.layer)),
    (Side::Either, 5060..=5060, |p, payload| lines::SIP.print(p, payload.layer)),
    (Side::Either, 514..=514, |p, payload| syslog::print(p, payload.layer)),
    (Side::Either, 4789..=4789, |p, payload| p.nested(|p| vxlan::print(p, payload.layer))),
    (Side::Either, 319..=320, |p, payload| ptp::print(p, payload.layer)),
    (Side::Either, 1701..=1701, |p, payload| p.nested(|p| l2tp::print(p, payload.layer))),
    (Side::Either, 4342..=4342, |p, payload| lisp::print(p, payload.layer)),
    (Side::Either, 4790..=4790, |p, payload| p.nested(|p| vxlan::print_generic(p, payload.layer))),
    (Side::Either, 6081..=6081, |p, payload| p.nested(|p| geneve::print(p, payload.layer))),
    (Side::Either, 6635..=6635, |p, payload| p.nested(|p| mpls::print(p, payload.layer))),
    (Side::Either, 8472..=8472, |p, payload| p.nested(|p| vxlan::print_overlay(p, payload.layer))),
    (Side::Either, 30490..=30490, |p, payload| someip::print(p, payload.layer)),
    (Side::Sender, 49152..=49152, |p, payload| bcm_li::print(p, payload.layer)),
];

/// The protocols over TCP; where the ports belong to two of them, the first one counts.
const TCP: &[Service] = &[
    (Side::Either, 21..=21, |p, payload| lines::FTP.print_tcp(p, payload.layer)),
    (Side::Either, 22..=22, |p, payload| {
        lines::print_ssh(p, payload.layer);
        Ok(())
    }),
    (Side::Either, 25..=25, |p, payload| lines::SMTP.print_tcp(p, payload.layer)),
    (Side::Either, 43..=43, |p, payload| lines::WHOIS.print_tcp(p, payload.layer)),
    (Side::Either, 53..=53, |p, payload| dns::print_tcp(p, payload.layer)),
    (Side::Either, 80..=80, |p, payload| lines::HTTP.print_tcp(p, payload.layer)),
    (Side::Either, 179..=179, |p, payload| bgp::print(p, payload.layer)),
    (Side::Either, 554..=554, |p, payload| lines::RTSP.print_tcp(p, payload.layer)),
    (Side::Either, 6379..=6379, |p, payload| resp::print(p, payload.layer)),
    (Side::Either, ldp::PORT..=ldp::PORT, |p, payload| ldp::print(p, payload.layer)),
    (Side::Either, 8080..=8080, |p, payload| lines::HTTP.print_tcp(p, payload.layer)),
    (Side::Either, 8554..=8554, |p, payload| lines::RTSP.print_tcp(p, payload.layer)),
    (Side::Either, 639..=639, |p, payload| msdp::print(p, payload.layer)),
    (Side::Either, 323..=323, |p, payload| rpki_router::print(p, payload.layer)),
    (Side::Either, 6633..=6633, |p, payload| openflow::print(p, payload.layer)),
    (Side::Either, 6653..=6653, |p, payload| openflow::print(p, payload.layer)),
    (Side::Either, 1723..=1723, |p, payload| pptp::print(p, payload.layer)),
    (Side::Either, 10288..=10288, |p, payload| {
        beep::print(p, payload.layer);
        Ok(())
    }),
    (Side::Either, 2049..=2049, |p, payload| nfs::print_tcp(p, payload)),
];

/// A bit for each port, set if it is in a table: most ports are not, and packets to them are not looked for in tables.
type Ports = [u64; 1024];

const fn ports(table: &[Service]) -> Ports {
    let mut ports = [0; 1024];
    let mut i = 0;
    while i < table.len() {
        let mut port = *table[i].1.start() as usize;
        while port <= *table[i].1.end() as usize {
            ports[port / 64] |= 1 << (port % 64);
            port += 1;
        }
        i += 1;
    }
    ports
}

static UDP_PORTS: Ports = ports(UDP);
static TCP_PORTS: Ports = ports(TCP);

/// Prints the payload of a datagram; `None` when neither port belongs to a known protocol.
pub(in crate::decode) fn print_udp(
    p: &mut Printer<'_>,
    header: &ip::Header,
    ports: [u16; 2],
    layer: Layer<'_>,
) -> Option<Printed> {
    find(UDP, &UDP_PORTS, ports).map(|print| print(p, Payload { header, ports, layer }))
}

/// Prints the payload of a segment if one of its ports belongs to a known protocol.
pub(in crate::decode) fn print_tcp(
    p: &mut Printer<'_>,
    header: &ip::Header,
    ports: [u16; 2],
    layer: Layer<'_>,
) -> Printed {
    find(TCP, &TCP_PORTS, ports).map_or(Ok(()), |print| print(p, Payload { header, ports, layer }))
}

fn find(table: &[Service], known: &Ports, [src, dst]: [u16; 2]) -> Option<Print> {
    let is_known = |port: u16| known[usize::from(port / 64)] & 1 << (port % 64) != 0;
    if !is_known(src) && !is_known(dst) {
        return None;
    }
    let belongs = |(side, range, _): &&Service| {
        (!matches!(side, Side::Sender) && range.contains(&dst))
            || (!matches!(side, Side::Receiver) && range.contains(&src))
    };
    table.iter().find(belongs).map(|(_, _, print)| *print)
}
