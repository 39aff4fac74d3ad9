//! What the user is told while the tool runs.

use std::io::{self, Write};

use crate::printable::printable;

/// Who is told what goes on.
pub trait Reporter {
    /// Something to know, a line.
    fn say(&mut self, line: &str);

    /// A line as tcpdump has it, without the tool's name in front.
    fn say_plainly(&mut self, line: &str);

    /// How many packets were captured so far.
    fn progress(&mut self, packets: u64);
}

/// The user, who reads standard error. Nobody is there to be told when that fails.
///
/// Everything that is said goes through here, and each call is one line, whatever the names in it contain.
#[derive(Debug, Default)]
pub struct StandardError;

impl Reporter for StandardError {
    fn say(&mut self, line: &str) {
        self.say_plainly(&format!("xdpdump: {line}"));
    }

    fn say_plainly(&mut self, line: &str) {
        let _ = writeln!(io::stderr(), "{}", printable(line));
    }

    /// On one line that is written again and again, as tcpdump does.
    fn progress(&mut self, packets: u64) {
        let _ = write!(io::stderr(), "Got {packets}\r");
    }
}
