//! Transparent inter-process communication (version 2 of its protocol).

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;

/// Users of the protocol: the first four are the importance of data.
const CONNECTION_MANAGER: u32 = 8;
const LINK_USERS: [u32; 7] = [5, 6, 7, 10, 11, 12, 4];
const NEIGHBOURS: u32 = 13;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("tipc");
    if layer.len < 16 {
        return Err(cursor.truncated());
    }
    let words = [cursor.u32()?, cursor.u32()?];
    let user = words[0] >> 25 & 15;
    match user {
        0..=3 | 8 | 9 | 10 | 11 | 14 if user <= 3 || user == CONNECTION_MANAGER || user == 11 => {
            print_payload(p, words, user, &mut cursor)
        }
        _ if LINK_USERS.contains(&user) => print_internal(p, words, user, &mut cursor),
        NEIGHBOURS => print_neighbours(p, words, user, &mut cursor),
        _ => Ok(()),
    }
}

fn user_name(user: u32) -> &'static str {
    match user {
        0 => "Low Importance Data payload",
        1 => "Medium Importance Data payload",
        2 => "High Importance Data payload",
        3 => "Critical Importance Data payload",
        5 => "Broadcast Link Protocol internal",
        6 => "Message Bundler Protocol internal",
        7 => "Link State Protocol internal",
        CONNECTION_MANAGER => "Connection Manager internal",
        10 => "Link Changeover Protocol internal",
        11 => "Name Table Update Protocol internal",
        12 => "Message Fragmentation Protocol internal",
        NEIGHBOURS => "Neighbor Detection Protocol internal",
        _ => "unknown",
    }
}

fn message_name(kind: u32) -> &'static str {
    match kind {
        0 => "CONN_MSG",
        1 => "MCAST_MSG",
        2 => "NAMED_MSG",
        3 => "DIRECT_MSG",
        _ => "unknown",
    }
}

fn print_address(p: &mut Printer<'_>, address: u32) {
    write!(p, "{}.{}.{}", address >> 24, address >> 12 & 0xfff, address & 0xfff);
}

/// Prints the sizes that every message has.
fn print_sizes(p: &mut Printer<'_>, [first, _]: [u32; 2], user: u32) {
    // The header's length is in words.
    write!(p, ", headerlength {} bytes, MessageSize {} bytes", (first >> 21 & 15) * 4, first & 0x1_ffff);
    write!(p, ", {}, messageType ", user_name(user));
}

fn print_payload(p: &mut Printer<'_>, words: [u32; 2], user: u32, cursor: &mut Cursor<'_>) -> Printed {
    let previous = cursor.u32()?;
    let (origin, target) = (cursor.u32()?, cursor.u32()?);
    let _ = previous;
    write!(p, "TIPC v{}.0 ", words[0] >> 29);
    print_address(p, origin);
    write!(p, ":{target} > {}", cursor.u32()?);
    print_sizes(p, words, user);
    p.text(message_name(words[1] >> 29));
    Ok(())
}

fn print_internal(p: &mut Printer<'_>, words: [u32; 2], user: u32, cursor: &mut Cursor<'_>) -> Printed {
    cursor.skip(12)?;
    let (origin, target) = (cursor.u32()?, cursor.u32()?);
    write!(p, "TIPC v{}.0 ", words[0] >> 29);
    print_address(p, origin);
    p.text(" > ");
    print_address(p, target);
    print_sizes(p, words, user);
    let kind = words[1] >> 29;
    write!(p, "{} (0x{kind:08x})", message_name(kind));
    Ok(())
}

fn print_neighbours(p: &mut Printer<'_>, words: [u32; 2], user: u32, cursor: &mut Cursor<'_>) -> Printed {
    let (target, origin) = (cursor.u32()?, cursor.u32()?);
    write!(p, "TIPC v{}.0 ", words[0] >> 29);
    print_address(p, origin);
    p.text(" > ");
    print_address(p, target);
    print_sizes(p, words, user);
    p.text(match words[1] >> 29 {
        0 => "Link request",
        1 => "Link response",
        _ => "unknown",
    });
    if p.verbose() {
        write!(p, "\n\tNodeSignature {}", words[1] & 0xffff);
        write!(p, ", network_id {}, media_id {}", cursor.u32()?, cursor.u32()?);
    }
    Ok(())
}
