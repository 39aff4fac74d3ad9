//! IEEE 802.2 LLC and SNAP.

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::link::ethernet::Addresses;
use crate::decode::link::ethertype;
use crate::decode::link::stp;
use crate::decode::network::ipv4;
use crate::decode::printer::Printer;
use crate::decode::routing::osi;

const SNAP: u8 = 0xaa;
const STP: u8 = 0x42;
const IP: u8 = 0x06;
const IPX: u8 = 0xe0;
const GLOBAL: u8 = 0xff;
const OSI: u8 = 0xfe;
const UNNUMBERED_INFORMATION: u8 = 0x03;

/// Prints what an 802.3 frame carries.
pub(in crate::decode) fn print(p: &mut Printer<'_>, addresses: Addresses<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("llc");
    if cursor.need(3).is_err() || layer.len < 3 {
        p.text(" [|llc]");
        p.hex_ascii("\n\t", layer.bytes);
        return Ok(());
    }
    let (dsap, ssap) = (cursor.u8()?, cursor.u8()?);
    let first = cursor.u8()?;
    let unnumbered = first & 3 == 3;
    let (control, header) =
        if unnumbered { (u16::from(first), 3) } else { (u16::from_be_bytes([cursor.u8()?, first]), 4) };
    if dsap == GLOBAL && ssap == GLOBAL {
        p.text(if p.style.link_header { "IPX 802.3: " } else { "IPX " });
        return Err(Truncated("ipx"));
    }
    let (dsap_name, ssap_name) = (sap_name(dsap & !1), sap_name(ssap & !1));
    if p.style.link_header {
        let group = if dsap & 1 == 0 { "Individual" } else { "Group" };
        let response = if ssap & 1 == 0 { "Command" } else { "Response" };
        write!(p, "LLC, dsap {dsap_name} (0x{:02x}) {group}, ", dsap & !1);
        write!(p, "ssap {ssap_name} (0x{:02x}) {response}, ctrl 0x", ssap & !1);
        if unnumbered { write!(p, "{control:02x}: ") } else { write!(p, "{control:04x}: ") }
    }
    let payload = layer.skip(header);
    if unnumbered && control & 0xef == u16::from(UNNUMBERED_INFORMATION) {
        match (dsap & !1, ssap & !1) {
            (SNAP, SNAP) => return print_snap(p, addresses, layer),
            (STP, STP) => return stp::print(p, payload),
            (OSI, OSI) => return osi::print(p, payload),
            (IP, IP) => return p.nested(|p| ipv4::print(p, payload)),
            (IPX, IPX) => {
                p.text(if p.style.link_header { "IPX 802.2: " } else { "IPX " });
                return Err(Truncated("ipx"));
            }
            _ => {}
        }
    }
    if !p.style.link_header {
        write!(p, "{} > {} ", addresses.src, addresses.dst);
        if dsap & !1 == ssap & !1 {
            write!(p, "{ssap_name} ");
        } else {
            write!(p, "{ssap_name} > {dsap_name} ");
        }
    }
    print_control(p, control, unnumbered, ssap & 1 == 1);
    write!(p, ", length {}", layer.len);
    let supervisory = !unnumbered && control & 3 == 1;
    if !supervisory {
        p.payload(layer);
    }
    Ok(())
}

fn print_control(p: &mut Printer<'_>, control: u16, unnumbered: bool, response: bool) {
    if unnumbered {
        let poll = control & 0x10 != 0;
        let name = match control & !0x10 {
            0x03 => "ui",
            0x63 => "ua",
            0x43 => "disc",
            0x0f => "dm",
            0x6f => "sabme",
            0xe3 => "test",
            0xaf => "xid",
            0x87 => "frmr",
            _ => "??",
        };
        let flags = match (response, poll) {
            (false, false) => "Command",
            (false, true) => "Poll",
            (true, false) => "Response",
            (true, true) => "Final",
        };
        write!(p, "Unnumbered, {name}, Flags [{flags}]");
        return;
    }
    let poll = control & 0x100 != 0;
    let flags = match (response, poll) {
        (false, false) => "Command",
        (false, true) => "Poll",
        (true, false) => "Response",
        (true, true) => "Final",
    };
    let received = control >> 9;
    if control & 3 == 1 {
        let name =
            ["Receiver Ready", "Receiver not Ready", "Reject", "unknown"][usize::from(control >> 2 & 3)];
        write!(p, "Supervisory, {name}, rcv seq {received}, Flags [{flags}]");
    } else {
        let sent = control >> 1 & 0x7f;
        write!(p, "Information, send seq {sent}, rcv seq {received}, Flags [{flags}]");
    }
}

/// Names of service access points (IEEE 802.2, as tcpdump writes them).
fn sap_name(sap: u8) -> &'static str {
    match sap {
        0x00 => "Null",
        OSI => "OSI",
        0x02 => "8021B_I",
        IP => "IP",
        0x0e => "PROWAY-NM",
        STP => "STP",
        0x8e => "PROWAY-ASLM",
        SNAP => "SNAP",
        IPX => "IPX",
        0xf0 => "NetBeui",
        _ => "Unknown",
    }
}

/// Prints a SNAP header (IEEE 802 §10.3) and its payload; `layer` begins with the LLC header.
fn print_snap(p: &mut Printer<'_>, addresses: Addresses<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.skip(3).cursor("snap");
    cursor.need(5)?;
    let oui = cursor.u24()?;
    let protocol = cursor.u16()?;
    let payload = layer.skip(8);
    if p.style.link_header {
        print_snap_header(p, oui, protocol, payload.len);
    }
    let printed = match oui {
        // Encapsulated Ethernet, and its use by Cisco and Apple.
        0 | 0x00_00f8 => p.nested_option(|p| ethertype::print(p, protocol, payload)),
        _ => None,
    };
    if let Some(printed) = printed {
        return printed;
    }
    if !p.style.link_header {
        write!(p, "{} > {} SNAP, ", addresses.src, addresses.dst);
        print_snap_header(p, oui, protocol, payload.len);
    }
    p.payload(layer);
    Ok(())
}

fn print_snap_header(p: &mut Printer<'_>, oui: u32, protocol: u16, len: usize) {
    let name = match oui {
        0 => "Ethernet",
        0x00_000c => "Cisco",
        0x00_00f8 => "Cisco bridged",
        0x00_80c2 => "RFC2684",
        0x08_0007 => "Appletalk",
        _ => "Unknown",
    };
    // Without the link-level header, tcpdump does not print the OUI for encapsulated Ethernet.
    if p.style.link_header || oui != 0 {
        write!(p, "oui {name} (0x{oui:06x}), ");
    }
    match (oui, ethertype::name(protocol)) {
        (0 | 0x00_00f8 | 0x08_0007, Some(name)) => write!(p, "ethertype {name} (0x{protocol:04x})"),
        (0 | 0x00_00f8, None) => write!(p, "ethertype Unknown (0x{protocol:04x})"),
        (0x00_000c, _) => write!(p, "pid {} (0x{protocol:04x})", cisco_name(protocol)),
        _ => write!(p, "pid Unknown (0x{protocol:04x})"),
    }
    write!(p, ", length {len}: ");
}

fn cisco_name(protocol: u16) -> &'static str {
    match protocol {
        0x010b => "PVST",
        0x0111 => "UDLD",
        0x2000 => "CDP",
        0x2003 => "VTP",
        0x2004 => "DTP",
        _ => "Unknown",
    }
}
