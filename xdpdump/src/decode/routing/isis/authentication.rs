//! Authentication of a packet (RFC 5304, RFC 5310).

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;

const PASSWORD: u8 = 1;
const GENERIC: u8 = 3;
const HMAC_MD5: u8 = 54;
const PRIVATE: u8 = 255;

/// Prints the value of the element, which is not empty.
pub(super) fn print(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    let kind = value.u8()?;
    p.text("\n\t      ");
    match kind {
        PASSWORD => {
            p.text("simple text password: ");
            p.escaped_until_nul(value.rest());
        }
        GENERIC => {
            write!(p, "Generic Crypto key-id: {}, password: ", value.u16()?);
            p.digits(value.rest());
        }
        HMAC_MD5 => {
            p.text("HMAC-MD5 password: ");
            p.digits(value.rest());
            if value.rest().len() != 16 {
                p.text(", (invalid subTLV) ");
            }
            p.text(" (unchecked)");
        }
        _ => {
            match kind {
                PRIVATE => p.text("Routing Domain private password: "),
                _ => write!(p, "unknown Authentication type 0x{kind:02x}: "),
            }
            p.hex("\n\t\t  ", value.rest());
        }
    }
    Ok(())
}
