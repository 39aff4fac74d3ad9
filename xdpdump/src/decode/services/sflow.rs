//! sFlow version 5 (sFlow.org, "sFlow Version 5", July 2004).

use crate::decode::address::{Ipv4, Ipv6};
use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Bytes of a datagram's header with an IPv4 address.
const HEADER: usize = 28;
/// Bytes that an IPv6 address is longer.
const LONGER_ADDRESS: usize = 12;

/// Prints a datagram, and its samples with `-v`.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cut_to(layer.len).cursor("sflow");
    if layer.bytes.len() < HEADER.min(layer.len) {
        return Err(cursor.truncated());
    }
    let version = cursor.u32()?;
    if version != 5 {
        write!(p, "sFlow version {version} packet not supported");
        return Ok(());
    }
    cursor.need(4)?;
    p.text("sFlowv5");
    if layer.len < HEADER {
        write!(p, " [length {} < {HEADER}] (invalid)", layer.len);
        return Ok(());
    }
    match cursor.u32()? {
        1 => write!(p, ", IPv4 agent {}", Ipv4::read(&mut cursor)?),
        2 if layer.len < HEADER + LONGER_ADDRESS => {
            write!(p, " [length {} < {HEADER}] (invalid)", layer.len);
            return Ok(());
        }
        2 => write!(p, ", IPv6 agent {}", Ipv6::read(&mut cursor)?),
        _ => return Err(cursor.truncated()),
    }
    let (agent, number, uptime, samples) = (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
    write!(p, ", agent-id {agent}");
    if p.verbose() {
        write!(p, ", seqnum {number}, uptime {uptime}, samples {samples}");
    }
    write!(p, ", length {}", layer.len);
    if p.verbose() && !print_samples(p, &mut cursor, samples)? {
        p.text(" (invalid)");
    }
    Ok(())
}

/// Whether what was printed is valid.
type Valid = Result<bool, Truncated>;

