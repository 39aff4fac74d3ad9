//! Parses addresses, ports and protocol numbers, and their qualifiers.

use super::{
    super::{
        error::Complaint,
        lexer::Token,
        syntax::{AddressKind, Connective, Expression, Kind, Operand, Protocol, Qualifiers, Side},
    },
    Parser,
};

impl Parser<'_> {
    /// Parses an address without qualifiers of its own: it inherits those of the term before it.
    pub(super) fn inheriting(&mut self, inherited: Option<Qualifiers>) -> Result<Expression, Complaint> {
        match inherited {
            Some(qualifiers) => self.address(qualifiers),
            None => Err(self.expected("a term")),
        }
    }

    /// Parses the qualifiers after a protocol, such as `src or dst port`: the side and the kind of address.
    pub(super) fn qualifiers(&mut self, protocol: Option<Protocol>) -> Result<Option<Qualifiers>, Complaint> {
        if self.keyword("proto") {
            return Ok(Some(Qualifiers { protocol, side: Side::Any, kind: AddressKind::Protocol }));
        }
        if self.keyword("protochain") {
            return Ok(Some(Qualifiers { protocol, side: Side::Any, kind: AddressKind::ProtocolChain }));
        }
        if self.keyword("gateway") {
            return Ok(Some(Qualifiers { protocol, side: Side::Any, kind: AddressKind::Gateway }));
        }
        let side = if self.keyword("src") {
            self.both_sides("dst", Side::Source)?
        } else if self.keyword("dst") {
            self.both_sides("src", Side::Destination)?
        } else {
            Side::Any
        };
        let kind = if self.keyword("host") {
            AddressKind::Host
        } else if self.keyword("net") {
            AddressKind::Net
        } else if self.keyword("port") {
            AddressKind::Port
        } else if self.keyword("portrange") {
            AddressKind::PortRange
        } else if side == Side::Any {
            return Ok(None);
        } else {
            AddressKind::Default
        };
        Ok(Some(Qualifiers { protocol, side, kind }))
    }

    /// Parses `or dst` or `and dst` after `src`, and the reverse.
    fn both_sides(&mut self, other: &str, alone: Side) -> Result<Side, Complaint> {
        let side = if self.keyword("or") {
            Side::Either
        } else if self.keyword("and") {
            Side::Both
        } else {
            return Ok(alone);
        };
        if self.keyword(other) { Ok(side) } else { Err(self.expected(&format!("'{other}'"))) }
    }

    /// Parses one address, or several in brackets joined by `and`, `or` and `not`.
    pub(super) fn address(&mut self, qualifiers: Qualifiers) -> Result<Expression, Complaint> {
        let start = self.place().start;
        if self.keyword("not") {
            let negated = self.deeper(|parser| parser.address(qualifiers))?;
            return Ok(Expression { kind: Kind::Not(Box::new(negated)), span: self.since(start) });
        }
        if self.symbol("(") {
            let inside = self.deeper(|parser| parser.addresses(qualifiers))?;
            if !self.symbol(")") {
                return Err(self.expected("'and', 'or' or ')'"));
            }
            return Ok(inside);
        }
        let operand_start = self.place().start;
        let operand = self.address_operand(qualifiers)?;
        let place = self.since(operand_start);
        Ok(Expression { kind: Kind::Address(qualifiers, operand, place), span: self.since(start) })
    }

    fn addresses(&mut self, qualifiers: Qualifiers) -> Result<Expression, Complaint> {
        let start = self.place().start;
        let first = self.address(qualifiers)?;
        let mut rest = Vec::new();
        loop {
            let connective = if self.keyword("and") {
                Connective::And
            } else if self.keyword("or") {
                Connective::Or
            } else {
                break;
            };
            rest.push((connective, self.address(qualifiers)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        Ok(Expression { kind: Kind::Chain(Box::new(first), rest), span: self.since(start) })
    }

    fn address_operand(&mut self, qualifiers: Qualifiers) -> Result<Operand, Complaint> {
        let place = self.place();
        let operand = match self.peek().clone() {
            Token::Number(number) => Operand::Number(number),
            Token::Name(name) => Operand::Name(name),
            Token::Ipv4(address, bits) => Operand::Ipv4(address, bits),
            Token::Ipv6(address) => Operand::Ipv6(address, 128),
            Token::Mac(octets) => Operand::Mac(octets),
            Token::Keyword(word)
                if matches!(qualifiers.kind, AddressKind::Protocol | AddressKind::ProtocolChain) =>
            {
                let message =
                    format!("'{word}' is a keyword; to use it as the name of a protocol, write '\\{word}'");
                return Err(Complaint::new(place, message));
            }
            _ => return Err(self.expected(&expectation(qualifiers))),
        };
        self.at += 1;
        let start = place.start;
        match operand {
            Operand::Ipv4(address, _) if self.symbol("/") => {
                let length = self.prefix_length(32)?;
                let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                self.network(address, mask, start)
            }
            Operand::Ipv4(address, _) if self.keyword("mask") => match *self.peek() {
                Token::Ipv4(mask, _) => {
                    self.at += 1;
                    self.network(address, mask, start)
                }
                _ => Err(self.expected("a mask such as 255.255.255.0")),
            },
            Operand::Ipv6(address, _) if self.symbol("/") => {
                let length = self.prefix_length(128)?;
                let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
                if u128::from(address) & !mask != 0 {
                    return Err(self.host_bits(start));
                }
                Ok(Operand::Ipv6(address, length))
            }
            operand => Ok(operand),
        }
    }

    fn prefix_length(&mut self, most: u32) -> Result<u32, Complaint> {
        let place = self.place();
        let length = self.number("the length of the prefix")?;
        if length > most {
            return Err(Complaint::new(place, format!("a prefix has at most {most} bits here")));
        }
        Ok(length)
    }

    fn network(&self, address: u32, mask: u32, start: usize) -> Result<Operand, Complaint> {
        if address & !mask != 0 { Err(self.host_bits(start)) } else { Ok(Operand::Ipv4Net(address, mask)) }
    }

    fn host_bits(&self, start: usize) -> Complaint {
        Complaint::new(self.since(start), "the address has bits set that are not part of the network")
    }
}

/// What these qualifiers need after them, for a complaint.
fn expectation(qualifiers: Qualifiers) -> String {
    let what = match qualifiers.kind {
        AddressKind::Default | AddressKind::Host if qualifiers.protocol == Some(Protocol::Link) => {
            "a MAC address or the name of a host"
        }
        AddressKind::Default | AddressKind::Host | AddressKind::Gateway => "an address or the name of a host",
        AddressKind::Net => "a network such as 10.0.0.0/8",
        AddressKind::Port => "the number or name of a port",
        AddressKind::PortRange => "a range of ports such as 6000-6008",
        AddressKind::Protocol | AddressKind::ProtocolChain => "the number or name of a protocol",
    };
    what.to_owned()
}
