//! Application protocols, recognised by the port of either side (IANA service names).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ptp;
use crate::decode::printer::Printer;
use crate::decode::routing::{babel, bfd, bgp, hsrp, ldp, lmp, lsp_ping, rip, ripng};
use crate::decode::services::dns;
use crate::decode::services::lines;
use crate::decode::tunnels::{geneve, l2tp, lisp, mpls, pptp, vxlan};

const SSH: u16 = 22;
const DOMAIN: u16 = 53;
const BOOTP_SERVER: u16 = 67;
const BOOTP_CLIENT: u16 = 68;
const HTTP: [u16; 3] = [80, 8080, 3128];
const BGP: u16 = 179;
/// Messages that are time-stamped, and the others.
const PTP: [u16; 2] = [319, 320];
const L2TP: u16 = 1701;
const PPTP: u16 = 1723;
const LISP: u16 = 4342;
const VXLAN: u16 = 4789;
const VXLAN_GENERIC: u16 = 4790;
const GENEVE: u16 = 6081;
const MPLS: u16 = 6635;
const OVERLAY: u16 = 8472;
const MULTICAST_DNS: u16 = 5353;

/// Prints the payload of a datagram; `None` when neither port belongs to a known protocol.
pub(in crate::decode) fn print_udp(
    p: &mut Printer<'_>,
    ports: [u16; 2],
    layer: Layer<'_>,
) -> Option<Printed> {
    let is = |port: u16| ports.contains(&port);
    Some(if is(DOMAIN) {
        dns::print(p, layer, false)
    } else if is(BOOTP_SERVER) || is(BOOTP_CLIENT) {
        crate::decode::services::bootp::print(p, layer)
    } else if is(rip::PORT) {
        rip::print(p, layer)
    } else if is(ripng::PORT) {
        ripng::print(p, layer)
    } else if is(ldp::PORT) {
        ldp::print(p, layer)
    } else if is(lmp::PORT) {
        lmp::print(p, layer)
    } else if ports[1] == hsrp::PORT {
        hsrp::print(p, layer)
    } else if is(lsp_ping::PORT) {
        lsp_ping::print(p, layer)
    } else if bfd::is_port(ports[1]) {
        bfd::print(p, ports[1], layer)
    } else if is(MULTICAST_DNS) {
        dns::print(p, layer, true)
    } else if is(babel::PORT) || is(babel::OLD_PORT) {
        babel::print(p, layer)
    } else if PTP.into_iter().any(is) {
        ptp::print(p, layer)
    } else if is(L2TP) {
        p.nested(|p| l2tp::print(p, layer))
    } else if is(LISP) {
        lisp::print(p, layer)
    } else if is(VXLAN) {
        p.nested(|p| vxlan::print(p, layer))
    } else if is(VXLAN_GENERIC) {
        p.nested(|p| vxlan::print_generic(p, layer))
    } else if is(GENEVE) {
        p.nested(|p| geneve::print(p, layer))
    } else if is(MPLS) {
        p.nested(|p| mpls::print(p, layer))
    } else if is(OVERLAY) {
        p.nested(|p| vxlan::print_overlay(p, layer))
    } else {
        return None;
    })
}

/// Prints the payload of a segment if one of its ports belongs to a known protocol.
pub(in crate::decode) fn print_tcp(p: &mut Printer<'_>, ports: [u16; 2], layer: Layer<'_>) -> Printed {
    let is = |port: u16| ports.contains(&port);
    if is(DOMAIN) {
        return dns::print_tcp(p, layer);
    }
    if HTTP.into_iter().any(is) {
        return lines::print_http(p, layer);
    }
    if is(SSH) {
        lines::print_ssh(p, layer);
    }
    if is(ldp::PORT) {
        return ldp::print(p, layer);
    }
    if is(BGP) {
        return bgp::print(p, layer);
    }
    if is(PPTP) {
        return pptp::print(p, layer);
    }
    Ok(())
}
