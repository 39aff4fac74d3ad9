//! Watches the interfaces during a capture.

use std::{
    collections::BTreeMap,
    os::fd::{AsFd, BorrowedFd},
};

use super::Error;
use crate::{
    interface::{self, Link, LinkChange, Monitor},
    report::Reporter,
};

/// Watches the interfaces of a capture and reports changes to the user.
///
/// If the kernel has no memory for an answer, the capture goes on: the next check finds the change.
pub struct Watch {
    monitor: Monitor,
    /// Each interface by its index: the name it has now, and its sources if it is captured.
    watched: BTreeMap<u32, Watched>,
}

struct Watched {
    name: String,
    sources: Vec<u32>,
}

/// Something that changes which interfaces are captured.
#[derive(Debug)]
pub enum Change {
    /// The interface of these sources is gone, or somebody took the program off it; the error says so.
    Lost(Vec<u32>, Error),
    /// This interface is up, and is not captured.
    Up(Link),
}

impl Watch {
    /// Watches `links`; with `all`, interfaces that appear as well.
    pub fn new(links: &[Link], all: bool) -> Result<Self, interface::Error> {
        let monitor = if all { Monitor::of_all(links.to_vec()) } else { Monitor::new(links.to_vec()) };
        let watched = |link: &Link| (link.index, Watched { name: link.display_name(), sources: Vec::new() });
        Ok(Self { monitor: monitor?, watched: links.iter().map(watched).collect() })
    }

    /// From now on, `link` is captured as `source`.
    pub fn captured(&mut self, link: &Link, source: u32) {
        let unknown = || Watched { name: link.display_name(), sources: Vec::new() };
        let watched = self.watched.entry(link.index).or_insert_with(unknown);
        watched.sources.push(source);
    }

    /// Reports the changes that the kernel announced; call this when the descriptor is readable. `program` returns the id of
    /// the program that should be attached now for a source: it may have been exchanged since the last call.
    pub fn changes(
        &mut self,
        program: &dyn Fn(u32) -> Option<u32>,
        reporter: &mut dyn Reporter,
    ) -> Result<Vec<Change>, Error> {
        let changes = self.monitor.changes();
        self.report(changes, program, reporter)
    }

    /// Checks the interfaces even if nothing was announced: the kernel does not announce programs that are attached or
    /// detached.
    pub fn refresh(
        &mut self,
        program: &dyn Fn(u32) -> Option<u32>,
        reporter: &mut dyn Reporter,
    ) -> Result<Vec<Change>, Error> {
        let changes = self.monitor.refresh();
        self.report(changes, program, reporter)
    }

    fn report(
        &mut self,
        changes: Result<Vec<(u32, LinkChange)>, interface::Error>,
        program: &dyn Fn(u32) -> Option<u32>,
        reporter: &mut dyn Reporter,
    ) -> Result<Vec<Change>, Error> {
        let changes = match changes {
            Err(error) if error.is_passing() => return Ok(Vec::new()),
            changes => changes?,
        };
        let mut found = Vec::new();
        for (index, change) in changes {
            if let LinkChange::Appeared(link) = change {
                self.watched.insert(index, Watched { name: link.display_name(), sources: Vec::new() });
                let link = Link::by_index(index).ok().filter(|link| link.up);
                found.extend(link.map(Change::Up));
                continue;
            }
            let Some(Watched { name, sources }) = self.watched.get_mut(&index) else { continue };
            if sources.is_empty() {
                match change {
                    LinkChange::Up => found.extend(Link::by_index(index).ok().map(Change::Up)),
                    LinkChange::Renamed(new) => *name = new,
                    LinkChange::Deleted => drop(self.watched.remove(&index)),
                    _ => {}
                }
                continue;
            }
            match change {
                LinkChange::Up => reporter.say(&format!("{name} is up")),
                LinkChange::Down => {
                    reporter.say(&format!("{name} is down: frames will be captured when it comes up"));
                }
                LinkChange::Renamed(new) => {
                    reporter.say(&format!("{name} was renamed to {new}"));
                    *name = new;
                }
                LinkChange::Mtu(mtu) => reporter.say(&format!("the MTU of {name} is now {mtu} bytes")),
                LinkChange::Xdp(programs) => {
                    let ours = |id| programs.iter().any(|program| program.program_id == id);
                    let is_lost = |source: &mut u32| program(*source).is_some_and(|id| !ours(id));
                    let lost: Vec<_> = sources.extract_if(.., is_lost).collect();
                    if !lost.is_empty() {
                        found.push(Change::Lost(lost, Error::Detached(name.clone())));
                    }
                    if sources.is_empty() {
                        self.watched.remove(&index);
                    }
                }
                LinkChange::Deleted => {
                    found.push(Change::Lost(std::mem::take(sources), Error::Gone(name.clone())));
                    self.watched.remove(&index);
                }
                LinkChange::Appeared(_) => {}
            }
        }
        Ok(found)
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
    }

    #[test]
    fn a_fault_of_the_moment_is_waited_out() {
        let mut watch = Watch::new(&[Link::default()], false).unwrap();
        let mut answer = |errno| {
            let error = interface::Error::Watch(io::Error::from_raw_os_error(errno));
            watch.report(Err(error), &|_| None, &mut Silence).map(drop)
        };
        for errno in [libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN, libc::EINTR] {
            assert!(answer(errno).is_ok(), "{errno}");
        }
        assert!(answer(libc::EPERM).is_err());
    }
}
