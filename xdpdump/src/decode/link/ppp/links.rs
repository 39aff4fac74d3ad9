//! The kinds of PPP links in capture files: framed like HDLC (RFC 1662) or not, or with the direction in front.

use super::{name, print_numbered, print_protocol};
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

/// Address "all stations" and control "unnumbered information" (RFC 1662).
const ADDRESS: u8 = 0xff;
const CONTROL: u8 = 0x03;
/// Directions that the PPP daemon of Linux writes in place of the address.
const IN: u8 = 0;
const OUT: u8 = 1;

/// Prints a frame of a link of any kind.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    frame.cursor("ppp").need(4)?;
    match frame.bytes {
        [direction @ (IN | OUT), CONTROL, ..] => {
            if p.style.link_header {
                p.text(if *direction == IN { "In  " } else { "Out " });
            }
            print_numbered(p, frame.skip(2), frame.len)
        }
        _ => super::print(p, frame),
    }
}

/// Prints a frame of a link that frames like HDLC.
pub(in crate::decode) fn print_hdlc(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor("ppp_hdlc");
    cursor.need(4)?;
    let (address, control, protocol) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    if p.style.link_header {
        write!(p, "{address:02x} {control:02x} {} ", frame.len);
    }
    if address != ADDRESS {
        let [address, control] = protocol.to_be_bytes();
        write!(p, "unknown addr {address:02x}; ctrl {control:02x}");
        return Ok(());
    }
    match name(protocol) {
        Some(name) => write!(p, "{name}: "),
        None => write!(p, "unknown PPP protocol (0x{protocol:04x}): "),
    }
    let layer = frame.skip(4);
    // tcpdump counts the number of the protocol with what follows it.
    print_protocol(p, protocol, layer, layer.len + 2)
}
