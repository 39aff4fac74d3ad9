//! Opens what a configuration wants packets to go to.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use crate::{
    config::Destination,
    output::{self, Fanout, Patient, Sink, text::TextSink},
    sys::signal,
};

/// Who must be able to read a capture file after the process was killed.
pub enum Guarded<'a> {
    /// Nobody: the file can be written again.
    No,
    /// Everybody; this is told when that cannot be promised.
    Yes(&'a mut dyn FnMut(&str)),
}

/// Opens every sink that is asked for.
///
/// # Errors
/// When one cannot be opened.
pub fn open(destination: &Destination, guarded: Guarded<'_>) -> Result<Fanout, output::Error> {
    // A file that reaches its size limit is an error to report, not a reason to die in the middle of a record.
    signal::ignore(libc::SIGXFSZ);
    let mut sinks = Fanout::default();
    if let Some(file) = &destination.file {
        let (path, format, precision) = (&file.path, file.format, file.precision);
        sinks.push(match guarded {
            Guarded::No => output::open(path, format, precision)?,
            Guarded::Yes(warn) => output::open_guarded(path, format, precision, warn)?,
        });
    }
    if let Some(text) = &destination.text {
        let sink: Box<dyn Sink> = if text.to_stderr {
            Box::new(TextSink::new(Patient(io::stderr()), "standard error", text.options))
        } else {
            Box::new(TextSink::new(Patient(io::stdout()), "standard output", text.options))
        };
        sinks.push(sink);
    }
    Ok(sinks)
}

/// Whether a person sees the text as it is printed.
pub fn is_watched(destination: &Destination) -> bool {
    destination.text.as_ref().is_some_and(|text| !text.to_stderr) && io::stdout().is_terminal()
}

/// Whether a reader of standard output can leave.
pub fn writes_to_a_reader(destination: &Destination) -> bool {
    let file = destination.file.as_ref().is_some_and(|file| file.path == Path::new("-"));
    let text = destination.text.as_ref().is_some_and(|text| !text.to_stderr);
    (file || text) && !io::stdout().is_terminal()
}
