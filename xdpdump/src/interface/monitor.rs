//! What happens to interfaces while they are captured.

use std::{
    collections::BTreeMap,
    io,
    os::fd::{AsFd, BorrowedFd},
};

use super::{
    AttachedProgram, Error, Link,
    message::{self, Query},
    netlink::Socket,
};

/// Something that happened to a watched interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkChange {
    /// It was switched on.
    Up,
    /// It was switched off.
    Down,
    /// It has another name, in the form for people.
    Renamed(String),
    /// Its MTU is another, in bytes.
    Mtu(u32),
    /// Other XDP programs than before are attached: these.
    Xdp(Vec<AttachedProgram>),
    /// It is gone from this network namespace, deleted or moved to another. It is watched no more.
    Deleted,
}

/// Watches interfaces of the network namespace it was made in.
///
/// The kernel's announcements (`RTMGRP_LINK`, rtnetlink(7)) only say which interfaces to look at again; what changed
/// comes from comparing their state with the last one known. So a lost or partial announcement does no harm, and what
/// was undone at once is not reported.
///
/// The kernel does not announce programs attached or detached through a `bpf_link`: call [`Monitor::refresh`] now and
/// then to learn of those.
#[derive(Debug)]
pub struct Monitor {
    announcements: Socket,
    requests: Socket,
    known: BTreeMap<u32, Link>,
    /// Announcements may have been missed.
    missed: bool,
}

impl Monitor {
    /// Watches interfaces, from the state they are known in. The first call of [`Monitor::changes`] reports what
    /// changed between that state and the start of the watch: make it at once.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel gives no socket for it.
    pub fn new(links: impl IntoIterator<Item = Link>) -> Result<Self, Error> {
        let announcements = Socket::subscribe(libc::RTMGRP_LINK).map_err(Error::Watch)?;
        let requests = Socket::open().map_err(Error::Watch)?;
        let known = links.into_iter().map(|link| (link.index, link)).collect();
        Ok(Self { announcements, requests, known, missed: true })
    }

    /// Reads what the kernel announced and returns what changed, with the index of the interface. Does not block:
    /// call it when the descriptor is readable.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel does not answer.
    pub fn changes(&mut self) -> Result<Vec<(u32, LinkChange)>, Error> {
        let mut announced = BTreeMap::new();
        loop {
            match self.announcements.receive() {
                Ok(datagram) => announced.extend(announcements(datagram)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.missed = true,
                Err(error) => return Err(Error::Watch(error)),
            }
        }
        if self.missed {
            return self.refresh();
        }
        let mut changes = Vec::new();
        for (index, announcement) in announced {
            match announcement {
                Announcement::Deleted if self.known.remove(&index).is_some() => {
                    changes.push((index, LinkChange::Deleted));
                }
                Announcement::Deleted => {}
                Announcement::Changed => self.compare(index, &mut changes)?,
            }
        }
        Ok(changes)
    }

    /// Looks at every watched interface, announced or not, and returns what changed.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel does not answer.
    pub fn refresh(&mut self) -> Result<Vec<(u32, LinkChange)>, Error> {
        self.missed = false;
        let mut changes = Vec::new();
        for index in self.known.keys().copied().collect::<Vec<_>>() {
            self.compare(index, &mut changes)?;
        }
        Ok(changes)
    }

    /// Brings what is known of an interface up to date.
    fn compare(&mut self, index: u32, changes: &mut Vec<(u32, LinkChange)>) -> Result<(), Error> {
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        match self.requests.link(Query::Index(index)).map_err(Error::Watch)? {
            Some(link) => {
                changes.extend(differences(known, &link).map(|change| (index, change)));
                *known = link;
            }
            None => {
                self.known.remove(&index);
                changes.push((index, LinkChange::Deleted));
            }
        }
        Ok(())
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.announcements.as_fd()
    }
}

/// What an announcement says of an interface; where there are several, the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
