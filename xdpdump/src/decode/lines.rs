//! Protocols that speak in lines of text: the first line of a segment is shown.

use super::cursor::{Layer, Printed, Truncated};
use super::{Printer, text};

/// Words a line of HTTP begins with (RFC 9110 §9); replies begin with the version.
const HTTP: [&[u8]; 10] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"CONNECT ",
    b"OPTIONS ",
    b"TRACE ",
    b"PATCH ",
    b"HTTP/",
];

/// Prints `: HTTP` and the request or status line if the segment begins with one.
pub(super) fn print_http(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": HTTP");
    let begins = HTTP.iter().any(|word| layer.bytes.starts_with(word));
    if p.verbose() {
        write!(p, ", length: {}", layer.len);
        return if begins { print_header(p, layer) } else { Ok(()) };
    }
    if !begins {
        return Ok(());
    }
    match first_line(layer.bytes) {
        Some(line) => {
            p.text(": ");
            text::line(p.out, line);
            Ok(())
        }
        None if layer.bytes.len() < layer.len => Err(Truncated("http")),
        None => Ok(()),
    }
}

/// Prints the lines of a header, up to the empty one.
fn print_header(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let mut rest = layer.bytes;
    while let Some(line) = first_line(rest) {
        p.text("\n\t");
        text::line(p.out, line);
        rest = rest.get(line.len()..).unwrap_or_default();
        rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        if line.is_empty() {
            return Ok(());
        }
    }
    if layer.bytes.len() < layer.len { Err(Truncated("http")) } else { Ok(()) }
}

/// Prints `: SSH:` and the version a side announces (RFC 4253 §4.2); what follows is binary.
pub(super) fn print_ssh(p: &mut Printer<'_>, layer: Layer<'_>) {
    if let (true, Some(line)) = (layer.bytes.starts_with(b"SSH-"), first_line(layer.bytes)) {
        p.text(": SSH: ");
        text::line(p.out, line);
    }
}

/// The first line without its end, if the end was captured.
fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}
