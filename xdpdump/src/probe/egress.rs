//! Attaches a program to the frames that an interface sends.

use std::{io, os::fd::AsFd};

use super::{
    Attached, Attachment, Error, Functions, Hold, Place, Probe, Program, ProgramPlace, Task, kernel,
};
use crate::{
    interface::{Link, clsact},
    sys::bpf,
};

/// The name of the filter, by which a later capture recognises one that was left behind.
const FILTER_NAME: &str = "xdpdump";

impl Probe {
    /// Attaches a program to the frames that `link` sends, before all programs that are attached there, as the next source.
    /// As with [`Probe::attach`], the selection may be left to user space.
    ///
    /// # Errors
    /// When the kernel refuses the program, or the interface is gone.
    pub fn attach_egress(&mut self, link: &Link, task: Task<'_>) -> Result<Attached, Error> {
        self.or_without_selection(task, |probe, task| probe.attach_egress_for(link, task))
    }

    fn attach_egress_for(&mut self, link: &Link, task: Task<'_>) -> Result<Attached, Error> {
        let place = ProgramPlace::Egress { link_type: link.link_type()? };
        let name = if self.mapped { "xdpdump_ring_out" } else { "xdpdump_out" };
        let program = Program { place, ..Program::received(name, true) };
        let counters = self.image.counters()?;
        let functions = Functions::generate(task, &program)?;
        let linked = self.image.program(name, task.constants(self.next_source()), &functions, &counters)?;
        let loaded = program.load(&linked).map_err(|(error, log)| Error::program(&error, &log))?;
        let refused = |source: io::Error| match source.raw_os_error() {
            Some(libc::ENODEV) => Error::Gone(link.display_name()),
            _ => Error::permission(&source)
                .unwrap_or_else(|| Error::Egress { interface: link.display_name(), source }),
        };
        let (hold, place) = match bpf::attach_tcx_egress(loaded.as_fd(), link.index) {
            Ok(link) => (Hold::Link(link), Place::Tcx),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) && kernel::is_before(6, 6) => {
                let filter =
                    clsact::Filter::attach(link.index, FILTER_NAME, loaded.as_fd()).map_err(refused)?;
                (Hold::Filter(filter), Place::Clsact)
            }
            Err(error) => return Err(refused(error)),
        };
        let id = bpf::program_id(loaded.as_fd()).ok();
        self.attachments.push(Attachment::new(program, id, counters, hold));
        Ok(Attached::new(place, true))
    }
}
