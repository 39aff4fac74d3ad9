//! What an NFS server answers.

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::nfs::{KINDS, VERSION_3, print_handle, print_name, print_procedure, procedure};
use crate::decode::transport::port::Payload;

/// Prints a reply after its number; what it says only if its call was seen.
pub(super) fn print(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    payload: Payload<'_>,
    id: u32,
    len: usize,
) -> Printed {
    p.text("reply ");
    if cursor.u32()? != 0 {
        return print_denial(p, cursor);
    }
    write!(p, "ok {len}");
    let Some((version, number)) = p.conversations.call(id, payload.header.dst, payload.header.src) else {
        return Ok(());
    };
    let number = procedure(version, number);
    cursor.skip(4)?;
    let verifier = cursor.u32()? as usize;
    cursor.skip(verifier.next_multiple_of(4))?;
    p.text(" ");
    print_procedure(p, number);
    match cursor.u32()? {
        0 => {}
        1 => {
            p.text(" PROG_UNAVAIL");
            return Ok(());
        }
        2 => {
            write!(p, " PROG_MISMATCH {} {}", cursor.u32()?, cursor.u32()?);
            return Ok(());
        }
        3 => {
            p.text(" PROC_UNAVAIL");
            return Ok(());
        }
        4 => {
            p.text(" GARBAGE_ARGS");
            return Ok(());
        }
        5 => {
            p.text(" SYSTEM_ERR");
            return Ok(());
        }
        other => {
            write!(p, " ar_stat {other}");
            return Ok(());
        }
    }
    if number == 0 || number > 21 {
        return Ok(());
    }
    let status = cursor.u32()?;
    if status != 0 {
        p.text(" ERROR: ");
        p.name(error_name(status), format_args!("unk {status}"));
    }
    if version == VERSION_3 {
        print_result(p, cursor, number, status == 0)
    } else if status == 0 {
        print_old_result(p, cursor, number)
    } else {
        Ok(())
    }
}

/// Prints why a server does not even look at a call.
fn print_denial(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    p.text("ERR 20: ");
    match cursor.u32()? {
        0 => write!(p, "RPC Version mismatch ({}-{})", cursor.u32()?, cursor.u32()?),
        1 => {
            const REASONS: [&str; 6] = [
                "OK",
                "Bogus Credentials (seal broken)",
                "Rejected Credentials (client should begin new session)",
                "Bogus Verifier (seal broken)",
                "Verifier expired or was replayed",
                "Credentials are too weak",
            ];
            let reason = cursor.u32()?;
            p.text("Auth ");
            p.name(REASONS.get(reason as usize).copied(), format_args!("Invalid failure code {reason}"));
        }
        other => write!(p, "Unknown reason for rejecting rpc message {other}"),
    }
    Ok(())
}

/// Whether attributes follow.
fn follows(cursor: &mut Cursor<'_>) -> Result<bool, crate::decode::cursor::Truncated> {
    Ok(cursor.u32()? != 0)
}

fn print_kind(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let (kind, mode) = (cursor.u32()?, cursor.u32()?);
    cursor.skip(4)?;
    p.text(" ");
    p.name(KINDS.get(kind as usize).copied(), format_args!("unk-ft {kind} "));
    write!(p, " {mode:o} ids {}/{}", cursor.u32()?.cast_signed(), cursor.u32()?.cast_signed());
    Ok(())
}

/// Prints attributes of version 3 if they are wanted, with more of them with `-vv` unless they are what was asked for.
fn attributes(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, print: bool, details: bool) -> Printed {
    let mut value = *cursor;
    if print {
        let mut links = value;
        links.skip(8)?;
        print_kind(p, &mut value)?;
        write!(p, " sz {}", value.u64()?);
        if p.style.verbosity > 1 && details {
            value.skip(8)?;
            write!(p, " nlink {} rdev {}/{}", links.u32()?, value.u32()?, value.u32()?);
            write!(p, " fsid {:x} fileid {:x} a/m/ctime", value.u64()?, value.u64()?);
            for _ in 0..3 {
                write!(p, " {}.{:06}", value.u32()?, value.u32()?);
            }
        }
    }
    cursor.skip(84)
}

/// Attributes that a server may leave out.
fn optional(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let verbose = p.verbose();
    if follows(cursor)? { attributes(p, cursor, verbose, true) } else { Ok(()) }
}

/// Attributes before and after a change.
fn change(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    if p.style.verbosity > 1 {
        p.text(" PRE:");
    }
    if follows(cursor)? {
        let (size, times) = (cursor.u64()?, [cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?]);
        if p.verbose() {
            p.text(if p.style.verbosity > 1 { "" } else { " PRE:" });
            write!(p, " sz {size} mtime {}.{:06}", times[0], times[1] / 1000);
            write!(p, " ctime {}.{:06}", times[2], times[3] / 1000);
        }
    }
    if p.verbose() {
        p.text(" POST:");
    }
    optional(p, cursor)
}

