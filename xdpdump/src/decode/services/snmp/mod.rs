//! Simple network management protocol: version 1 (RFC 1157), 2c (RFC 1901, RFC 3416) and 3 (RFC 3412, RFC 3414).

mod ber;

use std::fmt::Arguments;

use crate::decode::cursor::{Cursor, Layer, Printed};
use crate::decode::printer::Printer;
use ber::{Element, Elements, Stop, print_hex};

const GET: u8 = 0;
const GET_NEXT: u8 = 1;
const RESPONSE: u8 = 2;
const TRAP: u8 = 4;
const GET_BULK: u8 = 5;
/// The security model of version 3 that is understood: users with keys (RFC 3414).
const USER_BASED: i32 = 3;

/// Nothing, unless the message is wrong or was cut.
type Read = Result<(), Stop>;

/// Prints a message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(" ");
    match print_message(p, Elements::new(layer.cursor("snmp"), layer.len)) {
        Ok(()) | Err(Stop::Wrong) => Ok(()),
        Err(Stop::Cut(truncated)) => Err(truncated),
    }
}

/// Prints what is wrong with an element, and the element.
fn wrong(p: &mut Printer<'_>, what: Arguments<'_>, element: &Element<'_>) -> Stop {
    write!(p, "[{what}]");
    element.print(p);
    Stop::Wrong
}

/// Says that something follows where nothing may.
fn note_extra(p: &mut Printer<'_>, left: usize, after: &str) {
    if left > 0 {
        write!(p, "[{left} extra after {after}]");
    }
}

fn sequence<'a>(
    p: &mut Printer<'_>,
    elements: &mut Elements<'a>,
    otherwise: &str,
) -> Result<Elements<'a>, Stop> {
    match elements.next(p)? {
        Element::Sequence(inside) => Ok(inside),
        other => Err(wrong(p, format_args!("{otherwise}"), &other)),
    }
}

fn int(p: &mut Printer<'_>, elements: &mut Elements<'_>, name: &str) -> Result<i32, Stop> {
    match elements.next(p)? {
        Element::Int(value) => Ok(value),
        other => Err(wrong(p, format_args!("{name}!=INT"), &other)),
    }
}

fn bytes<'a>(p: &mut Printer<'_>, elements: &mut Elements<'a>, name: &str) -> Result<&'a [u8], Stop> {
    match elements.next(p)? {
        Element::Bytes(value) => Ok(value),
        other => Err(wrong(p, format_args!("{name}!=STR"), &other)),
    }
}

/// Runs a part of the message, after which something is printed even if the part is wrong.
fn closed(p: &mut Printer<'_>, part: impl FnOnce(&mut Printer<'_>) -> Read, close: &str) -> Read {
    match part(p) {
        Err(Stop::Cut(truncated)) => return Err(Stop::Cut(truncated)),
        Ok(()) | Err(Stop::Wrong) => {}
    }
    if p.verbose() {
        p.text(close);
    }
    Ok(())
}

fn open(p: &mut Printer<'_>, text: &str) {
    if p.verbose() {
        p.text(text);
    }
}

fn print_message(p: &mut Printer<'_>, mut outer: Elements<'_>) -> Read {
    let mut message = sequence(p, &mut outer, "!init SEQ")?;
    note_extra(p, outer.left(), "iSEQ");
    let version = int(p, &mut message, "version")?;
    match version {
        0 | 1 => {
            open(p, if version == 0 { "{ SNMPv1 " } else { "{ SNMPv2c " });
            closed(p, |p| print_community(p, message, version), "} ")
        }
        3 => {
            open(p, "{ SNMPv3 ");
            closed(p, |p| print_secured(p, message), "} ")
        }
        _ => {
            write!(p, "SNMP [version = {version}]");
            Ok(())
        }
    }
}

fn print_community(p: &mut Printer<'_>, mut message: Elements<'_>, version: i32) -> Read {
    let community = bytes(p, &mut message, "comm")?;
    // The name that devices are delivered with says nothing.
    if community != b"public" {
        p.text("C=");
        Element::Bytes(community).print(p);
        p.text(" ");
    }
    print_pdu(p, &mut message, version)
}

