//! Watches the interface during a capture.

use std::os::fd::{AsFd, BorrowedFd};

use super::Error;
use crate::{
    interface::{self, Link, LinkChange, Monitor},
    report::Reporter,
};

/// Watches the captured interface and reports changes to the user.
///
/// If the kernel has no memory for an answer, the capture goes on: the next check finds the change.
pub struct Watch {
    monitor: Monitor,
    name: String,
}

impl Watch {
    /// Begins to watch `link`.
    pub fn new(link: Link) -> Result<Self, interface::Error> {
        let name = link.display_name();
        Ok(Self { monitor: Monitor::new([link])?, name })
    }

    /// Reports the changes that the kernel announced; call this when the descriptor is readable. `program` is the id of
    /// the program that should be attached now: it may have been exchanged since the last call.
    pub fn changes(&mut self, program: Option<u32>, reporter: &mut dyn Reporter) -> Result<(), Error> {
        let changes = self.monitor.changes();
        self.report(changes, program, reporter)
    }

    /// Checks the interface even if nothing was announced: the kernel does not announce programs that are attached or
    /// detached.
    pub fn refresh(&mut self, program: Option<u32>, reporter: &mut dyn Reporter) -> Result<(), Error> {
        let changes = self.monitor.refresh();
        self.report(changes, program, reporter)
    }

    fn report(
        &mut self,
        changes: Result<Vec<(u32, LinkChange)>, interface::Error>,
        program: Option<u32>,
        reporter: &mut dyn Reporter,
    ) -> Result<(), Error> {
        let changes = match changes {
            Err(error) if error.is_passing() => return Ok(()),
            changes => changes?,
        };
        for (_, change) in changes {
            let name = &self.name;
            match change {
                LinkChange::Up => reporter.say(&format!("{name} is up")),
                LinkChange::Down => {
                    reporter.say(&format!("{name} is down: frames will be captured when it comes up"));
                }
                LinkChange::Renamed(new) => {
                    reporter.say(&format!("{name} was renamed to {new}"));
                    self.name = new;
                }
                LinkChange::Mtu(mtu) => reporter.say(&format!("the MTU of {name} is now {mtu} bytes")),
                LinkChange::Xdp(programs) => {
                    let ours = |id| programs.iter().any(|program| program.program_id == id);
                    if program.is_some_and(|id| !ours(id)) {
                        return Err(Error::Detached(name.clone()));
                    }
                }
                LinkChange::Deleted => return Err(Error::Gone(name.clone())),
            }
        }
        Ok(())
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.monitor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Silence;

    impl Reporter for Silence {
        fn say(&mut self, line: &str) {
            unreachable!("{line}");
        }

        fn say_plainly(&mut self, line: &str) {
            unreachable!("{line}");
        }

        fn progress(&mut self, _: u64) {}
    }

    #[test]
    fn a_fault_of_the_moment_is_waited_out() {
        let mut watch = Watch::new(Link::default()).unwrap();
        let mut answer = |errno| {
            let error = interface::Error::Watch(io::Error::from_raw_os_error(errno));
            watch.report(Err(error), None, &mut Silence)
        };
        for errno in [libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN, libc::EINTR] {
            assert!(answer(errno).is_ok(), "{errno}");
        }
        assert!(answer(libc::EPERM).is_err());
    }
}