fn print_result(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, number: u32, ok: bool) -> Printed {
    let label = |p: &mut Printer<'_>, text: &str| {
        if p.verbose() {
            p.text(text);
        }
    };
    match number {
        1 if ok => attributes(p, cursor, true, false),
        3 if ok => {
            print_handle(p, cursor, VERSION_3)?;
            optional(p, cursor)?;
            if p.style.verbosity > 1 {
                p.text(" post dattr:");
                optional(p, cursor)?;
            }
            Ok(())
        }
        4 => {
            label(p, " attr:");
            optional(p, cursor)?;
            if ok {
                write!(p, " c {:04x}", cursor.u32()?);
            }
            Ok(())
        }
        5 => {
            optional(p, cursor)?;
            if ok {
                p.text(" ");
                print_name(p, cursor)?;
            }
            Ok(())
        }
        6 => {
            optional(p, cursor)?;
            if ok {
                let (count, end) = (cursor.u32()?, cursor.u32()?);
                if p.verbose() {
                    write!(p, " {count} bytes{}", if end == 0 { "" } else { " EOF" });
                }
            }
            Ok(())
        }
        7 => {
            change(p, cursor)?;
            if ok && p.verbose() {
                write!(p, " {} bytes", cursor.u32()?);
            }
            Ok(())
        }
        8..=11 if ok => {
            if follows(cursor)? {
                print_handle(p, cursor, VERSION_3)?;
            }
            optional(p, cursor)
        }
        2 | 8..=13 | 21 => change(p, cursor),
        14 => {
            label(p, " from:");
            if p.verbose() {
                change(p, cursor)?;
                p.text(" to:");
                change(p, cursor)?;
            }
            Ok(())
        }
        15 => {
            if p.verbose() {
                p.text(" file POST:");
                optional(p, cursor)?;
                p.text(" dir:");
                change(p, cursor)?;
            }
            Ok(())
        }
        16 | 17 => {
            label(p, " POST:");
            optional(p, cursor)?;
            if ok && p.verbose() {
                write!(p, " verf {:016x}", cursor.u64()?);
            }
            Ok(())
        }
        18..=20 => {
            label(p, " POST:");
            optional(p, cursor)?;
            if ok { print_file_system(p, cursor, number) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

fn print_file_system(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, number: u32) -> Printed {
    match number {
        18 => {
            write!(p, " tbytes {} fbytes {} abytes {}", cursor.u64()?, cursor.u64()?, cursor.u64()?);
            if p.verbose() {
                write!(p, " tfiles {} ffiles {} afiles {}", cursor.u64()?, cursor.u64()?, cursor.u64()?);
                write!(p, " invar {}", cursor.u32()?);
            }
        }
        19 => {
            let mut word = || cursor.u32();
            let (max, preferred, multiple) = (word()?, word()?, word()?);
            let (write_max, write_preferred, write_multiple) = (word()?, word()?, word()?);
            write!(p, " rtmax {max} rtpref {preferred} wtmax {write_max} wtpref {write_preferred}");
            write!(p, " dtpref {}", word()?);
            if p.verbose() {
                write!(p, " rtmult {multiple} wtmult {write_multiple} maxfsz {}", cursor.u64()?);
                write!(p, " delta {}.{:06} ", cursor.u32()?, cursor.u32()?);
            }
        }
        _ => {
            write!(p, " linkmax {} namemax {}", cursor.u32()?, cursor.u32()?);
            for name in ["notrunc", "chownres", "igncase", "keepcase"] {
                write!(p, " {}", if cursor.u32()? == 0 { "" } else { name });
            }
        }
    }
    Ok(())
}

/// Prints the result of a procedure of version 2.
fn print_old_result(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, number: u32) -> Printed {
    match number {
        1 | 2 => print_old_attributes(p, cursor),
        6 | 7 if p.verbose() => print_old_attributes(p, cursor),
        3 | 8 | 9 => {
            print_handle(p, cursor, 2)?;
            if p.verbose() { print_old_attributes(p, cursor) } else { Ok(()) }
        }
        5 => {
            p.text(" ");
            print_name(p, cursor)
        }
        16 => {
            let first = cursor.u32()?;
            write!(p, " offset 0x{first:x} size {} ", cursor.u32()?);
            let end = cursor.u32()?;
            p.text(if end != 0 { " eof" } else { "" });
            Ok(())
        }
        18 => {
            write!(p, " tsize {} bsize {}", cursor.u32()?, cursor.u32()?);
            write!(p, " blocks {} bfree {} bavail {}", cursor.u32()?, cursor.u32()?, cursor.u32()?);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn print_old_attributes(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let mut value = Cursor::new("nfs", cursor.take(28)?);
    print_kind(p, &mut value)?;
    write!(p, " sz {}", value.u32()?);
    Ok(())
}

/// Errors (RFC 1813 §2.6), in the words of a Unix system.
fn error_name(status: u32) -> Option<&'static str> {
    Some(match status {
        1 => "Operation not permitted",
        2 => "No such file or directory",
        5 => "Input/output error",
        6 => "Device not configured",
        13 => "Permission denied",
        17 => "File exists",
        18 => "Cross-device link",
        19 => "Operation not supported by device",
        20 => "Not a directory",
        21 => "Is a directory",
        22 => "Invalid argument",
        26 => "Text file busy",
        27 => "File too large",
        28 => "No space left on device",
        30 => "Read-only file system",
        31 => "Too many links",
        45 | 10004 => "Operation not supported",
        63 => "File name too long",
        66 => "Directory not empty",
        69 => "Disc quota exceeded",
        70 => "Stale NFS file handle",
        71 => "Too many levels of remote in path",
        99 => "Write cache flushed to disk",
        10001 => "Illegal file handle",
        10002 => "Publisher/Subscriber mismatch (Operation not synchronized)",
        10003 => "READDIR cookie is stale",
        10005 => "Buffer or request too small",
        10006 => "Unspecified error on server",
        10007 => "Type of that object not supported",
        10008 => "Request couldn't be completed in time",
        _ => return None,
    })
}
