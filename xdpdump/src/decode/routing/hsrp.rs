//! Cisco's hot standby router protocol, version 1 (RFC 2281), whose version field is 0.

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;

pub(in crate::decode) const PORT: u16 = 1985;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("hsrp");
    let version = cursor.u8()?;
    write!(p, "HSRPv{version}");
    if version != 0 {
        return Ok(());
    }
    match cursor.u8()? {
        0 => p.text("-hello "),
        1 => p.text("-coup "),
        2 => p.text("-resign "),
        other => write!(p, "-unknown ({other}) "),
    }
    write!(p, "{}: ", layer.len);
    let state = cursor.u8()?;
    match state {
        0 => p.text("state=initial "),
        1 => p.text("state=learn "),
        2 => p.text("state=listen "),
        4 => p.text("state=speak "),
        8 => p.text("state=standby "),
        16 => p.text("state=active "),
        _ => write!(p, "state=Unknown ({state}) "),
    }
    let (hello, hold, priority, group) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    write!(p, "group={group} ");
    let reserved = cursor.u8()?;
    if reserved != 0 {
        write!(p, "[reserved={reserved}!] ");
    }
    let authentication = cursor.take(8)?;
    write!(p, "addr={}", Ipv4::read(&mut cursor)?);
    if p.verbose() {
        p.text(" hellotime=");
        print_seconds(p, hello);
        p.text(" holdtime=");
        print_seconds(p, hold);
        write!(p, " priority={priority} auth=\"");
        p.escaped(authentication.split(|byte| *byte == 0).next().unwrap_or_default());
        p.text("\"");
    }
    Ok(())
}

fn print_seconds(p: &mut Printer<'_>, seconds: u8) {
    if seconds >= 60 {
        write!(p, "{}m", seconds / 60);
    }
    if seconds % 60 != 0 || seconds == 0 {
        write!(p, "{}s", seconds % 60);
    }
}
