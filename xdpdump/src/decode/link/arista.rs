//! Arista's header with the time at which a switch saw the frame.

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

const TIMESTAMP: u16 = 1;
const SECONDS_32: u8 = 1;
const SECONDS_16: u8 = 2;

/// Prints the header, and returns what follows; `None` if it is not known how long the header is.
pub(in crate::decode) fn print<'a>(
    p: &mut Printer<'_>,
    layer: Layer<'a>,
) -> Result<Option<Layer<'a>>, Truncated> {
    let mut cursor = layer.cursor("arista");
    let kind = cursor.u16()?;
    let name = if kind == TIMESTAMP { "Timestamp" } else { "Unknown" };
    write!(p, "SubType {name} (0x{kind:04x}), ");
    // The version has the time scale, the format and the hardware.
    let version = cursor.u16()?;
    if kind != TIMESTAMP {
        return Ok(None);
    }
    let [scale, low] = version.to_be_bytes();
    let scale_name = match scale {
        0 => "TAI",
        1 => "UTC",
        _ => "Unknown",
    };
    let (format, hardware) = (low >> 4, low & 15);
    let format_name = match format {
        SECONDS_32 => "64-bit",
        SECONDS_16 => "48-bit",
        _ => "Unknown",
    };
    let hardware_name = match hardware {
        0 => "R/R2",
        1 => "R3",
        _ => "Unknown",
    };
    write!(p, "Timescale {scale_name} ({scale}), Format {format_name} ({format}), ");
    write!(p, "HwInfo {hardware_name} ({hardware}), Timestamp ");
    match format {
        SECONDS_32 => print_time(p, &mut cursor)?,
        SECONDS_16 => {
            let (seconds, nanos) = (cursor.u16()?, cursor.u32()?);
            write!(p, "{seconds}.{nanos:09}: ");
        }
        _ => return Ok(None),
    }
    Ok(Some(layer.skip(cursor.at())))
}

/// Prints a time as a date (UTC).
fn print_time(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let (seconds, nanos) = (cursor.u32()?, cursor.u32()?);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    write!(p, "{year}-{month:02}-{day:02} {:02}:{:02}:", second / 3600, second / 60 % 60);
    write!(p, "{:02}.{nanos:09}: ", second % 60);
    Ok(())
}

/// Year, month and day of a number of days since 1970.
fn date(days: u32) -> (u32, u32, u32) {
    let leap = |year: u32| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut year, mut day) = (1970, days);
    loop {
        let len = if leap(year) { 366 } else { 365 };
        if day < len {
            break;
        }
        day -= len;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < len {
            break;
        }
        day -= len;
        month += 1;
    }
    (year, month, day + 1)
}
