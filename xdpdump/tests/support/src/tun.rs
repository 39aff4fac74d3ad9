//! A tunnel interface whose other end is the test: packets without a link-level header.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsRawFd,
};

use crate::netns::NetNs;

/// The interface exists as long as this.
#[derive(Debug)]
pub struct Tun(File);

impl Tun {
    /// Makes a tunnel interface in `netns` and switches it on.
    pub fn new(netns: &NetNs, name: &str) -> Self {
        // The interface will be in the namespace of the thread that opens this.
        let open = || File::options().read(true).write(true).open("/dev/net/tun");
        let file = netns.run(open).unwrap();
        // SAFETY: ifreq is plain integers and a union of those, for which zero is valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        // SAFETY: the command reads and writes one ifreq, which outlives the call.
        let result = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
        assert_eq!(result, 0, "TUNSETIFF: {}", io::Error::last_os_error());
        netns.ip(["link", "set", name, "up"]);
        Self(file)
    }

    /// Lets the interface receive one IP packet.
    pub fn send(&self, packet: &[u8]) {
        assert_eq!((&self.0).write(packet).unwrap(), packet.len());
    }
}
