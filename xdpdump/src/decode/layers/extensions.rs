//! Extension headers of IPv6, and the authentication header, which IPv4 has too.
//!
//! etherparse's own iteration over extension headers is not used: it takes what a later fragment begins with for headers,
//! and it relies on the last header being followed by none that it knows, which does not hold in a packet that was cut.

use etherparse::{
    IpAuthHeaderSlice, IpNumber, Ipv6FragmentHeaderSlice, Ipv6RawExtHeaderSlice, err::LenError,
    err::ip_auth::HeaderSliceError, ip_number,
};

use super::{End, Layers, Rest};

/// The extension headers of an IPv6 packet; of several of a kind, the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extensions {
    /// What follows the hop-by-hop options.
    pub(crate) hop_by_hop: Option<u8>,
    /// What follows the destination options.
    pub(crate) destination: Option<u8>,
    pub(crate) routing: Option<Routing>,
    pub(crate) fragment: Option<Fragment>,
}

/// A routing header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Routing {
    pub(crate) next_header: u8,
    pub(crate) kind: u8,
    pub(crate) segments_left: u8,
}

/// A fragment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) next_header: u8,
    /// In units of 8 bytes.
    pub(crate) offset: u16,
    pub(crate) more: bool,
    pub(crate) id: u32,
}

/// An authentication header (RFC 4302).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authentication {
    pub(crate) next_header: u8,
    pub(crate) spi: u32,
    pub(crate) sequence: u32,
}

/// Reads what is between an IPv4 header and the transport header; returns the protocol of that, and its bytes.
pub(super) fn of_ipv4<'a>(
    layers: &mut Layers,
    protocol: IpNumber,
    rest: Rest<'a>,
) -> Option<(IpNumber, Rest<'a>)> {
    if protocol == ip_number::AUTH { authentication(layers, rest) } else { Some((protocol, rest)) }
}

/// Reads what is between an IPv6 header and the transport header; returns the protocol of that, and its bytes.
pub(super) fn of_ipv6<'a>(
    layers: &mut Layers,
    found: &mut Extensions,
    first: IpNumber,
    rest: Rest<'a>,
) -> Option<(IpNumber, Rest<'a>)> {
    let (mut next, mut rest, mut is_first) = (first, rest, true);
    loop {
        (next, rest) = match next {
            ip_number::IPV6_HOP_BY_HOP if !is_first => {
                layers.note(End::Malformed("ipv6.hopopts"));
                return None;
            }
            ip_number::IPV6_HOP_BY_HOP => {
                let (header, rest) = options(layers, "ipv6.hopopts", rest)?;
                found.hop_by_hop.get_or_insert(header.next_header().0);
                (header.next_header(), rest)
            }
            ip_number::IPV6_DEST_OPTIONS => {
                let (header, rest) = options(layers, "ipv6.dstopts", rest)?;
                found.destination.get_or_insert(header.next_header().0);
                (header.next_header(), rest)
            }
            ip_number::IPV6_ROUTE => {
                let (header, rest) = options(layers, "ipv6.routing", rest)?;
                if let [kind, segments_left, ..] = *header.payload() {
                    let next_header = header.next_header().0;
                    found.routing.get_or_insert(Routing { next_header, kind, segments_left });
                }
                (header.next_header(), rest)
            }
            ip_number::IPV6_FRAG => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest.bytes);
                let header = header.map_err(|error| layers.lacks("ipv6.fraghdr", &error, rest)).ok()?;
                found.fragment.get_or_insert(Fragment {
                    next_header: header.next_header().0,
                    offset: header.fragment_offset().value(),
                    more: header.more_fragments(),
                    id: header.identification(),
                });
                // What a later fragment begins with is no header.
                if header.fragment_offset().value() != 0 {
                    return None;
                }
                (header.next_header(), rest.behind(header.slice().len()))
            }
            ip_number::AUTH => authentication(layers, rest)?,
            _ => return Some((next, rest)),
        };
        is_first = false;
    }
}

fn options<'a>(
    layers: &mut Layers,
    name: &'static str,
    rest: Rest<'a>,
) -> Option<(Ipv6RawExtHeaderSlice<'a>, Rest<'a>)> {
    match Ipv6RawExtHeaderSlice::from_slice(rest.bytes) {
        Ok(header) => {
            let len = header.slice().len();
            Some((header, rest.behind(len)))
        }
        Err(error) => {
            layers.lacks(name, &error, rest);
            None
        }
    }
}

fn authentication<'a>(layers: &mut Layers, rest: Rest<'a>) -> Option<(IpNumber, Rest<'a>)> {
    match IpAuthHeaderSlice::from_slice(rest.bytes) {
        Ok(header) => {
            layers.authentication.get_or_insert(Authentication {
                next_header: header.next_header().0,
                spi: header.spi(),
                sequence: header.sequence_number(),
            });
            Some((header.next_header(), rest.behind(header.slice().len())))
        }
        Err(HeaderSliceError::Len(error)) => {
            layers.lacks("ah", &error, rest);
            None
        }
        Err(HeaderSliceError::Content(_)) => {
            layers.note(End::Malformed("ah"));
            None
        }
    }
}

impl Layers {
    /// Notes why a header, of which `rest` is not all, is not there.
    fn lacks(&mut self, name: &'static str, error: &LenError, rest: Rest<'_>) {
        self.note(rest.missing(name, error.required_len));
    }
}
