//! Turns tokens into a tree, following the grammar of pcap-filter(7).
//!
//! Two rules of that grammar are not obvious. `and` and `or` have the same precedence and are evaluated from left to
//! right. And an address without qualifiers, which may stand only after `and` or `or`, inherits those of the term
//! before it: `port 80 or 443`.

mod address;
mod arithmetic;
mod primitive;

use super::{
    error::{Complaint, Span},
    lexer::{Token, tokens},
    syntax::{Connective, Expression, Kind, Qualifiers},
};

/// The deepest nesting of brackets and `not`.
const MAX_DEPTH: usize = 200;
/// Most tokens of a filter; libpcap's own limit on the size of a program is reached much earlier.
const MAX_TOKENS: usize = 1 << 16;

/// Parses a filter; `None` for an empty one, which every frame matches.
pub(super) fn parse(text: &str) -> Result<Option<Expression>, Complaint> {
    let tokens = tokens(text)?;
    if tokens.len() > MAX_TOKENS {
        return Err(Complaint::new(
            tokens[MAX_TOKENS].1.clone(),
            format!("the filter is too long: it may have {MAX_TOKENS} words"),
        ));
    }
    if tokens.len() == 1 {
        return Ok(None);
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, furthest: None };
    let parsed = parser.chain(None).and_then(|(expression, _)| match parser.peek() {
        Token::End => Ok(expression),
        _ => Err(parser.expected("'and', 'or' or the end of the filter")),
    });
    match parsed {
        Ok(expression) => Ok(Some(expression)),
        // Where the text can be read in several ways, the complaint that is furthest along in it is the most useful
        // one.
        Err(complaint) => Err(match parser.furthest.take() {
            Some(furthest) if furthest.span.start > complaint.span.start => furthest,
            _ => complaint,
        }),
    }
}

struct Parser<'a> {
    tokens: &'a [(Token, Span)],
    at: usize,
    depth: usize,
    furthest: Option<Complaint>,
}

/// An expression, and the qualifiers that an address after the next `and` or `or` inherits from it.
type Qualified = (Expression, Option<Qualifiers>);

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens.get(self.at + ahead).map_or(&Token::End, |(token, _)| token)
    }

    /// The place of the next token.
    fn place(&self) -> Span {
        let last = self.tokens.len() - 1;
        self.tokens[self.at.min(last)].1.clone()
    }

    /// The text from `start` to the end of the last token that was read.
    fn since(&self, start: usize) -> Span {
        start..self.at.checked_sub(1).map_or(start, |last| self.tokens[last].1.end.max(start))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Token::Keyword(found) if *found == keyword);
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    /// A complaint that says which token was found instead of `what`.
    fn expected(&self, what: &str) -> Complaint {
        let span = self.place();
        let message = match self.peek() {
            Token::Foreign(word, belongs_to) => {
                format!("'{word}' is for {belongs_to} and is not supported for these frames")
            }
            Token::End => format!("the filter is incomplete: expected {what}"),
            token => format!("found {}, expected {what}", describe(token)),
        };
        Complaint::new(span, message)
    }

    /// Tries one way of reading the text; if it fails, goes back to where it began.
    fn attempt<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Complaint>) -> Option<T> {
        let (at, depth) = (self.at, self.depth);
        match read(self) {
            Ok(found) => Some(found),
            Err(complaint) => {
                (self.at, self.depth) = (at, depth);
                if self.furthest.as_ref().is_none_or(|f| f.span.start < complaint.span.start) {
                    self.furthest = Some(complaint);
                }
                None
            }
        }
    }

    /// Whether the next word begins a term that libpcap does not have. Elsewhere such a word is a name, as it always is
    /// in libpcap; it begins a term only if a word or number follows that fits.
    fn own_word(&self) -> bool {
        let Token::Name(name) = self.peek() else { return false };
        match (name.as_str(), self.peek_at(1)) {
            ("verdict", Token::Name(verdict)) => VERDICTS.contains(&verdict.as_str()),
            ("queue" | "cpu", Token::Number(_)) => true,
            ("inner", next) => {
                !matches!(next, Token::End | Token::Keyword("and" | "or") | Token::Symbol(")"))
            }
            _ => false,
        }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Complaint>) -> Result<T, Complaint> {
        if self.depth == MAX_DEPTH {
            return Err(Complaint::new(
                self.place(),
                format!("brackets and 'not' are nested too deeply: at most {MAX_DEPTH} levels are supported"),
            ));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Parses terms joined by `and` and `or`; `outside` are the qualifiers of the term before the enclosing bracket.
    fn chain(&mut self, outside: Option<Qualifiers>) -> Result<Qualified, Complaint> {
        let start = self.place().start;
        let (first, mut qualifiers) = self.term(outside, false)?;
        let mut rest = Vec::new();
        loop {
            let connective = if self.keyword("and") {
                Connective::And
            } else if self.keyword("or") {
                Connective::Or
            } else {
                break;
            };
            let (expression, its_qualifiers) = self.term(qualifiers, true)?;
            qualifiers = its_qualifiers;
            rest.push((connective, expression));
        }
        if rest.is_empty() {
            return Ok((first, qualifiers));
        }
        let kind = Kind::Chain(Box::new(first), rest);
        Ok((Expression { kind, span: self.since(start) }, qualifiers))
    }

    /// Parses one term or, if `may_inherit`, an address that inherits the qualifiers of the term before it.
    fn term(&mut self, inherited: Option<Qualifiers>, may_inherit: bool) -> Result<Qualified, Complaint> {
        let start = self.place().start;
        if self.keyword("not") {
            let (negated, qualifiers) = self.deeper(|parser| parser.term(inherited, may_inherit))?;
            let span = self.since(start);
            return Ok((Expression { kind: Kind::Not(Box::new(negated)), span }, qualifiers));
        }
        if let Some(relation) = self.attempt(Self::relation) {
            return Ok((relation, None));
        }
        if may_inherit
            && !self.own_word()
            && let Some(address) = self.attempt(|parser| parser.inheriting(inherited))
        {
            return Ok((address, inherited));
        }
        if self.symbol("(") {
            // The term before a bracket also qualifies the address after the bracket: `host a and (tcp) and b`.
            let (inside, _) = self.deeper(|parser| parser.chain(inherited))?;
            if !self.symbol(")") {
                return Err(self.expected("'and', 'or' or ')'"));
            }
            return Ok((inside, inherited));
        }
        self.primitive()
    }
}

/// The verdicts of an XDP program, in the order of `enum xdp_action` (include/uapi/linux/bpf.h).
const VERDICTS: [&str; 5] = ["aborted", "drop", "pass", "tx", "redirect"];

/// Describes a token for a complaint.
fn describe(token: &Token) -> String {
    match token {
        Token::Keyword(word) | Token::Foreign(word, _) | Token::Symbol(word) => format!("'{word}'"),
        Token::Number(number) => format!("the number {number}"),
        Token::Name(name) => format!("'{name}'"),
        Token::Ipv4(..) => "an IPv4 address".to_owned(),
        Token::Ipv6(address) => format!("the IPv6 address {address}"),
        Token::Mac(_) => "a MAC address".to_owned(),
        Token::End => "the end".to_owned(),
    }
}

#[cfg(test)]
mod tests;
