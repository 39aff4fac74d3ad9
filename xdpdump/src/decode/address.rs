//! Addresses as tcpdump writes them.

use std::fmt;

use crate::decode::cursor::{Cursor, Truncated};

/// A hardware address: two hex digits per byte, separated by colons.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct Mac<'a>(pub(in crate::decode) &'a [u8]);

impl fmt::Display for Mac<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// An IPv4 address: four decimal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::decode) struct Ipv4(pub(in crate::decode) [u8; 4]);

impl Ipv4 {
    pub(in crate::decode) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        cursor.array().map(Self)
    }
}

impl fmt::Display for Ipv4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third, fourth] = self.0;
        write!(f, "{first}.{second}.{third}.{fourth}")
    }
}

/// An IPv6 address in RFC 5952 form; the last four bytes of an IPv4-mapped or -compatible one are decimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::decode) struct Ipv6(pub(in crate::decode) [u8; 16]);

impl Ipv6 {
    pub(in crate::decode) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Truncated> {
        cursor.array().map(Self)
    }

    fn groups(self) -> [u16; 8] {
        std::net::Ipv6Addr::from(self.0).segments()
    }
}

/// The longest run of two or more zero groups (the first one if several are equally long), as (start, length); (8, 0) when
/// there is none.
fn longest_zero_run(groups: &[u16; 8]) -> (usize, usize) {
    let mut best = (groups.len(), 1);
    let mut start = 0;
    for (i, group) in groups.iter().enumerate() {
        if *group != 0 {
            start = i + 1;
        } else if i + 1 - start > best.1 {
            best = (start, i + 1 - start);
        }
    }
    if best.1 < 2 { (groups.len(), 0) } else { best }
}

impl fmt::Display for Ipv6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.groups();
        let (start, length) = longest_zero_run(&groups);
        let (_, v4) = self.0.split_at(12);
        if start == 0 && (length == 6 || (length == 5 && groups[5] == 0xffff)) {
            let prefix = if length == 6 { "::" } else { "::ffff:" };
            return write!(f, "{prefix}{}.{}.{}.{}", v4[0], v4[1], v4[2], v4[3]);
        }
        for (i, group) in groups.iter().enumerate() {
            if i == start {
                f.write_str(if i + length == groups.len() { "::" } else { ":" })?;
            } else if i < start || i >= start + length {
                if i > 0 {
                    f.write_str(":")?;
                }
                write!(f, "{group:x}")?;
            }
        }
        Ok(())
    }
}

/// The address of an IP packet's source or destination.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(in crate::decode) enum Address {
    V4(Ipv4),
    V6(Ipv6),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
        }
    }
}

/// The name of an address family (IANA address family numbers), in tcpdump's words.
pub(in crate::decode) fn family_name(family: u16) -> Option<&'static str> {
    Some(match family {
        0 => "Reserved",
        1 => "IPv4",
        2 => "IPv6",
        3 => "NSAP",
        4 => "HDLC",
        5 => "BBN 1822",
        6 => "802",
        7 => "E.163",
        8 => "E.164",
        9 => "F.69",
        10 => "X.121",
        11 => "Novell IPX",
        12 => "Appletalk",
        13 => "Decnet IV",
        14 => "Banyan Vines",
        15 => "E.164 with NSAP subaddress",
        25 => "VPLS",
        196 => "Layer-2 VPN",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_forms() {
        for (address, text) in [
            ("::", "::"),
            ("::1", "::1"),
            ("fe80::1", "fe80::1"),
            ("2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"),
            ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
            ("1:0:0:2:0:0:3:4", "1::2:0:0:3:4"),
            ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
            ("::ffff:10.0.0.1", "::ffff:10.0.0.1"),
            ("::10.0.0.1", "::10.0.0.1"),
            ("0:0:1:2:3:4:5:6", "::1:2:3:4:5:6"),
        ] {
            let parsed: std::net::Ipv6Addr = address.parse().unwrap();
            assert_eq!(Ipv6(parsed.octets()).to_string(), text);
        }
    }

    #[test]
    fn mac_of_any_length() {
        assert_eq!(Mac(&[0, 0x1b, 0xff]).to_string(), "00:1b:ff");
        assert_eq!(Mac(&[]).to_string(), "");
    }
}
