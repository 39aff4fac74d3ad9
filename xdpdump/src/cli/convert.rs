//! Converts the options to a configuration.

use std::{
    ffi::{OsStr, OsString},
    mem,
    num::NonZeroU32,
    path::Path,
};

use clap::{CommandFactory as _, error::ErrorKind};

use super::{
    Error,
    options::{
        AtChoice, ColorChoice, DirectionChoice, FileFormat, MAX_SNAP_LEN, Options, REORDER_WINDOW, TextStyle,
        TimePrecision, TimeStampChoice, TimeStyleChoice, TransportChoice,
    },
    units::Compression,
};
use crate::{
    config::{
        Adapter, At, Capture, Config, Destination, Directions, File, Filter, Frames, Interfaces, Print,
        PrintFilter, Replay, Selection, User,
    },
    decode::Style,
    interface::{TimeStampType, XdpMode},
    output::{
        FileOptions, Format, LEVEL_FOR_CAPTURES, LEVEL_FOR_FILES, Precision, Readers, is_compressed,
        is_standard_output,
        json::JsonOptions,
        text::{Color, HexDump, LineStyle, TextOptions, TimeStyle},
    },
    packet::{Detail, LinkType},
    transport::RingKind,
};

impl Options {
    /// Converts the options to a configuration.
    pub fn into_config(mut self) -> Result<Config, Error> {
        self.check_source()?;
        self.check_points()?;
        let adapter = self.adapter();
        self.check_adapter(adapter)?;
        self.check_detail()?;
        self.rotation.rotation().map_err(Error::Usage)?;
        self.check_compression()?;
        self.check_recorder()?;
        if self.course.stats_file.as_deref() == Some(Path::new("-")) {
            return Err(Error::Usage(
                "--stats-file replaces a file again and again, which standard output is none: name a file"
                    .to_owned(),
            ));
        }
        if self.write.is_some() && self.course.stats_file == self.write {
            return Err(Error::Usage(
                "--stats-file would replace the capture (-w): name another file".to_owned(),
            ));
        }
        self.check_json()?;
        let link_type = self.link_type()?;
        if self.list_interfaces {
            return Ok(Config::ListInterfaces { namespace: self.netns });
        }
        let selection = self.selection();
        if self.dump_filter > 0 {
            return Ok(Config::PrintFilter(self.print_filter(selection, link_type)?));
        }
        let destination = self.destination();
        if self.interface.is_empty() {
            self.check_only_for_files()?;
            // The group of sources is required, so if there is no interface there is a file.
            let user = self.user();
            let reorder_window = self.reorder_window.unwrap_or(REORDER_WINDOW);
            let inputs = self.read;
            return Ok(Config::Replay(Replay { inputs, reorder_window, selection, destination, user }));
        }
        if self.list_data_link_types {
            return Ok(Config::ListLinkTypes {
                namespace: self.netns,
                interface: one(self.interface, "-L")?,
            });
        }
        if self.list_time_stamp_types {
            return Ok(Config::ListTimeStampTypes {
                namespace: self.netns,
                interface: one(self.interface, "-J")?,
            });
        }
        let user = self.user();
        Ok(Config::Capture(Capture {
            namespace: self.netns,
            interfaces: interfaces(self.interface)?,
            direction: match self.direction {
                None | Some(DirectionChoice::In) => Directions::In,
                Some(DirectionChoice::Out) => Directions::Out,
                Some(DirectionChoice::Inout) => Directions::InOut,
            },
            mode: match (self.native, self.skb, self.offload) {
                (true, _, _) => Some(XdpMode::Native),
                (_, true, _) => Some(XdpMode::Skb),
                (_, _, true) => Some(XdpMode::Offload),
                _ => None,
            },
            at: self.at.map_or(At::Entry, AtChoice::into),
            program: self.program,
            adapter,
            snap_len: if self.snapshot_length == 0 { MAX_SNAP_LEN } else { self.snapshot_length },
            selection,
            link_type,
            promiscuous: !self.no_promiscuous_mode,
            buffer: self.buffer_size.map(|kib| kib << 10),
            rings: match self.transport {
                TransportChoice::Auto => None,
                TransportChoice::Perf => Some(RingKind::Perf),
                TransportChoice::Ring => Some(RingKind::Mapped),
            },
            immediate: self.immediate_mode,
            destination,
            user,
            trigger: self.recorder.trigger,
            command: self.command,
        }))
    }

