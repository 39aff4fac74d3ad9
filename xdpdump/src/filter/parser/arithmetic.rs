//! Parses comparisons and the arithmetic on both of their sides.

use super::{
    super::{
        error::Complaint,
        lexer::Token,
        syntax::{Arithmetic, Expression, Kind, Operator, Protocol, Relation},
    },
    Parser,
};

/// Precedence of a sign: higher than that of any operator that has one.
const NEGATIVE: u8 = 6;
/// Most operators in a row without brackets.
const MAX_OPERATORS: usize = 200;

impl Parser<'_> {
    pub(super) fn relation(&mut self) -> Result<Expression, Complaint> {
        let start = self.place().start;
        let left = self.arithmetic(0)?;
        let relation = match self.peek() {
            Token::Symbol("=") => Relation::Equal,
            Token::Symbol("!=") => Relation::NotEqual,
            Token::Symbol(">") => Relation::Greater,
            Token::Symbol(">=") => Relation::GreaterEqual,
            Token::Symbol("<") => Relation::Less,
            Token::Symbol("<=") => Relation::LessEqual,
            _ => return Err(self.expected("an operator such as '=' or '>'")),
        };
        self.at += 1;
        let right = self.arithmetic(0)?;
        Ok(Expression { kind: Kind::Relation(relation, left, right), span: self.since(start) })
    }

    /// Parses operands joined by operators whose precedence is higher than `rank`.
    fn arithmetic(&mut self, rank: u8) -> Result<Arithmetic, Complaint> {
        let start = self.place().start;
        let mut left = self.operand()?;
        let mut operators = 0;
        while let Token::Symbol(symbol) = self.peek()
            && let Some((operator, its_rank)) = Operator::of_symbol(symbol)
            && its_rank.is_none_or(|its_rank| its_rank > rank)
        {
            operators += 1;
            if operators > MAX_OPERATORS {
                return Err(Complaint::new(
                    self.place(),
                    format!("more than {MAX_OPERATORS} operators in a row: put brackets around some of them"),
                ));
            }
            self.at += 1;
            let right = Box::new(self.deeper(|parser| parser.arithmetic(its_rank.unwrap_or(0)))?);
            left = Arithmetic::Binary { operator, left: Box::new(left), right, span: self.since(start) };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Result<Arithmetic, Complaint> {
        let start = self.place().start;
        if self.symbol("-") {
            let negated = self.deeper(|parser| parser.arithmetic(NEGATIVE))?;
            return Ok(Arithmetic::Negative(Box::new(negated)));
        }
        if self.symbol("(") {
            let inside = self.deeper(|parser| parser.arithmetic(0))?;
            if !self.symbol(")") {
                return Err(self.expected("an operator or ')'"));
            }
            return Ok(inside);
        }
        if self.keyword("len") {
            return Ok(Arithmetic::Length);
        }
        match *self.peek() {
            Token::Number(number) => {
                self.at += 1;
                Ok(Arithmetic::Number(number))
            }
            Token::Keyword(keyword)
                if let Some(protocol) = Protocol::of_keyword(keyword)
                    && *self.peek_at(1) == Token::Symbol("[") =>
            {
                self.at += 2;
                self.load(protocol, start)
            }
            _ => Err(self.expected("a number, 'len' or bytes of a protocol such as 'ip[0]'")),
        }
    }

    /// Parses the rest of `tcp[13:2]` after the opening bracket.
    fn load(&mut self, protocol: Protocol, start: usize) -> Result<Arithmetic, Complaint> {
        let index = Box::new(self.deeper(|parser| parser.arithmetic(0))?);
        let mut size = 1;
        if self.symbol(":") {
            let place = self.place();
            size = self.number("how many bytes: 1, 2 or 4")?;
            if !matches!(size, 1 | 2 | 4) {
                return Err(Complaint::new(
                    place,
                    format!("1, 2 or 4 bytes can be loaded at once, not {size}"),
                ));
            }
        }
        if !self.symbol("]") {
            return Err(self.expected("']'"));
        }
        Ok(Arithmetic::Load { protocol, index, size, span: self.since(start) })
    }

    pub(super) fn number(&mut self, what: &str) -> Result<u32, Complaint> {
        match *self.peek() {
            Token::Number(number) => {
                self.at += 1;
                Ok(number)
            }
            _ => Err(self.expected(what)),
        }
    }
}
