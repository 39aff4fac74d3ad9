//! Protocols made of lines of text: HTTP (RFC 9112), RTSP (RFC 7826), SIP (RFC 3261), FTP (RFC 959), SMTP (RFC 5321), WHOIS
//! (RFC 3912), and the first line of SSH (RFC 4253).

use crate::decode::cursor::{Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// A protocol made of lines.
pub(in crate::decode) struct Text {
    name: &'static str,
    /// The name where the text was cut.
    short: &'static str,
    /// The requests, of which one begins a message that is no answer; `None` if every line is worth printing.
    requests: Option<&'static [&'static str]>,
}

pub(in crate::decode) const FTP: Text = Text { name: "FTP", short: "ftp", requests: None };
pub(in crate::decode) const SMTP: Text = Text { name: "SMTP", short: "smtp", requests: None };
pub(in crate::decode) const WHOIS: Text = Text { name: "WHOIS", short: "whois", requests: None };

/// Requests of HTTP and of what extends it: WebDAV (RFC 4918), its versions (RFC 3253), search (RFC 5323), events, and
/// older extensions of mail servers.
pub(in crate::decode) const HTTP: Text = Text {
    name: "HTTP",
    short: "http",
    requests: Some(&[
        "GET",
        "POST",
        "HEAD",
        "PUT",
        "DELETE",
        "CONNECT",
        "OPTIONS",
        "TRACE",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "SEARCH",
        "REPORT",
        "CHECKIN",
        "CHECKOUT",
        "UNCHECKOUT",
        "MERGE",
        "LABEL",
        "UPDATE",
        "MKACTIVITY",
        "MKWORKSPACE",
        "VERSION-CONTROL",
        "BASELINE-CONTROL",
        "NOTIFY",
        "POLL",
        "SUBSCRIBE",
        "UNSUBSCRIBE",
        "BCOPY",
        "BDELETE",
        "BMOVE",
        "BPROPFIND",
        "BPROPPATCH",
        "CCM_POST",
        "RPC_CONNECT",
    ]),
};

pub(in crate::decode) const RTSP: Text = Text {
    name: "RTSP",
    short: "rtsp",
    requests: Some(&[
        "OPTIONS",
        "DESCRIBE",
        "ANNOUNCE",
        "SETUP",
        "PLAY",
        "PAUSE",
        "TEARDOWN",
        "GET_PARAMETER",
        "SET_PARAMETER",
        "REDIRECT",
        "RECORD",
    ]),
};

pub(in crate::decode) const SIP: Text = Text {
    name: "SIP",
    short: "sip",
    requests: Some(&[
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "REGISTER",
        "OPTIONS",
        "INFO",
        "PRACK",
        "SUBSCRIBE",
        "NOTIFY",
        "UPDATE",
        "MESSAGE",
        "REFER",
        "PUBLISH",
        "DO",
        "QAUTH",
        "SPRACK",
    ]),
};

impl Text {
    /// Prints the protocol after a segment's header.
    pub(in crate::decode) fn print_tcp(&self, p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
        p.text(": ");
        self.print(p, layer)
    }

    /// Prints the protocol's name, the first line of a request or answer, and with `-v` all lines.
    pub(in crate::decode) fn print(&self, p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
        p.text(self.name);
        if self.requests.is_some_and(|requests| !begins_message(layer.bytes, requests)) {
            return Ok(());
        }
        if !p.verbose() {
            return self.print_line(p, layer, ": ").map(|_| ());
        }
        write!(p, ", length: {}", layer.len);
        let mut left = layer;
        while left.len > 0
            && let Some(len) = self.print_line(p, left, "\n\t")?
        {
            left = left.skip(len);
        }
        Ok(())
    }

    /// Prints the first line and returns its length with its end; `None` if it is not a line of text.
    fn print_line(
        &self,
        p: &mut Printer<'_>,
        layer: Layer<'_>,
        before: &str,
    ) -> Result<Option<usize>, Truncated> {
        let bytes = layer.bytes.get(..layer.len).unwrap_or(layer.bytes);
        let end = bytes.iter().position(|byte| !matches!(byte, b' '..=b'~' | b'\t'));
        let (text, after) = bytes.split_at(end.unwrap_or(bytes.len()));
        let cut = layer.bytes.len() < layer.len;
        if after.is_empty() && cut {
            return Err(Truncated(self.short));
        }
        let end_len = match after {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [] => 0,
            // The end of the line may be in what was cut.
            [b'\r'] if cut => 0,
            _ => return Ok(None),
        };
        p.text(before);
        p.line(text);
        if end_len == 0 { Err(Truncated(self.short)) } else { Ok(Some(text.len() + end_len)) }
    }
}

/// Whether a message begins with one of the requests, or is an answer: its second word is a number of three digits.
fn begins_message(bytes: &[u8], requests: &[&str]) -> bool {
    let ends = |byte: &u8| byte.is_ascii_whitespace();
    let end = bytes.iter().position(ends).unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(end);
    if first.is_empty() {
        return false;
    }
    if requests.iter().any(|request| request.as_bytes().eq_ignore_ascii_case(first)) {
        return true;
    }
    let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let code = rest.get(blank..).unwrap_or_default();
    match code {
        [a, b, c, after @ ..] => {
            [a, b, c].iter().all(|digit| digit.is_ascii_digit()) && after.first().is_none_or(ends)
        }
        _ => false,
    }
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
