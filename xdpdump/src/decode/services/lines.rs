//! Protocols made of lines of text.

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// Request methods (RFC 9110 §9).
const METHODS: [&[u8]; 9] =
    [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"];

/// Whether the segment begins with a request's method or a reply's version and status.
fn begins_http(bytes: &[u8]) -> bool {
    // The last word may continue after the captured bytes.
    let mut words = bytes.split_inclusive(u8::is_ascii_whitespace).filter(|word| word.ends_with(b" "));
    let first = words.next().map_or(&[][..], <[u8]>::trim_ascii_end);
    METHODS.contains(&first) || (first.starts_with(b"HTTP/") && words.next().is_some())
}

/// Prints `: HTTP` and the request or status line if the segment begins with one.
pub(in crate::decode) fn print_http(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": HTTP");
    if !begins_http(layer.bytes) {
        return Ok(());
    }
    if p.verbose() {
        write!(p, ", length: {}", layer.len);
        return print_lines(p, layer);
    }
    match first_line(layer.bytes) {
        Some(line) => {
            p.text(": ");
            p.line(line);
            Ok(())
        }
        None if layer.bytes.len() < layer.len => Err(Truncated("http")),
        None => Ok(()),
    }
}

/// Prints every line of the segment; the last line is marked when its end is missing.
fn print_lines(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    let cut = layer.bytes.len() < layer.len;
    for line in layer.bytes.split_inclusive(|byte| *byte == b'\n') {
        let ended = line.ends_with(b"\n");
        if ended || !cut || line.ends_with(b"\r") {
            p.text("\n\t");
            p.line(line.trim_ascii_end());
        }
        if !ended {
            return Err(Truncated("http"));
        }
    }
    if cut { Err(Truncated("http")) } else { Ok(()) }
}

/// Prints `: SSH:` and the version that a side announces (RFC 4253 §4.2); everything after it is binary.
pub(in crate::decode) fn print_ssh(p: &mut Printer<'_>, layer: Layer<'_>) {
    if let (true, Some(line)) = (layer.bytes.starts_with(b"SSH-"), first_line(layer.bytes)) {
        p.text(": SSH: ");
        p.line(line);
    }
}

/// The first line without its end, if the end was captured.
fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let line = bytes.get(..end)?;
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}
