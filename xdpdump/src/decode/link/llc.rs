//! IEEE 802.2 LLC and SNAP.

use crate::decode::cursor::{Layer, Printed};
use crate::decode::link::ethernet::Addresses;
use crate::decode::link::{appletalk, cdp, dtp, ethernet, ethertype, ipx, oui, stp, udld, vtp};
use crate::decode::network::ipv4;
use crate::decode::printer::Printer;
use crate::decode::routing::osi;

/// Organizations and protocols in SNAP headers.
const CISCO: u32 = 0x00_000c;
const CISCO_BRIDGED: u32 = 0x00_00f8;
const BRIDGED: u32 = 0x00_80c2;
const APPLE: u32 = 0x08_0007;
const BRIDGE_MESSAGE: u16 = 0x000e;
const APPLETALK: u16 = 0x809b;
const VLAN_BRIDGE: u16 = 0x010c;
const PVST: u16 = 0x010b;
const UDLD: u16 = 0x0111;
const CDP: u16 = 0x2000;
const VTP: u16 = 0x2003;
const DTP: u16 = 0x2004;

const SNAP: u8 = 0xaa;
const STP: u8 = 0x42;
const IP: u8 = 0x06;
const IPX: u8 = 0xe0;
const GLOBAL: u8 = 0xff;
const OSI: u8 = 0xfe;
const UNNUMBERED_INFORMATION: u8 = 0x03;
/// The control field of exchange identification without its poll bit, and the format of the information it carries.
const IDENTIFICATION: u16 = 0xaf;
const FORMAT: u8 = 0x81;

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
        if p.style.link_header {
            p.text("IPX 802.3: ");
        }
        return ipx::print(p, layer);
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
    if unnumbered && control == u16::from(UNNUMBERED_INFORMATION) {
        match (dsap & !1, ssap & !1) {
            (SNAP, SNAP) => return print_snap(p, addresses, layer),
            (STP, STP) => return stp::print(p, payload),
            (OSI, OSI) => return osi::print(p, payload),
            (IP, IP) => return p.nested(|p| ipv4::print(p, payload)),
            (IPX, IPX) => {
                if p.style.link_header {
                    p.text("IPX 802.2: ");
                }
                return ipx::print(p, payload);
            }
            _ => {}
        }
    }
    if !p.style.link_header {
        write!(p, "{} ", addresses.src);
        if dsap & !1 != ssap & !1 {
            print_sap(p, "SSAP", ssap & !1);
            p.text(" ");
        }
        write!(p, "> {} ", addresses.dst);
        print_sap(p, "DSAP", dsap & !1);
        p.text(" ");
    }
    print_control(p, control, unnumbered, ssap & 1 == 1);
    write!(p, ", length {}", layer.len);
    if unnumbered && control & !0x10 == IDENTIFICATION {
        // Its classes and window follow the format of the information.
        if let [FORMAT, classes, window, ..] = payload.bytes {
            write!(p, ": {classes:02x} {window:02x}");
            return Ok(());
        }
    }
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
        let name = ["Receiver Ready", "Receiver not Ready", "Reject", "?"][usize::from(control >> 2 & 3)];
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
        0x02 => "802.1B I",
        0x04 => "SNA",
        IP => "IP",
        0x0e => "ProWay NM",
        STP => "STP",
        0x4e => "RS511",
        0x7e => "ISO8208",
        0x8e => "ProWay",
        SNAP => "SNAP",
        IPX => "IPX",
        0xf0 => "NetBeui",
        _ => "Unknown",
    }
}

/// Prints the name of a service access point, or its number if it has none.
fn print_sap(p: &mut Printer<'_>, which: &str, sap: u8) {
    match sap_name(sap) {
        "Unknown" => write!(p, "Unknown {which} 0x{sap:02x}"),
        name => p.text(name),
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
        0 | CISCO_BRIDGED => p.nested_option(|p| ethertype::print_from(p, addresses, protocol, payload)),
        APPLE if protocol == APPLETALK => {
            if p.verbose() {
                p.text("et1 ");
            }
            Some(appletalk::print(p, payload))
        }
        BRIDGED => print_bridged(p, protocol, payload),
        CISCO => print_cisco(p, protocol, payload),
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
    // Without the link-level header, tcpdump does not print the OUI for encapsulated Ethernet.
    if p.style.link_header || oui != 0 {
        write!(p, "oui {} (0x{oui:06x}), ", oui::name(oui));
    }
    let name = match oui {
        CISCO => cisco_name(protocol),
        BRIDGED => bridged_name(protocol),
        0 | CISCO_BRIDGED | APPLE => ethertype::name(protocol).unwrap_or("Unknown"),
        _ => "Unknown",
    };
    let what = if oui == 0 { "ethertype" } else { "pid" };
    write!(p, "{what} {name} (0x{protocol:04x}), length {len}: ");
}

fn bridged_name(protocol: u16) -> &'static str {
    match protocol {
        0x0001 => "Ethernet + FCS",
        0x0007 => "Ethernet w/o FCS",
        0x0002 => "802.4 + FCS",
        0x0003 => "Token Ring + FCS",
        0x0004 => "FDDI + FCS",
        0x0005 => "802.6 + FCS",
        0x0008 => "802.4 w/o FCS",
        0x0009 => "Token Ring w/o FCS",
        0x000a => "FDDI w/o FCS",
        0x000b => "802.6 w/o FCS",
        BRIDGE_MESSAGE => "BPDU",
        _ => "Unknown",
    }
}

/// Prints a frame that crosses another network (RFC 2684 §5.2); `None` if there is no decoder for its kind.
fn print_bridged(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>) -> Option<Printed> {
    Some(match protocol {
        1 | 7 => p.nested(|p| ethernet::print(p, layer.skip(2))),
        BRIDGE_MESSAGE => stp::print(p, layer),
        _ => return None,
    })
}

/// Prints a protocol of Cisco; `None` if there is no decoder for it.
fn print_cisco(p: &mut Printer<'_>, protocol: u16, layer: Layer<'_>) -> Option<Printed> {
    Some(match protocol {
        PVST | VLAN_BRIDGE => stp::print(p, layer),
        UDLD => udld::print(p, layer),
        CDP => cdp::print(p, layer),
        VTP => vtp::print(p, layer),
        DTP => dtp::print(p, layer),
        _ => return None,
    })
}

fn cisco_name(protocol: u16) -> &'static str {
    match protocol {
        PVST => "PVST",
        VLAN_BRIDGE => "VLAN Bridge",
        UDLD => "UDLD",
        CDP => "CDP",
        VTP => "VTP",
        DTP => "DTP",
        _ => "Unknown",
    }
}