/// Prints a message of version 3.
fn print_secured(p: &mut Printer<'_>, mut message: Elements<'_>) -> Read {
    let mut header = sequence(p, &mut message, "!message")?;
    open(p, "{ ");
    int(p, &mut header, "msgID")?;
    int(p, &mut header, "msgMaxSize")?;
    let flags = bytes(p, &mut header, "msgFlags")?;
    let [flags] = *flags else {
        write!(p, "[msgFlags size {}]", flags.len());
        return Err(Stop::Wrong);
    };
    if flags > 7 || flags & 3 == 2 {
        write!(p, "[msgFlags=0x{flags:02X}]");
        return Err(Stop::Wrong);
    }
    p.text("F=");
    for (bit, letter) in [(1, "a"), (2, "p"), (4, "r")] {
        if flags & bit != 0 {
            p.text(letter);
        }
    }
    p.text(" ");
    let model = int(p, &mut header, "msgSecurityModel")?;
    open(p, "} ");
    if model != USER_BASED {
        write!(p, "[security model {model}]");
        return Err(Stop::Wrong);
    }
    open(p, "{ USM ");
    let parameters = bytes(p, &mut message, "msgSecurityParameters")?;
    let cursor = Cursor::new("snmp", parameters);
    closed(p, |p| print_user(p, Elements::new(cursor, parameters.len())), "} ")?;
    open(p, "{ ScopedPDU ");
    closed(p, |p| print_scoped(p, &mut message), "} ")
}

fn print_user(p: &mut Printer<'_>, mut outer: Elements<'_>) -> Read {
    let mut parameters = sequence(p, &mut outer, "!usm")?;
    note_extra(p, outer.left(), "usm SEQ");
    bytes(p, &mut parameters, "msgAuthoritativeEngineID")?;
    let boots = int(p, &mut parameters, "msgAuthoritativeEngineBoots")?;
    let time = int(p, &mut parameters, "msgAuthoritativeEngineTime")?;
    if p.verbose() {
        write!(p, "B={boots} T={time} ");
    }
    let user = bytes(p, &mut parameters, "msgUserName")?;
    p.text("U=");
    Element::Bytes(user).print(p);
    p.text(" ");
    bytes(p, &mut parameters, "msgAuthentication")?;
    bytes(p, &mut parameters, "msgPrivacy")?;
    note_extra(p, parameters.left(), "usm SEQ");
    Ok(())
}

fn print_scoped(p: &mut Printer<'_>, message: &mut Elements<'_>) -> Read {
    let mut scoped = sequence(p, message, "!scoped PDU")?;
    let engine = bytes(p, &mut scoped, "contextEngineID")?;
    p.text("E=");
    print_hex(p, engine);
    p.text(" ");
    let name = bytes(p, &mut scoped, "contextName")?;
    p.text("C=");
    Element::Bytes(name).print(p);
    p.text(" ");
    print_pdu(p, &mut scoped, 3)
}

fn print_pdu(p: &mut Printer<'_>, message: &mut Elements<'_>, version: i32) -> Read {
    let pdu = message.next(p)?;
    let Element::Pdu(kind, mut fields) = pdu else {
        p.text("[no PDU]");
        return Err(Stop::Wrong);
    };
    note_extra(p, message.left(), "PDU");
    open(p, "{ ");
    pdu.print(p);
    p.text(" ");
    if version == 0 && kind >= GET_BULK {
        p.text("[v2 PDU in v1 message]");
        return Err(Stop::Wrong);
    }
    if version == 1 && kind == TRAP {
        p.text("[v1 PDU in v2 message]");
        return Err(Stop::Wrong);
    }
    let print = |p: &mut Printer<'_>| {
        if kind == TRAP { print_trap(p, &mut fields) } else { print_fields(p, kind, &mut fields) }
    };
    closed(p, print, " } ")
}

