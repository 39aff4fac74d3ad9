//! Asks a capture that keeps its packets in memory to write them.

use std::{fs, io};

use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

/// Why a capture was not asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such process.
    #[error("there is no process {0}: `pgrep -a xdpdump` lists captures")]
    NoProcess(i32),
    /// It is another program, or a capture without memory.
    #[error("process {0} keeps no packets: only a capture with --keep can be asked for them")]
    NoRecorder(i32),
    /// It belongs to somebody else.
    #[error("process {0} belongs to another user: ask it as that user, or as root")]
    NotAllowed(i32),
    /// The kernel says something else.
    #[error("cannot ask process {0}")]
    Io(i32, #[source] io::Error),
}

/// Asks the process to write what it keeps. It says itself where that goes.
///
/// # Errors
/// When it is no capture that keeps packets, or may not be asked.
pub fn ask(process: i32) -> Result<(), Error> {
    let pid = Some(process)
        .filter(|process| *process > 0)
        .and_then(Pid::from_raw)
        .ok_or(Error::NoProcess(process))?;
    // With this, another process that gets its number cannot be meant.
    let descriptor = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| refusal(process, error))?;
    let arguments = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    if !keeps_packets(&arguments) {
        return Err(Error::NoRecorder(process));
    }
    pidfd_send_signal(descriptor, Signal::USR2).map_err(|error| refusal(process, error))
}

fn refusal(process: i32, error: Errno) -> Error {
    match error {
        Errno::SRCH | Errno::INVAL => Error::NoProcess(process),
        Errno::PERM => Error::NotAllowed(process),
        error => Error::Io(process, error.into()),
    }
}

/// Whether these are the arguments of a capture with `--keep`: SIGUSR2 ends other programs.
fn keeps_packets(arguments: &[u8]) -> bool {
    let mut words = arguments.split(|byte| *byte == 0);
    let program = words.next().and_then(|path| path.rsplit(|byte| *byte == b'/').next());
    let is_keep = |word: &[u8]| word == b"--keep" || word.starts_with(b"--keep=");
    program == Some(b"xdpdump") && words.take_while(|word| *word != b"--").any(is_keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_captures_that_keep_packets_are_asked() {
        for arguments in [&b"xdpdump\0-i\0eth0\0--keep=64M\0"[..], b"/usr/bin/xdpdump\0--keep=1s\0"] {
            assert!(keeps_packets(arguments));
        }
        for arguments in
            [&b""[..], b"xdpdump\0-i\0eth0\0", b"sh\0--keep\0", b"xdpdump\0-i\0a\0--\0x\0--keep\0"]
        {
            assert!(!keeps_packets(arguments));
        }
    }

    #[test]
    fn processes_that_cannot_be_meant() {
        for process in [0, -1, i32::MAX] {
            assert!(matches!(ask(process), Err(Error::NoProcess(_))), "{process}");
        }
        assert!(matches!(ask(1), Err(Error::NoRecorder(1))));
    }
}
