//! Network time protocol (RFC 5905), its control messages (RFC 9327) and the extension-free part of later versions.

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Bytes of a time message without extension fields and message digest.
const HEADER: usize = 48;
const CONTROL_HEADER: usize = 12;
const CONTROL: u8 = 6;
const PRIVATE: u8 = 7;
/// Seconds from 1900, where the first era of NTP begins, to 1970.
const UNIX_EPOCH: i64 = 2_208_988_800;

/// Prints a message of any mode.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("ntp");
    let first = cursor.u8()?;
    let mode = first & 7;
    write!(p, "NTPv{}, {}, length {}", first >> 3 & 7, mode_name(mode), layer.len);
    if !p.verbose() {
        return Ok(());
    }
    let leap = first & 0xc0;
    let meaning = match leap >> 6 {
        1 => "+1s",
        2 => "-1s",
        3 => "clock unsynchronized",
        _ => "",
    };
    write!(p, "\n\tLeap indicator: {meaning} ({leap})");
    match mode {
        CONTROL => print_control(p, &mut cursor, layer),
        PRIVATE => Ok(()),
        _ => print_time(p, &mut cursor, layer),
    }
}

fn mode_name(mode: u8) -> &'static str {
    match mode {
        1 => "symmetric active",
        2 => "symmetric passive",
        3 => "Client",
        4 => "Server",
        5 => "Broadcast",
        CONTROL => "Control Message",
        PRIVATE => "Reserved",
        _ => "unspecified",
    }
}

fn print_time(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < HEADER {
        p.text(" (invalid)");
        return Ok(());
    }
    let stratum = cursor.u8()?;
    let name = match stratum {
        0 => "unspecified",
        1 => "primary reference",
        2..=15 => "secondary reference",
        _ => "reserved",
    };
    write!(p, ", Stratum {stratum} ({name})");
    let poll = i8::from_be_bytes([cursor.u8()?]);
    write!(p, ", poll {poll}");
    match poll {
        0..=31 => write!(p, " ({}s)", 1_u64 << poll),
        -31..=-1 => write!(p, " (1/{}s)", 1_u64 << -poll),
        _ => {}
    }
    write!(p, ", precision {}", i8::from_be_bytes([cursor.u8()?]));
    p.text("\n\tRoot Delay: ");
    print_short(p, cursor.u32()?);
    p.text(", Root dispersion: ");
    print_short(p, cursor.u32()?);
    let reference: [u8; 4] = cursor.array()?;
    p.text(", Reference-ID: ");
    match stratum {
        0 => p.text("(unspec)"),
        // The name of a clock.
        1 => p.escaped(&reference),
        _ => write!(p, "0x{:08x}", u32::from_be_bytes(reference)),
    }
    for label in ["Reference Timestamp:  ", "Originator Timestamp: ", "Receive Timestamp:    "] {
        write!(p, "\n\t  {label}");
        Stamp::read(cursor)?.print(p);
    }
    p.text("\n\t  Transmit Timestamp:   ");
    let transmit = Stamp::read(cursor)?;
    transmit.print(p);
    let mut stamps = layer.skip(24).cursor("ntp");
    let originator = Stamp::read(&mut stamps)?;
    p.text("\n\t    Originator - Receive Timestamp:  ");
    print_difference(p, originator, Stamp::read(&mut stamps)?);
    p.text("\n\t    Originator - Transmit Timestamp: ");
    print_difference(p, originator, transmit);
    print_digest(p, cursor, layer.len - HEADER)
}

/// Prints what follows the header: a key's number and digest if it can be nothing else (RFC 5905 §7.3).
fn print_digest(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, len: usize) -> Printed {
    match len {
        0 => {}
        4 | 20 | 24 => {
            write!(p, "\n\tKey id: {}", cursor.u32()?);
            if len > 4 {
                p.text("\n\tAuthentication: ");
                p.digits(cursor.take(len - 4)?);
            }
        }
        _ => write!(p, "\n\t({len} more bytes after the header)"),
    }
    Ok(())
}

fn print_control(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, layer: Layer<'_>) -> Printed {
    if layer.len < CONTROL_HEADER {
        p.text(" (invalid)");
        return Ok(());
    }
    let control = cursor.u8()?;
    let bit = |bit: u8, set: &'static str, clear: &'static str| if control & bit != 0 { set } else { clear };
    let (kind, error, more) =
        (bit(0x80, "Response", "Request"), bit(0x40, "Error", "OK"), bit(0x20, "More", "Last"));
    write!(p, ", {kind}, {error}, {more}, OpCode={}", control & 31);
    write!(p, "\n\tSequence={}", cursor.u16()?);
    let status = cursor.u16()?;
    if status == 0 {
        p.text(", Status=0");
    } else {
        write!(p, ", Status=0x{status:x}");
    }
    write!(p, ", Assoc.={}, Offset={}", cursor.u16()?, cursor.u16()?);
    let count = usize::from(cursor.u16()?);
    write!(p, ", Count={count}");
    if CONTROL_HEADER + count > layer.len {
        p.text(" (invalid)");
        return Ok(());
    }
    if count > 0 {
        cursor.need(count)?;
        p.text("\n\tTO-BE-DONE: data not interpreted");
    }
    Ok(())
}

/// Prints a number with 16 bits before and 16 after the point.
fn print_short(p: &mut Printer<'_>, value: u32) {
    write!(p, "{}.{:06}", value >> 16, (u64::from(value & 0xffff) * 1_000_000) >> 16);
}

/// A point in time: seconds since 1900 and the fraction of a second, in units of 2^-32.
#[derive(Clone, Copy)]
pub(in crate::decode) struct Stamp {
    seconds: u32,
    fraction: u32,
}

impl Stamp {
    pub(in crate::decode) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        Ok(Self { seconds: cursor.u32()?, fraction: cursor.u32()? })
    }

    /// Prints seconds since 1900, and the date if the time is set.
    pub(in crate::decode) fn print(self, p: &mut Printer<'_>) {
        write!(p, "{}.{:09}", self.seconds, billionths(self.fraction));
        if self.seconds != 0
            && let Some(time) = chrono::DateTime::from_timestamp(i64::from(self.seconds) - UNIX_EPOCH, 0)
        {
            write!(p, " ({})", time.format("%Y-%m-%dT%H:%M:%SZ"));
        }
    }

    /// Whether it is a time.
    pub(in crate::decode) fn is_set(self) -> bool {
        self.value() != 0
    }

    /// The time as one number, in units of 2^-32 seconds.
    fn value(self) -> u64 {
        u64::from(self.seconds) << 32 | u64::from(self.fraction)
    }
}

/// Billionths of a second.
fn billionths(fraction: u32) -> u64 {
    (u64::from(fraction) * 1_000_000_000) >> 32
}

/// Prints how much later than `from` a time is; the time itself if `from` is not set.
fn print_difference(p: &mut Printer<'_>, from: Stamp, to: Stamp) {
    if from.value() == 0 {
        return to.print(p);
    }
    let sign = if to.value() < from.value() { '-' } else { '+' };
    let difference = to.value().abs_diff(from.value());
    write!(p, "{sign}{}.{:09}", difference >> 32, billionths(difference as u32));
}
