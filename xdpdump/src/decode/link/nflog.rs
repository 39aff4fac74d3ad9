//! Messages of Linux netfilter, as `NFLOG` rules send them (include/uapi/linux/netfilter/nfnetlink_log.h): elements, one of which is
//! the packet.

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::network::{ipv4, ipv6};
use crate::decode::printer::Printer;

const NAME: &str = "nflog";
const HEADER: usize = 4;
const ELEMENT: usize = 4;
/// `NFULA_PAYLOAD`.
const PAYLOAD: u16 = 9;
const INET: u8 = 2;
const INET6: u8 = 10;

/// Prints the packet in a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor(NAME);
    cursor.need(HEADER)?;
    let (family, version, resource) = (cursor.u8()?, cursor.u8()?, cursor.u16()?);
    if version != 0 {
        write!(p, "version {version} (unknown)");
        return Ok(());
    }
    let print_header = |p: &mut Printer<'_>, len: usize| {
        write!(p, "version {version}, resource ID {resource}");
        match (family, p.style.quiet) {
            (INET, true) => p.text(", IPv4"),
            (INET6, true) => p.text(", IPv6"),
            (_, true) => write!(p, ", Unknown NFLOG (0x{family:02x})"),
            (INET, false) => write!(p, ", family IPv4 ({family})"),
            (INET6, false) => write!(p, ", family IPv6 ({family})"),
            (_, false) => write!(p, ", family Unknown ({family})"),
        }
        write!(p, ", length {len}: ");
    };
    if p.style.link_header {
        print_header(p, frame.len);
    }
    let mut layer = frame.skip(HEADER);
    while layer.len > 0 {
        let (length, kind) = element(layer)?;
        if kind == PAYLOAD {
            layer = layer.skip(ELEMENT);
            break;
        }
        layer = layer.skip(length);
    }
    match family {
        INET => ipv4::print(p, layer),
        INET6 => ipv6::print(p, layer),
        _ => {
            if !p.style.link_header {
                print_header(p, layer.len + HEADER);
            }
            p.payload(layer);
            Ok(())
        }
    }
}

/// Length with padding and type of the element at the beginning of the layer. They are in the byte order of the capturing machine,
/// which is not known: it is the order in which the element fits.
fn element(layer: Layer<'_>) -> Result<(usize, u16), Truncated> {
    let mut cursor = layer.cursor(NAME);
    let fields = cursor.array::<4>()?;
    let [a, b, c, d] = fields;
    let little = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
    let big = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    [little, big]
        .into_iter()
        .map(|(length, kind)| (usize::from(length).next_multiple_of(4), kind))
        .find(|(length, _)| (ELEMENT..=layer.bytes.len()).contains(length))
        .ok_or(Truncated(NAME))
}
