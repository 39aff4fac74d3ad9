//! What an NFS client asks for.

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::nfs::{KINDS, VERSION_3, print_handle, print_name, print_procedure, procedure};
use crate::decode::transport::port::Payload;

/// Prints a call after its number.
pub(super) fn print(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, payload: Payload<'_>, id: u32) -> Printed {
    let (_, program, version, number) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
    let _ = program;
    p.conversations.record_call(id, payload.header.src, payload.header.dst, version, number);
    let number = procedure(version, number);
    print_procedure(p, number);
    // Who asks, and with what proof.
    for _ in 0..2 {
        cursor.skip(4)?;
        let len = cursor.u32()? as usize;
        cursor.skip(len.next_multiple_of(4))?;
    }
    match number {
        1 | 2 | 5 | 18..=20 => print_handle(p, cursor, version),
        3 | 8 | 9 | 12 | 13 => print_named(p, cursor, version),
        4 => {
            print_handle(p, cursor, version)?;
            let access = cursor.u32()?;
            p.text(" ");
            p.flags(access, &ACCESS, "|");
            Ok(())
        }
        6 | 7 => print_transfer(p, cursor, version, number == 7),
        10 => {
            print_named(p, cursor, version)?;
            if version == VERSION_3 {
                skip_attributes(cursor)?;
            }
            p.text(" ->");
            print_name(p, cursor)
        }
        11 => {
            print_named(p, cursor, version)?;
            let kind = cursor.u32()?;
            skip_attributes(cursor)?;
            p.text(" ");
            p.name(KINDS.get(kind as usize).copied(), format_args!("unk-ft {kind}"));
            if matches!(kind, 3 | 4) {
                write!(p, " {}/{}", cursor.u32()?, cursor.u32()?);
            }
            Ok(())
        }
        14 => {
            print_named(p, cursor, version)?;
            p.text(" ->");
            print_named(p, cursor, version)
        }
        15 => {
            print_handle(p, cursor, version)?;
            p.text(" ->");
            print_named(p, cursor, version)
        }
        16 | 17 => print_directory(p, cursor, version, number == 17),
        21 => {
            print_handle(p, cursor, version)?;
            let offset = cursor.u64()?;
            write!(p, " {} bytes @ {offset}", cursor.u32()?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a client wants to be allowed (RFC 1813 §3.3.4).
const ACCESS: [(u32, &str); 6] = [
    (0x01, "NFS_ACCESS_READ"),
    (0x02, "NFS_ACCESS_LOOKUP"),
    (0x04, "NFS_ACCESS_MODIFY"),
    (0x08, "NFS_ACCESS_EXTEND"),
    (0x10, "NFS_ACCESS_DELETE"),
    (0x20, "NFS_ACCESS_EXECUTE"),
];

fn print_named(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, version: u32) -> Printed {
    print_handle(p, cursor, version)?;
    p.text(" ");
    print_name(p, cursor)
}

/// Skips attributes that a new file is to have (RFC 1813 §2.6).
fn skip_attributes(cursor: &mut Cursor<'_>) -> Printed {
    for len in [4, 4, 4, 8] {
        if cursor.u32()? != 0 {
            cursor.skip(len)?;
        }
    }
    for _ in 0..2 {
        if cursor.u32()? == 2 {
            cursor.skip(8)?;
        }
    }
    Ok(())
}

fn print_transfer(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, version: u32, write: bool) -> Printed {
    const STABLE: [&str; 3] = ["unstable", "datasync", "filesync"];
    print_handle(p, cursor, version)?;
    if version == VERSION_3 {
        let (offset, count) = (cursor.u64()?, cursor.u32()?);
        if !write {
            write!(p, " {count} bytes @ {offset}");
            return Ok(());
        }
        let stable = cursor.u32()?;
        write!(p, " {count} ({}) bytes @ {offset}", cursor.u32()?);
        if p.verbose() {
            write!(p, " <{}>", STABLE.get(stable as usize).unwrap_or(&"?"));
        }
        return Ok(());
    }
    let (first, offset, count) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
    if write {
        write!(p, " {count} ({}) bytes @ {offset} ({first})", cursor.u32()?);
    } else {
        write!(p, " {offset} bytes @ {first}");
    }
    Ok(())
}

fn print_directory(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, version: u32, plus: bool) -> Printed {
    print_handle(p, cursor, version)?;
    if version != VERSION_3 {
        let cookie = cursor.u32()?.cast_signed();
        write!(p, " {} bytes @ {cookie}", cursor.u32()?);
        return Ok(());
    }
    let (cookie, verifier) = (cursor.u64()?, cursor.u64()?);
    write!(p, " {} bytes @ {cookie}", cursor.u32()?);
    if plus {
        let max = cursor.u32()?;
        if p.verbose() {
            write!(p, " max {max}");
        }
    }
    if p.verbose() {
        write!(p, " verf {verifier:016x}");
    }
    Ok(())
}
