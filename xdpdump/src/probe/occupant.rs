//! Finds out who holds a program that is already on an interface, and how to remove it.

use std::{
    collections::BTreeSet,
    fmt, fs, io,
    os::{fd::AsRawFd as _, unix::fs::MetadataExt as _},
    path::Path,
    thread,
    time::Duration,
};

use aya::programs::{links::LinkType, loaded_links};

use crate::{interface::XdpMode, sys::bpf};

/// Inode number of the initial PID namespace (`PROC_PID_INIT_INO`, include/linux/proc_ns.h; since v6.18
/// `PID_NS_INIT_INO`, include/uapi/linux/nsfs.h).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// A process that has a program or link open for less than this time does not count as its holder. Tools that list
/// programs open each of them for a moment, and a forked process has all descriptors of its parent until it executes
/// another program.
const MOMENT: Duration = Duration::from_millis(50);

/// What keeps a program attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A BPF link that these processes have open. The kernel detaches the program when the last of them closes it.
    Processes(Vec<Process>),
    /// The BPF link with this id, which no process has open: it is pinned in a BPF file system.
    Link(u32),
    /// No link: the program was attached through netlink, and stays attached until somebody detaches it. These
    /// processes have the program itself open, so one of them probably attached it, and may detach it when it ends.
    Users(Vec<Process>),
    /// Nobody: the program was attached through netlink, and no process has it open.
    Netlink {
        /// Whether there are processes whose descriptors could not be read.
        perhaps_others: bool,
    },
    /// Unknown: finding out takes `CAP_SYS_ADMIN`, and a `/proc` that shows all processes.
    Unknown,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Process id.
    pub id: u32,
    /// The process's name, at most 15 bytes (`comm`).
    pub name: String,
}

impl Holder {
    /// Finds out what keeps the program `program_id` attached to the interface `ifindex`.
    pub fn find(program_id: u32, ifindex: u32) -> Self {
        let owners = processes(|info| is_link_of(info, program_id, ifindex));
        if !owners.found.is_empty() {
            return Self::Processes(owners.found);
        }
        let mut may_see_links = true;
        let mut programs = BTreeSet::from([program_id]);
        for link in loaded_links() {
            match link {
                Ok(link) if link.program_id() == program_id && is_xdp(link.link_type().ok()) => {
                    // Where not all processes are seen, one of them may have the link open.
                    return if owners.is_all { Self::Link(link.id()) } else { Self::Unknown };
                }
                // A program of libxdp is a dispatcher with slots. Its user has the program open that is in a slot.
                Ok(link) if is_in_slot_of(link.id(), program_id) => drop(programs.insert(link.program_id())),
                Ok(_) => {}
                // A link can end after it was listed and before it is opened; only the last error tells whether links
                // can be opened.
                Err(error) => may_see_links = !is_refused(&error),
            }
        }
        match processes(|info| is_any_of(info, &programs)) {
            Seen { found, .. } if !found.is_empty() => Self::Users(found),
            Seen { is_all: true, refused, .. } if may_see_links => Self::Netlink { perhaps_others: refused },
            _ => Self::Unknown,
        }
    }

    /// What to do about a program that is attached to this interface in this mode: a sentence without its full stop.
    pub fn remedy(&self, interface: &str, mode: XdpMode) -> String {
        let command =
            self.command(interface, mode).map_or_else(String::new, |command| format!("`{command}`"));
        match self {
            Self::Processes(processes) => end_first(processes),
            Self::Link(id) => format!(
                "BPF link {id} holds it, and no process has the link open (it may be pinned): \
                 detach it with {command}"
            ),
            Self::Users(processes) => {
                format!("{}; if the program stays attached, detach it with {command}", end_first(processes))
            }
            Self::Netlink { perhaps_others } => format!(
                "No process {}holds it: detach it with {command}",
                if *perhaps_others { "whose descriptors can be read " } else { "" }
            ),
            Self::Unknown => format!(
                "Who holds it cannot be seen from here: end the program that attached it or, if that has ended, detach it \
                 with {command}"
            ),
        }
    }

