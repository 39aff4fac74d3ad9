//! Ethernet II, 802.3 and 802.1Q tags.

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::link::arista;
use crate::decode::link::ethertype;
use crate::decode::link::llc;
use crate::decode::link::macsec;
use crate::decode::printer::Printer;

const HEADER: usize = 14;
const TAG: usize = 4;
/// Largest value of the type field that is an 802.3 length.
const MAX_LENGTH: u16 = 1500;

/// The addresses of a frame, which layers without addresses of their own print.
#[derive(Clone, Copy)]
pub(in crate::decode) struct Addresses<'a> {
    pub(in crate::decode) src: Mac<'a>,
    pub(in crate::decode) dst: Mac<'a>,
}

/// Prints an Ethernet frame.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    if frame.bytes.len() < HEADER {
        return Err(Truncated("ether"));
    }
    let mut cursor = frame.cursor("ether");
    let addresses = Addresses { dst: Mac(cursor.take(6)?), src: Mac(cursor.take(6)?) };
    let mut ethertype = cursor.u16()?;
    let mut layer = frame.skip(HEADER);
    if p.style.link_header {
        write!(p, "{} > {}, ", addresses.src, addresses.dst);
    }
    let mut tagged = false;
    if ethertype == ethertype::MACSEC {
        if p.style.link_header {
            print_type(p, ethertype, frame.len, false);
        }
        let Some(inner) = macsec::print(p, addresses, layer)? else { return Ok(()) };
        if inner.len < 2 {
            return Err(Truncated("ether"));
        }
        ethertype = inner.cursor("ether").u16()?;
        layer = inner.skip(2);
        tagged = true;
    }
    if ethertype == ethertype::ARISTA {
        if layer.bytes.is_empty() {
            p.text("[|arista]");
            return Ok(());
        }
        print_type(p, ethertype, frame.len, false);
        if let Some(inner) = arista::print(p, layer)? {
            ethertype = inner.cursor("ether").u16()?;
            layer = inner.skip(2);
        } else if p.style.link_header {
            p.payload(layer);
            return Ok(());
        }
    }
    while is_tag(ethertype) {
        let mut cursor = layer.cursor("vlan");
        cursor.need(TAG)?;
        let tag = cursor.u16()?;
        if p.style.link_header {
            print_type(p, ethertype, frame.len, tagged);
            let (vlan, priority) = (tag & 0xfff, tag >> 13);
            let drop_eligible = if tag & 0x1000 == 0 { "" } else { "DEI, " };
            write!(p, "vlan {vlan}, p {priority}, {drop_eligible}");
        }
        ethertype = cursor.u16()?;
        layer = layer.skip(TAG);
        tagged = true;
    }
    if ethertype <= MAX_LENGTH {
        return print_802_3(p, addresses, ethertype, layer, tagged);
    }
    if p.style.link_header {
        print_type(p, ethertype, frame.len, tagged);
    }
    let Some(printed) = p.nested_option(|p| ethertype::print_from(p, addresses, ethertype, layer)) else {
        if !p.style.link_header {
            write!(p, "{} > {}, ", addresses.src, addresses.dst);
            print_type(p, ethertype, frame.len, false);
        }
        p.payload(layer);
        return Ok(());
    };
    printed
}

fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_9100 | ethertype::QINQ_9200)
}

/// Prints the type of a frame, with the frame's length, or (`inner`) the type of a tag's payload, without a length.
fn print_type(p: &mut Printer<'_>, number: u16, frame_len: usize, inner: bool) {
    match (ethertype::name(number), p.style.quiet) {
        (Some(name), false) => write!(p, "ethertype {name} (0x{number:04x})"),
        (Some(name), true) => write!(p, "{name}"),
        (None, false) => write!(p, "ethertype Unknown (0x{number:04x})"),
        (None, true) => write!(p, "Unknown Ethertype (0x{number:04x})"),
    }
    if inner {
        p.text(", ");
    } else {
        write!(p, ", length {frame_len}: ");
    }
}

fn print_802_3(
    p: &mut Printer<'_>,
    addresses: Addresses<'_>,
    length: u16,
    layer: Layer<'_>,
    tagged: bool,
) -> Printed {
    if p.style.link_header {
        p.text("802.3");
        if !tagged {
            write!(p, ", length {length}: ");
        }
    }
    llc::print(p, addresses, layer.cut_to(usize::from(length)))
}
