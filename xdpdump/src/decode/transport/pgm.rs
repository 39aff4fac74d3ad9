//! Pragmatic general multicast (RFC 3208); the fields are shown with `-v`.

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::network::ip;
use crate::decode::printer::Printer;

const HEADER: usize = 16;
/// Options follow.
const HAS_OPTIONS: u8 = 1;
const END: u8 = 0x80;

/// Prints a packet.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("pgm");
    if cursor.need(4).is_err() {
        write!(p, "{} > {}:", header.src, header.dst);
        return Err(cursor.truncated());
    }
    let (src, dst) = (cursor.u16()?, cursor.u16()?);
    write!(p, "{}.{src} > {}.{dst}: ", header.src, header.dst);
    cursor.need(HEADER - 4)?;
    let (kind, options) = (cursor.u8()?, cursor.u8()?);
    cursor.skip(2)?;
    let source = cursor.take(6)?;
    let len = cursor.u16()?;
    write!(p, "PGM, length {len}");
    if !p.verbose() {
        return Ok(());
    }
    p.text(" 0x");
    p.digits(source);
    p.text(" ");
    if !matches!(kind, 0..=2 | 4 | 5 | 8..=11) {
        // tcpdump looks for the options of other kinds at the start of the packet.
        cursor = layer.cursor("pgm");
    }
    print_fields(p, kind, &mut cursor)?;
    if options & HAS_OPTIONS != 0 && !print_options(p, &mut cursor)? {
        return Ok(());
    }
    write!(p, " [{}]", layer.len);
    Ok(())
}

fn print_fields(p: &mut Printer<'_>, kind: u8, cursor: &mut Cursor<'_>) -> Printed {
    match kind {
        0 => {
            cursor.need(16)?;
            let (sequence, trail, lead) = (cursor.u32()?, cursor.u32()?, cursor.u32()?);
            let family = cursor.u16()?;
            cursor.skip(2)?;
            let address = Address::read(family, cursor)?;
            write!(p, "SPM seq {sequence} trail {trail} lead {lead} nla ");
            address.print(p);
        }
        1 => {
            cursor.need(12)?;
            let (sequence, round) = (cursor.u32()?, cursor.u16()?);
            cursor.skip(2)?;
            let family = cursor.u16()?;
            cursor.skip(2)?;
            let address = Address::read(family, cursor)?;
            cursor.need(12)?;
            write!(p, "POLL seq {sequence} round {round} nla ");
            address.print(p);
            write!(p, " ivl {} rnd 0x{:08x} mask 0x{:08x}", cursor.u32()?, cursor.u32()?, cursor.u32()?);
        }
        2 => {
            cursor.need(8)?;
            write!(p, "POLR seq {} round {}", cursor.u32()?, cursor.u16()?);
            cursor.skip(2)?;
        }
        4 | 5 => {
            cursor.need(8)?;
            let (sequence, trail) = (cursor.u32()?, cursor.u32()?);
            write!(p, "{} trail {trail} seq {sequence}", if kind == 4 { "ODATA" } else { "RDATA" });
        }
        8..=10 => {
            cursor.need(12)?;
            let sequence = cursor.u32()?;
            cursor.skip(4)?;
            // tcpdump takes the beginning of the source's address for its family.
            let mut ahead = *cursor;
            let family = ahead.u16()?;
            let source = Address::read(family, cursor)?;
            let group_family = cursor.u16()?;
            cursor.skip(2)?;
            let group = Address::read(group_family, cursor)?;
            p.text(["NAK ", "NNAK ", "NCF "][usize::from(kind - 8)]);
            p.text("(");
            source.print(p);
            p.text(" -> ");
            group.print(p);
            write!(p, "), seq {sequence}");
        }
        11 => {
            cursor.need(8)?;
            write!(p, "ACK seq {}", cursor.u32()?);
            cursor.skip(4)?;
        }
        12 => p.text("SPMR"),
        _ => write!(p, "UNKNOWN type 0x{kind:02x}"),
    }
    Ok(())
}

/// An address of a node, of either family.
#[derive(Clone, Copy)]
enum Address {
    V4(Ipv4),
    V6(Ipv6),
}

impl Address {
    /// Reads an address of a family (IANA); fails for others.
    fn read(family: u16, cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        match family {
            1 => Ipv4::read(cursor).map(Self::V4),
            2 => Ipv6::read(cursor).map(Self::V6),
            _ => Err(cursor.truncated()),
        }
    }

    fn print(self, p: &mut Printer<'_>) {
        match self {
            Self::V4(address) => write!(p, "{address}"),
            Self::V6(address) => write!(p, "{address}"),
        }
    }
}

