//! Memberships of packet sockets (packet(7)), which rustix does not have.

use std::{
    io,
    mem::zeroed,
    os::fd::{AsRawFd, BorrowedFd},
};

/// Makes the packet socket hold the interface with this number in promiscuous mode for as long as the socket is open.
///
/// # Errors
/// ENODEV when there is no such interface.
pub fn hold_promiscuous(socket: BorrowedFd<'_>, index: u32) -> io::Result<()> {
    // SAFETY: packet_mreq consists of integers, for which zero is valid.
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
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
