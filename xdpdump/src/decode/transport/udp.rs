//! UDP (RFC 768).

use crate::decode::checksum::expected;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::network::ip;
use crate::decode::printer::Printer;
use crate::decode::services::nfs;
use crate::decode::transport::port::{self, Payload};

const HEADER: usize = 8;

/// Prints a UDP datagram.
pub(in crate::decode) fn print(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("udp");
    let ports = (|| Ok((cursor.u16()?, cursor.u16()?)))();
    let (src_port, dst_port) = match ports {
        Ok(ports) => ports,
        Err(truncated) => {
            if header.direct {
                write!(p, "{} > {}: ", header.src, header.dst);
            }
            return Err(truncated);
        }
    };
    crate::decode::transport::tcp::print_ports(p, header, src_port, dst_port);
    if layer.len < HEADER {
        write!(p, "truncated-udp {}", layer.len);
        return Ok(());
    }
    let length = usize::from(cursor.u16()?);
    let length = if length == 0 && layer.len >= 0x1_0000 { layer.len } else { length };
    if length < HEADER {
        write!(p, "truncated-udplength {length}");
        return Ok(());
    }
    let checksum = cursor.u16()?;
    if !p.style.quiet {
        // tcpdump does not look at the checksum of these.
        let ports = [src_port, dst_port];
        let payload = Payload { header, ports, layer: layer.skip(HEADER).cut_to(length - HEADER) };
        if let Some(printed) = nfs::print_udp(p, payload) {
            return printed;
        }
    }
    let checked = if header.is_v6() { p.verbose() } else { p.style.verbosity > 1 };
    if checked && !header.fragment {
        print_checksum(p, header, layer, length, checksum);
    }
    if !p.style.quiet
        && let Some(printed) =
            port::print_udp(p, header, [src_port, dst_port], layer.skip(HEADER).cut_to(length - HEADER))
    {
        return printed;
    }
    let payload = length - HEADER;
    let available = layer.len - HEADER;
    // The rest of a fragmented datagram is in other packets.
    if payload > available && !header.fragment {
        write!(p, "UDP, bad length {payload} > {available}");
    } else {
        write!(p, "UDP, length {payload}");
    }
    Ok(())
}

fn print_checksum(p: &mut Printer<'_>, header: &ip::Header, layer: Layer<'_>, length: usize, field: u16) {
    if p.style.unverified {
        return;
    }
    if field == 0 && !header.is_v6() {
        p.text("[no cksum] ");
        return;
    }
    let Some(sum) = header.sum(ip::UDP, layer.bytes, length.min(layer.len)) else { return };
    if sum == 0 {
        p.text("[udp sum ok] ");
    } else {
        write!(p, "[bad udp cksum 0x{field:04x} -> 0x{:04x}!] ", expected(field, sum));
    }
}
