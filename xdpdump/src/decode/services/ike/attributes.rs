//! The attributes of transforms (RFC 2408 §3.3, RFC 2407 §4.5, RFC 2409 appendix A).

use crate::decode::cursor::{Cursor, Printed};
use crate::decode::printer::Printer;
use crate::decode::services::ike::{Print, Stop, names};

/// An attribute's name and the names of its values.
type Attribute = (&'static str, &'static [&'static str]);

/// Attributes of an exchange's own protection.
pub(super) const EXCHANGE: &[Attribute] = &[
    ("", &[]),
    ("enc", &["", "1des", "idea", "blowfish", "rc5", "3des", "cast", "aes"]),
    ("hash", &["", "md5", "sha1", "tiger", "sha2-256", "sha2-384", "sha2-512"]),
    ("auth", &["", "preshared", "dss", "rsa sig", "rsa enc", "rsa enc revised"]),
    ("group desc", names::GROUPS.first_chunk::<18>().unwrap()),
    ("group type", &["", "MODP", "ECP", "EC2N"]),
    ("group prime", &[]),
    ("group gen1", &[]),
    ("group gen2", &[]),
    ("group curve A", &[]),
    ("group curve B", &[]),
    ("lifetype", &["", "sec", "kb"]),
    ("lifeduration", &[]),
    ("prf", &[]),
    ("keylen", &[]),
    ("field", &[]),
    ("order", &[]),
];

/// Attributes of what an exchange negotiates.
pub(super) const NEGOTIATED: &[Attribute] = &[
    ("", &[]),
    ("lifetype", &["", "sec", "kb"]),
    ("life", &[]),
    ("group desc", names::GROUPS.first_chunk::<18>().unwrap()),
    ("enc mode", &["", "tunnel", "transport"]),
    ("auth", &["", "hmac-md5", "hmac-sha1", "1des-mac", "keyed"]),
    ("keylen", &[]),
    ("rounds", &[]),
    ("dictsize", &[]),
    ("privalg", &[]),
];

/// Prints all attributes that are left.
pub(super) fn print(p: &mut Printer<'_>, attributes: &[Attribute], value: &mut Cursor<'_>) -> Print {
    while !value.rest().is_empty() {
        if print_one(p, attributes, value).is_err() {
            p.text("[|attr]");
            return Err(Stop::Said);
        }
    }
    Ok(())
}

fn print_one(p: &mut Printer<'_>, attributes: &[Attribute], value: &mut Cursor<'_>) -> Printed {
    let kind = value.u16()?;
    let (short, number) = (kind & 0x8000 != 0, kind & 0x7fff);
    let len = value.u16()?;
    if !short {
        value.need(usize::from(len))?;
    }
    let known = attributes.get(usize::from(number)).filter(|(name, _)| !name.is_empty());
    p.text("(type=");
    p.name(known.map(|(name, _)| *name), format_args!("#{number}"));
    if short {
        p.text(" value=");
        p.name(known.and_then(|(_, values)| names::at(values, len)), format_args!("{len:04x}"));
    } else {
        write!(p, " len={len} value=");
        p.digits(value.take(len.into())?);
    }
    p.text(")");
    Ok(())
}