    /// As whom to run.
    fn user(&self) -> User {
        match self.relinquish_privileges.as_deref() {
            None => User::Caller,
            Some("root") => User::Root,
            Some(user) => User::Named(user.to_owned()),
        }
    }

    fn adapter(&self) -> Adapter {
        Adapter {
            time: match self.time_stamp_type {
                None | Some(TimeStampChoice::Host) => TimeStampType::Host,
                Some(TimeStampChoice::Adapter) => TimeStampType::Adapter,
                Some(TimeStampChoice::AdapterUnsynced) => TimeStampType::AdapterUnsynced,
            },
            hash: self.rx_hash,
        }
    }

    /// Refuses to choose the options of packets in a file that has none.
    fn check_detail(&self) -> Result<(), Error> {
        let option = if self.lean { "--lean" } else { "--full" };
        match self.destination().file {
            Some(File { options: FileOptions { format: Format::Pcap, .. }, .. })
                if self.lean || self.full =>
            {
                Err(Error::Usage(format!(
                    "{option} is about pcapng files: a pcap file has neither packet ids nor queues; leave it out"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Refuses what a recorder cannot write.
    fn check_recorder(&self) -> Result<(), Error> {
        if self.recorder.keep.is_none() {
            return Ok(());
        }
        match self.destination().file {
            Some(File { options: FileOptions { format: Format::Pcap, .. }, .. }) => {
                Err(Error::Usage("--keep writes pcapng files: choose another name with -w".to_owned()))
            }
            Some(File { options: FileOptions { precision: Precision::Micro, .. }, .. }) => Err(Error::Usage(
                "--keep writes time stamps in nanoseconds: leave the precision out".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses names that promise another compression.
    fn check_compression(&self) -> Result<(), Error> {
        let Some(path) = &self.write else { return Ok(()) };
        match path.extension().and_then(OsStr::to_str) {
            Some(ending @ ("gz" | "xz" | "lz4" | "bz2")) => Err(Error::Usage(format!(
                "-w {}: files are compressed with zstd here, and end in .zst; for .{ending}, write to a pipe: -w - | COMMAND > FILE",
                path.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses JSON that would not be printed.
    fn check_json(&self) -> Result<(), Error> {
        if self.json && self.write.is_some() && !self.print {
            return Err(Error::Usage(
                "--json prints packets, which -w alone does not: add --print, or leave --json out".to_owned(),
            ));
        }
        Ok(())
    }

    /// Refuses what cannot be had together with a question to the adapter.
    fn check_adapter(&self, adapter: Adapter) -> Result<(), Error> {
        if !adapter.is_asked() {
            return Ok(());
        }
        let option =
            if adapter.hash { "--rx-hash".to_owned() } else { format!("-j {}", adapter.time.name()) };
        let is_pcap = |file: File| file.options.format == Format::Pcap;
        let reasons = [
            (self.skb, "-S", "only the driver knows what it asks for"),
            (self.offload, "-H", "only a program in the driver can ask for it"),
            (matches!(self.direction, Some(DirectionChoice::Out)), "-Q out", "it is about received frames"),
            (matches!(self.transport, TransportChoice::Ring), "--transport ring", "it takes perf rings"),
            (
                adapter.hash && self.destination().file.is_some_and(is_pcap),
                "a pcap file",
                "only pcapng has it",
            ),
        ];
        match reasons.into_iter().find(|(given, ..)| *given) {
            Some((_, other, reason)) => Err(Error::Usage(format!(
                "{option} cannot be used with {other}: {reason}; leave one of them out"
            ))),
            None => Ok(()),
        }
    }

    /// Refuses options about XDP for frames that no XDP program sees.
    fn check_points(&self) -> Result<(), Error> {
        let given = [
            (self.at.is_some(), "--at"),
            (self.program.is_some(), "--program"),
            (self.native, "-N"),
            (self.skb, "-S"),
            (self.offload, "-H"),
        ];
        match given.into_iter().find(|(given, _)| *given) {
            Some((_, option)) if matches!(self.direction, Some(DirectionChoice::Out)) => {
                Err(Error::Usage(format!(
                    "{option} is about received frames, of which -Q out captures none: leave one of them out"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The link type that the interface must have, if one is given.
    fn link_type(&self) -> Result<Option<LinkType>, Error> {
        let Some(name) = &self.linktype else { return Ok(None) };
        let known = [LinkType::ETHERNET, LinkType::RAW];
        match known.into_iter().find(|known| known.name().eq_ignore_ascii_case(name)) {
            Some(link_type) => Ok(Some(link_type)),
            None => Err(Error::Usage(format!(
                "tcpdump's -y {name} is not supported: an interface is captured as EN10MB or RAW; `xdpdump -L -i IF` says which"
            ))),
        }
    }

    /// Refuses options of a capture when a file is read, and explains what tcpdump's options of the same letters mean.
    fn check_only_for_files(&self) -> Result<(), Error> {
        let options = [
            (
                matches!(self.direction, Some(DirectionChoice::Out | DirectionChoice::Inout)),
                "-Q chooses the direction of a capture and cannot be used with -r; the filters inbound and outbound select packets of a file",
            ),
            (
                self.adapter().is_asked(),
                "-j and --rx-hash are about frames that an interface receives and cannot be used with -r; packets keep the time stamps of the file",
            ),
            (
                self.skb,
                "-S chooses the SKB mode of a capture and cannot be used with -r; tcpdump's -S is --absolute-tcp-sequence-numbers here",
            ),
            (
                self.native,
                "-N chooses the native mode of a capture and cannot be used with -r; xdpdump prints no domain names, as with tcpdump's -N: leave it out",
            ),
            (
                self.offload,
                "-H chooses a capture on the NIC and cannot be used with -r; tcpdump's -H (mesh headers of Wi-Fi) is not supported: leave it out",
            ),
        ];
        match options.into_iter().find(|(given, _)| *given) {
            Some((_, sentence)) => Err(Error::Usage(sentence.to_owned())),
            None => Ok(()),
        }
    }

    /// Refuses more than one source of packets.
    fn check_source(&self) -> Result<(), Error> {
        let sources = [
            (!self.interface.is_empty(), "--interface"),
            (!self.read.is_empty(), "--read"),
            (self.list_interfaces, "--list-interfaces"),
        ];
        let given: Vec<_> = sources.iter().filter(|(given, _)| *given).map(|(_, name)| *name).collect();
        match given[..] {
            [first, second, ..] => {
                let message = format!("the argument '{first}' cannot be used with '{second}'");
                Err(Error::Clap(Self::command().error(ErrorKind::ArgumentConflict, message)))
            }
            _ => Ok(()),
        }
    }

    /// Joins the words of a filter with spaces, as tcpdump does.
    fn selection(&mut self) -> Selection {
        let words = mem::take(&mut self.filter);
        let filter = match self.filter_file.take() {
            Some(file) => Some(Filter::File(file)),
            None => (!words.is_empty()).then(|| Filter::Text(words.join(" "))),
        };
        Selection {
            filter,
            // One of one is every frame.
            one_in: self.sample.filter(|one_in| *one_in > 1).and_then(NonZeroU32::new),
            headers: self.headers,
        }
    }

    fn print_filter(self, selection: Selection, link_type: Option<LinkType>) -> Result<PrintFilter, Error> {
        let frames = match (link_type, self.read.into_iter().next()) {
            (Some(link_type), _) => Frames::Of(link_type),
            (None, _) if !self.interface.is_empty() => {
                Frames::OnInterface { namespace: self.netns, interface: one(self.interface, "-d")? }
            }
            (None, Some(file)) => Frames::InFile(file),
            (None, None) => Frames::Of(LinkType::ETHERNET),
        };
        Ok(PrintFilter { selection, frames, instructions: self.dump_filter > 1 })
    }

    fn destination(&self) -> Destination {
        let file = self.write.as_ref().map(|path| File {
            path: path.clone(),
            options: self.file_options(path),
            // Checked before.
            rotation: self.rotation.rotation().ok().flatten(),
            recorder: self.recorder.recorder(),
        });
        let print = (!self.count && (file.is_none() || self.print)).then(|| {
            if self.json {
                Print::Json(JsonOptions { packet_flush: self.line_buffered })
            } else {
                Print::Text(self.text_options())
            }
        });
        // A file on standard output goes to a program that may use the terminal itself, and so may a command.
        let live = print.is_none()
            && !self.quiet
            && self.command.is_empty()
            && file.as_ref().is_some_and(|file| !is_standard_output(&file.path));
        Destination {
            file,
            print,
            live,
            limit: self.count_limit,
            duration: self.course.duration,
            max_bytes: self.course.max_bytes,
            status: self.course.status(),
            count: self.count,
            packet_buffered: self.packet_buffered || self.line_buffered,
            verbose: self.verbose > 0,
        }
    }

    fn file_options(&self, path: &Path) -> FileOptions {
        FileOptions {
            format: match self.format {
                Some(FileFormat::Pcapng) => Format::Pcapng,
                Some(FileFormat::Pcap) => Format::Pcap,
                None => Format::from_path(path),
            },
            precision: match self.time_stamp_precision {
                Some(TimePrecision::Micro) => Precision::Micro,
                None if self.micro => Precision::Micro,
                None if self.interface.is_empty() => Precision::AsRead,
                Some(TimePrecision::Nano) | None => Precision::Nano,
            },
            detail: match (self.lean, self.full) {
                (true, _) => Detail::Lean,
                (_, true) => Detail::Full,
                // What is in a file stays in it.
                _ if self.interface.is_empty() => Detail::Full,
                _ => Detail::Brief,
            },
            readers: if self.group_readable { Readers::Group } else { Readers::Owner },
            compression: match self.compress {
                None if !is_compressed(path) => None,
                Some(Compression::Level(level)) => Some(level),
                // A file that is read waits.
                _ if self.interface.is_empty() => Some(LEVEL_FOR_FILES),
                _ => Some(LEVEL_FOR_CAPTURES),
            },
            copying: None,
        }
    }

    fn text_options(&self) -> TextOptions {
        TextOptions {
            style: Style {
                verbosity: self.verbose,
                quiet: self.quiet,
                link_header: self.link_level_header,
                unverified: self.dont_verify_checksums,
                absolute_seq: self.absolute_tcp_sequence_numbers,
                ..Style::default()
            },
            time: match (self.time_style, self.time) {
                (Some(TimeStyleChoice::Day), _) | (None, 0) => TimeStyle::Default,
                (Some(TimeStyleChoice::None), _) | (None, 1) => TimeStyle::None,
                (Some(TimeStyleChoice::Epoch), _) | (None, 2) => TimeStyle::Epoch,
                (Some(TimeStyleChoice::Delta), _) | (None, 3) => TimeStyle::Delta,
                (Some(TimeStyleChoice::Date), _) | (None, 4) => TimeStyle::Date,
                (Some(TimeStyleChoice::SinceFirst) | None, _) => TimeStyle::SinceFirst,
            },
            nano: self.nano || matches!(self.time_stamp_precision, Some(TimePrecision::Nano)),
            number: self.number,
            hex: match (self.hex_and_ascii, self.hex, self.ascii) {
                (1.., _, _) => HexDump::HexAscii,
                (_, 1.., _) => HexDump::Hex,
                (_, _, 1..) => HexDump::Ascii,
                _ => HexDump::None,
            },
            line_style: match self.text_style {
                TextStyle::Tcpdump => LineStyle::Tcpdump,
                TextStyle::Classic => LineStyle::Classic,
            },
            interface: self.interface.len() > 1
                || self.read.len() > 1
                || matches!(self.at, Some(AtChoice::Both))
                || self.interface.iter().any(|name| name == "any"),
            packet_flush: self.line_buffered,
            color: match self.color {
                ColorChoice::Auto => Color::Auto,
                ColorChoice::Always => Color::Always,
                ColorChoice::Never => Color::Never,
            },
        }
    }
}

impl From<AtChoice> for At {
    fn from(choice: AtChoice) -> Self {
        match choice {
            AtChoice::Entry => Self::Entry,
            AtChoice::Exit => Self::Exit,
            AtChoice::Both => Self::Both,
        }
    }
}

/// The interface of an option that takes one.
fn one(mut interfaces: Vec<OsString>, option: &str) -> Result<OsString, Error> {
    match (interfaces.pop(), interfaces.is_empty()) {
        (Some(interface), true) if interface != "any" => Ok(interface),
        _ => Err(Error::Usage(format!("{option} takes one interface: name one; xdpdump -D lists them"))),
    }
}

fn interfaces(names: Vec<OsString>) -> Result<Interfaces, Error> {
    if !names.iter().any(|name| name == "any") {
        return Ok(Interfaces::Named(names));
    }
    if names.len() > 1 {
        return Err(Error::Usage("-i any is every interface: leave the other -i out".to_owned()));
    }
    Ok(Interfaces::Any)
}
