//! What happens to the captured interface during the capture.

use std::os::fd::{AsFd, BorrowedFd};

use super::{Error, Notify};
use crate::interface::{self, Link, LinkChange, Monitor};

/// Watches the captured interface and says what a user should know.
///
/// No capture ends because the kernel has no memory for an answer: what changed is found the next time.
pub struct Watch {
    monitor: Monitor,
    name: String,
    /// Number of the capture program.
    program_id: Option<u32>,
}

impl Watch {
    /// Watches `link`, on which the program with this id is attached.
    pub fn new(link: Link, program_id: Option<u32>) -> Result<Self, interface::Error> {
        let name = link.display_name();
        Ok(Self { monitor: Monitor::new([link])?, name, program_id })
    }

    /// Reports what the kernel announced. To be called when the descriptor can be read.
    pub fn changes(&mut self, notify: Notify<'_>) -> Result<(), Error> {
        let changes = self.monitor.changes();
        self.report(changes, notify)
    }

    /// Looks at the interface whether or not anything was announced. To be called now and then: the kernel does not announce
    /// programs that come and go.
    pub fn refresh(&mut self, notify: Notify<'_>) -> Result<(), Error> {
        let changes = self.monitor.refresh();
        self.report(changes, notify)
    }

    fn report(
        &mut self,
        changes: Result<Vec<(u32, LinkChange)>, interface::Error>,
        notify: Notify<'_>,
    ) -> Result<(), Error> {
        let changes = match changes {
            Err(error) if error.is_passing() => return Ok(()),
            changes => changes?,
        };
        for (_, change) in changes {
            let name = &self.name;
            match change {
                LinkChange::Up => notify.say(&format!("{name} is up")),
                LinkChange::Down => {
                    notify.say(&format!("{name} is down: frames will be captured when it comes up"));
                }
                LinkChange::Renamed(new) => {
                    notify.say(&format!("{name} is called {new} now"));
                    self.name = new;
                }
                LinkChange::Mtu(mtu) => notify.say(&format!("{name} has an MTU of {mtu} bytes now")),
                LinkChange::Xdp(programs) => {
                    let ours = |id| programs.iter().any(|program| program.program_id == id);
                    if self.program_id.is_some_and(|id| !ours(id)) {
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
    use crate::capture::Audience;

    struct Silence;

    impl Audience for Silence {
        fn say(&mut self, line: &str) {
            unreachable!("{line}");
        }

        fn progress(&mut self, _: u64) {}
    }

    #[test]
    fn a_fault_of_the_moment_is_waited_out() {
        let mut watch = Watch::new(Link::default(), None).unwrap();
        let mut answer = |errno| {
            let error = interface::Error::Watch(io::Error::from_raw_os_error(errno));
            watch.report(Err(error), &mut Silence)
        };
        for errno in [libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN, libc::EINTR] {
            assert!(answer(errno).is_ok(), "{errno}");
        }
        assert!(answer(libc::EPERM).is_err());
    }
}
