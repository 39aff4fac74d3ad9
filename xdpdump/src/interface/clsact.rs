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
    message::{attributes, begin, end, push_attribute, text, u32_at},
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
const TCA_BPF_ID: u16 = 11;
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
pub struct Listed {
    place: Place,
    /// Its kind, such as `bpf` or `flower`.
    pub kind: String,
    /// The name of its program, if it runs one.
    pub name: String,
    /// The id of its program, if it runs one.
    pub program: Option<u32>,
}

/// The filters of the discipline clsact or ingress.
#[derive(Default)]
pub struct Filters {
    /// Those that received frames pass.
    pub received: Vec<Listed>,
    /// Those that frames pass which are sent.
    pub sent: Vec<Listed>,
}

impl Filters {
    /// The filters on an interface, in their order. No privileges are needed.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn on(ifindex: u32) -> io::Result<Self> {
        let mut clsact = Clsact { socket: Socket::open()?, ifindex, is_ours: false };
        let Some(kind) = clsact.kind()? else { return Ok(Self::default()) };
        // A kind of filter may have an entry of its own, with handle 0.
        let mut filters = |side| -> io::Result<Vec<Listed>> {
            let all = clsact.filters(side)?;
            Ok(all.into_iter().filter(|filter| filter.place.handle != 0).collect())
        };
        let received = filters(INGRESS)?;
        // The discipline ingress would list its filters for both sides.
        let sent = if kind == "clsact" { filters(EGRESS)? } else { Vec::new() };
        Ok(Self { received, sent })
    }
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

    /// The kind of the discipline; `None` if the interface has none for filters.
    fn kind(&mut self) -> io::Result<Option<String>> {
        let (flags, ifindex) = (libc::NLM_F_REQUEST | libc::NLM_F_DUMP, self.ifindex);
        let all = Place { ifindex, parent: 0, handle: 0, info: 0 };
        let message = |sequence| end(begin(libc::RTM_GETQDISC, flags, sequence, &header(all)));
        let mut kind = None;
        // The kernel lists the disciplines of all interfaces.
        self.socket.request(message, |message| {
            if place(message.payload).is_some_and(|it| (it.ifindex, it.parent) == (ifindex, CLSACT)) {
                let mut found = attributes(message.payload.get(TC_HEADER..).unwrap_or_default());
                kind = found.find(|(kind, _)| *kind == TCA_KIND).map(|(_, value)| string(value));
            }
        })?;
        Ok(kind)
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

/// The text before the terminating NUL.
fn string(value: &[u8]) -> String {
    text(value).to_string_lossy().into_owned()
}

fn parse(payload: &[u8]) -> Option<Listed> {
    let mut listed =
        Listed { place: place(payload)?, kind: String::new(), name: String::new(), program: None };
    for (attribute, value) in attributes(payload.get(TC_HEADER..)?) {
        match attribute {
            TCA_KIND => listed.kind = string(value),
            TCA_OPTIONS => {
                // The attributes of other kinds of filters have other meanings.
                for (attribute, value) in attributes(value).filter(|_| listed.kind == "bpf") {
                    match attribute {
                        TCA_BPF_NAME => listed.name = string(value),
                        TCA_BPF_ID => listed.program = u32_at(value, 0),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Some(listed)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// The payload of an `RTM_NEWTFILTER` message.
    fn filter(kind: &[u8], options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut payload = header(Place { ifindex: 7, parent: EGRESS, handle: 1, info: 1 << 16 }).to_vec();
        let mut nested = Vec::new();
        for (kind, value) in options {
            push_attribute(&mut nested, *kind, value);
        }
        push_attribute(&mut payload, TCA_KIND, kind);
        push_attribute(&mut payload, TCA_OPTIONS, &nested);
        payload
    }

    #[test]
    fn a_program_is_known_by_name_and_id_and_only_where_there_is_one() {
        let options = [(TCA_BPF_NAME, &b"out.o:[tc]\0"[..]), (TCA_BPF_ID, &42u32.to_ne_bytes())];
        let listed = parse(&filter(b"bpf\0", &options)).unwrap();
        assert_eq!(
            (listed.kind.as_str(), listed.name.as_str(), listed.program),
            ("bpf", "out.o:[tc]", Some(42))
        );
        let listed = parse(&filter(b"flower\0", &options)).unwrap();
        assert_eq!((listed.kind.as_str(), listed.name.as_str(), listed.program), ("flower", "", None));
        assert!(parse(&[0; TC_HEADER - 1]).is_none());
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(
            at in 0..80usize,
            bytes in vec(prop_oneof![0..12u8, any::<u8>()], 0..40),
            cut in 0..120usize,
        ) {
            let mut payload = filter(b"bpf\0", &[(TCA_BPF_NAME, b"name\0"), (TCA_BPF_ID, &[1; 4])]);
            for (to, from) in payload.iter_mut().skip(at).zip(bytes) {
                *to = from;
            }
            payload.truncate(cut);
            let _ = parse(&payload);
        }
    }
}
