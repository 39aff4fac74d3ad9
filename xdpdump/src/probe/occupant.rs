//! Who holds a program that is on an interface already, and how to take it off.

use std::{fmt, fs, path::Path};

use aya::programs::{links::LinkType, loaded_links};

use crate::interface::XdpMode;

/// What keeps a program attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A BPF link that these processes have open. The kernel detaches the program when the last one is gone.
    Processes(Vec<Process>),
    /// The BPF link with this number, which no process has open that can be seen from here: it is pinned in a BPF file system, or
    /// held from another PID namespace.
    Link(u32),
    /// Nothing: it was attached through netlink, and stays until somebody detaches it.
    Netlink,
    /// It takes `CAP_SYS_ADMIN` to know.
    Unknown,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// What it calls itself, 15 bytes of it.
    pub name: String,
}

impl Holder {
    /// Finds what keeps the program with this number on the interface with this one.
    pub fn find(program_id: u32, ifindex: u32) -> Self {
        let processes = processes(program_id, ifindex);
        if !processes.is_empty() {
            return Self::Processes(processes);
        }
        let mut may_see_links = true;
        for link in loaded_links() {
            match link {
                Ok(link) if link.program_id() == program_id && is_xdp(link.link_type().ok()) => {
                    return Self::Link(link.id());
                }
                Ok(_) => {}
                // A link can end between being listed and being opened; the last entry tells whether listing worked.
                Err(error) => may_see_links = !is_refused(&error),
            }
        }
        if may_see_links { Self::Netlink } else { Self::Unknown }
    }

    /// What to do about a program in this mode on this interface, as a sentence without its full stop.
    pub fn remedy(&self, interface: &str, mode: XdpMode) -> String {
        let mode = match mode {
            XdpMode::Native => "xdpdrv",
            XdpMode::Skb => "xdpgeneric",
            XdpMode::Offload => "xdpoffload",
        };
        match self {
            Self::Processes(processes) => match processes.as_slice() {
                [only] => format!("Process {only} holds it: end that first"),
                several => {
                    let several: Vec<_> = several.iter().map(Process::to_string).collect();
                    format!("Processes {} hold it: end those first", several.join(", "))
                }
            },
            Self::Link(id) => format!(
                "BPF link {id} holds it, which no process has open that can be seen from here (it may be pinned): \
                 `bpftool link detach id {id}` takes it off"
            ),
            Self::Netlink => {
                format!("No process holds it: `ip link set dev {interface} {mode} off` takes it off")
            }
            Self::Unknown => format!(
                "End the program that attached it, or if that is gone, take it off with \
                 `ip link set dev {interface} {mode} off`"
            ),
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
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.raw_os_error() != Some(libc::ENOENT);
        }
        cause = error.source();
    }
    true
}

/// The processes that have such a link open, by number; those that can be seen.
fn processes(program_id: u32, ifindex: u32) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut processes: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let id = entry.file_name().to_str()?.parse().ok()?;
            let directory = entry.path();
            has_open(&directory, program_id, ifindex).then(|| Process { id, name: name(&directory) })
        })
        .collect();
    processes.sort();
    processes
}

/// Whether the process of this folder of `/proc` has a link open that holds the program on the interface.
fn has_open(directory: &Path, program_id: u32, ifindex: u32) -> bool {
    // A process may end meanwhile, and others are not ours to look into.
    let Ok(descriptors) = fs::read_dir(directory.join("fdinfo")) else { return false };
    descriptors
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok())
        .any(|info| is_link_of(&info, program_id, ifindex))
}

fn name(directory: &Path) -> String {
    let name = fs::read(directory.join("comm")).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end().escape_default().to_string()
}

/// Whether this is what the kernel says of a descriptor of such a link (`bpf_link_show_fdinfo`, kernel/bpf/syscall.c, and
/// `bpf_xdp_link_show_fdinfo`, net/core/dev.c, v6.18).
fn is_link_of(info: &str, program_id: u32, ifindex: u32) -> bool {
    let value = |wanted: &str| {
        info.lines()
            .find_map(|line| line.split_once(':').filter(|(key, _)| *key == wanted))
            .map(|(_, value)| value.trim())
    };
    value("link_type") == Some("xdp")
        && value("prog_id") == Some(program_id.to_string().as_str())
        && value("ifindex") == Some(ifindex.to_string().as_str())
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
    fn the_remedy_goes_by_who_holds_it() {
        let process = |id| Process { id, name: "loader".to_owned() };
        let remedy = |holder: Holder| holder.remedy("eth0", XdpMode::Native);
        assert_eq!(
            remedy(Holder::Processes(vec![process(7)])),
            "Process 7 (loader) holds it: end that first"
        );
        assert_eq!(
            remedy(Holder::Processes(vec![process(7), process(8)])),
            "Processes 7 (loader), 8 (loader) hold it: end those first"
        );
        assert_eq!(
            remedy(Holder::Netlink),
            "No process holds it: `ip link set dev eth0 xdpdrv off` takes it off"
        );
        assert!(remedy(Holder::Link(3)).contains("`bpftool link detach id 3`"));
        assert!(
            Holder::Unknown.remedy("eth0", XdpMode::Skb).contains("`ip link set dev eth0 xdpgeneric off`")
        );
    }
}
