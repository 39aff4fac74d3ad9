//! What the control protocols of PPP have in common (RFC 1661 §5); their options are shown with `-v`.

use super::{BACP, CCP, IPCP, IPV6CP, LCP, ccp, ipcp, lcp, name};
use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::link::oui;
use crate::decode::printer::Printer;

/// Prints a message of a control protocol; `total` are the bytes with the protocol number.
pub(super) fn print(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>, total: usize) -> Printed {
    let own = name(protocol).unwrap_or("unknown");
    write!(p, "{own}, ");
    // A message of fewer bytes than its header.
    if total < 6 {
        write!(p, "[|{own}]");
        return Ok(());
    }
    let mut cursor = layer.cursor("ppp");
    let (code, id) = (cursor.u8()?, cursor.u8()?);
    write!(p, "{} (0x{code:02x}), id {id}, length {total}", code_name(code));
    if !p.verbose() {
        return Ok(());
    }
    let len = usize::from(cursor.u16()?);
    if len < 4 {
        write!(p, "\n\tencoded length {len} (< 4))");
        return Ok(());
    }
    if len > layer.len {
        write!(p, "\n\tencoded length {len} (> packet length {}))", layer.len);
        return Ok(());
    }
    let body = layer.cut(len).skip(4);
    write!(p, "\n\tencoded length {len} (=Option(s) length {})", body.len);
    if p.style.verbosity > 1 {
        let [high, low] = protocol.to_be_bytes();
        let header = layer.cut(4).bytes;
        let bytes: Vec<u8> = [&[high, low], header].concat();
        p.hex("\n\t", &bytes);
    }
    print_body(p, protocol, code, body, layer)
}

fn code_name(code: u8) -> &'static str {
    const NAMES: [&str; 16] = [
        "Vendor-Extension",
        "Conf-Request",
        "Conf-Ack",
        "Conf-Nack",
        "Conf-Reject",
        "Term-Request",
        "Term-Ack",
        "Code-Reject",
        "Prot-Reject",
        "Echo-Request",
        "Echo-Reply",
        "Disc-Req",
        "Ident",
        "Time-Rem",
        "Reset-Req",
        "Reset-Ack",
    ];
    NAMES.get(usize::from(code)).unwrap_or(&"Unknown Opcode")
}

fn print_body(p: &mut Printer<'_>, protocol: u16, code: u8, body: Layer<'_>, whole: Layer<'_>) -> Printed {
    let mut cursor = body.cursor("ppp");
    match code {
        0 if body.len >= 11 - 4 => {
            write!(p, "\n\t  Magic-Num 0x{:08x}", cursor.u32()?);
            let vendor = cursor.u24()?;
            write!(p, " Vendor: {} ({vendor})", oui::name(vendor));
        }
        1..=4 => print_options(p, protocol, body)?,
        8 if body.len >= 2 => {
            let rejected = cursor.u16()?;
            write!(p, "\n\t  Rejected {} Protocol (0x{rejected:04x})", name(rejected).unwrap_or("unknown"));
            if body.len > 2 {
                p.text("\n\t  Rejected Packet");
                p.hex("\n\t    ", cursor.rest());
            }
        }
        9..=11 if body.len >= 4 => {
            write!(p, "\n\t  Magic-Num 0x{:08x}", cursor.u32()?);
            if body.len > 4 {
                p.text("\n\t  -----trailing data-----");
                p.hex("\n\t  ", cursor.rest());
            }
        }
        12 if body.len >= 4 => {
            write!(p, "\n\t  Magic-Num 0x{:08x}", cursor.u32()?);
            if body.len > 4 {
                p.text("\n\t  Message\n\t    ");
                p.escaped(cursor.rest());
                p.text("[|LCP]");
            }
        }
        13 if body.len >= 8 => {
            write!(p, "\n\t  Magic-Num 0x{:08x}", cursor.u32()?);
            write!(p, ", Seconds-Remaining {}s", cursor.u32()?);
        }
        0..=15 => {}
        _ => {
            // The hex begins with the protocol number.
            if p.style.verbosity < 2 {
                let [high, low] = protocol.to_be_bytes();
                let bytes: Vec<u8> = [&[high, low], whole.bytes].concat();
                p.hex("\n\t  ", &bytes);
            }
        }
    }
    Ok(())
}

fn print_options(p: &mut Printer<'_>, protocol: u16, body: Layer<'_>) -> Printed {
    let mut at = 0;
    while at < body.len {
        let option = body.skip(at);
        if option.len < 2 {
            write!(p, "[|{}]", name(protocol).unwrap_or_default().to_ascii_lowercase());
            return Ok(());
        }
        let mut cursor = option.cursor("ppp");
        let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
        let known = match protocol {
            LCP => lcp::name(kind),
            IPCP => ipcp::name(kind),
            IPV6CP if kind == 1 => Some("Interface-ID"),
            CCP => ccp::name(kind),
            BACP if kind == 1 => Some("Favored-Peer"),
            IPV6CP | BACP => None,
            _ => return Ok(()),
        };
        if protocol == LCP && known.is_none() && len >= 2 {
            write!(p, "\n\tunknown LCP option 0x{kind:02x}");
        } else {
            let unknown = if matches!(protocol, IPCP | IPV6CP) { "unknown" } else { "Unknown" };
            write!(p, "\n\t  {} Option (0x{kind:02x}), length {len}", known.unwrap_or(unknown));
        }
        if len < 2 {
            p.text(" (length bogus, should be >= 2)");
            return Ok(());
        }
        let value = option.cut_to(len).skip(2);
        let value = Layer { len: len - 2, ..value };
        match protocol {
            LCP => lcp::print(p, kind, value)?,
            IPCP => ipcp::print(p, kind, value)?,
            IPV6CP => ipcp::print_v6(p, kind, value)?,
            CCP => ccp::print(p, kind, value)?,
            _ => print_peer(p, kind, value)?,
        }
        if p.style.verbosity > 1 {
            p.hex("\n\t    ", value.bytes);
        }
        if len > option.len {
            write!(p, " [remaining options length {} < {len}] (invalid)", option.len);
            return Ok(());
        }
        at += len;
    }
    Ok(())
}

/// Prints an option of bandwidth allocation control (RFC 2125).
fn print_peer(p: &mut Printer<'_>, kind: u8, value: Layer<'_>) -> Printed {
    if kind == 1 && has_len(p, value, 4) {
        write!(p, ": Magic-Num 0x{:08x}", value.cursor("ppp").u32()?);
    } else if kind != 1 {
        print_unknown(p, value);
    }
    Ok(())
}

/// Checks the length of an option's value, and prints what it should be with the option's header.
pub(super) fn has_len(p: &mut Printer<'_>, value: Layer<'_>, len: usize) -> bool {
    if value.len != len {
        write!(p, " (length bogus, should be = {})", len + 2);
    }
    value.len == len
}

/// Like [`has_len`] for the least length.
pub(super) fn has_at_least(p: &mut Printer<'_>, value: Layer<'_>, len: usize) -> bool {
    if value.len < len {
        write!(p, " (length bogus, should be >= {})", len + 2);
    }
    value.len >= len
}

/// Prints the value of an option that is not decoded.
pub(super) fn print_unknown(p: &mut Printer<'_>, value: Layer<'_>) {
    if p.style.verbosity < 2 {
        p.hex("\n\t    ", value.bytes);
    }
}

/// A cursor over an option's value.
pub(super) fn cursor(value: Layer<'_>) -> Cursor<'_> {
    value.cursor("ppp")
}
