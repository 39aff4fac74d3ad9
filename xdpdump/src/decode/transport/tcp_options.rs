//! TCP options (RFC 9293 §3.2, IANA TCP parameters).

use crate::decode::cursor::{Cursor, Truncated};
use crate::decode::printer::Printer;
use crate::decode::transport::mptcp;

const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const ECHO: u8 = 6;
const ECHO_REPLY: u8 = 7;
const TIMESTAMPS: u8 = 8;
const CC: u8 = 11;
const CC_NEW: u8 = 12;
const CC_ECHO: u8 = 13;
const MD5: u8 = 19;
const USER_TIMEOUT: u8 = 28;
const AUTHENTICATION: u8 = 29;
const MPTCP: u8 = 30;
const FAST_OPEN: u8 = 34;
const EXPERIMENT: u8 = 254;
/// Identifies Fast Open in the experimental option (RFC 7413 §4.1.1).
const FAST_OPEN_MAGIC: u16 = 0xf989;
/// Identifies accurate ECN in the experimental option (draft-ietf-tcpm-accurate-ecn).
const ACCURATE_ECN: [u16; 2] = [0xacc0, 0xacc1];

/// Why the options were not printed completely.
pub(in crate::decode) enum Stop {
    /// The length of an option is impossible; nothing after it is printed.
    Bad,
    /// The capture ends inside an option.
    Cut,
    /// The capture ends where an option would begin.
    Truncated(Truncated),
}

impl From<Truncated> for Stop {
    fn from(truncated: Truncated) -> Self {
        Self::Truncated(truncated)
    }
}

/// Properties of the segment that the printing of options depends on.
pub(in crate::decode) struct Segment {
    pub(in crate::decode) syn: bool,
    pub(in crate::decode) ack: bool,
    /// The whole segment was captured.
    pub(in crate::decode) whole: bool,
    /// Sequence number that SACK blocks are printed relative to.
    pub(in crate::decode) sack_base: u32,
}

/// What the options mean for the rest of the line.
pub(in crate::decode) enum Options {
    /// All options were printed.
    Complete,
    /// The line ends with the options.
    Broken,
}

/// Prints `, options […]`. `len` is their length in bytes according to the header.
pub(in crate::decode) fn print(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    len: usize,
    segment: &Segment,
) -> Result<Options, Truncated> {
    p.text(", options [");
    let mut left = len;
    let mut first = true;
    while left > 0 {
        if !first {
            p.text(",");
        }
        match print_option(p, cursor, &mut left, segment) {
            Ok(()) => {}
            Err(Stop::Truncated(truncated)) => return Err(truncated),
            Err(stop) => {
                let (text, end) = match stop {
                    Stop::Bad => ("[bad opt]", "]"),
                    _ => (" [|tcp]", ">"),
                };
                p.text(text);
                if !first {
                    p.text(end);
                }
                return Ok(Options::Broken);
            }
        }
        first = false;
    }
    p.text("]");
    Ok(Options::Complete)
}

