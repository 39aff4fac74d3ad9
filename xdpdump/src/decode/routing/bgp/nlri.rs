//! Reachability of prefixes: the items of an UPDATE's lists (RFC 4271 §4.3, RFC 4760, RFC 8277, RFC 4364).
//!
//! Readers return `None` where a prefix is longer than an address.

use std::fmt;

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::nsap::Nsap;

/// An item that was read, or `None` if its prefix length is impossible.
pub(super) type Item<T> = Result<Option<T>, Truncated>;

/// A prefix and its length in bits.
pub(super) struct Prefix<A>(A, u8);

impl<A: fmt::Display> fmt::Display for Prefix<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

/// A route distinguisher (RFC 4364 §4.2).
pub(in crate::decode::routing) struct Distinguisher([u8; 8]);

impl Distinguisher {
    pub(in crate::decode::routing) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        cursor.array().map(Self)
    }
}

impl fmt::Display for Distinguisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind_high, kind_low, a, b, c, d, e, g] = self.0;
        let last = u16::from_be_bytes([e, g]);
        match u16::from_be_bytes([kind_high, kind_low]) {
            0 => {
                let number = u32::from_be_bytes([c, d, e, g]);
                write!(f, "{}:{number} (= {})", u16::from_be_bytes([a, b]), Ipv4([c, d, e, g]))
            }
            1 => write!(f, "{}:{last}", Ipv4([a, b, c, d])),
            2 => {
                let system = u32::from_be_bytes([a, b, c, d]);
                write!(f, "{system}:{last} ({}:{last})", Ipv4([a, b, c, d]))
            }
            _ => f.write_str("unknown RD format"),
        }
    }
}

/// A label with its bottom-of-stack bit, which must be set (RFC 8277 §2.2).
pub(super) struct Label(u32);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bottom = if self.0 & 1 == 0 { "(BOGUS: Bottom of Stack NOT set!)" } else { "(bottom)" };
        write!(f, "label:{} {bottom}", self.0 >> 4)
    }
}

/// Reads the `bits` of a prefix into the bytes of an address.
fn read_bits<const N: usize>(cursor: &mut Cursor<'_>, bits: u8) -> Result<[u8; N], Truncated> {
    let mut address = [0; N];
    let bytes = cursor.take(usize::from(bits).div_ceil(8))?;
    for (to, from) in address.iter_mut().zip(bytes) {
        *to = *from;
    }
    if !bits.is_multiple_of(8)
        && let Some(last) = address.get_mut(usize::from(bits / 8))
    {
        *last &= 0xff << (8 - bits % 8);
    }
    Ok(address)
}

/// Reads an IPv4 prefix.
pub(super) fn read_prefix4(cursor: &mut Cursor<'_>) -> Item<Prefix<Ipv4>> {
    let bits = cursor.u8()?;
    if bits > 32 { Ok(None) } else { Ok(Some(Prefix(Ipv4(read_bits(cursor, bits)?), bits))) }
}

/// What comes before a prefix and is counted in its length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Label,
    LabelAndDistinguisher,
}

/// Prints a prefix with what comes before it; false if its length is impossible.
pub(super) fn print_prefix(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    before: Before,
    afi: u16,
    id: Option<u32>,
) -> Result<bool, Truncated> {
    if before == Before::Label {
        cursor.need(4)?;
    }
    let bits = cursor.u8()?;
    let counted = match before {
        Before::Nothing => 0,
        Before::Label => 24,
        Before::LabelAndDistinguisher => 88,
    };
    let longest = if afi == 1 { 32 } else { 128 };
    let Some(bits) = bits.checked_sub(counted).filter(|bits| *bits <= longest) else {
        return Ok(false);
    };
    let label = if before == Before::Nothing { None } else { Some(Label(cursor.u24()?)) };
    let distinguisher = match before {
        Before::LabelAndDistinguisher => Some(Distinguisher::read(cursor)?),
        _ => None,
    };
    if afi == 1 {
        let address = Ipv4(read_bits(cursor, bits)?);
        print_line(p, distinguisher, &Prefix(address, bits), label);
    } else {
        let address = Ipv6(read_bits(cursor, bits)?);
        print_line(p, distinguisher, &Prefix(address, bits), label);
    }
    print_path_id(p, id);
    Ok(true)
}