    /// The command that detaches the program, which processes that hold it may have to end before; `None` if that alone does it.
    pub fn command(&self, interface: &str, mode: XdpMode) -> Option<String> {
        let mode = match mode {
            XdpMode::Native => "xdpdrv",
            XdpMode::Skb => "xdpgeneric",
            XdpMode::Offload => "xdpoffload",
        };
        match self {
            Self::Processes(_) => None,
            Self::Link(id) => Some(format!("bpftool link detach id {id}")),
            Self::Users(_) | Self::Netlink { .. } | Self::Unknown => {
                Some(format!("ip link set dev {interface} {mode} off"))
            }
        }
    }
}

fn end_first(processes: &[Process]) -> String {
    match processes {
        [only] => format!("Process {only} holds it: end that process first"),
        several => {
            let several: Vec<_> = several.iter().map(Process::to_string).collect();
            format!("Processes {} hold it: end those processes first", several.join(", "))
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.name)
    }
}

fn is_xdp(kind: Option<LinkType>) -> bool {
    kind == Some(LinkType::Xdp)
}

fn is_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.raw_os_error() != Some(libc::ENOENT);
        }
        cause = error.source();
    }
    true
}

/// The result of a search through all processes whose descriptors could be read.
struct Seen {
    /// The processes that were found, ordered by process id.
    found: Vec<Process>,
    /// Whether all processes of the machine were visible.
    is_all: bool,
    /// Whether the descriptors of some processes could not be read.
    refused: bool,
}

/// The processes that have, for longer than a [`MOMENT`], a descriptor open whose fdinfo `is_wanted`.
fn processes(is_wanted: impl Fn(&str) -> bool) -> Seen {
    let mut seen = processes_now(&is_wanted);
    if !seen.found.is_empty() {
        thread::sleep(MOMENT);
        let later = processes_now(&is_wanted);
        seen.found.retain(|process| later.found.contains(process));
    }
    seen
}

/// The processes that have such a descriptor open now, except this one, which may have the program open to look at it.
fn processes_now(is_wanted: impl Fn(&str) -> bool) -> Seen {
    let namespace = fs::metadata("/proc/self/ns/pid").map(|namespace| namespace.ino());
    let is_all = namespace.is_ok_and(|number| number == INITIAL_PID_NAMESPACE);
    let mut seen = Seen { found: Vec::new(), is_all, refused: false };
    let Ok(entries) = fs::read_dir("/proc") else { return Seen { is_all: false, ..seen } };
    // Its number as this `/proc` has it, which can be that of another PID namespace.
    let this = fs::read_link("/proc/self").unwrap_or_default();
    for entry in entries.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if this.as_os_str() == entry.file_name() {
            continue;
        }
        let directory = entry.path();
        match has_open(&directory, &is_wanted) {
            Ok(true) => seen.found.push(Process { id, name: name(&directory) }),
            Ok(false) => {}
            Err(_) => seen.refused = true,
        }
    }
    seen.found.sort();
    seen
}