fn print_option(
    p: &mut Printer<'_>,
    cursor: &mut Cursor<'_>,
    left: &mut usize,
    segment: &Segment,
) -> Result<(), Stop> {
    let kind = cursor.u8()?;
    if kind == END || kind == NOP {
        p.text(if kind == END { "eol" } else { "nop" });
        *left = if kind == END { 0 } else { *left - 1 };
        return Ok(());
    }
    let len = usize::from(cursor.u8()?);
    if len < 2 || len > *left {
        return Err(Stop::Bad);
    }
    *left -= 2;
    let data = len - 2;
    match kind {
        MSS => {
            p.text("mss");
            fixed(*left, 2)?;
            write!(p, " {}", cursor.u16()?);
        }
        WINDOW_SCALE => {
            p.text("wscale");
            let [shift] = field(cursor, *left)?;
            write!(p, " {shift}");
        }
        SACK_PERMITTED => p.text("sackOK"),
        SACK => {
            p.text("sack ");
            print_sack(p, cursor, data, segment.sack_base)?;
        }
        ECHO | ECHO_REPLY | CC | CC_NEW | CC_ECHO => {
            p.text(match kind {
                ECHO => "echo",
                ECHO_REPLY => "echoreply",
                CC => "cc",
                CC_NEW => "ccnew",
                _ => "",
            });
            let value = u32::from_be_bytes(field(cursor, *left)?);
            write!(p, " {value}");
        }
        TIMESTAMPS => {
            p.text("TS");
            let both = u64::from_be_bytes(field(cursor, *left)?);
            write!(p, " val {} ecr {}", both >> 32, both & 0xffff_ffff);
        }
        MD5 => {
            p.text("md5");
            fixed(*left, 16)?;
            cursor.need(16)?;
            // There is no option for a secret; tcpdump says so here, or that the segment was cut too short to check.
            p.text(if segment.whole { " shared secret not supplied with -M" } else { " snaplen too short" });
            p.text(", can't check - ");
            print_hex(p, cursor, 16)?;
        }
        USER_TIMEOUT => {
            p.text("uto");
            fixed(*left, 2)?;
            let value = cursor.u16()?;
            let seconds = u32::from(value >> 1) * if value & 1 == 0 { 1 } else { 60 };
            write!(p, " 0x{value:x} {seconds}");
        }
        AUTHENTICATION => print_authentication(p, cursor, data)?,
        MPTCP => {
            p.text("mptcp");
            let subtype = cursor.take(data).map_err(|_| Stop::Cut)?;
            write!(p, " {len}");
            if !mptcp::print(p, subtype, segment) {
                return Err(Stop::Bad);
            }
        }
        FAST_OPEN => {
            p.text("tfo");
            let cookie = cursor.take(data)?;
            p.text(" ");
            print_cookie(p, cookie);
        }
        EXPERIMENT => print_experiment(p, cursor, data)?,
        _ => {
            write!(p, "unknown-{kind}");
            print_unknown(p, cursor, data)?;
        }
    }
    let used = match kind {
        MSS | USER_TIMEOUT => 2,
        WINDOW_SCALE => 1,
        SACK_PERMITTED => 0,
        ECHO | ECHO_REPLY | CC | CC_NEW | CC_ECHO => 4,
        TIMESTAMPS => 8,
        MD5 => 16,
        _ => data,
    };
    *left = left.saturating_sub(used);
    if used != data {
        write!(p, "[len {len}]");
    }
    Ok(())
}

/// Fails unless an option of fixed size fits into what is left of the header.
fn fixed(left: usize, size: usize) -> Result<(), Stop> {
    if size > left { Err(Stop::Bad) } else { Ok(()) }
}

fn field<const N: usize>(cursor: &mut Cursor<'_>, left: usize) -> Result<[u8; N], Stop> {
    fixed(left, N)?;
    cursor.array().map_err(|_| Stop::Cut)
}

fn print_sack(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, data: usize, base: u32) -> Result<(), Stop> {
    if !data.is_multiple_of(8) {
        p.text("invalid sack");
        cursor.take(data.min(cursor.rest().len()))?;
        return Ok(());
    }
    write!(p, "{} ", data / 8);
    for _ in 0..data / 8 {
        let edges = (|| Ok::<_, Truncated>((cursor.u32()?, cursor.u32()?)))();
        let (left, right) = edges.map_err(|_| Stop::Cut)?;
        write!(p, "{{{}:{}}}", left.wrapping_sub(base), right.wrapping_sub(base));
    }
    Ok(())
}

fn print_authentication(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, data: usize) -> Result<(), Stop> {
    p.text("tcp-ao ");
    if data < 2 {
        p.text("(invalid)");
        cursor.skip(data)?;
        return Ok(());
    }
    write!(p, "keyid {}", cursor.u8()?);
    write!(p, " rnextkeyid {}", cursor.u8()?);
    if data > 2 {
        p.text(" mac 0x");
        print_hex(p, cursor, data - 2)?;
    }
    Ok(())
}

fn print_cookie(p: &mut Printer<'_>, cookie: &[u8]) {
    match cookie.len() {
        0 => p.text(" cookiereq"),
        len if len % 2 != 0 || !(4..=16).contains(&len) => p.text(" (invalid)"),
        _ => {
            p.text(" cookie ");
            p.digits(cookie);
        }
    }
}

fn print_experiment(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, data: usize) -> Result<(), Stop> {
    p.text("exp-");
    if data < 2 {
        p.text("unknown");
        return print_unknown(p, cursor, data);
    }
    let magic = cursor.u16()?;
    if magic == FAST_OPEN_MAGIC {
        p.text("tfo");
        print_cookie(p, cursor.take(data - 2)?);
    } else {
        let prefix = if ACCURATE_ECN.contains(&magic) { "" } else { "0x" };
        write!(p, "{prefix}{magic:04x}");
        cursor.skip(data - 2)?;
    }
    Ok(())
}

fn print_unknown(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, data: usize) -> Result<(), Stop> {
    if data > 0 {
        p.text(" 0x");
        for _ in 0..data {
            let byte = cursor.u8().map_err(|_| Stop::Cut)?;
            write!(p, "{byte:02x}");
        }
    }
    Ok(())
}

fn print_hex(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Result<(), Stop> {
    for byte in cursor.take(len)? {
        write!(p, "{byte:02x}");
    }
    Ok(())
}
