//! Why a capture ends.

use std::{fmt, process::ExitStatus};

use libc::c_int;
use signal_hook::low_level::signal_name;

use super::Error;
use crate::output;

/// What ended a capture as it was to end. It says so in a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// This signal came.
    Signal(c_int),
    /// It has lasted as long as wanted.
    Duration,
    /// It has captured as many packets as wanted.
    Packets,
    /// It has written as many bytes as wanted.
    Bytes,
    /// It has written as many files as wanted, says this sentence.
    Files(String),
    /// The reader of this output has left.
    ReaderLeft(String),
    /// The command for which is captured has ended so.
    Command(ExitStatus),
}

impl Ending {
    /// Whether what is still in the rings belongs to the capture.
    pub fn wants_the_rest(&self) -> bool {
        match self {
            Self::Signal(_) | Self::Duration | Self::Command(_) => true,
            Self::Packets | Self::Bytes | Self::Files(_) | Self::ReaderLeft(_) => false,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(number) => match signal_name(*number) {
                Some(name) => write!(f, "stopped by {name}"),
                None => write!(f, "stopped by signal {number}"),
            },
            Self::Duration => f.write_str("the time of --duration is over"),
            Self::Packets => f.write_str("the packets of -c are captured"),
            Self::Bytes => f.write_str("the bytes of --max-bytes are written"),
            Self::Files(sentence) => f.write_str(sentence),
            Self::Command(status) if status.success() => f.write_str("the command has ended"),
            Self::Command(status) => write!(f, "the command has ended: {status}"),
            Self::ReaderLeft(output) => write!(f, "the reader of {output} has left"),
        }
    }
}

/// Why the loop of a capture stops.
pub enum End {
    /// The capture is to end.
    Ended(Ending),
    /// Not an end: the output stopped waiting for its reader because of a signal, which is to be looked at.
    Interrupted,
    /// Something failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for End {
    fn from(error: E) -> Self {
        match error.into() {
            Error::Output(output::Error::Closed(output)) => Self::Ended(Ending::ReaderLeft(output)),
            error => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_named_where_they_have_a_name() {
        assert_eq!(Ending::Signal(libc::SIGTERM).to_string(), "stopped by SIGTERM");
        assert_eq!(Ending::Signal(40).to_string(), "stopped by signal 40");
    }

    #[test]
    fn a_reader_that_left_is_no_failure() {
        let closed = output::Error::Closed("standard output".to_owned());
        let End::Ended(ending) = End::from(closed) else { panic!("a failure") };
        assert_eq!(ending.to_string(), "the reader of standard output has left");
    }
}
