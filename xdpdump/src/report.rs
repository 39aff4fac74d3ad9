//! Messages to the user while the tool runs.

use std::io::{self, Write};

use crate::printable::printable;

/// Receives the messages to the user.
pub trait Reporter {
    /// Reports one line.
    fn say(&mut self, line: &str);

    /// Reports one line as tcpdump prints it, without the tool's name in front.
    fn say_plainly(&mut self, line: &str);

    /// Reports the number of packets captured so far.
    fn progress(&mut self, packets: u64);
}

/// Writes messages to standard error. Errors of these writes are ignored: there is nowhere else to report them.
///
/// All messages go through here. Each call prints one line, whatever the names in the message contain.
#[derive(Debug, Default)]
pub struct StandardError;

impl Reporter for StandardError {
    fn say(&mut self, line: &str) {
        self.say_plainly(&format!("xdpdump: {line}"));
    }

    fn say_plainly(&mut self, line: &str) {
        let _ = writeln!(io::stderr(), "{}", printable(line));
    }

    /// Overwrites the same line each time, as tcpdump does.
    fn progress(&mut self, packets: u64) {
        let _ = write!(io::stderr(), "Got {packets}\r");
    }
}