/// The name of an error (RFC 3416 §3).
fn error_name(status: i32) -> Option<&'static str> {
    const NAMES: [&str; 19] = [
        "noError",
        "tooBig",
        "noSuchName",
        "badValue",
        "readOnly",
        "genErr",
        "noAccess",
        "wrongType",
        "wrongLength",
        "wrongEncoding",
        "wrongValue",
        "noCreation",
        "inconsistentValue",
        "resourceUnavailable",
        "commitFailed",
        "undoFailed",
        "authorizationError",
        "notWritable",
        "inconsistentName",
    ];
    NAMES.get(usize::try_from(status).ok()?).copied()
}

fn print_error(p: &mut Printer<'_>, status: i32) {
    p.name(error_name(status), format_args!("err={}", status.cast_unsigned()));
}

fn print_fields(p: &mut Printer<'_>, kind: u8, fields: &mut Elements<'_>) -> Read {
    let request = int(p, fields, "reqId")?;
    if p.verbose() {
        write!(p, "R={request} ");
    }
    let status = int(p, fields, "errorStatus")?;
    match kind {
        GET_BULK => write!(p, " N={status}"),
        _ if status == 0 => {}
        RESPONSE => {
            p.text(" ");
            print_error(p, status);
        }
        _ => {
            p.text("[errorStatus(");
            print_error(p, status);
            p.text(")!=0]");
        }
    }
    let index = int(p, fields, "errorIndex")?;
    match kind {
        GET_BULK => write!(p, " M={index}"),
        RESPONSE if status != 0 => write!(p, "@{index}"),
        _ if index == 0 => {}
        RESPONSE => write!(p, "[errorIndex({index}) w/o errorStatus]"),
        _ => write!(p, "[errorIndex({index})!=0]"),
    }
    print_variables(p, kind, fields)
}

fn print_trap(p: &mut Printer<'_>, fields: &mut Elements<'_>) -> Read {
    const GENERIC: [&str; 7] = [
        "coldStart",
        "warmStart",
        "linkDown",
        "linkUp",
        "authenticationFailure",
        "egpNeighborLoss",
        "enterpriseSpecific",
    ];
    p.text(" ");
    match fields.next(p)? {
        enterprise @ Element::ObjectId(_) => enterprise.print(p),
        other => return Err(wrong(p, format_args!("enterprise!=OID"), &other)),
    }
    p.text(" ");
    match fields.next(p)? {
        agent @ Element::Address(_) => agent.print(p),
        other => return Err(wrong(p, format_args!("agent-addr!=INETADDR"), &other)),
    }
    let generic = int(p, fields, "generic-trap")?;
    p.text(" ");
    let name = usize::try_from(generic).ok().and_then(|generic| GENERIC.get(generic)).copied();
    p.name(name, format_args!("gt={generic}"));
    let specific = int(p, fields, "specific-trap")?;
    if generic == 6 {
        write!(p, " s={specific}");
    } else if specific != 0 {
        write!(p, "[specific-trap({specific})!=0]");
    }
    p.text(" ");
    match fields.next(p)? {
        time @ Element::Unsigned(_) => time.print(p),
        other => return Err(wrong(p, format_args!("time-stamp!=TIMETICKS"), &other)),
    }
    print_variables(p, TRAP, fields)
}

/// Prints names of variables, and values except in requests for them.
fn print_variables(p: &mut Printer<'_>, kind: u8, fields: &mut Elements<'_>) -> Read {
    let mut list = sequence(p, fields, "!SEQ of varbind")?;
    note_extra(p, fields.left(), "SEQ of varbind");
    while list.left() > 0 {
        p.text(" ");
        let mut variable = sequence(p, &mut list, "!varbind")?;
        match variable.next(p)? {
            name @ Element::ObjectId(_) => name.print(p),
            other => return Err(wrong(p, format_args!("objName!=OID"), &other)),
        }
        let request = matches!(kind, GET | GET_NEXT | GET_BULK);
        if !request {
            p.text("=");
        }
        let value = variable.next(p)?;
        if request && !matches!(value, Element::Null) {
            p.text("[objVal!=NULL]");
        }
        value.print(p);
    }
    Ok(())
}
