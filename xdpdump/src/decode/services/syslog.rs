//! Syslog over UDP (RFC 3164, RFC 5426).

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Facilities (RFC 5424 §6.2.1).
const FACILITIES: [&str; 24] = [
    "kernel", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "security", "console", "cron", "local0", "local1", "local2", "local3", "local4", "local5",
    "local6", "local7",
];

/// Severities (RFC 5424 §6.2.1).
const SEVERITIES: [&str; 8] =
    ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"];

/// Prints facility and severity, and with `-v` the message.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let Some((priority, message)) = split_priority(layer.bytes)? else {
        p.text(" (invalid)");
        return Ok(());
    };
    let (facility, severity) = (priority >> 3, usize::from(priority & 7));
    let name = FACILITIES.get(usize::from(facility)).copied();
    if !p.verbose() {
        p.text("SYSLOG ");
        p.name(name, format_args!("unknown ({facility})"));
        write!(p, ".{}, length: {}", SEVERITIES[severity], layer.len);
        return Ok(());
    }
    write!(p, "SYSLOG, length: {}\n\tFacility ", layer.len);
    p.name(name, format_args!("unknown ({facility})"));
    write!(p, " ({facility}), Severity {} ({severity})\n\tMsg: ", SEVERITIES[severity]);
    p.escaped(message);
    if layer.bytes.len() < layer.len {
        return Err(Truncated("syslog"));
    }
    if p.style.verbosity > 1 {
        p.hex("\n\t", layer.bytes);
    }
    Ok(())
}

/// The number between `<` and `>` at the beginning, and what follows it; `None` if it is not there.
fn split_priority(bytes: &[u8]) -> Result<Option<(u16, &[u8])>, Truncated> {
    let truncated = Truncated("syslog");
    let (first, mut rest) = bytes.split_first().ok_or(truncated)?;
    if *first != b'<' {
        return Ok(None);
    }
    let mut priority = 0_u16;
    for _ in 0..4 {
        let (byte, after) = rest.split_first().ok_or(truncated)?;
        rest = after;
        match byte {
            b'0'..=b'9' => priority = priority.wrapping_mul(10).wrapping_add(u16::from(byte - b'0')),
            b'>' => return Ok(Some((priority, rest))),
            _ => return Ok(None),
        }
    }
    Ok(None)
}
