//! Divides text into tokens as pcap-filter(7) does: each token is the longest one that begins at its place.

use std::net::Ipv6Addr;

use super::{
    error::{Complaint, Span},
    literal,
    words::{self, Word},
};

/// A token of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Keyword(&'static str),
    /// A keyword of libpcap that has no meaning for the frames here, and what it is about.
    Foreign(&'static str, &'static str),
    Number(u32),
    /// A name of a host, a port, a protocol, …
    Name(String),
    /// Two to four numbers separated by dots: the address, and the number of leading bits that were given.
    Ipv4(u32, u32),
    Ipv6(Ipv6Addr),
    Mac([u8; 6]),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

/// Operators and brackets; a longer symbol comes before any other that it begins with.
const SYMBOLS: &[(&str, &str)] = &[
    ("&&", "and"),
    ("||", "or"),
    (">=", ">="),
    ("<=", "<="),
    ("!=", "!="),
    ("==", "="),
    ("<<", "<<"),
    (">>", ">>"),
    ("!", "not"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("%", "%"),
    (":", ":"),
    ("[", "["),
    ("]", "]"),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    ("&", "&"),
    ("|", "|"),
    ("^", "^"),
    ("=", "="),
];

/// Divides the text into tokens; the last one is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Span)>, Complaint> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with([' ', '\t', '\r', '\n']) {
            at += 1;
            continue;
        }
        let (token, length) = token(rest, at)?;
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, text.len()..text.len()));
    Ok(tokens)
}

/// The first token of `rest`, and its length in bytes; `at` is the offset of `rest` in the whole text.
fn token(rest: &str, at: usize) -> Result<(Token, usize), Complaint> {
    if let Some(escaped) = rest.strip_prefix('\\') {
        let length = escaped.find([' ', '!', '(', ')', '\n', '\t']).unwrap_or(escaped.len());
        if length == 0 {
            return Err(Complaint::new(at..at + 1, "a backslash must be followed by a name"));
        }
        return Ok((Token::Name(escaped[..length].to_owned()), 1 + length));
    }
    let word = literal::word_length(rest);
    if let Some((token, length)) = literal::address(rest, at).transpose()?
        && length >= word
    {
        return Ok((token, length));
    }
    if word > 0 {
        return Ok((word_token(&rest[..word], at)?, word));
    }
    if let Some(&(symbol, name)) = SYMBOLS.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
        let token = match name {
            "and" | "or" | "not" => Token::Keyword(name),
            _ => Token::Symbol(name),
        };
        return Ok((token, symbol.len()));
    }
    let unknown = rest.chars().next().unwrap_or_default();
    let message = match unknown {
        '$' => "'$' begins an ARCNET address, which is not supported".to_owned(),
        _ => format!("'{unknown}' has no meaning in a filter"),
    };
    Err(Complaint::new(at..at + unknown.len_utf8(), message))
}

fn word_token(word: &str, at: usize) -> Result<Token, Complaint> {
    if literal::is_number(word) {
        return literal::number(word)
            .map(Token::Number)
            .map_err(|message| Complaint::new(at..at + word.len(), message));
    }
    Ok(match words::find(word) {
        Some(Word::Keyword(keyword)) => Token::Keyword(keyword),
        Some(Word::Foreign(keyword, belongs_to)) => Token::Foreign(keyword, belongs_to),
        Some(Word::Number(number)) => Token::Number(number),
        None => Token::Name(word.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        let mut kinds: Vec<_> = tokens(text).unwrap().into_iter().map(|(token, _)| token).collect();
        assert_eq!(kinds.pop(), Some(Token::End));
        kinds
    }

    #[test]
    fn the_longest_token_wins() {
        assert_eq!(kinds("tcp-syn"), [Token::Number(2)]);
        assert_eq!(kinds("tcp-syn2"), [Token::Name("tcp-syn2".into())]);
        assert_eq!(kinds("80-90"), [Token::Name("80-90".into())]);
        assert_eq!(kinds("80 - 90"), [Token::Number(80), Token::Symbol("-"), Token::Number(90)]);
        assert_eq!(kinds("10.0.0.1"), [Token::Ipv4(0x0a00_0001, 32)]);
        assert_eq!(kinds("10.0.0.1.example"), [Token::Name("10.0.0.1.example".into())]);
        assert_eq!(kinds("a-"), [Token::Name("a".into()), Token::Symbol("-")]);
    }

    #[test]
    fn addresses() {
        assert_eq!(kinds("192.168"), [Token::Ipv4(0xc0a8_0000, 16)]);
        assert_eq!(kinds("::1"), [Token::Ipv6("::1".parse().unwrap())]);
        assert_eq!(kinds("fe80::1:2"), [Token::Ipv6("fe80::1:2".parse().unwrap())]);
        assert_eq!(kinds("::ffff:10.0.0.1"), [Token::Ipv6("::ffff:10.0.0.1".parse().unwrap())]);
        for mac in ["00:1:2:a:b:ff", "00-01-02-0a-0b-ff", "0001.020a.0bff", "0001020a0bff"] {
            assert_eq!(kinds(mac), [Token::Mac([0, 1, 2, 10, 11, 255])], "{mac}");
        }
    }

    #[test]
    fn brackets_and_colons_are_not_addresses() {
        assert_eq!(
            kinds("ip[0:2]"),
            [
                Token::Keyword("ip"),
                Token::Symbol("["),
                Token::Number(0),
                Token::Symbol(":"),
                Token::Number(2),
                Token::Symbol("]")
            ]
        );
    }

    #[test]
    fn numbers_in_three_bases() {
        assert_eq!(kinds("10 010 0x1F"), [Token::Number(10), Token::Number(8), Token::Number(31)]);
        for (text, wrong) in [("09", "octal"), ("4294967296", "32 bits"), ("0x", "hexadecimal")] {
            let complaint = tokens(text).unwrap_err();
            assert!(complaint.message.contains(wrong), "{text}: {}", complaint.message);
        }
    }

    #[test]
    fn what_means_nothing_is_refused_where_it_stands() {
        assert_eq!(tokens("tcp ; udp").unwrap_err().span, 4..5);
        assert_eq!(tokens("host 300.1.1.1").unwrap_err().span, 5..14);
        assert_eq!(tokens("host é").unwrap_err().span, 5..7);
    }
}