/// Prints the options; returns false if they are invalid.
fn print_options(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Result<bool, Truncated> {
    cursor.need(4)?;
    let kind = cursor.u8()?;
    if kind & !END != 0 {
        write!(p, "[First option bad, should be PGM_OPT_LENGTH, is {}]", kind & !END);
        return Ok(false);
    }
    let len = cursor.u8()?;
    if len != 4 {
        write!(p, "[Bad OPT_LENGTH option, length {len} != 4]");
        return Ok(false);
    }
    let total = usize::from(cursor.u16()?);
    if total < 4 {
        write!(p, "[Bad total option length {total} < 4]");
        return Ok(false);
    }
    write!(p, " OPTS LEN {total}");
    let mut left = total - 4;
    loop {
        if left == 0 {
            return Ok(true);
        }
        if left < 2 {
            p.text("[Total option length leaves no room for final option]");
            return Ok(false);
        }
        cursor.need(2)?;
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        if left < len {
            p.text("[Total option length leaves no room for final option]");
            return Ok(false);
        }
        if !print_option(p, kind, len, cursor)? {
            return Ok(false);
        }
        left -= len;
        if kind & END != 0 {
            return Ok(true);
        }
    }
}

/// The name that tcpdump gives an option in its messages, and the length that it must have.
fn fixed_len(kind: u8) -> Option<(&'static str, usize)> {
    Some(match kind {
        0x00 => ("LENGTH", 4),
        0x01 => ("FRAGMENT", 16),
        0x03 => ("JOIN", 8),
        0x04 => ("NAK_BO_IVL", 12),
        0x05 => ("NAK_BO_RNG", 12),
        0x08 => ("PARITY_PRM", 8),
        0x09 => ("PARITY_GRP", 8),
        0x0a => ("CURR_TGSIZE", 8),
        0x0b => ("NBR_UNREACH", 4),
        0x0d => ("SYN", 4),
        0x0e => ("FIN", 4),
        0x0f => ("RST", 4),
        0x11 => ("CRQST", 4),
        _ => return None,
    })
}

/// Prints an option; returns false if it is invalid. The first bit of `whole` marks the last option.
fn print_option(
    p: &mut Printer<'_>,
    whole: u8,
    len: usize,
    cursor: &mut Cursor<'_>,
) -> Result<bool, Truncated> {
    let kind = whole & !END;
    if let Some((name, expected)) = fixed_len(kind)
        && len != expected
    {
        write!(p, "[Bad OPT_{name} option, length {len} != {expected}]");
        return Ok(false);
    }
    match kind {
        0x00 => write!(p, " OPTS LEN (extra?) {}", cursor.u16()?),
        0x01 => {
            cursor.skip(2)?;
            write!(p, " FRAG seq {} off {} len {}", cursor.u32()?, cursor.u32()?, cursor.u32()?);
        }
        0x02 => {
            cursor.skip(2)?;
            p.text(" NAK LIST");
            for _ in 0..len.saturating_sub(4) / 4 {
                write!(p, " {}", cursor.u32()?);
            }
        }
        0x03 | 0x08 | 0x09 | 0x0a => {
            cursor.skip(2)?;
            let name = match kind {
                0x03 => "JOIN",
                0x08 => "PARITY MAXTGS",
                0x09 => "PARITY GROUP",
                _ => "PARITY ATGS",
            };
            write!(p, " {name} {}", cursor.u32()?);
        }
        0x04 | 0x05 => {
            cursor.skip(2)?;
            let (first, second) = (cursor.u32()?, cursor.u32()?);
            if kind == 0x04 {
                write!(p, " BACKOFF ivl {first} ivlseq {second}");
            } else {
                write!(p, " BACKOFF max {first} min {second}");
            }
        }
        0x07 | 0x12 | 0x13 => return print_addressed(p, kind, len, cursor),
        0x0b | 0x0d..=0x11 => {
            cursor.skip(2)?;
            p.text(match kind {
                0x0b => " NBR_UNREACH",
                0x0d => " SYN",
                0x0e => " FIN",
                0x0f => " RST",
                0x10 => " CR",
                _ => " CRQST",
            });
            cursor.skip(len.saturating_sub(4))?;
        }
        0x0c => {
            write!(p, " PATH_NLA [{len}]");
            cursor.skip(len.saturating_sub(2))?;
        }
        _ => {
            write!(p, " OPT_{whole:02X} [{len}] ");
            cursor.skip(len.saturating_sub(2))?;
        }
    }
    Ok(true)
}

/// Prints an option that has an address.
fn print_addressed(
    p: &mut Printer<'_>,
    kind: u8,
    len: usize,
    cursor: &mut Cursor<'_>,
) -> Result<bool, Truncated> {
    let (name, least) = match kind {
        0x07 => ("OPT_REDIRECT", 8),
        0x12 => ("OPT_PGMCC_DATA", 12),
        _ => ("OPT_PGMCC_FEEDBACK", 12),
    };
    if len < least {
        let prefix = if kind == 0x13 { "PGM_OPT_PGMCC_FEEDBACK" } else { name };
        write!(p, "[Bad {prefix} option, length {len} < {least}]");
        return Ok(false);
    }
    cursor.skip(2)?;
    let offset = if kind == 0x07 { None } else { Some(cursor.u32()?) };
    let family = cursor.u16()?;
    cursor.skip(2)?;
    let expected = match family {
        1 => least + 4,
        2 => least + 16,
        _ => return Err(cursor.truncated()),
    };
    if len != expected {
        write!(p, "[Bad {name} option, length {len} != {least} + address size]");
        return Ok(false);
    }
    let address = Address::read(family, cursor)?;
    match (kind, offset) {
        (0x12, Some(offset)) => write!(p, " PGMCC DATA {offset} "),
        (_, Some(offset)) => write!(p, " PGMCC FEEDBACK {offset} "),
        (_, None) => p.text(" REDIRECT "),
    }
    address.print(p);
    Ok(true)
}
