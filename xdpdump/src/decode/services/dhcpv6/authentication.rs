//! The authentication option of DHCPv6 (RFC 3315 §22.11, RFC 8415 §21.11).

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;

const DELAYED: u8 = 2;
const RECONFIGURE: u8 = 3;
const HMAC_MD5: u8 = 1;
/// Bytes of a key's number and a digest.
const DELAYED_LEN: usize = 20;

/// Prints the option's value.
pub(super) fn print(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    if value.rest().len() < 11 {
        p.text(" ?");
        return Ok(());
    }
    let (protocol, algorithm, detection) = (value.u8()?, value.u8()?, value.u8()?);
    p.text(" proto: ");
    match protocol {
        DELAYED => p.text("delayed"),
        RECONFIGURE => p.text("reconfigure"),
        _ => write!(p, "{protocol}"),
    }
    p.text(", alg: ");
    p.name((algorithm == HMAC_MD5).then_some("HMAC-MD5"), format_args!("{algorithm}"));
    p.text(", RDM: ");
    p.name((detection == 0).then_some("mono"), format_args!("{detection}"));
    p.text(", RD:");
    for _ in 0..4 {
        write!(p, " {:04x}", value.u16()?);
    }
    let len = value.rest().len();
    match protocol {
        DELAYED if len == 0 => Ok(()),
        DELAYED if len >= DELAYED_LEN => {
            if len > DELAYED_LEN {
                p.text(", realm: ");
                p.digits(value.take(len - DELAYED_LEN)?);
            }
            write!(p, ", key ID: {:08x}", value.u32()?);
            p.text(", HMAC-MD5:");
            print_digest(p, value)
        }
        RECONFIGURE if len == 17 => {
            match value.u8()? {
                1 => p.text(" reconfig-key value:"),
                2 => p.text(" type: HMAC-MD5 value:"),
                _ => {
                    p.text(" ??");
                    return Ok(());
                }
            }
            print_digest(p, value)
        }
        _ => {
            p.text(" ??");
            Ok(())
        }
    }
}

fn print_digest(p: &mut Printer<'_>, value: &mut Cursor<'_>) -> Printed {
    for _ in 0..4 {
        write!(p, " {:08x}", value.u32()?);
    }
    Ok(())
}
