//! A client for the one thing asked of rtnetlink: links (rtnetlink(7), `RTM_GETLINK`).

use std::{
    io,
    mem::{size_of, zeroed},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use super::{
    Link,
    message::{self, Message, Query},
};

/// Room for a datagram at first; it grows when one is larger. The kernel fills dumps up to 32 KiB of it.
const BUFFER: usize = 32 << 10;
/// How often a dump is repeated when links came and went meanwhile.
const DUMP_ATTEMPTS: usize = 5;

/// An rtnetlink socket. It belongs to the network namespace it was opened in.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// A socket for requests.
    pub(super) fn open() -> io::Result<Self> {
        Self::with_flags(0)
    }

    /// A non-blocking socket that receives what the kernel announces to `groups` (`RTMGRP_*`).
    pub(super) fn subscribe(groups: libc::c_int) -> io::Result<Self> {
        let socket = Self::with_flags(libc::SOCK_NONBLOCK)?;
        // SAFETY: sockaddr_nl is plain integers, for which zero is valid.
        let mut address: libc::sockaddr_nl = unsafe { zeroed() };
        address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
        address.nl_groups = groups as u32;
        // SAFETY: the pointer and length describe `address`, which outlives the call.
        let result = unsafe {
            libc::bind(
                socket.fd.as_raw_fd(),
                (&raw const address).cast(),
                size_of::<libc::sockaddr_nl>() as libc::socklen_t,
            )
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(socket) }
    }

    fn with_flags(flags: libc::c_int) -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | flags;
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just returned this descriptor and nothing else owns it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd, sequence: 0, buffer: vec![0; BUFFER] })
    }

    /// Every link of the namespace, in the kernel's order.
    pub(super) fn links(&mut self) -> io::Result<Vec<Link>> {
        for _ in 1..DUMP_ATTEMPTS {
            let (links, interrupted) = self.ask(Query::All)?;
            if !interrupted {
                return Ok(links);
            }
        }
        // Links come and go faster than they can be listed: the last list is as good as any.
        self.ask(Query::All).map(|(links, _)| links)
    }

    /// One link; `None` when there is none such.
    pub(super) fn link(&mut self, query: Query<'_>) -> io::Result<Option<Link>> {
        match self.ask(query) {
            Ok((links, _)) => Ok(links.into_iter().next()),
            // ENODEV: no such link. The others: the name or index is not one a link can have.
            Err(error) => match error.raw_os_error() {
                Some(libc::ENODEV | libc::EINVAL | libc::ERANGE) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Sends a request and reads its whole answer, and whether the kernel's list changed while it was read.
    fn ask(&mut self, query: Query<'_>) -> io::Result<(Vec<Link>, bool)> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        self.send(&message::get_link(query, sequence))?;

        let mut links = Vec::new();
        let mut interrupted = false;
        loop {
            for message in message::messages(self.receive()?).filter(|message| message.sequence == sequence) {
                let Message { kind, flags, payload, .. } = message;
                let flags = i32::from(flags);
                interrupted |= flags & libc::NLM_F_DUMP_INTR != 0;
                match i32::from(kind) {
                    libc::NLMSG_ERROR | libc::NLMSG_DONE => {
                        return match message.errno() {
                            0 => Ok((links, interrupted)),
                            errno => Err(io::Error::from_raw_os_error(errno)),
                        };
                    }
                    _ if kind == libc::RTM_NEWLINK => links.extend(message::link(payload)),
                    _ => {}
                }
                if flags & libc::NLM_F_MULTI == 0 {
                    return Ok((links, interrupted));
                }
            }
        }
    }

    fn send(&self, request: &[u8]) -> io::Result<()> {
        // SAFETY: the pointer and length describe `request`, which outlives the call.
        let sent = unsafe { libc::send(self.fd.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The next datagram the kernel sent, whatever its size.
    ///
    /// # Errors
    /// `WouldBlock` on a non-blocking socket with nothing to read; ENOBUFS when announcements were lost.
    pub(super) fn receive(&mut self) -> io::Result<&[u8]> {
        loop {
            // With MSG_TRUNC the kernel tells the true size, with MSG_PEEK it keeps the datagram.
            let (size, _) = self.receive_with(libc::MSG_PEEK | libc::MSG_TRUNC)?;
            if size > self.buffer.len() {
                self.buffer.resize(size, 0);
            }
            let (size, sender) = self.receive_with(0)?;
            // Any process may send to this socket; port 0 is the kernel.
            if sender == 0 {
                return Ok(self.buffer.get(..size).unwrap_or_default());
            }
        }
    }

    /// `recvfrom(2)` into the buffer: the size of the datagram and the port it came from.
    fn receive_with(&mut self, flags: libc::c_int) -> io::Result<(usize, u32)> {
        // SAFETY: sockaddr_nl is plain integers, for which zero is valid.
        let mut sender: libc::sockaddr_nl = unsafe { zeroed() };
        loop {
            let mut sender_len = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
            // SAFETY: the kernel writes at most `buffer.len()` bytes to the buffer and `sender_len` to the address.
            let size = unsafe {
                libc::recvfrom(
                    self.fd.as_raw_fd(),
                    self.buffer.as_mut_ptr().cast(),
                    self.buffer.len(),
                    flags,
                    (&raw mut sender).cast(),
                    &raw mut sender_len,
                )
            };
            if let Ok(size) = usize::try_from(size) {
                return Ok((size, sender.nl_pid));
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
