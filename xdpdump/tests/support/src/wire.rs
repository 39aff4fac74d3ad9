//! Sends frames from an interface unchanged.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use crate::netns::NetNs;

/// An EtherType for experiments (IEEE 802, "Local Experimental EtherType 1").
const EXPERIMENTAL: [u8; 2] = [0x88, 0xb5];

/// A frame of `len` bytes (at least 14) between unused addresses; the payload begins with `tag`.
pub fn frame(len: usize, tag: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    frame.extend(EXPERIMENTAL);
    frame.extend(tag.iter().take(len - frame.len()));
    let start = frame.len();
    frame.extend((start..len).map(|position| (position % 251) as u8));
    frame
}

/// A frame of 60 bytes that can be recognised by its number.
pub fn numbered(number: u8) -> Vec<u8> {
    frame(60, &[number])
}

/// A frame of 60 bytes with UDP from this port.
pub fn udp(port: u16) -> Vec<u8> {
    let mut frame = frame(60, b"");
    frame[12..14].copy_from_slice(&[8, 0]);
    frame[14..34].copy_from_slice(&[0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    frame[34..36].copy_from_slice(&port.to_be_bytes());
    frame[36..42].copy_from_slice(&[0, 9, 0, 26, 0, 0]);
    frame
}

/// Sends frames from one interface through a packet socket.
#[derive(Debug)]
pub struct Wire {
    socket: OwnedFd,
    address: libc::sockaddr_ll,
}

impl Wire {
    /// Opens an interface of `netns` for sending.
    pub fn open(netns: &NetNs, interface: &str) -> Self {
        let index = netns.interface_index(interface);
        netns.run(|| Self::open_here(index))
    }

    /// Opens an interface of the calling thread's namespace for sending.
    pub fn open_here(index: u32) -> Self {
        // SAFETY: no pointers are passed. With protocol 0 the socket receives nothing.
        let fd = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        assert!(fd >= 0, "packet socket: {}", io::Error::last_os_error());
        // SAFETY: the kernel just returned this descriptor and nothing else owns it.
        let socket = unsafe { OwnedFd::from_raw_fd(fd) };
        let size: libc::c_int = 4 << 20;
        // SAFETY: the pointer and length describe `size`, which outlives the call.
        let result = unsafe {
            libc::setsockopt(
                fd,
                libc::SOL_SOCKET,
                libc::SO_SNDBUFFORCE,
                (&raw const size).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
        assert_eq!(result, 0, "send buffer: {}", io::Error::last_os_error());
        // SAFETY: sockaddr_ll consists of integers, for which zero is valid.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_ifindex = index.cast_signed();
        Self { socket, address }
    }

    /// Sends one frame.
    ///
    /// # Panics
    /// When the kernel does not accept it.
    pub fn send(&self, frame: &[u8]) {
        self.try_send(frame).unwrap_or_else(|error| panic!("send {} bytes: {error}", frame.len()));
    }

    /// Tries to send one frame.
    ///
    /// # Errors
    /// The error of the system call: `ENOBUFS` when the receiver does not keep up, `ENETDOWN` or `ENXIO` when the interface
    /// is gone.
    pub fn try_send(&self, frame: &[u8]) -> io::Result<()> {
        // SAFETY: the pointers and lengths describe the frame and the address, which outlive the call.
        let sent = unsafe {
            libc::sendto(
                self.socket.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const self.address).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        };
        // A packet socket sends a frame completely or not at all.
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
