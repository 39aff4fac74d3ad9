//! Finds the XDP programs that run on an interface: the one that is attached and, if that is a dispatcher of libxdp, those in
//! its slots.

use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use super::{Error, btf::Btf};
use crate::{
    interface::{AttachedProgram, Link, XdpMode},
    sys::bpf::tracing::{self, ProgramInfo, TracingLink},
};

/// Bytes of a name in the kernel; a longer name is cut to this length.
const SHORT_NAME: usize = 15;

/// The structure to which the argument of an XDP program is a pointer.
const CONTEXT: &str = "xdp_md";

/// `attach_type` of a link that replaces a function.
const REPLACES: u32 = 0;

/// A program, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id, as in `bpftool prog show id N`.
    pub id: u32,
    /// Its whole name.
    pub name: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (id {})", self.name, self.id)
    }
}

/// A program that is to be observed.
#[derive(Debug)]
pub struct Observed {
    /// The program.
    pub program: Named,
    /// The mode in which it runs.
    pub mode: XdpMode,
    /// The id of the program that is attached to the interface: itself, or the dispatcher that calls it.
    pub root: u32,
    fd: OwnedFd,
    function: u32,
}

/// Why a program cannot be observed.
#[derive(Debug, thiserror::Error)]
pub enum Unobservable {
    /// It may not be opened.
    #[error("opening a program of somebody else takes CAP_SYS_ADMIN ({0})")]
    Closed(#[source] io::Error),
    /// It has no type information.
    #[error(
        "{0} has no BTF, the type information by which the kernel finds its entry and exit (compile it with `clang -g`)"
    )]
    NoBtf(Named),
    /// Its type information is of no use.
    #[error("the BTF of {0} does not say that its function takes a `struct xdp_md *`")]
    OtherArgument(Named),
    /// The kernel has no type information.
    #[error("this kernel has no type information (/sys/kernel/btf/vmlinux: {0})")]
    NoKernelBtf(#[source] io::Error),
    /// The kernel's type information does not have what is needed.
    #[error("the type information of this kernel does not tell where {0} is")]
    NoField(&'static str),
    /// The kernel did not load or attach the program that would observe it.
    #[error("this kernel does not let programs run before and after {0} ({1})")]
    Refused(Named, String),
}

impl Observed {
    /// The program.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// The type of its function, in its BTF.
    pub fn function(&self) -> u32 {
        self.function
    }

    /// The program on an interface that is to be observed: the one that is attached or, if one is `wanted` by name or id, that
    /// one. `None` if no program runs there, or only in another mode than the one that is given.
    ///
    /// # Errors
    /// When no program, or several, are called so, or it cannot be observed.
    pub fn find(link: &Link, mode: Option<XdpMode>, wanted: Option<&str>) -> Result<Option<Self>, Error> {
        let Some(attached) = on(link, mode) else { return Ok(None) };
        let unobservable = |reason| Error::occupied(link, attached.program_id, attached.mode, Some(reason));
        let id = match wanted {
            None => attached.program_id,
            Some(wanted) => choose(link, &programs(attached.program_id), wanted)?,
        };
        let open = |id| {
            let opened = tracing::open_program(id)
                .and_then(|fd| tracing::program_info(fd.as_fd()).map(|info| (fd, info)));
            opened.map_err(|error| match error.raw_os_error() {
                Some(libc::ENOENT) => Error::Gone(link.display_name()),
                _ => unobservable(Unobservable::Closed(error)),
            })
        };
        let (mut fd, mut info) = open(id)?;
        // A lone program of libxdp replaces the function of the dispatcher, which is then never called.
        if let Some(instead) = info.function.and_then(|function| replaced(id, function)) {
            (fd, info) = open(instead)?;
        }
        let (name, function) = function(&info).map_err(unobservable)?;
        let program = Named { id: info.id, name };
        Ok(Some(Self { program, mode: attached.mode, root: attached.program_id, fd, function }))
    }
}

/// The program on the interface that a capture in this mode can observe.
pub fn on(link: &Link, mode: Option<XdpMode>) -> Option<AttachedProgram> {
    let is_observable = |program: &&AttachedProgram| {
        program.mode != XdpMode::Offload && mode.is_none_or(|mode| mode == program.mode)
    };
    link.xdp.iter().find(is_observable).copied()
}

/// The whole name of a program, and the type of its function.
fn function(info: &ProgramInfo) -> Result<(String, u32), Unobservable> {
    let named = |name: &str| Named { id: info.id, name: name.to_owned() };
    let (Some(id), true) = (info.function, info.btf != 0) else {
        return Err(Unobservable::NoBtf(named(&info.name)));
    };
    let bytes = tracing::btf(info.btf).map_err(Unobservable::Closed)?;
    match Btf::parse(&bytes).and_then(|btf| btf.function(id)) {
        Some(function) if function.argument == CONTEXT => Ok((function.name, id)),
        Some(function) => Err(Unobservable::OtherArgument(named(&function.name))),
        None => Err(Unobservable::NoBtf(named(&info.name))),
    }
}

/// The program with this id, with its whole name; as far as the kernel tells.
pub fn named(id: u32) -> Option<Named> {
    let program = tracing::open_program(id).ok()?;
    let info = tracing::program_info(program.as_fd()).ok()?;
    let whole = info.function.filter(|_| info.btf != 0).and_then(|function| {
        let bytes = tracing::btf(info.btf).ok()?;
        Btf::parse(&bytes)?.function(function).map(|function| function.name)
    });
    // A program may have been given another name than its function.
    let name = match whole {
        Some(whole) if info.name.len() < SHORT_NAME || whole.starts_with(&info.name) => whole,
        _ => info.name,
    };
    (!name.is_empty()).then_some(Named { id, name })
}

/// The program that runs in place of this function of a program, if one does.
fn replaced(id: u32, function: u32) -> Option<u32> {
    let links = tracing::tracing_links().ok()?;
    let is_it =
        |link: &&TracingLink| (link.attach_type, link.target, link.function) == (REPLACES, id, function);
    links.iter().find(is_it).map(|link| link.program)
}

/// The programs in the slots of a dispatcher, in the order in which it calls them; none for another program.
pub fn in_slots_of(id: u32) -> Vec<Named> {
    let Ok(links) = tracing::tracing_links() else { return Vec::new() };
    let mut slots: Vec<TracingLink> =
        links.into_iter().filter(|link| link.attach_type == REPLACES && link.target == id).collect();
    // A dispatcher's functions `prog0`, `prog1` … are in its BTF in this order.
    slots.sort_by_key(|link| link.function);
    let unnamed = |id| Named { id, name: String::new() };
    slots.into_iter().map(|link| named(link.program).unwrap_or_else(|| unnamed(link.program))).collect()
}

/// Whether a dispatcher calls a program; if the kernel does not tell, it is taken to.
pub fn is_in_slot_of(id: u32, program: u32) -> bool {
    let is_it = |link: &TracingLink| (link.attach_type, link.target, link.program) == (REPLACES, id, program);
    tracing::tracing_links().map_or(true, |links| links.iter().any(is_it))
}

/// A program and those that it calls.
fn programs(root: u32) -> Vec<Named> {
    named(root).into_iter().chain(in_slots_of(root)).collect()
}

/// The id of the program that is called so: by its whole name, by the name that the kernel cut, or by its id.
fn choose(link: &Link, programs: &[Named], wanted: &str) -> Result<u32, Error> {
    if let Ok(id) = wanted.parse()
        && programs.iter().any(|program| program.id == id)
    {
        return Ok(id);
    }
    let is_wanted = |program: &&Named| {
        program.name == wanted || (wanted.len() == SHORT_NAME && program.name.starts_with(wanted))
    };
    let found: Vec<&Named> = programs.iter().filter(is_wanted).collect();
    match found[..] {
        [only] => Ok(only.id),
        [] => Err(Error::NoSuchProgram {
            interface: link.display_name(),
            wanted: wanted.to_owned(),
            programs: list(programs.iter()),
        }),
        [first, ..] => Err(Error::SeveralPrograms {
            interface: link.display_name(),
            wanted: wanted.to_owned(),
            example: first.id,
            programs: list(found.iter().copied()),
        }),
    }
}

/// Programs for a message.
pub fn list<'a>(programs: impl Iterator<Item = &'a Named>) -> String {
    programs.map(Named::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &str) -> Result<u32, String> {
        let named = |id, name: &str| Named { id, name: name.to_owned() };
        let programs = vec![
            named(7, "xdp_dispatcher"),
            named(8, "a_filter_with_a_long_name"),
            named(9, "a_filter_with_another_name"),
            named(10, "pass"),
            named(11, "pass"),
        ];
        let link = Link { name: "eth0".into(), ..Link::default() };
        choose(&link, &programs, wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_is_chosen_by_name_or_id() {
        assert_eq!(chosen("xdp_dispatcher"), Ok(7));
        assert_eq!(chosen("11"), Ok(11));
        assert_eq!(chosen("a_filter_with_another_name"), Ok(9));
        assert_eq!(
            chosen("a_filter_with_a").unwrap_err(),
            "several XDP programs on eth0 are called a_filter_with_a: a_filter_with_a_long_name (id 8), \
             a_filter_with_another_name (id 9); name one by its id, as in --program 8"
        );
        assert!(chosen("pass").unwrap_err().contains("pass (id 10), pass (id 11)"));
        assert_eq!(
            chosen("drop").unwrap_err(),
            "no XDP program on eth0 is called drop, or has that id; there are xdp_dispatcher (id 7), \
             a_filter_with_a_long_name (id 8), a_filter_with_another_name (id 9), pass (id 10), pass (id 11)"
        );
        assert!(chosen("a_filter").is_err(), "a part of a name is not a name");
        assert!(chosen("12").is_err());
    }
}