fn print_samples(p: &mut Printer<'_>, cursor: &mut Cursor<'_>, count: u32) -> Valid {
    for _ in 0..count {
        if cursor.rest().is_empty() {
            break;
        }
        let (kind, len) = (cursor.u32()? & 0xfff, cursor.u32()?);
        let name = match kind {
            1 => "flow sample",
            2 => "counter sample",
            3 => "expanded flow sample",
            4 => "expanded counter sample",
            _ => "Unknown",
        };
        write!(p, "\n\t{name} ({kind}), length {len},");
        if len as usize > cursor.rest().len() {
            return Ok(false);
        }
        let mut sample = Cursor::new("sflow", cursor.take(len as usize)?);
        let valid = match kind {
            1 | 3 => print_flow(p, &mut sample, kind == 3)?,
            2 | 4 => print_counters(p, &mut sample, kind == 4)?,
            _ => {
                if p.style.verbosity < 2 {
                    p.hex("\n\t    ", sample.rest());
                }
                true
            }
        };
        if !valid {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Prints what the sample is of: its number, and the kind and index of its source.
fn print_source(p: &mut Printer<'_>, sample: &mut Cursor<'_>, expanded: bool) -> Printed {
    let number = sample.u32()?;
    let (kind, index) = if expanded {
        (sample.u32()?, sample.u32()?)
    } else {
        let id = sample.u32()?;
        (id >> 24, id & 0x00ff_ffff)
    };
    write!(p, " seqnum {number}, type {kind}, idx {index}");
    Ok(())
}

fn print_flow(p: &mut Printer<'_>, sample: &mut Cursor<'_>, expanded: bool) -> Valid {
    if sample.rest().len() < if expanded { 44 } else { 32 } {
        p.text(" (invalid)");
        return Ok(true);
    }
    print_source(p, sample, expanded)?;
    write!(p, ", rate {}, pool {}, drops {}", sample.u32()?, sample.u32()?, sample.u32()?);
    if expanded {
        sample.skip(16)?;
        p.text(",");
    } else {
        write!(p, ", input {} output {}", sample.u32()?, sample.u32()?);
    }
    let count = sample.u32()?;
    write!(p, " records {count}");
    for _ in 0..count {
        if sample.rest().len() < 8 {
            return Ok(false);
        }
        let (id, len) = (sample.u32()?, sample.u32()? as usize);
        let (enterprise, kind) = (id >> 12, id & 0xfff);
        let name = (enterprise == 0).then(|| flow_name(kind)).flatten().unwrap_or("Unknown");
        write!(p, "\n\t    enterprise {enterprise} {name} ({kind}) length {len}");
        let Ok(data) = sample.take(len) else { return Ok(false) };
        let mut record = Cursor::new("sflow", data);
        let least = match (enterprise, kind) {
            (0, 1 | 1001) => 16,
            (0, 2) => 24,
            _ => 0,
        };
        if data.len() < least {
            return Ok(false);
        }
        match (enterprise, kind) {
            (0, 1) => {
                let protocol = record.u32()?;
                let name = match protocol {
                    1 => "Ethernet",
                    11 => "IPv4",
                    12 => "IPv6",
                    _ => "Unknown",
                };
                write!(p, "\n\t      protocol {name} ({protocol}), length {}", record.u32()?);
                write!(p, ", stripped bytes {}, header_size {}", record.u32()?, record.u32()?);
            }
            (0, 2) => {
                write!(p, "\n\t      frame len {}", record.u32()?);
                record.skip(16)?;
                write!(p, ", type {}", record.u32()?);
            }
            (0, 1001) => {
                write!(p, "\n\t      src vlan {}, src pri {}", record.u32()?, record.u32()?);
                write!(p, ", dst vlan {}, dst pri {}", record.u32()?, record.u32()?);
            }
            (0, 3 | 4 | 1002..=1012) => {}
            _ if enterprise == 0 && p.style.verbosity < 2 => p.hex("\n\t\t", data),
            _ => {}
        }
    }
    Ok(true)
}

fn flow_name(kind: u32) -> Option<&'static str> {
    Some(match kind {
        1 => "Raw packet",
        2 => "Ethernet frame",
        3 => "IPv4 Data",
        4 => "IPv6 Data",
        1001 => "Extended Switch data",
        1002 => "Extended Router data",
        1003 => "Extended Gateway data",
        1004 => "Extended User data",
        1005 => "Extended URL data",
        1006 => "Extended MPLS data",
        1007 => "Extended NAT data",
        1008 => "Extended MPLS tunnel",
        1009 => "Extended MPLS VC",
        1010 => "Extended MPLS FEC",
        1011 => "Extended MPLS LVP FEC",
        1012 => "Extended VLAN Tunnel",
        _ => return None,
    })
}

fn print_counters(p: &mut Printer<'_>, sample: &mut Cursor<'_>, expanded: bool) -> Valid {
    if sample.rest().len() < if expanded { 16 } else { 12 } {
        p.text(" (invalid)");
        return Ok(true);
    }
    print_source(p, sample, expanded)?;
    let count = sample.u32()?;
    write!(p, ", records {count}");
    for _ in 0..count {
        if sample.rest().len() < 8 {
            return Ok(false);
        }
        let (id, len) = (sample.u32()?, sample.u32()? as usize);
        let (enterprise, kind) = (id >> 20, id & 0xfff);
        let (name, least) = match (enterprise, kind) {
            (0, 1) => ("Generic counter", 88),
            (0, 2) => ("Ethernet counter", 52),
            (0, 3) => ("Token ring counter", 72),
            (0, 4) => ("100 BaseVG counter", 80),
            (0, 5) => ("Vlan counter", 28),
            (0, 1001) => ("Processor counter", 28),
            _ => ("Unknown", 0),
        };
        write!(p, "\n\t    enterprise {enterprise}, {name} ({kind}) length {len}");
        let Ok(data) = sample.take(len) else { return Ok(false) };
        if data.len() < least {
            return Ok(false);
        }
        let mut record = Cursor::new("sflow", data);
        match (enterprise, kind) {
            (0, 1) => print_interface(p, &mut record)?,
            (0, 2) => print_ethernet(p, &mut record)?,
            (0, 3) => {}
            (0, 4) => print_base_vg(p, &mut record)?,
            (0, 5) => {
                write!(p, "\n\t      vlan_id {}, octets {}", record.u32()?, record.u64()?);
                write!(p, ", unicast_pkt {}, multicast_pkt {}", record.u32()?, record.u32()?);
                write!(p, ", broadcast_pkt {}, discards {}", record.u32()?, record.u32()?);
            }
            (0, 1001) => {
                write!(p, "\n\t      5sec {}, 1min {}, 5min {}", record.u32()?, record.u32()?, record.u32()?);
                write!(p, ", total_mem {}, total_mem {}", record.u64()?, record.u64()?);
            }
            _ if enterprise == 0 && p.style.verbosity < 2 => p.hex("\n\t\t", data),
            _ => {}
        }
    }
    Ok(true)
}

fn print_interface(p: &mut Printer<'_>, record: &mut Cursor<'_>) -> Printed {
    write!(p, "\n\t      ifindex {}, iftype {}", record.u32()?, record.u32()?);
    write!(p, ", ifspeed {}", record.u64()?);
    let direction = record.u32()?;
    let name = match direction {
        1 => "full-duplex",
        2 => "half-duplex",
        3 => "in",
        4 => "out",
        _ => "Unknown",
    };
    write!(p, ", ifdirection {direction} ({name})");
    let status = record.u32()?;
    let state = |bit: u32| if status & bit == 0 { "down" } else { "up" };
    write!(p, "\n\t      ifstatus {status}, adminstatus: {}, operstatus: {}", state(1), state(2));
    print_traffic(p, record, "In")?;
    write!(p, "\n\t      In errors {}, unknown protos {}", record.u32()?, record.u32()?);
    print_traffic(p, record, "Out")?;
    write!(p, "\n\t      Out errors {}, promisc mode {}", record.u32()?, record.u32()?);
    Ok(())
}

fn print_traffic(p: &mut Printer<'_>, record: &mut Cursor<'_>, direction: &str) -> Printed {
    write!(p, "\n\t      {direction} octets {}, unicast pkts {}", record.u64()?, record.u32()?);
    write!(p, ", multicast pkts {}, broadcast pkts {}", record.u32()?, record.u32()?);
    write!(p, ", discards {}", record.u32()?);
    Ok(())
}

fn print_ethernet(p: &mut Printer<'_>, record: &mut Cursor<'_>) -> Printed {
    const NAMES: [&str; 13] = [
        "\n\t      align errors",
        ", fcs errors",
        ", single collision",
        ", multiple collision",
        ", test error",
        "\n\t      deferred",
        ", late collision",
        ", excessive collision",
        ", mac trans error",
        "\n\t      carrier error",
        ", frames too long",
        ", mac receive errors",
        ", symbol errors",
    ];
    for name in NAMES {
        write!(p, "{name} {}", record.u32()?);
    }
    Ok(())
}

fn print_base_vg(p: &mut Printer<'_>, record: &mut Cursor<'_>) -> Printed {
    for priority in ["high", "norm"] {
        write!(p, "\n\t      in {priority} prio frames {}", record.u32()?);
        write!(p, ", in {priority} prio octets {}", record.u64()?);
    }
    write!(p, "\n\t      in ipm errors {}, oversized {}", record.u32()?, record.u32()?);
    write!(p, ", in data errors {}, null addressed frames {}", record.u32()?, record.u32()?);
    write!(p, "\n\t      out high prio frames {}, out high prio octets {}", record.u32()?, record.u64()?);
    write!(p, ", trans into frames {}", record.u32()?);
    write!(p, "\n\t      in hc high prio octets {}", record.u64()?);
    write!(p, ", in hc norm prio octets {}, out hc high prio octets {}", record.u64()?, record.u64()?);
    Ok(())
}
