//! Forwarding equivalence classes (RFC 5036 §3.4.1, RFC 4447 §5.2).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::ldp::print_short;
use crate::decode::routing::numbers;

/// Prints the first class of an element.
pub(super) fn print(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let kind = value.u8()?;
    let name = match kind {
        1 => "Wildcard",
        2 => "Prefix",
        3 => "Host address",
        0x80 => "Martini VC",
        _ => "Unknown",
    };
    write!(p, "\n\t      {name} FEC (0x{kind:02x})");
    match kind {
        2 => print_prefix(p, value),
        0x80 => print_circuit(p, value),
        _ => Ok(()),
    }
}

fn print_prefix(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if print_short(p, value, 2) {
        return Ok(());
    }
    let family = value.u16()?;
    let (name, longest) = match family {
        1 => ("IPv4", 32),
        2 => ("IPv6", 128),
        _ => {
            write!(p, ": Address family {family} prefix");
            return Ok(());
        }
    };
    let Ok(bits) = value.u8() else {
        write!(p, ": {name} prefix (goes past end of TLV)");
        return Ok(());
    };
    if bits > longest {
        write!(p, ": {name} prefix (invalid length)");
        return Ok(());
    }
    let len = usize::from(bits).div_ceil(8);
    if value.rest().len() < len {
        write!(p, ": {name} prefix (goes past end of TLV)");
        return Ok(());
    }
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(value.take(len)?) {
        *to = *from;
    }
    let [a, b, c, d, ..] = address;
    if family == 1 {
        write!(p, ": IPv4 prefix {}/{bits}", Ipv4([a, b, c, d]));
    } else {
        write!(p, ": IPv6 prefix {}/{bits}", Ipv6(address));
    }
    Ok(())
}

const CHANNELS: [(u32, &str); 3] =
    [(0x01, "PWE3 control word"), (0x02, "MPLS Router Alert Label"), (0x04, "MPLS inner label TTL = 1")];
const VERIFICATIONS: [(u32, &str); 3] = [(0x01, "ICMP Ping"), (0x02, "LSP Ping"), (0x04, "BFD")];

fn print_circuit(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if print_short(p, value, 7) {
        return Ok(());
    }
    let kind = value.u16()?;
    let len = usize::from(value.u8()?);
    let group = value.u32()?;
    let control = if kind & 0x8000 == 0 { "no " } else { "" };
    write!(
        p,
        ": {}, {control}control word, group-ID {group}",
        numbers::pseudowire(kind & 0x7fff).unwrap_or("Unknown")
    );
    if len == 0 {
        write!(p, ", VC-info-length: {len}");
        return Ok(());
    }
    if print_short(p, value, 4) {
        return Ok(());
    }
    write!(p, ", VC-ID {}, VC-info-length: {len}", value.u32()?);
    if len < 4 {
        // tcpdump leaves the parenthesis open.
        p.text(" (invalid, < 4");
        return Ok(());
    }
    let mut left = len - 4;
    if print_short(p, value, left) {
        return Ok(());
    }
    while left > 1 {
        if value.rest().len() < 2 {
            break;
        }
        let (kind, length) = (value.u8()?, usize::from(value.u8()?));
        let Some(len) = length.checked_sub(2).filter(|_| length <= left) else { break };
        left -= length;
        let name = match kind {
            1 => "MTU",
            3 => "Description",
            0x0c => "VCCV",
            _ => "Unknown",
        };
        write!(p, "\n\t\tInterface Parameter: {name} (0x{kind:02x}), len {length}");
        let bytes = value.take(len)?;
        let mut parameter = Cursor::new("ldp", bytes);
        match kind {
            1 => write!(p, ": {}", parameter.u16()?),
            3 => {
                p.text(": ");
                p.escaped(bytes);
            }
            0x0c => {
                let (channels, types) = (parameter.u8()?, parameter.u8()?);
                write!(p, "\n\t\t  Control Channels (0x{channels:02x}) = [");
                p.flags(channels.into(), &CHANNELS, ", ");
                write!(p, "]\n\t\t  CV Types (0x{types:02x}) = [");
                p.flags(types.into(), &VERIFICATIONS, ", ");
                p.text("]");
            }
            _ => p.hex("\n\t\t  ", bytes),
        }
    }
    Ok(())
}
