//! Watches interfaces while they are captured.

use std::{
    collections::BTreeMap,
    io, mem,
    os::fd::{AsFd, BorrowedFd},
};

use super::{
    AttachedProgram, Error, Link,
    message::{self, Query},
    netlink::{self, Socket},
};

/// Something that happened to a watched interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// It was switched on.
    Up,
    /// It was switched off.
    Down,
    /// It has this new name, in the form of [`Link::display_name`].
    Renamed(String),
    /// Its MTU changed to this number of bytes.
    Mtu(u32),
    /// The set of attached XDP programs changed to this.
    Xdp(Vec<AttachedProgram>),
    /// It was not there before, or not known. Only when all interfaces are watched.
    Appeared(Box<Link>),
    /// It is gone from this network namespace: deleted, or moved to another one. It is no longer watched.
    Deleted,
}

/// Watches interfaces of the network namespace in which it was created.
///
/// The kernel's announcements (`RTMGRP_LINK`, rtnetlink(7)) only decide which interfaces are queried again. Changes are
/// found by comparing their state with the last known state. So a lost or partial announcement does no harm, and a change
/// that was undone at once is not reported.
///
/// The kernel does not announce programs that are attached or detached through a `bpf_link`: call [`Monitor::refresh`]
/// regularly to find those.
#[derive(Debug)]
pub struct Monitor {
    announcements: Socket,
    requests: Socket,
    known: BTreeMap<u32, Link>,
    /// Whether interfaces that appear are watched too.
    all: bool,
    /// Announcements may have been missed.
    missed: bool,
    /// Changes that have not been returned yet, because the query for another interface failed.
    pending: Vec<(u32, LinkChange)>,
}

impl Monitor {
    /// Watches interfaces, starting from the given state. The first call of [`Monitor::changes`] reports what changed
    /// between that state and the start of the watch: make this call at once.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel refuses the socket.
    pub fn new(links: impl IntoIterator<Item = Link>) -> Result<Self, Error> {
        let announcements = Socket::subscribe(libc::RTMGRP_LINK.cast_unsigned()).map_err(Error::Watch)?;
        let requests = Socket::open().map_err(Error::Watch)?;
        let known = links.into_iter().map(|link| (link.index, link)).collect();
        Ok(Self { announcements, requests, known, all: false, missed: true, pending: Vec::new() })
    }

    /// Watches the given interfaces and all that appear.
    ///
    /// # Errors
    /// As [`Monitor::new`].
    pub fn of_all(links: impl IntoIterator<Item = Link>) -> Result<Self, Error> {
        Ok(Self { all: true, ..Self::new(links)? })
    }

    /// Reads the kernel's announcements and returns the changes, each with the index of the interface. Does not block: call
    /// it when the descriptor is readable.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel does not answer.
    pub fn changes(&mut self) -> Result<Vec<(u32, LinkChange)>, Error> {
        let mut announced = BTreeMap::new();
        loop {
            match self.announcements.receive() {
                Ok(datagram) => {
                    for (index, announcement) in announcements(datagram) {
                        let most = announced.entry(index).or_insert(announcement);
                        *most = announcement.max(*most);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The kernel reports once that announcements were lost for lack of room; later ones can be received again.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.missed = true,
                Err(error) if netlink::is_passing(&error) => {
                    self.missed = true;
                    break;
                }
                Err(error) => return Err(Error::Watch(error)),
            }
        }
        if self.missed {
            return self.refresh();
        }
        for (index, announcement) in announced {
            match announcement {
                Announcement::Deleted if self.known.remove(&index).is_some() => {
                    self.pending.push((index, LinkChange::Deleted));
                }
                Announcement::Deleted => {}
                Announcement::Changed => self.compare(index)?,
            }
        }
        Ok(mem::take(&mut self.pending))
    }

    /// Queries every watched interface, announced or not, and returns the changes. Changes found before an error are
    /// returned by the next call that succeeds.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel does not answer.
    pub fn refresh(&mut self) -> Result<Vec<(u32, LinkChange)>, Error> {
        self.missed = true;
        let mut indices: Vec<_> = self.known.keys().copied().collect();
        if self.all {
            let links = self.requests.links().map_err(Error::Watch)?;
            indices
                .extend(links.iter().map(|link| link.index).filter(|index| !self.known.contains_key(index)));
        }
        for index in indices {
            self.compare(index)?;
        }
        self.missed = false;
        Ok(mem::take(&mut self.pending))
    }

    /// Queries an interface and records its changes.
    fn compare(&mut self, index: u32) -> Result<(), Error> {
        if !self.all && !self.known.contains_key(&index) {
            return Ok(());
        }
        let link = self.requests.link(Query::Index(index)).map_err(Error::Watch);
        // The next call queries it again.
        let Some(link) = link.inspect_err(|_| self.missed = true)? else {
            if self.known.remove(&index).is_some() {
                self.pending.push((index, LinkChange::Deleted));
            }
            return Ok(());
        };
        match self.known.get(&index) {
            Some(known) => self.pending.extend(differences(known, &link).map(|change| (index, change))),
            None => self.pending.push((index, LinkChange::Appeared(Box::new(link.clone())))),
        }
        self.known.insert(index, link);
        Ok(())
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.announcements.as_fd()
    }
}

/// What an announcement says about an interface. Of several announcements the greatest one counts: one that follows a
/// deletion is about another interface with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Announcement {
    Changed,
    Deleted,
}

fn announcements(datagram: &[u8]) -> impl Iterator<Item = (u32, Announcement)> {
    message::messages(datagram).filter_map(|message| {
        let announcement = match message.kind {
            libc::RTM_NEWLINK => Announcement::Changed,
            libc::RTM_DELLINK => Announcement::Deleted,
            _ => return None,
        };
        Some((message::link_index(message.payload)?, announcement))
    })
}

fn differences(before: &Link, after: &Link) -> impl Iterator<Item = LinkChange> {
    let renamed = before.name != after.name;
    let mtu = before.mtu != after.mtu;
    let xdp = before.xdp != after.xdp;
    let switched = before.up != after.up;
    [
        renamed.then(|| LinkChange::Renamed(after.display_name())),
        mtu.then_some(LinkChange::Mtu(after.mtu)),
        xdp.then(|| LinkChange::Xdp(after.xdp.clone())),
        switched.then_some(if after.up { LinkChange::Up } else { LinkChange::Down }),
    ]
    .into_iter()
    .flatten()
}
