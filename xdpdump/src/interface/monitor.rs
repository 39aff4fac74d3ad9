//! What happens to interfaces while they are captured.

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
    /// What changed and was not returned, because the kernel did not answer for another interface.
    pending: Vec<(u32, LinkChange)>,
}

impl Monitor {
    /// Watches interfaces, from the state they are known in. The first call of [`Monitor::changes`] reports what
    /// changed between that state and the start of the watch: make it at once.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel gives no socket for it.
    pub fn new(links: impl IntoIterator<Item = Link>) -> Result<Self, Error> {
        let announcements = Socket::subscribe(libc::RTMGRP_LINK.cast_unsigned()).map_err(Error::Watch)?;
        let requests = Socket::open().map_err(Error::Watch)?;
        let known = links.into_iter().map(|link| (link.index, link)).collect();
        Ok(Self { announcements, requests, known, missed: true, pending: Vec::new() })
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
                Ok(datagram) => {
                    for (index, announcement) in announcements(datagram) {
                        let most = announced.entry(index).or_insert(announcement);
                        *most = announcement.max(*most);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // The kernel says once that it had no room for announcements, and goes on.
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

    /// Looks at every watched interface, announced or not, and returns what changed. What changed before an error is returned
    /// by the next call that succeeds.
    ///
    /// # Errors
    /// [`Error::Watch`] when the kernel does not answer.
    pub fn refresh(&mut self) -> Result<Vec<(u32, LinkChange)>, Error> {
        self.missed = true;
        for index in self.known.keys().copied().collect::<Vec<_>>() {
            self.compare(index)?;
        }
        self.missed = false;
        Ok(mem::take(&mut self.pending))
    }

    /// Brings what is known of an interface up to date.
    fn compare(&mut self, index: u32) -> Result<(), Error> {
        let Some(known) = self.known.get_mut(&index) else { return Ok(()) };
        let link = self.requests.link(Query::Index(index)).map_err(Error::Watch);
        // It is looked at again by the next call.
        let Some(link) = link.inspect_err(|_| self.missed = true)? else {
            self.known.remove(&index);
            self.pending.push((index, LinkChange::Deleted));
            return Ok(());
        };
        self.pending.extend(differences(known, &link).map(|change| (index, change)));
        *known = link;
        Ok(())
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.announcements.as_fd()
    }
}

/// What an announcement says of an interface. Of several the greatest counts: what comes after a deletion is about
/// another interface with the same number.
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