fn print_line<A: fmt::Display>(
    p: &mut Printer<'_>,
    distinguisher: Option<Distinguisher>,
    prefix: &Prefix<A>,
    label: Option<Label>,
) {
    p.text("\n\t      ");
    if let Some(distinguisher) = distinguisher {
        write!(p, "RD: {distinguisher}, ");
    }
    write!(p, "{prefix}");
    if let Some(label) = label {
        write!(p, ", {label}");
    }
}

/// Prints the identifier of one of several paths (RFC 7911).
pub(super) fn print_path_id(p: &mut Printer<'_>, id: Option<u32>) {
    if let Some(id) = id {
        write!(p, "   Path Id: {id}");
    }
}

/// Whether each prefix in `length` bytes has a path identifier before it, which only the peers know (RFC 7911): if the
/// list is well-formed with identifiers, and is not without them.
pub(super) fn has_path_ids(bytes: &[u8], length: usize, longest: u8) -> bool {
    let mut at = 0;
    while at < length {
        at += 4;
        let Some(bits) = bytes.get(at).filter(|bits| **bits <= longest) else { return false };
        at += 1 + usize::from(*bits).div_ceil(8);
    }
    if at > length {
        return false;
    }
    at = 0;
    while at < length {
        let Some(bits) = bytes.get(at) else { return false };
        // A default route in a list that is well-formed with identifiers is the first byte of one.
        if *bits == 0 || *bits > longest {
            return true;
        }
        at += 1 + usize::from(*bits).div_ceil(8);
    }
    at > length
}

/// Prints an OSI prefix, with a label and a distinguisher if it is of a VPN; false if its length is impossible.
pub(super) fn print_osi(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, vpn: bool) -> Result<bool, Truncated> {
    const LONGEST: u8 = 152;
    let bits = cursor.u8()?;
    let Some(bits) = bits.checked_sub(if vpn { 88 } else { 0 }).filter(|bits| *bits <= LONGEST) else {
        return Ok(false);
    };
    let len = usize::from(bits).div_ceil(8);
    if vpn {
        let label = Label(cursor.u24()?);
        let distinguisher = Distinguisher::read(cursor)?;
        let address = cursor.take(len)?;
        write!(p, "\n\t      RD: {distinguisher}, {}/{bits}, {label}", Nsap(address));
    } else {
        // tcpdump skips three bytes after the length, as if there were a label.
        let mut address = *cursor;
        address.skip(3)?;
        write!(p, "\n\t      {}/{bits}", Nsap(address.take(len)?));
        cursor.skip(len)?;
    }
    Ok(true)
}