/// Whether the process with this folder in `/proc` has such a descriptor open; an error if that cannot be read.
fn has_open(directory: &Path, is_wanted: impl Fn(&str) -> bool) -> io::Result<bool> {
    let descriptors = match fs::read_dir(directory.join("fdinfo")) {
        Err(error) if has_ended(&error) => return Ok(false),
        descriptors => descriptors?,
    };
    for descriptor in descriptors {
        match descriptor.and_then(|descriptor| fs::read_to_string(descriptor.path())) {
            Ok(info) if is_wanted(&info) => return Ok(true),
            Err(error) if !has_ended(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}

/// Whether the process or the descriptor no longer exists.
fn has_ended(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Whether this link puts its program into a slot of the program `program_id`.
fn is_in_slot_of(link: u32, program_id: u32) -> bool {
    let Ok(link) = bpf::open_link(link) else { return false };
    fs::read_to_string(format!("/proc/self/fdinfo/{}", link.as_raw_fd()))
        .is_ok_and(|info| is_extension_of(&info, program_id))
}

fn name(directory: &Path) -> String {
    let name = fs::read(directory.join("comm")).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end().escape_default().to_string()
}

/// The value of a field in fdinfo.
fn value<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    lines.find_map(|(key, value)| (key == name).then_some(value.trim()))
}

fn number(info: &str, name: &str) -> Option<u32> {
    value(info, name)?.parse().ok()
}

/// Whether this fdinfo is that of an XDP link with this program and interface (`bpf_link_show_fdinfo`,
/// kernel/bpf/syscall.c, and `bpf_xdp_link_show_fdinfo`, net/core/dev.c, v6.18).
fn is_link_of(info: &str, program_id: u32, ifindex: u32) -> bool {
    value(info, "link_type") == Some("xdp")
        && number(info, "prog_id") == Some(program_id)
        && number(info, "ifindex") == Some(ifindex)
}

/// Whether this fdinfo is that of a link which replaces a function of the program `program_id`
/// (`bpf_tracing_link_show_fdinfo`, kernel/bpf/syscall.c, v6.18). A link that only traces a function has a different
/// attach type.
fn is_extension_of(info: &str, program_id: u32) -> bool {
    value(info, "link_type") == Some("tracing")
        && number(info, "attach_type") == Some(0)
        && number(info, "target_obj_id") == Some(program_id)
}

/// Whether this fdinfo is that of one of these programs (`bpf_prog_show_fdinfo`, kernel/bpf/syscall.c, v6.18). The
/// fdinfo of a link also contains the id of its program, but not the program's type.
fn is_any_of(info: &str, programs: &BTreeSet<u32>) -> bool {
    value(info, "prog_type").is_some() && number(info, "prog_id").is_some_and(|id| programs.contains(&id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_known_by_kind_program_and_interface() {
        let info = "pos:\t0\nflags:\t02000000\nlink_type:\txdp\nlink_id:\t9\nprog_tag:\t4f9e\nprog_id:\t42\nifindex:\t7\n";
        assert!(is_link_of(info, 42, 7));
        assert!(!is_link_of(info, 42, 8));
        assert!(!is_link_of(info, 4, 7));
        assert!(!is_link_of(&info.replace("xdp", "tcx"), 42, 7));
        assert!(!is_link_of("pos:\t0\nprog_id:\t42\n", 42, 7), "the program itself holds nothing attached");
    }

    #[test]
    fn a_program_is_known_by_its_number_and_so_is_what_a_dispatcher_runs() {
        let program =
            "pos:\t0\nprog_type:\t6\nprog_jited:\t1\nprog_tag:\t4f9e\nmemlock:\t4096\nprog_id:\t42\n";
        assert!(is_any_of(program, &BTreeSet::from([7, 42])));
        assert!(!is_any_of(program, &BTreeSet::from([4])));
        let slot = "link_type:\ttracing\nlink_id:\t9\nprog_tag:\t4f9e\nprog_id:\t42\nattach_type:\t0\n\
                    target_obj_id:\t7\ntarget_btf_id:\t3\n";
        assert!(!is_any_of(slot, &BTreeSet::from([42])), "it holds the slot");
        assert!(is_extension_of(slot, 7));
        assert!(!is_extension_of(slot, 42));
        assert!(!is_extension_of(&slot.replace("attach_type:\t0", "attach_type:\t24"), 7), "that is fentry");
    }

    #[test]
    fn the_remedy_goes_by_who_holds_it() {
        let process = |id| Process { id, name: "loader".to_owned() };
        let remedy = |holder: Holder| holder.remedy("eth0", XdpMode::Native);
        assert_eq!(
            remedy(Holder::Processes(vec![process(7)])),
            "Process 7 (loader) holds it: end that process first"
        );
        assert_eq!(
            remedy(Holder::Processes(vec![process(7), process(8)])),
            "Processes 7 (loader), 8 (loader) hold it: end those processes first"
        );
        assert_eq!(
            remedy(Holder::Users(vec![process(7)])),
            "Process 7 (loader) holds it: end that process first; if the program stays attached, \
             detach it with `ip link set dev eth0 xdpdrv off`"
        );
        assert_eq!(
            remedy(Holder::Netlink { perhaps_others: false }),
            "No process holds it: detach it with `ip link set dev eth0 xdpdrv off`"
        );
        let perhaps = remedy(Holder::Netlink { perhaps_others: true });
        assert!(
            perhaps
                .starts_with("No process whose descriptors can be read holds it: detach it with `ip link "),
            "{perhaps}"
        );
        assert!(remedy(Holder::Link(3)).contains("`bpftool link detach id 3`"));
        let unknown = Holder::Unknown.remedy("eth0", XdpMode::Skb);
        assert!(unknown.starts_with("Who holds it cannot be seen from here"), "{unknown}");
        assert!(unknown.contains("`ip link set dev eth0 xdpgeneric off`"), "{unknown}");
    }
}
