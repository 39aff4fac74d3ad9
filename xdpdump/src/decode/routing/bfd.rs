//! Bidirectional forwarding detection (RFC 5880, RFC 5881, RFC 5883, RFC 7130).

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const CONTROL: u16 = 3784;
pub(in crate::decode) const ECHO: u16 = 3785;
pub(in crate::decode) const MULTIHOP: u16 = 4784;
pub(in crate::decode) const LAG: u16 = 6784;

const HEADER: usize = 24;

const AUTHENTICATED: u8 = 0x04;
const FLAGS: [(u32, &str); 6] = [
    (0x20, "Poll"),
    (0x10, "Final"),
    (0x08, "Control Plane Independent"),
    (AUTHENTICATED as u32, "Authentication Present"),
    (0x02, "Demand"),
    (0x01, "Multipoint"),
];

/// Flags of version 0, a draft.
const OLD_FLAGS: [(u32, &str); 8] = [
    (0x80, "I Hear You"),
    (0x40, "Demand"),
    (0x20, "Poll"),
    (0x10, "Final"),
    (0x08, "Control Plane Independent"),
    (0x04, "Authentication Present"),
    (0x02, "Reserved"),
    (0x01, "Reserved"),
];

/// Prints a packet that was sent to `port`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, port: u16, layer: Layer<'_>) -> Printed {
    if port == ECHO {
        write!(p, "BFD, Echo, length: {}", layer.len);
        if p.verbose() {
            p.hex("\n\t", layer.bytes);
        }
        return Ok(());
    }
    let name = match port {
        MULTIHOP => "Multihop",
        LAG => "Lag",
        _ => "Control",
    };
    let mut cursor = layer.cursor("bfd");
    cursor.need(HEADER)?;
    let first = cursor.u8()?;
    let (version, diagnostic) = (first >> 5, first & 0x1f);
    let flags = cursor.u8()?;
    write!(p, "BFDv{version}, ");
    if version > 1 {
        write!(p, "{name}, length: {}", layer.len);
        if p.verbose() {
            p.hex("\n\t", layer.bytes);
        }
        return Ok(());
    }
    if p.verbose() {
        write!(p, "length: {}\n\t", layer.len);
    }
    if version == 0 {
        p.text("Control, Flags: [");
        p.flags(u32::from(flags), &OLD_FLAGS, ", ");
    } else {
        let state = ["AdminDown", "Down", "Init", "Up"][usize::from(flags >> 6)];
        write!(p, "{name}, State {state}, Flags: [");
        p.flags(u32::from(flags), &FLAGS, ", ");
    }
    p.text("]");
    if !p.verbose() {
        write!(p, ", length: {}", layer.len);
        return Ok(());
    }
    write!(p, ", Diagnostic: {} (0x{diagnostic:02x})", diagnostic_name(diagnostic));
    let multiplier = u32::from(cursor.u8()?);
    let length = cursor.u8()?;
    let (mine, yours) = (cursor.u32()?, cursor.u32()?);
    // Microseconds.
    let [send, receive, echo] = [cursor.u32()?, cursor.u32()?, cursor.u32()?];
    let detection = multiplier.wrapping_mul(send) / 1000;
    let [send, receive, echo] = [send, receive, echo].map(|microseconds| microseconds / 1000);
    write!(p, "\n\tDetection Timer Multiplier: {multiplier} ({detection} ms Detection time)");
    write!(p, ", BFD Length: {length}");
    write!(p, "\n\tMy Discriminator: 0x{mine:08x}, Your Discriminator: 0x{yours:08x}");
    write!(p, "\n\t  Desired min Tx Interval:    {send:4} ms");
    write!(p, "\n\t  Required min Rx Interval:   {receive:4} ms");
    write!(p, "\n\t  Required min Echo Interval: {echo:4} ms");
    if flags & AUTHENTICATED != 0 {
        print_authentication(p, &mut cursor)?;
    }
    Ok(())
}

fn diagnostic_name(diagnostic: u8) -> &'static str {
    match diagnostic {
        0 => "No Diagnostic",
        1 => "Control Detection Time Expired",
        2 => "Echo Function Failed",
        3 => "Neighbor Signaled Session Down",
        4 => "Forwarding Plane Reset",
        5 => "Path Down",
        6 => "Concatenated Path Down",
        7 => "Administratively Down",
        8 => "Reverse Concatenated Path Down",
        _ => "unknown",
    }
}

/// RFC 5880 §4.2 to §4.4.
fn print_authentication(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    cursor.need(4)?;
    let (kind, len) = (cursor.u8()?, usize::from(cursor.u8()?));
    let name = match kind {
        1 => "Simple Password",
        2 => "Keyed MD5",
        3 => "Meticulous Keyed MD5",
        4 => "Keyed SHA1",
        5 => "Meticulous Keyed SHA1",
        _ => "Unknown",
    };
    write!(p, "\n\tAuthentication: {name} ({kind}), length: {len}");
    write!(p, "\n\t  Auth Key ID: {}", cursor.u8()?);
    let valid = match kind {
        1 => (4..=19).contains(&len),
        2 | 3 => len == 24,
        4 | 5 => len == 28,
        _ => return Ok(()),
    };
    if !valid {
        write!(p, "[invalid length {len}]");
        return Ok(());
    }
    if kind == 1 {
        p.text(", Password: ");
        p.escaped(cursor.take(len - 3)?);
        return Ok(());
    }
    cursor.skip(1)?;
    write!(p, ", Sequence Number: 0x{:08x}", cursor.u32()?);
    p.text(if kind < 4 { "\n\t  Digest: " } else { "\n\t  Hash: " });
    for _ in 8..len {
        write!(p, "{:02x}", cursor.u8()?);
    }
    Ok(())
}