/// Prints a route target that a peer wants (RFC 4684 §4); false if its length is impossible.
pub(super) fn print_route_target(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<bool, Truncated> {
    let bits = cursor.u8()?;
    if bits == 0 {
        p.text("\n\t      default route target");
        return Ok(true);
    }
    let Some(bits) = bits.checked_sub(32).filter(|bits| *bits <= 64) else { return Ok(false) };
    let origin = cursor.u32()?;
    let target: [u8; 8] = read_bits(cursor, bits)?;
    write!(p, "\n\t      origin AS: {origin}, ");
    if bits == 0 {
        p.text("route-target: 0:0/0");
        return Ok(true);
    }
    let [high, low, a, b, c, d, e, f] = target;
    let last = u16::from_be_bytes([e, f]);
    let kind = u16::from_be_bytes([high, low]);
    match kind {
        _ if bits < 16 => p.text("route-target: partial-type: "),
        0x0002 => {
            let number = u32::from_be_bytes([c, d, e, f]);
            write!(p, "route-target: {}:{number}/{bits} ", u16::from_be_bytes([a, b]));
        }
        0x0102 => write!(p, "route-target: {}:{last}/{bits} ", Ipv4([a, b, c, d])),
        0x0202 => write!(p, "route-target: {}:{last}/{bits} ", u32::from_be_bytes([a, b, c, d])),
        _ => write!(p, "route target: unknown-type({kind:04x}) "),
    }
    let known = bits >= 16 && matches!(kind, 0x0002 | 0x0102 | 0x0202);
    p.text("(");
    for (i, byte) in target.iter().take(usize::from(bits).div_ceil(8)).enumerate() {
        write!(p, "{}{byte:02x}", if i > 0 && i % 2 == 0 { " " } else { "" });
    }
    if known {
        p.text(")");
    } else {
        write!(p, "/{bits})");
    }
    Ok(true)
}

/// Prints an item of a multicast VPN (RFC 6514 §4).
pub(super) fn print_multicast_vpn(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let (kind, len) = (cursor.u8()?, cursor.u8()?);
    let name = match kind {
        1 => "Intra-AS I-PMSI",
        2 => "Inter-AS I-PMSI",
        3 => "S-PMSI",
        4 => "Intra-AS Segment-Leaf",
        5 => "Source-Active",
        6 => "Shared Tree Join",
        7 => "Source Tree Join",
        _ => "Unknown",
    };
    write!(p, "\n\t      Route-Type: {name} ({kind}), length: {len}");
    let len = usize::from(len);
    let mut value = *cursor;
    if matches!(kind, 1..=3 | 5..=7) {
        write!(p, ", RD: {}", Distinguisher::read(&mut value)?);
    }
    match kind {
        1 => {
            let bits = (len.saturating_sub(8)) * 8;
            p.text(", Originator ");
            print_vpn_address(p, &mut value, bits)?;
        }
        2 => write!(p, ", Source-AS {}", value.u32()?),
        3 => {
            let start = value.at();
            print_source_and_group(p, &mut value)?;
            // tcpdump does not subtract the distinguisher.
            let bits = len.saturating_sub(value.at() - start) * 8;
            p.text(", Originator ");
            print_vpn_address(p, &mut value, bits)?;
        }
        5 => print_source_and_group(p, &mut value)?,
        6 | 7 => {
            write!(p, ", Source-AS {}", value.u32()?);
            print_source_and_group(p, &mut value)?;
        }
        _ => {}
    }
    cursor.skip(len)
}

fn print_source_and_group(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    for label in [", Source ", ", Group "] {
        let bits = usize::from(cursor.u8()?);
        let mut address = Cursor::new("bgp", cursor.take(bits / 8)?);
        if bits > 0 {
            p.text(label);
            print_vpn_address(p, &mut address, bits)?;
        }
    }
    Ok(())
}

fn print_vpn_address(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, bits: usize) -> Printed {
    match bits {
        32 => write!(p, "{}", Ipv4::read(cursor)?),
        128 => write!(p, "{}", Ipv6::read(cursor)?),
        _ => write!(p, "bogus address length {bits}"),
    }
    Ok(())
}

/// Prints an item of a multicast domain tree (draft-nalawade-idr-mdt-safi); false if its length is impossible.
pub(super) fn print_mdt(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<bool, Truncated> {
    if cursor.u8()? != 128 {
        return Ok(false);
    }
    let distinguisher = Distinguisher::read(cursor)?;
    let (address, group) = (Ipv4::read(cursor)?, Ipv4::read(cursor)?);
    write!(p, "\n\t      RD: {distinguisher}, VPN IP Address: {address}, MC Group Address: {group}");
    Ok(true)
}

/// Prints an item of a layer 2 VPN (RFC 6624, RFC 4761).
pub(super) fn print_l2vpn(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let len = usize::from(cursor.u16()?);
    let mut value = *cursor;
    if len == 12 {
        let distinguisher = Distinguisher::read(&mut value)?;
        write!(p, "\n\t      RD: {distinguisher}, BGPNH: {}", Ipv4::read(&mut value)?);
        return cursor.skip(len);
    }
    if len <= 17 {
        return Err(cursor.truncated());
    }
    value.need(15)?;
    let distinguisher = Distinguisher::read(&mut value)?;
    let (site, offset, base) = (value.u16()?, value.u16()?, value.u24()? >> 4);
    write!(
        p,
        "\n\t      RD: {distinguisher}, CE-ID: {site}, Label-Block Offset: {offset}, Label Base {base}"
    );
    let mut left = len - 15;
    while left > 0 {
        if left < 3 {
            p.text("\n\t\tran past the end");
            break;
        }
        let (kind, length) = (value.u8()?, value.u16()?);
        // The length counts bits. tcpdump does not count the bytes of type and length.
        let bytes = usize::from(length).div_ceil(8);
        if kind == 1 {
            write!(p, "\n\t\tcircuit status vector ({kind}) length: {length}: 0x");
            p.digits(value.take(bytes.min(left))?);
        } else {
            write!(p, "\n\t\tunknown TLV #{kind}, length: {length}");
        }
        if bytes > left {
            p.text(" (ran past the end)");
            break;
        }
        // tcpdump does not skip the value of an unknown element.
        left -= bytes;
    }
    cursor.skip_to_end(len)
}
