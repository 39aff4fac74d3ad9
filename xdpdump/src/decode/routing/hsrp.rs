//! Cisco's hot standby router protocol, version 1 (RFC 2281), whose version field is 0.

use crate::decode::address::Ipv4;
use crate::decode::cursor::{Layer, Printed};
use crate::decode::printer::Printer;
use crate::decode::routing::duration::Seconds;

pub(in crate::decode) const PORT: u16 = 1985;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut cursor = layer.cursor("hsrp");
    let version = cursor.u8()?;
    write!(p, "HSRPv{version}");
    if version != 0 {
        return Ok(());
    }
    p.text("-");
    match cursor.u8()? {
        0 => p.text("hello "),
        1 => p.text("coup "),
        2 => p.text("resign "),
        other => write!(p, "unknown ({other}) "),
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
        let (hello, hold) = (Seconds(hello.into()), Seconds(hold.into()));
        write!(p, " hellotime={hello} holdtime={hold} priority={priority} auth=\"");
        p.escaped_until_nul(authentication);
        p.text("\"");
    }
    Ok(())
}
