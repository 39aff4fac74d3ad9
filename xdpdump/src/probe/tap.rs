//! Captures beside another XDP program: attaches programs that the kernel runs before and after it.

use std::{
    fs, io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::MetadataExt as _,
    },
};

use super::{
    Attached, Attachment, Error, Functions, Hold, Observed, Place, Probe, Program, Task,
    btf::Btf,
    error::details,
    features::returning,
    object::Linked,
    observed::{Named, Unobservable},
};
use crate::{
    interface::Link,
    selection::Selection,
    sys::bpf::tracing::{self, Tap},
};

/// Where frames are captured beside another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// Before the program.
    Entry,
    /// After the program, when its verdict is known.
    Exit,
}

/// Values of the kernel side's statics, by name.
pub type Values = Vec<(&'static str, u32)>;

/// Statics with offsets of fields, and the fields.
const FIELDS: [(&str, &str, &[&str], &str); 7] = [
    ("AT_DATA", "xdp_buff", &["data"], "xdp_buff.data"),
    ("AT_DATA_END", "xdp_buff", &["data_end"], "xdp_buff.data_end"),
    ("AT_HARD_START", "xdp_buff", &["data_hard_start"], "xdp_buff.data_hard_start"),
    ("AT_RXQ", "xdp_buff", &["rxq"], "xdp_buff.rxq"),
    ("AT_DEV", "xdp_rxq_info", &["dev"], "xdp_rxq_info.dev"),
    ("AT_QUEUE", "xdp_rxq_info", &["queue_index"], "xdp_rxq_info.queue_index"),
    ("AT_IFINDEX", "net_device", &["ifindex"], "net_device.ifindex"),
];

impl Probe {
    /// Attaches programs beside `target`, which runs on `link`, as the next sources: one for each of `points`, which are in the
    /// order entry, exit. They capture every frame; the task's selection is left to user space.
    ///
    /// # Errors
    /// When the kernel refuses; then nothing is attached.
    pub fn tap(
        &mut self,
        link: &Link,
        target: &Observed,
        points: &[Point],
        task: Task<'_>,
    ) -> Result<Vec<Attached>, Error> {
        let unobservable = |reason| Error::occupied(link, target.root, target.mode, Some(reason));
        let mut values = offsets().map_err(unobservable)?;
        values.extend(received_by(link));
        values.push(("TAP_PAIRED", u32::from(points.len() > 1)));
        // One program sees frames as a whole or not at all.
        let everything = task.selection.is_everything();
        let snap_len = if everything { task.snap_len } else { u32::MAX };
        let first = self.next_source();
        let mut loaded = Vec::new();
        for (source, point) in (first..).zip(points) {
            let constants = Task { snap_len, selection: &Selection::default() }.constants(source);
            let counters = self.image.counters()?;
            let program = point.program();
            let load = |whole_len| {
                let values = [&values[..], &[("TAP_WHOLE_LEN", whole_len)]].concat();
                let functions = Functions::default();
                let linked =
                    self.image.program_with(program.name, constants, &values, &functions, &counters)?;
                Ok::<_, Error>(point.load(target, &linked))
            };
            // Before Linux 5.18 there is no helper for the length of frames in several buffers, and there are no such frames.
            let fd = match load(1)? {
                Err((error, _)) if Error::permission(&error).is_none() => load(0)?,
                result => result,
            };
            let fd = fd.map_err(|(error, log)| refused(target, &error, &log)).map_err(unobservable)?;
            loaded.push((*point, program, counters, fd));
        }
        // The exit first: so every frame that is seen at the entry is seen at the exit too.
        let mut attachments: Vec<Attachment> = Vec::new();
        for (point, program, counters, fd) in loaded.into_iter().rev() {
            let tracing_link = tracing::attach_tap(fd.as_fd(), point == Point::Exit)
                .map_err(|error| unobservable(refused(target, &error, "")))?;
            let attachment = Attachment::new(program, Some(target.root), counters, Hold::Link(tracing_link));
            let slot = (target.program.id != target.root).then_some(target.program.id);
            attachments.push(Attachment { tap: Some(fd), slot, ..attachment });
        }
        attachments.reverse();
        let count = attachments.len();
        self.attachments.extend(attachments);
        let attached = Attached {
            left: task.selection.clone(),
            left_because: (!everything)
                .then(|| "a program beside another one does not select frames".to_owned()),
            vlan_tags: link.vlan_tags().unless_asked(),
            ..Attached::new(Place::Xdp(target.mode), true)
        };
        Ok(vec![attached; count])
    }
}

/// Tries whether a capture can run beside the program on an interface, by loading a program that is attached to nothing; returns
/// the program. `None` if there is none that it would run beside.
///
/// # Errors
/// Why it cannot, which tells who holds the program.
pub fn check_beside(link: &Link) -> Result<Option<Named>, Error> {
    let Some(target) = Observed::find(link, None, None)? else { return Ok(None) };
    let tap = Tap {
        name: Point::Entry.program().name,
        instructions: &returning(0),
        at_exit: false,
        target: target.fd(),
        function: target.function(),
    };
    let unobservable = |reason| Error::occupied(link, target.root, target.mode, Some(reason));
    match tracing::load_tap(&tap) {
        Ok(_) => Ok(Some(target.program)),
        Err((error, log)) => Err(unobservable(refused(&target, &error, &log))),
    }
}

impl Point {
    fn program(self) -> Program {
        let name = match self {
            Self::Entry => "xdpdump_entry",
            Self::Exit => "xdpdump_exit",
        };
        Program::received(name, true)
    }

    fn load(self, target: &Observed, linked: &Linked) -> Result<OwnedFd, (io::Error, String)> {
        tracing::load_tap(&Tap {
            name: self.program().name,
            instructions: &linked.instructions,
            at_exit: self == Self::Exit,
            target: target.fd(),
            function: target.function(),
        })
    }
}

/// Where the fields are that the kernel side reads.
fn offsets() -> Result<Values, Unobservable> {
    let bytes = tracing::kernel_btf().map_err(Unobservable::NoKernelBtf)?;
    let btf = Btf::parse(&bytes)
        .ok_or_else(|| Unobservable::NoKernelBtf(io::Error::from(io::ErrorKind::InvalidData)))?;
    let field = |(value, structure, path, name): (_, &str, &[&str], _)| {
        btf.offset(structure, path).map(|offset| (value, offset)).ok_or(Unobservable::NoField(name))
    };
    let mut values = FIELDS.into_iter().map(field).collect::<Result<Values, _>>()?;
    // Without these, interfaces are told apart by their numbers alone, which are unique in a network namespace.
    if let (Some(net), Some(number)) =
        (btf.offset("net_device", &["nd_net", "net"]), btf.offset("net", &["ns", "inum"]))
    {
        values.extend([("AT_NET", net), ("AT_INUM", number), ("TAP_NETNS", namespace().unwrap_or(0))]);
    }
    Ok(values)
}

/// The inode number of the network namespace of this thread.
fn namespace() -> Option<u32> {
    u32::try_from(fs::metadata("/proc/thread-self/ns/net").ok()?.ino()).ok()
}

/// Which frames were received by the interface: a program can run on several. The frames of a bond are received by the
/// interfaces in it.
fn received_by(link: &Link) -> Option<(&'static str, u32)> {
    (link.kind.as_deref() != Some("bond")).then_some(("TAP_IFINDEX", link.index))
}

fn refused(target: &Observed, error: &io::Error, log: &str) -> Unobservable {
    Unobservable::Refused(target.program.clone(), format!("{error}{}", details(log)))
}
