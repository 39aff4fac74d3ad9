//! Network file system: calls and replies of versions 2 (RFC 1094) and 3 (RFC 1813) in remote procedure calls (RFC 5531).
//! Version 4 is printed as if it were version 2, as tcpdump does.

mod call;
mod reply;

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::transport::port::Payload;

const PORT: u16 = 2049;
const CALL: u32 = 0;
const REPLY: u32 = 1;
const VERSION_3: u32 = 3;

/// Procedures of version 3; those of version 2 have numbers of their own.
const NAMES: [&str; 22] = [
    "null",
    "getattr",
    "setattr",
    "lookup",
    "access",
    "readlink",
    "read",
    "write",
    "create",
    "mkdir",
    "symlink",
    "mknod",
    "remove",
    "rmdir",
    "rename",
    "link",
    "readdir",
    "readdirplus",
    "fsstat",
    "fsinfo",
    "pathconf",
    "commit",
];
/// Kinds of files.
const KINDS: [&str; 8] = ["NON", "REG", "DIR", "BLK", "CHR", "LNK", "SOCK", "FIFO"];
/// A procedure that does nothing any more.
const NOP: u32 = 0xffff;

/// Prints a datagram if it is a call or a reply.
pub(in crate::decode) fn print_udp(p: &mut Printer<'_>, payload: Payload<'_>) -> Option<Printed> {
    direction(payload, payload.layer)?;
    Some(print_message(p, payload, payload.layer).map(|_| ()))
}

/// Prints the message at the beginning of a segment, after the length that precedes it.
pub(in crate::decode) fn print_tcp(p: &mut Printer<'_>, payload: Payload<'_>) -> Printed {
    let layer = payload.layer.skip(4);
    if direction(payload, layer).is_some() {
        p.text(": ");
        print_message(p, payload, layer)?;
    }
    Ok(())
}

/// Whether this is a call to a server or a reply from one.
fn direction(payload: Payload<'_>, layer: Layer<'_>) -> Option<u32> {
    let mut cursor = layer.skip(4).cursor("nfs");
    let kind = cursor.u32().ok()?;
    let [src, dst] = payload.ports;
    match kind {
        CALL if dst == PORT => Some(CALL),
        REPLY if src == PORT => Some(REPLY),
        _ => None,
    }
}

/// Prints a call or reply; false if it is neither.
fn print_message(
    p: &mut Printer<'_>,
    payload: Payload<'_>,
    layer: Layer<'_>,
) -> Result<bool, crate::decode::cursor::Truncated> {
    let Some(kind) = direction(payload, layer) else { return Ok(false) };
    let mut cursor = layer.cut_to(layer.len).cursor("nfs");
    let id = cursor.u32()?;
    cursor.skip(4)?;
    if kind == CALL {
        write!(p, "NFS request xid {id} {} ", layer.len);
        call::print(p, &mut cursor, payload, id)?;
    } else {
        write!(p, "NFS reply xid {id} ");
        reply::print(p, &mut cursor, payload, id, layer.len)?;
    }
    Ok(true)
}

/// The number in version 3 of a procedure of another version.
fn procedure(version: u32, number: u32) -> u32 {
    /// What has which number in version 2.
    const VERSION_2: [u32; 18] = [0, 1, 2, NOP, 3, 5, 6, NOP, 7, 8, 12, 14, 15, 10, 9, 13, 16, 18];
    if version == VERSION_3 {
        return number;
    }
    VERSION_2.get(number as usize).copied().unwrap_or(NOP)
}

fn print_procedure(p: &mut Printer<'_>, number: u32) {
    if number == NOP {
        p.text("nop");
    } else {
        p.name(NAMES.get(number as usize).copied(), format_args!("proc-{number}"));
    }
}

/// Prints ` fh` and what a file handle says: device and file number of a server that puts them there in the clear, or all its
/// bytes.
fn print_handle(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, version: u32) -> Printed {
    let len = if version == VERSION_3 { cursor.u32()? as usize } else { 32 };
    if len > 64 {
        p.text(" fh 0,0/0");
        return cursor.skip(64.min(cursor.rest().len()));
    }
    let handle = cursor.take(len.next_multiple_of(4))?;
    let mut words = Cursor::new("nfs", handle);
    p.text(" fh ");
    let numbers = (words.u32(), words.u32(), words.u32(), words.u32());
    if let (Some(0), (Ok(first), Ok(second), Ok(_), Ok(file))) = (handle.first(), numbers) {
        let device = if first == 0 { second } else { first };
        write!(p, "{},{}/{file}", device >> 8 & 0xff, device & 0xff);
    } else {
        p.text("Unknown/");
        for byte in handle.get(..len).unwrap_or(handle) {
            write!(p, "{byte:02X}");
        }
    }
    Ok(())
}

/// Prints a name in quotes.
fn print_name(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let len = cursor.u32()? as usize;
    p.text("\"");
    let captured = cursor.rest().len().min(len);
    p.escaped(cursor.take(captured)?);
    if captured < len {
        return Err(cursor.truncated());
    }
    p.text("\"");
    cursor.skip_to_end(len.next_multiple_of(4) - len)
}
