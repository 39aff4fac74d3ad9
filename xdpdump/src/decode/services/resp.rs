//! The serialization protocol of Redis (RESP, version 2 of its specification).

use crate::decode::cursor::{Cursor, Layer, Printed, Truncated};
use crate::decode::printer::Printer;

/// The largest length that is believed.
const MAX_LEN: u32 = i32::MAX as u32;

/// Prints every value of a segment.
pub(in crate::decode) fn print(p: &mut Printer<'_>, layer: Layer<'_>) -> Printed {
    p.text(": RESP");
    let mut cursor = layer.cursor("resp");
    while !cursor.rest().is_empty() {
        print_value(p, &mut cursor)?;
    }
    Ok(())
}

/// A length, or why there is none.
enum Length {
    Bytes(usize),
    /// `-1`: no value at all.
    Null,
    Negative,
    TooLarge,
    Invalid,
}

fn print_value(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    let kind = cursor.rest().first().copied();
    if let Some(b'+' | b'-' | b':' | b'$' | b'*') = kind {
        cursor.skip(1)?;
    }
    match kind {
        Some(b'$') => print_bulk(p, cursor),
        Some(b'*') => print_array(p, cursor),
        Some(b'+' | b'-' | b':') => {
            print_text(p, take_line(cursor)?);
            Ok(())
        }
        _ => {
            let line = take_line(cursor)?;
            if line.is_empty() {
                return Err(cursor.truncated());
            }
            print_text(p, line);
            Ok(())
        }
    }
}

fn print_text(p: &mut Printer<'_>, text: &[u8]) {
    p.text(" \"");
    p.escaped(text);
    p.text("\"");
}

/// The bytes before the next end of a line, which is skipped.
fn take_line<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Truncated> {
    let end = cursor.rest().windows(2).position(|pair| pair == b"\r\n").ok_or(cursor.truncated())?;
    let line = cursor.take(end)?;
    cursor.skip(2)?;
    Ok(line)
}

fn print_bulk(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    match read_length(cursor)? {
        Length::Bytes(0) => {
            p.text(" empty");
            take_line(cursor).map(|_| ())
        }
        Length::Bytes(len) => {
            let text = cursor.take(len)?;
            print_text(p, text);
            take_line(cursor).map(|_| ())
        }
        other => {
            print_other(p, &other);
            Ok(())
        }
    }
}

fn print_array(p: &mut Printer<'_>, cursor: &mut Cursor<'_>) -> Printed {
    match read_length(cursor)? {
        Length::Bytes(0) => {
            p.text(" empty");
            Ok(())
        }
        Length::Bytes(count) => {
            for _ in 0..count {
                cursor.need(1)?;
                p.nested(|p| print_value(p, cursor))?;
            }
            Ok(())
        }
        other => {
            print_other(p, &other);
            Ok(())
        }
    }
}

fn print_other(p: &mut Printer<'_>, length: &Length) {
    p.text(match length {
        Length::Bytes(_) => "",
        Length::Null => " null",
        Length::Negative => " length negative and not -1",
        Length::TooLarge => " length too large",
        Length::Invalid => " invalid",
    });
}

/// Reads a length and the end of its line; of what is not a number only the first byte.
fn read_length(cursor: &mut Cursor<'_>) -> Result<Length, Truncated> {
    let negative = cursor.rest().first() == Some(&b'-');
    if negative {
        cursor.skip(1)?;
    }
    let mut length = Some(0_u32);
    loop {
        match cursor.u8()? {
            digit @ b'0'..=b'9' => {
                let digit = u32::from(digit - b'0');
                length = length.and_then(|so_far| so_far.checked_mul(10)?.checked_add(digit));
            }
            b'\r' => break,
            _ => return Ok(Length::Invalid),
        }
    }
    if cursor.u8()? != b'\n' {
        return Ok(Length::Invalid);
    }
    Ok(match length {
        None => Length::TooLarge,
        Some(1) if negative => Length::Null,
        Some(_) if negative => Length::Negative,
        Some(length) if length > MAX_LEN => Length::TooLarge,
        Some(length) => Length::Bytes(length as usize),
    })
}
