//! Packets of OSPF version 2 (RFC 2328 appendix A.3).

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;
use crate::decode::routing::ospf::{
    ACKNOWLEDGEMENT, CRYPTOGRAPHIC, DATABASE_DESCRIPTION, HELLO, INIT, MASTER, MORE, REQUEST, UPDATE, lls,
    lsa, opaque,
};

const NO_AUTHENTICATION: u16 = 0;
const PASSWORD: u16 = 1;

/// Bytes of a packet's header.
const HEADER: usize = 24;

/// Options of hellos, database descriptions and link state advertisements.
pub(super) const OPTIONS: [(u32, &str); 8] = [
    (0x01, "MultiTopology"),
    (0x02, "External"),
    (0x04, "Multicast"),
    (0x08, "NSSA"),
    (lls::OPTION, "LLS"),
    (0x20, "Demand Circuit"),
    (0x40, "Opaque"),
    (0x80, "Up/Down"),
];

const DESCRIPTION_FLAGS: [(u32, &str); 4] = [INIT, MORE, MASTER, (0x08, "OOBResync")];

/// The first fields of a packet.
pub(super) struct Head {
    pub(super) version: u8,
    pub(super) kind: u8,
    pub(super) len: usize,
}

/// Prints a packet without the trailer that authenticates it.
pub(super) fn print(p: &mut Printer<'_>, head: &Head, layer: Layer<'_>) -> Printed {
    let Head { version, kind, len } = *head;
    if let Some(name) = super::type_name(kind) {
        write!(p, "OSPFv{version}, {name}, length {}", layer.len);
    } else {
        write!(p, "OSPFv{version}, unknown LS-type {kind}, length {}", layer.len);
        return Ok(());
    }
    if !p.verbose() {
        return Ok(());
    }
    let mut cursor = layer.cursor("ospf2");
    if len != layer.len {
        write!(p, " [len {len}]");
    }
    cursor.skip(4)?;
    super::print_router(p, &mut cursor)?;
    cursor.need(HEADER - cursor.at())?;
    cursor.skip(2)?;
    let authentication = cursor.u16()?;
    let name = match authentication {
        NO_AUTHENTICATION => "none",
        PASSWORD => "simple",
        CRYPTOGRAPHIC => "MD5",
        _ => "unknown",
    };
    write!(p, ", Authentication Type: {name} ({authentication})");
    match authentication {
        NO_AUTHENTICATION => cursor.skip(8)?,
        PASSWORD => {
            p.text("\n\tSimple text password: ");
            let password = cursor.take(8)?;
            p.escaped_until_nul(password);
        }
        CRYPTOGRAPHIC => {
            cursor.skip(2)?;
            write!(p, "\n\tKey-ID: {}, Auth-Length: {}", cursor.u8()?, cursor.u8()?);
            write!(p, ", Crypto Sequence Number: 0x{:08x}", cursor.u32()?);
        }
        _ => return Ok(()),
    }
    if version != 2 {
        write!(p, " ospf [version {version}]");
        return Ok(());
    }
    let body = layer.cut_to(len.max(HEADER)).skip(HEADER);
    let options = print_body(p, kind, body.cursor("ospf2"), body.len)?;
    if layer.len > len && options & lls::OPTION != 0 {
        let trailer = if authentication == CRYPTOGRAPHIC { super::TRAILER } else { 0 };
        return lls::print(p, layer.bytes.get(len + trailer..));
    }
    Ok(())
}

/// Prints the `end` bytes after a packet's header; returns its options.
fn print_body(p: &mut Printer<'_>, kind: u8, mut cursor: Cursor<'_>, end: usize) -> Result<u32, Truncated> {
    let mut options = 0;
    match kind {
        HELLO => {
            let mut fields = cursor;
            fields.skip(6)?;
            options = u32::from(fields.u8()?);
            p.text("\n\tOptions [");
            p.flags(options, &OPTIONS, ", ");
            p.text("]");
            let mask = Ipv4::read(&mut cursor)?;
            let interval = cursor.u16()?;
            cursor.skip(1)?;
            let (priority, dead) = (cursor.u8()?, cursor.u32()?);
            write!(p, "\n\t  Hello Timer {interval}s, Dead Timer {dead}s, Mask {mask}, Priority {priority}");
            super::print_designated(p, &mut cursor)?;
            if cursor.at() < end {
                super::print_neighbors(p, &mut cursor, end)?;
            }
        }
        DATABASE_DESCRIPTION => {
            let mtu = cursor.u16()?;
            options = u32::from(cursor.u8()?);
            p.text("\n\tOptions [");
            p.flags(options, &OPTIONS, ", ");
            let flags = cursor.u8()?;
            p.text("], DD Flags [");
            p.flags(u32::from(flags), &DESCRIPTION_FLAGS, ", ");
            p.text("]");
            if mtu != 0 {
                write!(p, ", MTU: {mtu}");
            }
            write!(p, ", Sequence: 0x{:08x}", cursor.u32()?);
            while cursor.at() < end {
                lsa::print_header(p, &mut cursor)?;
            }
        }
        REQUEST => {
            while cursor.at() < end {
                print_request(p, &mut cursor)?;
            }
        }
        UPDATE => {
            let count = cursor.u32()?;
            write!(p, ", {count} LSA{}", if count == 1 { "" } else { "s" });
            for number in 1..=count {
                write!(p, "\n\t  LSA #{number}");
                lsa::print(p, &mut cursor)?;
            }
        }
        // tcpdump always tries to read one more.
        ACKNOWLEDGEMENT => loop {
            lsa::print_header(p, &mut cursor)?;
        },
        _ => {}
    }
    Ok(options)
}

fn print_request(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let kind = cursor.u32()?;
    let id = Ipv4::read(cursor)?;
    let router = Ipv4::read(cursor)?;
    let small = u8::try_from(kind).unwrap_or_default();
    write!(p, "\n\t  Advertising Router: {router}, {} LSA ({kind})", lsa::name(small));
    if opaque::is_opaque(small) {
        let (kind, id) = opaque::split(id);
        write!(p, ", Opaque-Type: {} LSA ({kind}), Opaque-ID: {id}", opaque::name(kind));
    } else {
        write!(p, ", LSA-ID: {id}");
    }
    Ok(())
}
