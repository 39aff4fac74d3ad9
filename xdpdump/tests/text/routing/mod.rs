//! Frames of routing protocols. Each payload is there for a line of text that no other has; most are whole messages, some
//! are cut or have wrong lengths.

mod babel;
mod bgp;
mod isis;
mod ldp;
mod lsp_ping;
mod ospf;
mod pim;
mod rsvp;
mod small;

use crate::build::{Ipv4, Ipv6, Tcp, ethernet, hex, udp};

/// What a payload is carried in.
#[derive(Clone, Copy)]
pub enum Carrier {
    /// The protocol number.
    Ipv4(u8),
    Ipv6(u8),
    /// The ports.
    Tcp(u16, u16),
    Udp(u16, u16),
    Udp6(u16, u16),
    /// An 802.3 frame.
    Llc,
}

impl Carrier {
    fn frame(self, payload: &[u8]) -> Vec<u8> {
        let (v4, v6) = (Ipv4::default(), Ipv6::default());
        match self {
            Self::Ipv4(protocol) => v4.frame(protocol, payload),
            Self::Ipv6(protocol) => v6.frame(protocol, payload),
            Self::Tcp(src, dst) => {
                v4.summed(6, 16, &Tcp { src, dst, flags: 0x18, ..Tcp::default() }.segment(payload))
            }
            Self::Udp(src, dst) => v4.frame(17, &udp(src, dst, payload)),
            Self::Udp6(src, dst) => v6.frame(17, &udp(src, dst, payload)),
            Self::Llc => ethernet(payload.len() as u16, payload),
        }
    }
}

/// The frames of every routing protocol.
pub fn frames() -> Vec<Vec<u8>> {
    let payloads = [
        babel::PAYLOADS,
        bgp::PAYLOADS,
        isis::PAYLOADS,
        ldp::PAYLOADS,
        lsp_ping::PAYLOADS,
        ospf::PAYLOADS,
        pim::PAYLOADS,
        rsvp::PAYLOADS,
        small::PAYLOADS,
    ]
    .concat();
    payloads.iter().map(|(carrier, digits)| carrier.frame(&hex(digits))).collect()
}
