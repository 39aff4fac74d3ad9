//! What the user is told while the tool runs.

use std::io::{self, Write};

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
#[derive(Debug, Default)]
pub struct StandardError;

impl Reporter for StandardError {
    fn say(&mut self, line: &str) {
        self.say_plainly(&format!("xdpdump: {line}"));
    }

    fn say_plainly(&mut self, line: &str) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// On one line that is written again and again, as tcpdump does.
    fn progress(&mut self, packets: u64) {
        let _ = write!(io::stderr(), "Got {packets}\r");
    }
}

/// Prints `text` on standard output. A reader that has seen enough is no error.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints the number of packets, as `--count` asks for it.
///
/// # Errors
/// When it cannot be written.
pub fn print_count(packets: u64) -> io::Result<()> {
    if packets == 1 { print("1 packet\n") } else { print(&format!("{packets} packets\n")) }
}
