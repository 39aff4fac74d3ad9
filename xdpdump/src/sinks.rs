//! Opens the outputs that a configuration asks for.

use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use crate::{
    config::{Destination, File, Print},
    output::{
        self, Fanout, RecorderSink, RotatingSink, Stream, Target,
        guardian::Guardian,
        is_standard_output,
        json::JsonSink,
        text::{Color, TextOptions, TextSink},
    },
    packet::Timestamp,
    privilege::Folders,
    sys::{clock, signal},
};

/// Opens every sink that is asked for. A live capture passes a guardian for its file, because it may be killed at any
/// moment. `say` gets messages for the user.
///
/// # Errors
/// When one cannot be opened.
pub fn open(
    destination: &Destination,
    guardian: Option<&Guardian>,
    say: &mut dyn FnMut(&str),
) -> Result<Fanout, output::Error> {
    // A file that reaches its size limit must be an error of the write, not a signal that kills the process in the middle
    // of a record.
    signal::ignore(libc::SIGXFSZ);
    let mut sinks = Fanout::default();
    if let Some(file) = &destination.file {
        sinks.push(match (&file.rotation, &file.recorder) {
            (_, Some(recorder)) => {
                Box::new(RecorderSink::open(&file.path, file.options, recorder.clone(), guardian)?)
            }
            (None, None) => output::open_with(&file.path, file.options, guardian, say)?,
            (Some(rotation), None) => {
                let begin = guardian.map(|_| Timestamp(clock::realtime()));
                Box::new(RotatingSink::open(&file.path, file.options, rotation.clone(), guardian, begin)?)
            }
        });
    }
    if let Some(print) = destination.print {
        let (number, name) =
            if prints_to_stderr(destination) { (2, "standard error") } else { (1, "standard output") };
        let stream = Stream::standard(number)?;
        sinks.push(match print {
            Print::Text(options) => {
                let color = if has_colors(options.color, number) { Color::Always } else { Color::Never };
                Box::new(TextSink::new(stream, name, TextOptions { color, ..options }))
            }
            Print::Json(options) => Box::new(JsonSink::new(stream, name, options)),
        });
    }
    Ok(sinks)
}

/// Whether text on standard output (1) or standard error (2) has colours.
fn has_colors(color: Color, number: i32) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let is_terminal =
                if number == 1 { io::stdout().is_terminal() } else { io::stderr().is_terminal() };
            is_terminal && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        }
    }
}

/// The folders of files that are written, and whether files in them are replaced.
pub fn folders(destination: &Destination) -> Folders {
    let folder = |file: &File| match (Target::of(&file.path), &file.rotation) {
        (Target::Descriptor(_), _) => None,
        (Target::Path(path), Some(rotation)) => Some(output::folder_of_rotation(path, rotation)),
        (Target::Path(path), None) => Some(folder_of(path)),
    };
    let rotation = destination.file.as_ref().and_then(|file| file.rotation.as_ref());
    let has_recorder = destination.file.as_ref().is_some_and(|file| file.recorder.is_some());
    let metrics = destination.status.as_ref().and_then(|status| status.file.as_deref());
    Folders {
        paths: destination.file.iter().filter_map(folder).chain(metrics.map(folder_of)).collect(),
        are_rotated: rotation.is_some() || has_recorder || metrics.is_some(),
        have_commands: rotation.is_some_and(|rotation| rotation.command.is_some()),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether packets are printed on a terminal.
pub fn is_watched(destination: &Destination) -> bool {
    destination.print.is_some() && !prints_to_stderr(destination) && io::stdout().is_terminal()
}

/// Whether packets go to standard output.
pub fn take_standard_output(destination: &Destination) -> bool {
    destination.print.is_some() && !prints_to_stderr(destination)
        || destination.file.as_ref().is_some_and(|file| is_standard_output(&file.path))
}

/// Whether packets are printed on standard error, because the capture file goes to standard output.
fn prints_to_stderr(destination: &Destination) -> bool {
    destination.file.as_ref().is_some_and(|file| is_standard_output(&file.path))
}
