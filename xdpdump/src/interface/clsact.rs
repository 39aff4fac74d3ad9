//! Filters of the queueing discipline clsact, by which tc programs see what an interface sends before Linux 6.6 (tc-bpf(8),
//! net/sched/cls_api.c and cls_bpf.c, v6.1).
//!
//! The kernel keeps such a filter when its process is killed. So its name contains the name of an abstract socket that
//! lives as long as the process: if nobody has this socket, the filter was left behind, and the next one removes it.

use std::{
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd},
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, socket_with};

use super::{
    message::{attributes, begin, end, push_attribute, u32_at},
    netlink::Socket,
};

/// `TC_H_CLSACT` and the classes of its two sides (include/uapi/linux/pkt_sched.h).
const CLSACT: u32 = 0xffff_fff1;
const INGRESS: u32 = 0xffff_fff2;
const EGRESS: u32 = 0xffff_fff3;
/// `TC_H_MAKE(TC_H_CLSACT, 0)`.
const CLSACT_HANDLE: u32 = 0xffff_0000;

/// Attributes (include/uapi/linux/rtnetlink.h and pkt_cls.h).
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_BPF_FD: u16 = 6;
const TCA_BPF_NAME: u16 = 7;
const TCA_BPF_FLAGS: u16 = 8;
const TCA_BPF_FLAG_ACT_DIRECT: u32 = 1;

/// Bytes of `struct tcmsg`.
const TC_HEADER: usize = 20;

/// Follows the name if the discipline was added for the filter.
const ADDED: &str = "+";

/// A filter that runs a program on what an interface sends. Dropping it removes the filter.
pub struct Filter {
    place: Place,
    name: String,
    /// Shows that the filter's process lives.
    _sign_of_life: OwnedFd,
    clsact: Clsact,
}

/// The discipline of an interface. Dropping it removes the discipline if it is ours and has no filters.
struct Clsact {
    /// Belongs to the interface's network namespace.
    socket: Socket,
    ifindex: u32,
    is_ours: bool,
}

/// A filter's identity.
#[derive(Clone, Copy)]
struct Place {
    ifindex: u32,
    parent: u32,
    handle: u32,
    /// Priority in the upper half, protocol in network byte order in the lower half.
    info: u32,
}

/// A filter as the kernel lists it.
struct Listed {
    place: Place,
    /// The name of its program, if it runs one.
    name: String,
}

impl Filter {
    /// Adds a filter that runs `program` before all others, and clsact if the interface does not have it. Filters with names
    /// that begin with `prefix` and whose processes are gone are removed first.
    ///
    /// # Errors
    /// The error of the request: `EEXIST` if the interface has the discipline `ingress` instead of clsact, `ENODEV` if it is
    /// gone, `EPERM`.
    pub fn attach(ifindex: u32, prefix: &str, program: BorrowedFd<'_>) -> io::Result<Self> {
        let mut clsact = Clsact::of(ifindex)?;
        for orphan in clsact.filters(EGRESS)?.iter().filter(|filter| is_orphan(filter, prefix)) {
            delete(&mut clsact.socket, orphan.place)?;
            clsact.is_ours |= orphan.name.ends_with(ADDED);
        }
        let nonce = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let sign = format!("{prefix} {} {nonce:x}", std::process::id());
        let sign_of_life = sign_of_life(&sign)?;
        let name = if clsact.is_ours { sign + ADDED } else { sign };
        // The kernel chooses a priority before all others, but none is before 1. There a filter of the same kind comes first
        // that is added last.
        let priority = u32::from(clsact.filters(EGRESS)?.iter().any(|other| other.place.info >> 16 == 1));
        let wanted = Place { ifindex, parent: EGRESS, handle: 0, info: priority << 16 | any_protocol() };
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let place = add(&mut clsact.socket, wanted, &name, program, flags)?;
        Ok(Self { place, name, _sign_of_life: sign_of_life, clsact })
    }

    /// Replaces the program: every frame runs through the old or the new program.
    ///
    /// # Errors
    /// The error of the request: `ENOENT` when somebody has removed the filter.
    pub fn exchange(&mut self, program: BorrowedFd<'_>) -> io::Result<()> {
        add(&mut self.clsact.socket, self.place, &self.name, program, 0).map(drop)
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // It fails if the interface is gone, and the filter with it.
        let _ = delete(&mut self.clsact.socket, self.place);
    }
}

impl Clsact {
    /// The discipline of an interface, which is added if the interface does not have it.
    fn of(ifindex: u32) -> io::Result<Self> {
        let mut socket = Socket::open()?;
        let flags = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
        let is_ours =
            match socket.request(|sequence| clsact(libc::RTM_NEWQDISC, flags, ifindex, sequence), |_| {}) {
                Ok(()) => true,
                Err(error) if error.raw_os_error() == Some(libc::EEXIST) => false,
                Err(error) => return Err(error),
            };
        Ok(Self { socket, ifindex, is_ours })
    }

