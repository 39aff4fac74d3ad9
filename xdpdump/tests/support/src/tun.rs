//! A tunnel interface whose other end is the test. Its packets have no link-level header.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
};

use crate::netns::NetNs;

/// A tunnel interface, which exists as long as this value.
#[derive(Debug)]
pub struct Tun(File);

impl Tun {
    /// Creates a tunnel interface in `netns` and switches it on.
    pub fn new(netns: &NetNs, name: &str) -> Self {
        // The interface is created in the namespace of the thread that opens this file.
        let open = || File::options().read(true).write(true).open("/dev/net/tun");
        let file = netns.run(open).unwrap();
        // SAFETY: ifreq consists of integers and a union of integers and pointers, for which zero is valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from.cast_signed() as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: the command reads and writes one ifreq, which outlives the call.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        assert_eq!(result, 0, "TUNSETIFF: {}", io::Error::last_os_error());
        netns.ip(["link", "set", name, "up"]);
        Self(file)
    }

    /// Makes the interface receive one IP packet.
    pub fn send(&self, packet: &[u8]) {
        assert_eq!((&self.0).write(packet).unwrap(), packet.len());
    }
}
