//! A netlink client that queries links (rtnetlink(7), `RTM_GETLINK`) and sends other requests.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    thread,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, bind,
        netlink::{self, SocketAddrNetlink},
        recvfrom, send, socket_with,
    },
};

use super::{
    Link,
    message::{self, Message, Query},
};

/// Initial size of the buffer for a datagram; it grows if a datagram is larger. The kernel fills datagrams of a dump up to
/// 32 KiB.
const BUFFER: usize = 32 << 10;
/// How often to try a dump that is inconsistent because links changed meanwhile.
const DUMP_ATTEMPTS: usize = 5;
/// Pauses before a request is repeated for which the kernel had no memory.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(1), Duration::from_millis(2), Duration::from_millis(4), Duration::from_millis(8)];

/// A port number that is not the kernel's.
const NOBODY: u32 = u32::MAX;

/// An rtnetlink socket. It belongs to the network namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// Opens a socket for requests.
    pub(super) fn open() -> io::Result<Self> {
        Self::with_flags(SocketFlags::empty(), None)
    }

    /// Opens a socket for requests to generic netlink.
    pub(super) fn open_generic() -> io::Result<Self> {
        Self::with_flags(SocketFlags::empty(), Some(netlink::GENERIC))
    }

    /// Opens a non-blocking socket that receives the kernel's announcements to `groups` (`RTMGRP_*`).
    pub(super) fn subscribe(groups: u32) -> io::Result<Self> {
        let socket = Self::with_flags(SocketFlags::NONBLOCK, None)?;
        // The kernel chooses the port.
        bind(&socket.fd, &SocketAddrNetlink::new(0, groups))?;
        Ok(socket)
    }

    /// Without a protocol, the socket is for rtnetlink.
    fn with_flags(flags: SocketFlags, protocol: Option<Protocol>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | flags;
        let fd = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        Ok(Self { fd, sequence: 0, buffer: vec![0; BUFFER] })
    }

    /// All links of the namespace, in the kernel's order.
    pub(super) fn links(&mut self) -> io::Result<Vec<Link>> {
        for _ in 1..DUMP_ATTEMPTS {
            let (links, interrupted) = self.ask(Query::All)?;
            if !interrupted {
                return Ok(links);
            }
        }
        // Links change faster than they can be listed: the last list is as good as any other.
        self.ask(Query::All).map(|(links, _)| links)
    }

    /// The link that `query` asks for; `None` when there is none.
    pub(super) fn link(&mut self, query: Query<'_>) -> io::Result<Option<Link>> {
        match self.ask(query) {
            Ok((links, _)) => Ok(links.into_iter().next()),
            // ENODEV: there is no such link. EINVAL, ERANGE: no link can have this name or index.
            Err(error) => match error.raw_os_error() {
                Some(libc::ENODEV | libc::EINVAL | libc::ERANGE) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Sends a request of another kind, and calls `each` with every message of the answer. `message` is called with the
    /// sequence number. Ends with the message that says whether the request succeeded, so the request must ask for one.
    pub(super) fn request(
        &mut self,
        message: impl FnOnce(u32) -> Vec<u8>,
        mut each: impl FnMut(&Message<'_>),
    ) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        send(&self.fd, &message(sequence), SendFlags::empty())?;
        loop {
            for message in message::messages(self.receive()?).filter(|message| message.sequence == sequence) {
                match i32::from(message.kind) {
                    libc::NLMSG_ERROR | libc::NLMSG_DONE => {
                        return match message.errno() {
                            0 => Ok(()),
                            errno => Err(io::Error::from_raw_os_error(errno)),
                        };
                    }
                    _ => each(&message),
                }
            }
        }
    }

    /// Sends a request, and repeats it while the kernel has no memory for the request or the answer.
    fn ask(&mut self, query: Query<'_>) -> io::Result<(Vec<Link>, bool)> {
        for pause in PAUSES {
            match self.ask_once(query) {
                Err(error) if is_passing(&error) => thread::sleep(pause),
                result => return result,
            }
        }
        self.ask_once(query)
    }

    /// Sends a request and reads the whole answer. The second value says that the kernel's list changed while it was read.
    fn ask_once(&mut self, query: Query<'_>) -> io::Result<(Vec<Link>, bool)> {
        self.sequence = self.sequence.wrapping_add(1);
        let sequence = self.sequence;
        send(&self.fd, &message::get_link(query, sequence), SendFlags::empty())?;

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

    /// The next datagram from the kernel, whatever its size.
    ///
    /// # Errors
    /// `WouldBlock` on a non-blocking socket with nothing to read; ENOBUFS when announcements have been lost.
    pub(super) fn receive(&mut self) -> io::Result<&[u8]> {
        loop {
            // With MSG_TRUNC the kernel returns the real size; with MSG_PEEK it keeps the datagram.
            let (size, _) = self.receive_with(RecvFlags::PEEK | RecvFlags::TRUNC)?;
            if size > self.buffer.len() {
                self.buffer.resize(size, 0);
            }
            let (size, sender) = self.receive_with(RecvFlags::empty())?;
            // Any process may send to this socket; the kernel's port is 0.
            if sender == 0 {
                return Ok(self.buffer.get(..size).unwrap_or_default());
            }
        }
    }

    /// `recvfrom(2)` into the buffer: the size of the datagram and the port it came from.
    fn receive_with(&mut self, flags: RecvFlags) -> io::Result<(usize, u32)> {
        loop {
            match recvfrom(&self.fd, self.buffer.as_mut_slice(), flags) {
                Ok((_, size, sender)) => {
                    let sender = sender.and_then(|sender| SocketAddrNetlink::try_from(sender).ok());
                    return Ok((size, sender.map_or(NOBODY, |sender| sender.pid())));
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Whether the error is temporary, so that the same request may succeed later.
pub(super) fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOBUFS | libc::ENOMEM | libc::EAGAIN | libc::EINTR))
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
