//! Multipath TCP's option (RFC 8684, and RFC 6824 for version 0).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;
use crate::decode::transport::tcp_options::Segment;

const NAME: &str = "mptcp";
/// Bytes of kind and length, which precede the subtype.
const HEAD: usize = 2;

/// Prints the option after its length, from the subtype on. Returns false when its length is impossible.
pub(in crate::decode) fn print(p: &mut Printer<'_>, option: &[u8], segment: &Segment) -> bool {
    let Some(first) = option.first() else { return false };
    let (subtype, low) = (first >> 4, first & 15);
    let len = option.len() + HEAD;
    let mut cursor = Cursor::new(NAME, option);
    let mut print = || {
        cursor.skip(1)?;
        match subtype {
            0 => capable(p, &mut cursor, low, len, segment),
            1 => join(p, &mut cursor, low, len, segment),
            2 => dss(p, &mut cursor, segment),
            3 => add_address(p, &mut cursor, low, len),
            4 => remove_address(p, &mut cursor),
            5 => priority(p, &mut cursor, low, len),
            6 => {
                p.text(" fail");
                write!(p, " seq {}", eight_after_one(&mut cursor, len)?);
                Ok(true)
            }
            7 => {
                p.text(" fast-close");
                write!(p, " key 0x{:x}", eight_after_one(&mut cursor, len)?);
                Ok(true)
            }
            _ => {
                p.text(" unknown");
                Ok(true)
            }
        }
    };
    print().unwrap_or(false)
}

/// Reads a 64-bit number after a reserved byte, in an option of twelve bytes.
fn eight_after_one(cursor: &mut Cursor<'_>, len: usize) -> Result<u64, Truncated> {
    cursor.skip(1)?;
    if len == 12 { cursor.u64() } else { Err(cursor.truncated()) }
}

fn capable(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    version: u8,
    len: usize,
    segment: &Segment,
) -> Result<bool, Truncated> {
    p.text(" capable");
    let valid = if segment.syn { matches!(len, 4 | 12) } else { matches!(len, 20 | 22 | 24) };
    if !valid {
        return Ok(false);
    }
    let flags = cursor.u8()?;
    write!(p, " v{version}");
    if flags & 0x80 != 0 {
        p.text(" csum");
    }
    if len >= 12 {
        write!(p, " {{0x{:x}", cursor.u64()?);
        if len >= 20 {
            write!(p, ",0x{:x}", cursor.u64()?);
        }
        p.text("}");
    }
    Ok(true)
}

fn join(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    flags: u8,
    len: usize,
    segment: &Segment,
) -> Result<bool, Truncated> {
    p.text(" join");
    let expected = match (segment.syn, segment.ack) {
        (true, false) => 12,
        (true, true) => 16,
        _ => 24,
    };
    // tcpdump accepts twelve bytes in the answer to a SYN as well.
    if len != expected && !(segment.syn && len == 12) {
        return Ok(false);
    }
    let id = cursor.u8()?;
    if len != 24 {
        p.text(if flags & 1 == 0 { "" } else { " backup" });
        write!(p, " id {id}");
    }
    match len {
        12 => write!(p, " token 0x{:x} nonce 0x{:x}", cursor.u32()?, cursor.u32()?),
        16 => write!(p, " hmac 0x{:x} nonce 0x{:x}", cursor.u64()?, cursor.u32()?),
        _ => {
            p.text(" hmac 0x");
            p.digits(cursor.take(20)?);
        }
    }
    Ok(true)
}

/// Prints a data sequence signal (RFC 8684 §3.3); the flags say which fields are present and how wide they are.
fn dss(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, segment: &Segment) -> Result<bool, Truncated> {
    p.text(" dss");
    let flags = cursor.u8()?;
    if segment.syn {
        return Ok(false);
    }
    if flags & 0x10 != 0 {
        p.text(" fin");
    }
    if flags & 0x01 != 0 {
        let wide = flags & 0x02 != 0;
        write!(p, " ack {}", if wide { cursor.u64()? } else { u64::from(cursor.u32()?) });
    }
    if flags & 0x04 != 0 {
        let wide = flags & 0x08 != 0;
        write!(p, " seq {}", if wide { cursor.u64()? } else { u64::from(cursor.u32()?) });
        write!(p, " subseq {}", cursor.u32()?);
        write!(p, " len {}", cursor.u16()?);
        if cursor.rest().len() >= 2 {
            write!(p, " csum 0x{:x}", cursor.u16()?);
        }
    }
    Ok(cursor.rest().is_empty())
}

fn add_address(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    kind: u8,
    len: usize,
) -> Result<bool, Truncated> {
    p.text(" add-addr");
    let (v4, v6) = (matches!(len, 8 | 10 | 16 | 18), matches!(len, 20 | 22 | 28 | 30));
    if !v4 && !v6 {
        return Ok(false);
    }
    match kind {
        4 => p.text(" v0-ip4"),
        6 => p.text(" v0-ip6"),
        _ => p.text(if kind & 1 == 0 { " v1" } else { " v1-echo" }),
    }
    write!(p, " id {}", cursor.u8()?);
    if v4 {
        write!(p, " {}", Ipv4::read(cursor)?);
    } else {
        write!(p, " {}", Ipv6::read(cursor)?);
    }
    if matches!(len, 10 | 18 | 22 | 30) {
        write!(p, ":{}", cursor.u16()?);
    }
    if matches!(len, 16 | 18 | 28 | 30) {
        write!(p, " hmac 0x{:x}", cursor.u64()?);
    }
    Ok(true)
}

fn remove_address(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<bool, Truncated> {
    p.text(" rem-addr id");
    for id in cursor.take(cursor.rest().len())? {
        write!(p, " {id}");
    }
    Ok(true)
}

fn priority(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, flags: u8, len: usize) -> Result<bool, Truncated> {
    p.text(" prio");
    if !matches!(len, 3 | 4) {
        return Ok(false);
    }
    p.text(if flags & 1 == 0 { " non-backup" } else { " backup" });
    if len == 4 {
        write!(p, " id {}", cursor.u8()?);
    }
    Ok(true)
}
