//! Application protocols, told by the port on either side (IANA service names).

use super::cursor::{Layer, Printed};
use super::{Printer, dns};

const DOMAIN: u16 = 53;
const BOOTP_SERVER: u16 = 67;
const BOOTP_CLIENT: u16 = 68;
const BGP: u16 = 179;
const MULTICAST_DNS: u16 = 5353;

/// Prints the payload of a datagram, or gives `None` when its ports say nothing.
pub(super) fn print_udp(p: &mut Printer<'_>, ports: [u16; 2], layer: Layer<'_>) -> Option<Printed> {
    let is = |port: u16| ports.contains(&port);
    Some(if is(DOMAIN) {
        dns::print(p, layer, false)
    } else if is(BOOTP_SERVER) || is(BOOTP_CLIENT) {
        super::bootp::print(p, layer)
    } else if is(MULTICAST_DNS) {
        dns::print(p, layer, true)
    } else {
        return None;
    })
}

/// Prints the payload of a segment where its ports say what it is.
pub(super) fn print_tcp(p: &mut Printer<'_>, ports: [u16; 2], layer: Layer<'_>) -> Printed {
    let is = |port: u16| ports.contains(&port);
    if is(DOMAIN) {
        return dns::print_tcp(p, layer);
    }
    if is(BGP) {
        p.text(": BGP");
    }
    Ok(())
}
