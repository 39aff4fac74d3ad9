//! Parses numbers and addresses in a filter.

use std::net::Ipv6Addr;

use super::{error::Complaint, lexer::Token};

/// Length of the longest word at the beginning of `text`. A word consists of letters, digits, `.`, `-` and `_`; it
/// begins with a letter or digit and does not end with `-` or `_`.
pub(super) fn word_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_alphanumeric) {
        return 0;
    }
    let end =
        bytes.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_.".contains(b))).unwrap_or(bytes.len());
    bytes[..end].iter().rposition(|b| !b"-_".contains(b)).map_or(0, |last| last + 1)
}

/// Whether the word is meant as a number: decimal digits, or `0x` and hexadecimal digits.
pub(super) fn is_number(word: &str) -> bool {
    let hexadecimal = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    hexadecimal
        .unwrap_or(word)
        .bytes()
        .all(|b| b.is_ascii_digit() || hexadecimal.is_some() && b.is_ascii_hexdigit())
}

/// The value of a number: hexadecimal after `0x`, octal after `0`, otherwise decimal.
pub(super) fn number(word: &str) -> Result<u32, String> {
    let (digits, radix, name) = match word.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&word[2..], 16, "a hexadecimal"),
        [b'0', _, ..] => (&word[1..], 8, "an octal"),
        _ => (word, 10, "a decimal"),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(format!("'{word}' is not {name} number"));
    }
    u32::from_str_radix(digits, radix).map_err(|_| format!("'{word}' does not fit into 32 bits"))
}

/// The longest address at the beginning of `text`; `None` if there is none.
pub(super) fn address(text: &str, at: usize) -> Option<Result<(Token, usize), Complaint>> {
    let run =
        text.bytes().position(|b| !(b.is_ascii_hexdigit() || b":.-".contains(&b))).unwrap_or(text.len());
    // The longest text form of any of these addresses has 45 bytes.
    for length in (1..=run.min(64)).rev() {
        let candidate = &text[..length];
        if let Some(octets) = mac(candidate) {
            return Some(Ok((Token::Mac(octets), length)));
        }
        if candidate.contains(':') {
            if let Ok(address) = candidate.parse::<Ipv6Addr>() {
                return Some(Ok((Token::Ipv6(address), length)));
            }
        } else if let Some(address) = ipv4(candidate) {
            return Some(match address {
                Ok((address, bits)) => Ok((Token::Ipv4(address, bits), length)),
                // If the word goes on, it is not an address: "10.300.example" is the name of a host.
                Err(()) if length < word_length(text) => return None,
                Err(()) => Err(Complaint::new(
                    at..at + length,
                    format!("'{candidate}' is not an IPv4 address: each part is at most 255"),
                )),
            });
        }
    }
    None
}

/// Two to four decimal numbers separated by dots; `Err` if one of them is too large for an octet.
fn ipv4(text: &str) -> Option<Result<(u32, u32), ()>> {
    let parts = text.split('.').count();
    if !(2..=4).contains(&parts)
        || text.split('.').any(|part| part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()))
    {
        return None;
    }
    let mut address = 0;
    for part in text.split('.') {
        let Ok(octet) = part.parse::<u8>() else { return Some(Err(())) };
        address = address << 8 | u32::from(octet);
    }
    let bits = 8 * parts as u32;
    Some(Ok((address << (32 - bits), bits)))
}

/// Six groups of one or two digits, all separated by `:`, `-` or `.`; or three groups of four digits separated by dots;
/// or twelve digits.
pub(super) fn mac(text: &str) -> Option<[u8; 6]> {
    let separated = [':', '-', '.'].into_iter().find_map(|separator| {
        let groups: Vec<&str> = text.split(separator).collect();
        let digits: &[usize] = if groups.len() == 3 && separator == '.' { &[4] } else { &[1, 2] };
        ((groups.len() == 6 || digits == [4]) && groups.iter().all(|group| digits.contains(&group.len())))
            .then_some(groups)
    });
    let padded = |group: &str| if group.len() == 1 { ["0", group].concat() } else { group.to_owned() };
    let digits = match separated {
        Some(groups) => groups.into_iter().map(padded).collect(),
        None => text.to_owned(),
    };
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let number = u64::from_str_radix(&digits, 16).ok()?;
    let [_, _, octets @ ..] = number.to_be_bytes();
    Some(octets)
}
