//! Packets of OSPF version 3 (RFC 5340 appendix A.3).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::ospf::{
    ACKNOWLEDGEMENT, DATABASE_DESCRIPTION, HELLO, INIT, MASTER, MORE, REQUEST, UPDATE, lsa6,
};

const DESCRIPTION_FLAGS: [(u32, &str); 4] = [INIT, MORE, MASTER, (0x10, "IPv6 MTU")];

/// Prints a packet.
pub(super) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ospf3");
    let (version, kind) = (cursor.u8()?, cursor.u8()?);
    let Some(name) = super::type_name(kind) else {
        write!(p, "OSPFv{version}, unknown packet type ({kind}), length {}", layer.len);
        return Ok(());
    };
    write!(p, "OSPFv{version}, {name}, length {}", layer.len);
    if !p.verbose() {
        return Ok(());
    }
    let len = usize::from(cursor.u16()?);
    if len > layer.len {
        write!(p, " [len {len}]");
        return Ok(());
    }
    super::print_router(p, &mut cursor)?;
    cursor.skip(2)?;
    let instance = cursor.u8()?;
    if instance != 0 {
        write!(p, ", Instance {instance}");
    }
    cursor.skip(1)?;
    if version != 3 {
        return Ok(());
    }
    let options = print_body(p, kind, cursor, len)?;
    if layer.len > len { print_trailer(p, options, layer.skip(len)) } else { Ok(()) }
}

/// Prints a packet after its header; returns its options.
fn print_body(p: &mut Printer<'_>, kind: u8, mut cursor: Cursor<'_>, end: usize) -> Result<u32, Truncated> {
    let mut options = 0;
    // Advertisements and neighbors take two -v.
    let detailed = p.style.verbosity > 1;
    match kind {
        HELLO => {
            let id = Ipv4::read(&mut cursor)?;
            let priority = cursor.u8()?;
            options = lsa6::print_options(p, &mut cursor, "\n\t")?;
            let (interval, dead) = (cursor.u16()?, cursor.u16()?);
            write!(p, "\n\t  Hello Timer {interval}s, Dead Timer {dead}s, Interface-ID {id}");
            write!(p, ", Priority {priority}");
            super::print_designated(p, &mut cursor)?;
            if detailed {
                super::print_neighbors(p, &mut cursor, end)?;
            }
        }
        DATABASE_DESCRIPTION => {
            cursor.skip(1)?;
            options = lsa6::print_options(p, &mut cursor, "\n\t")?;
            let mtu = cursor.u16()?;
            cursor.skip(1)?;
            let flags = cursor.u8()?;
            p.text(", DD Flags [");
            p.flags(u32::from(flags), &DESCRIPTION_FLAGS, ", ");
            write!(p, "], MTU {mtu}");
            write!(p, ", DD-Sequence 0x{:08x}", cursor.u32()?);
            while detailed && cursor.at() < end {
                lsa6::print_header(p, &mut cursor)?;
            }
        }
        REQUEST => {
            while detailed && cursor.at() < end {
                cursor.need(12)?;
                cursor.skip(2)?;
                let kind = cursor.u16()?;
                let id = Ipv4::read(&mut cursor)?;
                write!(p, "\n\t  Advertising Router {}", Ipv4::read(&mut cursor)?);
                lsa6::print_type(p, kind, id);
            }
        }
        UPDATE if detailed => {
            let count = cursor.u32()?;
            for _ in 0..count {
                if cursor.at() >= end {
                    break;
                }
                lsa6::print(p, &mut cursor)?;
            }
        }
        ACKNOWLEDGEMENT => {
            while detailed && cursor.at() < end {
                lsa6::print_header(p, &mut cursor)?;
            }
        }
        _ => {}
    }
    Ok(options)
}

/// Bytes of an authentication trailer before its data.
const TRAILER: usize = 16;

/// Prints what follows a packet: link-local signaling (RFC 5613) and authentication (RFC 7166).
fn print_trailer(p: &mut Printer<'_>, options: u32, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ospf3");
    let mut left = layer.len;
    if options & lsa6::SIGNALING != 0 {
        if left < 4 {
            return Err(cursor.truncated());
        }
        write!(p, "\n\tLLS Checksum 0x{:04x}", cursor.u16()?);
        // tcpdump takes the number of words for that of bytes.
        let len = usize::from(cursor.u16()?);
        write!(p, ", Data Length {len}");
        if len < 4 || len > left {
            return Err(cursor.truncated());
        }
        let data = cursor.take(len - 4)?;
        if p.style.verbosity > 1 {
            p.hex("\n\tLLS Data ", data);
        }
        left -= len;
    }
    if left == 0 {
        return Ok(());
    }
    if left < TRAILER {
        return Err(cursor.truncated());
    }
    let kind = cursor.u16()?;
    match kind {
        1 => p.text("\n\tAuthentication Type HMAC"),
        _ => write!(p, "\n\tAuthentication Type unknown (0x{kind:04x})"),
    }
    let len = usize::from(cursor.u16()?);
    write!(p, ", Length {len}");
    if len < TRAILER || len > left {
        return Err(cursor.truncated());
    }
    cursor.skip(2)?;
    write!(p, ", SAID {}", cursor.u16()?);
    write!(p, ", CSN 0x{:08x}:{:08x}", cursor.u32()?, cursor.u32()?);
    let data = cursor.take(len - TRAILER)?;
    if p.style.verbosity > 1 {
        p.hex("\n\tAuthentication Data ", data);
    }
    Ok(())
}