    /// The filters on one side. A kind of filter may have an entry of its own, with handle 0.
    fn filters(&mut self, parent: u32) -> io::Result<Vec<Listed>> {
        let of_side = Place { ifindex: self.ifindex, parent, handle: 0, info: 0 };
        let flags = libc::NLM_F_REQUEST | libc::NLM_F_DUMP;
        let message = |sequence| end(begin(libc::RTM_GETTFILTER, flags, sequence, &header(of_side)));
        let mut listed = Vec::new();
        self.socket.request(message, |message| {
            if message.kind == libc::RTM_NEWTFILTER {
                listed.extend(parse(message.payload));
            }
        })?;
        Ok(listed)
    }
}

impl Drop for Clsact {
    fn drop(&mut self) {
        let is_ours = self.is_ours;
        let mut is_empty = |side| self.filters(side).is_ok_and(|filters| filters.is_empty());
        if is_ours && is_empty(EGRESS) && is_empty(INGRESS) {
            let ifindex = self.ifindex;
            // It fails if the interface is gone meanwhile.
            let _ = self.socket.request(|sequence| clsact(libc::RTM_DELQDISC, 0, ifindex, sequence), |_| {});
        }
    }
}

/// `ETH_P_ALL` in network byte order.
fn any_protocol() -> u32 {
    u32::from((libc::ETH_P_ALL as u16).to_be())
}

/// Whether the filter's name begins with `prefix` and its process is gone.
fn is_orphan(filter: &Listed, prefix: &str) -> bool {
    let sign = filter.name.strip_suffix(ADDED).unwrap_or(&filter.name);
    sign.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(' ')) && sign_of_life(sign).is_ok()
}

/// An abstract socket with this name, which exists once in a network namespace and only as long as it is open.
fn sign_of_life(name: &str) -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
    Ok(socket)
}

/// `struct tcmsg`.
fn header(Place { ifindex, parent, handle, info }: Place) -> [u8; TC_HEADER] {
    let mut header = [0; TC_HEADER];
    for (at, word) in [(4, ifindex), (8, handle), (12, parent), (16, info)] {
        header[at..at + 4].copy_from_slice(&word.to_ne_bytes());
    }
    header
}

fn place(payload: &[u8]) -> Option<Place> {
    let word = |at| u32_at(payload, at);
    Some(Place { ifindex: word(4)?, handle: word(8)?, parent: word(12)?, info: word(16)? })
}

const REQUEST: i32 = libc::NLM_F_REQUEST | libc::NLM_F_ACK;

fn clsact(kind: u16, flags: i32, ifindex: u32, sequence: u32) -> Vec<u8> {
    let place = Place { ifindex, parent: CLSACT, handle: CLSACT_HANDLE, info: 0 };
    let mut message = begin(kind, REQUEST | flags, sequence, &header(place));
    push_attribute(&mut message, TCA_KIND, b"clsact\0");
    end(message)
}

/// Adds a filter, or replaces its program, and returns its place, of which the kernel chooses what is 0.
fn add(
    socket: &mut Socket,
    wanted: Place,
    name: &str,
    program: BorrowedFd<'_>,
    flags: i32,
) -> io::Result<Place> {
    let message = |sequence| {
        let mut options = Vec::new();
        push_attribute(&mut options, TCA_BPF_FD, &program.as_raw_fd().to_ne_bytes());
        push_attribute(&mut options, TCA_BPF_NAME, &[name.as_bytes(), b"\0"].concat());
        push_attribute(&mut options, TCA_BPF_FLAGS, &TCA_BPF_FLAG_ACT_DIRECT.to_ne_bytes());
        let flags = REQUEST | libc::NLM_F_ECHO | flags;
        let mut message = begin(libc::RTM_NEWTFILTER, flags, sequence, &header(wanted));
        push_attribute(&mut message, TCA_KIND, b"bpf\0");
        push_attribute(&mut message, TCA_OPTIONS, &options);
        end(message)
    };
    let mut added = None;
    socket.request(message, |echo| added = place(echo.payload))?;
    Ok(added.unwrap_or(wanted))
}

fn delete(socket: &mut Socket, place: Place) -> io::Result<()> {
    let message = |sequence| {
        let mut message = begin(libc::RTM_DELTFILTER, REQUEST, sequence, &header(place));
        push_attribute(&mut message, TCA_KIND, b"bpf\0");
        end(message)
    };
    socket.request(message, |_| {})
}

fn parse(payload: &[u8]) -> Option<Listed> {
    let place = place(payload)?;
    let mut name = String::new();
    for (_, options) in attributes(payload.get(TC_HEADER..)?).filter(|(kind, _)| *kind == TCA_OPTIONS) {
        for (_, value) in attributes(options).filter(|(kind, _)| *kind == TCA_BPF_NAME) {
            let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
            name = String::from_utf8_lossy(text).into_owned();
        }
    }
    Some(Listed { place, name })
}
