//! Parses terms that begin with a keyword.

use super::{
    super::{
        error::Complaint,
        lexer::Token,
        syntax::{ByteTest, Expression, Kind, Llc, Protocol},
    },
    Parser, Qualified, VERDICTS, describe,
};

/// Control fields of supervisory LLC frames (IEEE 802.2, 5.3).
const SUPERVISORY: [(&str, u32); 3] = [("rr", 0x01), ("rnr", 0x05), ("rej", 0x09)];

/// Control fields of unnumbered LLC frames (IEEE 802.2, 5.4).
const UNNUMBERED: [(&str, u32); 8] = [
    ("ui", 0x03),
    ("ua", 0x63),
    ("disc", 0x43),
    ("dm", 0x0f),
    ("sabme", 0x6f),
    ("test", 0xe3),
    ("xid", 0xaf),
    ("frmr", 0x87),
];

impl Parser<'_> {
    pub(super) fn primitive(&mut self) -> Result<Qualified, Complaint> {
        let start = self.place().start;
        let word = match self.peek() {
            Token::Keyword(word) => (*word).to_owned(),
            // These four words are not keywords of libpcap. They are names unless a word or number follows that fits.
            Token::Name(name) if matches!(name.as_str(), "inner" | "verdict" | "queue" | "cpu") => {
                name.clone()
            }
            Token::Number(_) => {
                // This may be a comparison with an error further along; parse() prefers the complaint about that.
                let what = "'host', 'net', 'port' or 'proto' before it, or a comparison after it";
                self.at += 1;
                return Err(self.expected(what));
            }
            token @ (Token::Ipv4(..) | Token::Ipv6(_) | Token::Mac(_) | Token::Name(_)) => {
                let message =
                    format!("found {}, expected 'host', 'net', 'port' or 'proto' before it", describe(token));
                return Err(Complaint::new(self.place(), message));
            }
            _ => return Err(self.expected("a protocol, 'host', 'net', 'port' or another primitive")),
        };
        let protocol = Protocol::of_keyword(&word);
        if protocol.is_some() {
            self.at += 1;
        }
        if let Some(qualifiers) = self.qualifiers(protocol)? {
            let mut address = self.address(qualifiers)?;
            address.span.start = start;
            return Ok((address, Some(qualifiers)));
        }
        let kind = if self.keyword("broadcast") {
            Kind::Broadcast(protocol)
        } else if self.keyword("multicast") {
            Kind::Multicast(protocol)
        } else {
            match protocol {
                Some(Protocol::Link) => {
                    return Err(self.expected("'host', 'proto', 'broadcast', 'multicast' or '['"));
                }
                Some(protocol) => Kind::Protocol(protocol),
                None => self.other(&word)?,
            }
        };
        Ok((Expression { kind, span: self.since(start) }, None))
    }

    fn other(&mut self, word: &str) -> Result<Kind, Complaint> {
        let place = self.place();
        self.at += 1;
        Ok(match word {
            "less" => Kind::Less(self.number("a number of bytes")?),
            "greater" => Kind::Greater(self.number("a number of bytes")?),
            "byte" => self.byte()?,
            "inbound" => Kind::Inbound,
            "outbound" => Kind::Outbound,
            "vlan" => Kind::Vlan(self.optional(0xfff, "a VLAN's number")?),
            "mpls" => Kind::Mpls(self.optional(0xf_ffff, "an MPLS label")?),
            "pppoed" => Kind::PppoeDiscovery,
            "pppoes" => Kind::PppoeSession(self.optional(0xffff, "a PPPoE session")?),
            "geneve" => Kind::Geneve(self.optional(0xff_ffff, "a virtual network identifier")?),
            "llc" => Kind::Llc(self.llc()?),
            "inner" => {
                let (inside, _) = self.deeper(|parser| parser.term(None, false))?;
                Kind::Inner(Box::new(inside))
            }
            "verdict" => Kind::Verdict(self.verdict()?),
            "queue" => Kind::Queue(self.number("the number of a receive queue")?),
            "cpu" => Kind::Cpu(self.number("the number of a CPU")?),
            _ => {
                self.at -= 1;
                let message = format!("no primitive begins with '{word}'");
                return Err(Complaint::new(place, message));
            }
        })
    }

    /// Parses an optional number, which may be enclosed in brackets. The beginning of a comparison is not taken for
    /// one.
    fn optional(&mut self, most: u32, what: &str) -> Result<Option<u32>, Complaint> {
        let place = self.place();
        let number = self.attempt(|parser| parser.bracketed_number(what));
        match number {
            Some(number) if number > most => Err(Complaint::new(place, format!("{what} is at most {most}"))),
            number => Ok(number),
        }
    }

    fn bracketed_number(&mut self, what: &str) -> Result<u32, Complaint> {
        if !self.symbol("(") {
            return self.number(what);
        }
        let number = self.deeper(|parser| parser.bracketed_number(what))?;
        if self.symbol(")") { Ok(number) } else { Err(self.expected("')'")) }
    }

    fn byte(&mut self) -> Result<Kind, Complaint> {
        let offset = self.number("the offset of a byte in the frame")?;
        let test = match self.peek() {
            Token::Symbol("=") => ByteTest::Equal,
            Token::Symbol("<") => ByteTest::Less,
            Token::Symbol(">") => ByteTest::Greater,
            Token::Symbol("&") => ByteTest::And,
            Token::Symbol("|") => ByteTest::Or,
            _ => return Err(self.expected("'=', '<', '>', '&' or '|'")),
        };
        self.at += 1;
        Ok(Kind::Byte { offset, test, value: self.number("a number")? })
    }

    fn llc(&mut self) -> Result<Llc, Complaint> {
        let name = match self.peek() {
            Token::Name(name) => name.to_ascii_lowercase(),
            // `rnr` is also a keyword for pf, which is why it comes as a foreign word.
            Token::Foreign("rnr" | "rulenum", _) => "rnr".to_owned(),
            _ => return Ok(Llc::Any),
        };
        let llc = match name.as_str() {
            "i" => Some(Llc::Information),
            "s" => Some(Llc::Supervisory),
            "u" => Some(Llc::Unnumbered),
            _ => None,
        };
        let find =
            |table: &[(&str, u32)]| table.iter().find(|(n, _)| *n == name).map(|&(_, control)| control);
        let llc = llc
            .or_else(|| find(&SUPERVISORY).map(Llc::SupervisoryType))
            .or_else(|| find(&UNNUMBERED).map(Llc::UnnumberedType));
        if llc.is_some() {
            self.at += 1;
        }
        llc.ok_or_else(|| {
            self.expected("an LLC type: i, s, u, rr, rnr, rej, ui, ua, disc, dm, sabme, test, xid or frmr")
        })
    }

    fn verdict(&mut self) -> Result<u32, Complaint> {
        let found = match self.peek() {
            Token::Name(name) => VERDICTS.iter().position(|verdict| verdict == name),
            _ => None,
        };
        let Some(found) = found else {
            return Err(self.expected("a verdict: aborted, drop, pass, tx or redirect"));
        };
        self.at += 1;
        Ok(found as u32)
    }
}
