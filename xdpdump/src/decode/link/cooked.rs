//! Linux "cooked" captures: the header that packet(7) sockets give frames of any kind of interface, in two versions.

use crate::decode::address::Mac;
use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::link::ethernet::Addresses;
use crate::decode::link::{ethertype, llc, radiotap};
use crate::decode::printer::Printer;

/// Bytes of a header of version 1.
const HEADER: usize = 16;
/// Bytes of a header of version 2.
const HEADER_2: usize = 20;
/// Largest number that is no `EtherType`.
const MAX_LENGTH: u16 = 1500;
/// Novell's frames (`ETH_P_802_3`, include/uapi/linux/if_ether.h).
const NOVELL: u16 = 1;
/// LLC (`ETH_P_802_2`).
const LLC: u16 = 4;
/// Interfaces whose frames have a radiotap header (`ARPHRD_IEEE80211_RADIOTAP`, include/uapi/linux/if_arp.h).
const RADIOTAP: u16 = 803;
/// The loopback interface has this number in each network namespace (`LOOPBACK_IFINDEX`, include/net/flow.h).
const LOOPBACK: u32 = 1;

/// The fields of either header.
struct Header<'a> {
    protocol: u16,
    hardware: u16,
    /// Number of the interface; `None` in version 1.
    interface: Option<u32>,
    packet_type: u16,
    address_len: u16,
    address: &'a [u8],
}

/// Prints a frame with a header of version 1.
pub(in crate::decode) fn print(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor("sll");
    cursor.need(HEADER)?;
    let (packet_type, hardware, address_len) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    let (address, protocol) = (cursor.take(8)?, cursor.u16()?);
    let header = Header { protocol, hardware, interface: None, packet_type, address_len, address };
    print_frame(p, &header, frame.len, frame.skip(HEADER))
}

/// Prints a frame with a header of version 2.
pub(in crate::decode) fn print_2(p: &mut Printer<'_>, frame: Layer<'_>) -> Printed {
    let mut cursor = frame.cursor("sll2");
    cursor.need(HEADER_2)?;
    let protocol = cursor.u16()?;
    cursor.skip(2)?;
    let (interface, hardware) = (Some(cursor.u32()?), cursor.u16()?);
    let (packet_type, address_len) = (u16::from(cursor.u8()?), u16::from(cursor.u8()?));
    let address = cursor.take(8)?;
    let header = Header { protocol, hardware, interface, packet_type, address_len, address };
    // The file does not tell the names of interfaces.
    let name = if interface == Some(LOOPBACK) { "lo" } else { "?" };
    write!(p, "{name:<5} {:<3} ", direction(packet_type));
    print_frame(p, &header, frame.len, frame.skip(HEADER_2))
}

/// How the frame met the interface.
fn direction(packet_type: u16) -> &'static str {
    match packet_type {
        0 => "In",
        1 => "B",
        2 => "M",
        3 => "P",
        4 => "Out",
        _ => "?",
    }
}

fn print_header(p: &mut Printer<'_>, header: &Header<'_>, len: usize) {
    match header.interface {
        None => write!(p, "{:>3} ", direction(header.packet_type)),
        Some(number) => write!(p, "ifindex {number} "),
    }
    if header.address_len == 6 {
        write!(p, "{} ", Mac(header.address.get(..6).unwrap_or_default()));
    }
    if p.style.quiet {
        return;
    }
    let protocol = header.protocol;
    match (protocol, ethertype::name(protocol)) {
        (NOVELL, _) => p.text("802.3"),
        (LLC, _) => p.text("802.2"),
        (MAX_LENGTH.., Some(name)) => write!(p, "ethertype {name} (0x{protocol:04x})"),
        _ => write!(p, "ethertype Unknown (0x{protocol:04x})"),
    }
    write!(p, ", length {len}: ");
}

/// `len` is the length of the frame with its header.
fn print_frame(p: &mut Printer<'_>, header: &Header<'_>, len: usize, mut layer: Layer<'_>) -> Printed {
    if p.style.link_header {
        print_header(p, header, len);
    }
    if header.hardware == RADIOTAP {
        return p.nested(|p| radiotap::print(p, layer));
    }
    let mut protocol = header.protocol;
    while protocol == ethertype::VLAN {
        let mut cursor = layer.cursor("vlan");
        cursor.need(4)?;
        let tag = cursor.u16()?;
        if p.style.link_header {
            let drop_eligible = if tag & 0x1000 == 0 { "" } else { "DEI, " };
            write!(p, "vlan {}, p {}, {drop_eligible}", tag & 0xfff, tag >> 13);
        }
        protocol = cursor.u16()?;
        if protocol <= MAX_LENGTH {
            protocol = LLC;
        }
        if !p.style.quiet {
            write!(p, "ethertype {}, ", ethertype::name(protocol).unwrap_or("Unknown"));
        }
        layer = layer.skip(4);
    }
    match protocol {
        NOVELL => {
            p.text("IPX ");
            Err(Truncated("ipx"))
        }
        LLC => llc::print(p, Addresses { src: Mac(&[]), dst: Mac(&[]) }, layer),
        ..=MAX_LENGTH => {
            p.payload(layer);
            Ok(())
        }
        _ => p.nested_option(|p| ethertype::print(p, protocol, layer)).unwrap_or_else(|| {
            if !p.style.link_header {
                let own = if header.interface.is_some() { HEADER_2 } else { HEADER };
                print_header(p, header, layer.len + own);
            }
            p.payload(layer);
            Ok(())
        }),
    }
}
