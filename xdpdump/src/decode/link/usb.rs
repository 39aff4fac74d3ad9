//! USB request blocks of Linux (usbmon: Documentation/usb/usbmon.rst).

use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

const ISOCHRONOUS: u8 = 0;
const INTERRUPT: u8 = 1;
const CONTROL: u8 = 2;
const BULK: u8 = 3;

/// Prints a block with a header of 48 bytes.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    print_header(p, frame, 48, "usb_linux_48_byte")
}

/// Prints a block with a header of 64 bytes.
pub(in crate::decode) fn print_mmapped(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    print_header(p, frame, 64, "usb_linux_64_byte")
}

fn print_header(p: &mut Printer<'_>, frame: Layer<'_>, header: usize, name: &'static str) -> Printed {
    let mut cursor = frame.cursor(name);
    cursor.need(header)?;
    cursor.skip(8)?;
    let [event, transfer, endpoint, device] = cursor.array()?;
    // In the byte order of the capturing machine, which most probably is this one.
    let bus = u16::from_le_bytes(cursor.array()?);
    p.text("USB");
    if p.style.quiet {
        return Ok(());
    }
    p.text(match transfer {
        ISOCHRONOUS => " ISOCHRONOUS",
        INTERRUPT => " INTERRUPT",
        CONTROL => " CONTROL",
        BULK => " BULK",
        _ => "  ?",
    });
    p.text(match event {
        b'S' => " SUBMIT",
        b'C' => " COMPLETE",
        b'E' => " ERROR",
        _ => " ?",
    });
    p.text(match (transfer, event) {
        (ISOCHRONOUS | CONTROL | BULK, b'S') | (INTERRUPT, b'C' | b'E') => " to",
        (ISOCHRONOUS | CONTROL | BULK, b'C' | b'E') | (INTERRUPT, b'S') => " from",
        _ => "",
    });
    write!(p, " {bus}:{device}:{}", endpoint & 0x7f);
    Ok(())
}
