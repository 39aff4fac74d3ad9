//! Addresses and prefixes of Babel (RFC 8966 §4.1.4 and §4.6.9).

use std::fmt;

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Truncated};

/// The bytes of prefixes that an update left out, by address family (RFC 8966 §4.6.9).
#[derive(Default)]
pub(super) struct Prefixes {
    v4: [u8; 16],
    v6: [u8; 16],
}

/// An address or a prefix; 0.0.0.0/0 and ::/0 together are `any`.
#[derive(Clone, Copy)]
pub(super) enum Network {
    Any,
    V4([u8; 4]),
    V6([u8; 16]),
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::V4(address) => Ipv4(*address).fmt(f),
            Self::V6(address) => Ipv6(*address).fmt(f),
        }
    }
}

/// Reads an address of a family; `None` if the family is not known.
pub(super) fn read_address(family: u8, value: &mut Cursor<'_>) -> Result<Option<Network>, Truncated> {
    Ok(Some(match family {
        0 => Network::Any,
        1 => Network::V4(value.array()?),
        2 => Network::V6(value.array()?),
        3 => {
            let mut address = [0; 16];
            let (prefix, interface) = address.split_at_mut(8);
            prefix.copy_from_slice(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0]);
            interface.copy_from_slice(value.take(8)?);
            Network::V6(address)
        }
        _ => return Ok(None),
    }))
}

/// Reads a prefix whose first `omitted` bytes are those of an earlier one; `None` if it is malformed.
pub(super) fn read_prefix(
    family: u8,
    bits: u8,
    omitted: u8,
    prefixes: &mut Prefixes,
    remember: bool,
    value: &mut Cursor<'_>,
) -> Result<Option<Network>, Truncated> {
    let (longest, known) = match family {
        0 => return Ok(Some(Network::Any)),
        1 => (32, &mut prefixes.v4),
        2 => (128, &mut prefixes.v6),
        3 => return if bits == 0 || bits >= 64 { read_address(3, value) } else { Ok(None) },
        _ => return Ok(None),
    };
    if bits > longest {
        return Ok(None);
    }
    let (len, omitted) = (usize::from(bits).div_ceil(8), usize::from(omitted));
    let mut address = [0; 16];
    for (to, from) in address.iter_mut().zip(known.iter().take(omitted.min(len))) {
        *to = *from;
    }
    let rest = value.take(len.saturating_sub(omitted))?;
    for (to, from) in address.iter_mut().skip(omitted).zip(rest) {
        *to = *from;
    }
    if !bits.is_multiple_of(8)
        && let Some(last) = address.get_mut(usize::from(bits / 8))
    {
        *last &= 0xff << (8 - bits % 8);
    }
    if remember {
        *known = address;
    }
    let [a, b, c, d, ..] = address;
    Ok(Some(if family == 1 { Network::V4([a, b, c, d]) } else { Network::V6(address) }))
}
