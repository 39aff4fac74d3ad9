//! Prints the intermediate form for `-d`: one node per line, in the order of execution.

use std::fmt;

use super::ir::{Comparison, Field, Node, Program, Target, Value, ValueId, Width};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes.is_empty() {
            return writeln!(f, "{}", Name(self.entry));
        }
        for (at, node) in self.nodes.iter().enumerate() {
            write!(f, "({at:03}) ")?;
            match *node {
                Node::Test { test, then, otherwise } => {
                    let sign = match test.comparison {
                        Comparison::Equal => "==",
                        Comparison::Greater => ">",
                        Comparison::GreaterEqual => ">=",
                        Comparison::Common => "has",
                    };
                    let (left, right) = (self.shown(test.left), self.shown(test.right));
                    writeln!(f, "{left} {sign} {right} ? {} : {}", Name(then), Name(otherwise))?;
                }
                Node::Store { slot, value, next } => {
                    writeln!(f, "m{slot} = {}, {}", self.shown(value), Name(next))?;
                }
            }
        }
        Ok(())
    }
}

impl Program {
    fn shown(&self, id: ValueId) -> Shown<'_> {
        Shown(self, id)
    }
}

/// A value, printed as an expression.
struct Shown<'a>(&'a Program, ValueId);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(program, id) = *self;
        match program.value(id) {
            Value::Constant(number @ 0..10) => write!(f, "{number}"),
            Value::Constant(number) => write!(f, "{number:#x}"),
            Value::Load { width, base, offset } => {
                write!(f, "[")?;
                if let Some(base) = base {
                    write!(f, "{} + ", program.shown(base))?;
                }
                write!(f, "{offset}")?;
                match width {
                    Width::Byte => write!(f, "]"),
                    Width::Half | Width::Word => write!(f, ":{}]", width.bytes()),
                }
            }
            Value::Binary { operator, left, right } => {
                write!(f, "({} {} {})", program.shown(left), operator.sign(), program.shown(right))
            }
            Value::Slot(slot) => write!(f, "m{slot}"),
            Value::Field(field) => f.write_str(match field {
                Field::Length => "len",
                Field::Direction => "direction",
                Field::Queue => "queue",
                Field::Cpu => "cpu",
                Field::Verdict => "verdict",
            }),
        }
    }
}

/// The target of an edge, as it is printed.
struct Name(Target);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Target::Node(at) => write!(f, "{at:03}"),
            Target::Accept => f.write_str("accept"),
            Target::Reject => f.write_str("reject"),
        }
    }
}
