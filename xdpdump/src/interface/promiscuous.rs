//! Promiscuous mode, held as long as it is needed.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::sys::packet_socket;

/// Keeps an interface in promiscuous mode until this value is dropped or the process ends, however it ends: the kernel
/// counts the memberships of packet sockets, and removes those of a socket when it is closed (packet(7)).
#[derive(Debug)]
pub struct Promiscuous {
    _socket: OwnedFd,
}

impl Promiscuous {
    /// Makes the interface receive frames for every address.
    ///
    /// # Errors
    /// Without `CAP_NET_RAW`, or when there is no such interface.
    pub fn enter(index: u32) -> io::Result<Self> {
        // A socket without a protocol receives no packets.
        let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        packet_socket::hold_promiscuous(socket.as_fd(), index)?;
        Ok(Self { _socket: socket })
    }
}
