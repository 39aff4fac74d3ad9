//! Promiscuous mode, held for as long as something wants it.

use std::{
    io,
    mem::{size_of, zeroed},
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

/// Keeps an interface in promiscuous mode until it is dropped or the process ends, however it ends: the kernel counts
/// the memberships of packet sockets and takes back those of a socket that closes (packet(7)).
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
        // Protocol 0: the socket itself receives nothing.
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just returned this descriptor and nothing else owns it.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };

        // SAFETY: packet_mreq is plain integers, for which zero is valid.
        let mut membership: libc::packet_mreq = unsafe { zeroed() };
        membership.mr_ifindex = index.cast_signed();
        membership.mr_type = libc::PACKET_MR_PROMISC as libc::c_ushort;
        // SAFETY: the pointer and length describe `membership`, which outlives the call.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_ADD_MEMBERSHIP,
                (&raw const membership).cast(),
                size_of::<libc::packet_mreq>() as libc::socklen_t,
            )
        };
        if result < 0 { Err(io::Error::last_os_error()) } else { Ok(Self { _socket: socket }) }
    }
}
