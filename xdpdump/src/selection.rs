//! Selects frames, and how much of each: first the filter, then the sampling of one frame in N, then the cut.
//!
//! The kernel program does as much of this as it can. The rest is done here, and everything for packets from a file.

use std::{collections::BTreeMap, fs::File, io::Read, mem, num::NonZeroU32, path::Path};

use crate::{
    config,
    filter::{self, Filter, Frame, Headers, Here, Known},
    packet::{Interface, LinkType, Packet},
    printable::printable,
};

/// Most bytes of a file with a filter; a longer file is probably not meant to be one.
const MAX_FILTER_FILE: u64 = 64 << 10;

/// Why there is no selection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter has an error.
    #[error(transparent)]
    Filter(#[from] filter::Error),
    /// The file with the filter cannot be read.
    #[error("cannot read the filter from {file}: {source}")]
    File {
        /// The file's name.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file does not contain a filter.
    #[error("{0} does not contain a filter: {1}")]
    NoFilter(String, &'static str),
    /// The filter is about something that the file does not say of its packets.
    #[error("the filter uses {what}, which {file} does not tell")]
    NotInFile {
        /// The name of the file with the packets.
        file: String,
        /// The property.
        what: &'static str,
    },
}

/// Which frames of one link type are selected, and how much of each. The default is everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only frames that this filter accepts; `None` accepts all.
    pub filter: Option<Filter>,
    /// One of so many accepted frames; `None` takes all of them.
    pub one_in: Option<NonZeroU32>,
    /// Of each frame, only the part up to the end of its headers; `None` takes the whole frame.
    pub headers: Option<Headers>,
}

/// The selection that a configuration asks for. The filter is still text, so it fits any link type.
#[derive(Clone, Debug, Default)]
pub struct Request {
    filter: Option<String>,
    one_in: Option<NonZeroU32>,
    headers: Option<u32>,
}

impl Request {
    /// Makes the request; reads the filter from its file if it is in one.
    ///
    /// # Errors
    /// When the file cannot be read, or does not contain a filter.
    pub fn read(config: &config::Selection) -> Result<Self, Error> {
        let filter = match &config.filter {
            Some(config::Filter::Text(text)) => Some(text.clone()),
            Some(config::Filter::File(path)) => Some(read(path)?),
            None => None,
        };
        Ok(Self { filter, one_in: config.one_in, headers: config.headers })
    }

    /// The same request with another filter.
    #[must_use]
    pub fn with_filter(&self, filter: Option<String>) -> Self {
        Self { filter, ..self.clone() }
    }

    /// Whether it selects every packet as a whole.
    pub fn is_everything(&self) -> bool {
        self.filter.is_none() && self.one_in.is_none() && self.headers.is_none()
    }

    /// The filter that describes the packets of an interface in a file after this request, if that is a different one.
    pub fn filter_behind(&self, interface: &Interface) -> Option<String> {
        let here = on_one_line(self.filter.as_deref()?);
        Some(match interface.filter.as_deref() {
            Some(there) => format!("({there}) and ({here})"),
            None => here,
        })
    }

    /// Compiles the request for frames of a link type. Resolving names in the filter may send DNS queries.
    ///
    /// # Errors
    /// When the filter has an error.
    pub fn compile(&self, link_type: LinkType) -> Result<Selection, Error> {
        self.compile_with(Filter::compile, link_type)
    }

    /// Compiles the request for frames of one of the link types in a file.
    ///
    /// # Errors
    /// When the filter has an error.
    pub fn compile_in_file(&self, link_type: LinkType) -> Result<Selection, Error> {
        self.compile_with(Filter::compile_for_one_of_several, link_type)
    }

    fn compile_with(
        &self,
        compile: fn(&str, LinkType) -> Result<Filter, filter::Error>,
        link_type: LinkType,
    ) -> Result<Selection, Error> {
        let filter = self.filter.as_deref().map(|text| compile(text, link_type)).transpose()?;
        let headers = self.headers.map(|more| Headers::new(more, link_type));
        Ok(Selection { filter, one_in: self.one_in, headers })
    }
}

/// What is wanted of frames of each link type that can be captured.
#[derive(Debug)]
pub struct Selections(BTreeMap<LinkType, Result<Selection, Error>>);

impl Selections {
    /// Compiles a request for all of them: a filter may make sense for one and not for another.
    pub fn compile(request: &Request) -> Self {
        let link_types = [LinkType::ETHERNET, LinkType::RAW];
        Self(link_types.into_iter().map(|link_type| (link_type, request.compile(link_type))).collect())
    }

    /// The selection for frames of a link type.
    ///
    /// # Errors
    /// Why the filter makes no sense for them.
    pub fn of(&self, link_type: LinkType) -> Result<&Selection, &Error> {
        self.0.get(&link_type).map_or(Ok(&Selection::EVERYTHING), Result::as_ref)
    }

    /// Whether there is one for frames of a link type.
    ///
    /// # Errors
    /// Why the filter makes no sense for such frames; it is not kept.
    pub fn check(&mut self, link_type: LinkType) -> Result<(), Error> {
        match self.0.remove(&link_type) {
            Some(Err(error)) => Err(error),
            Some(Ok(selection)) => {
                self.0.insert(link_type, Ok(selection));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Selection {
    const EVERYTHING: Self = Self { filter: None, one_in: None, headers: None };

    /// The text of the filter, for a capture file.
    pub fn filter_text(&self) -> Option<String> {
        self.filter.as_ref().map(|filter| on_one_line(filter.text()))
    }

    /// Whether it selects every frame as a whole.
    pub fn is_everything(&self) -> bool {
        self.filter.is_none() && self.one_in.is_none() && self.headers.is_none()
    }

    /// Whether it can select frames that are captured at one of these places.
    pub fn can_match(&self, places: &[Here]) -> bool {
        self.filter.as_ref().is_none_or(|filter| places.iter().any(|&place| filter.can_match(place)))
    }

    /// Whether it depends on the verdict of an XDP program.
    pub fn asks_for_verdict(&self) -> bool {
        let known = Known { direction: true, queue: true, cpu: true, verdict: false };
        self.filter.as_ref().is_some_and(|filter| filter.unknown_property(known).is_some())
    }
}

/// The text of a filter for a capture file: line breaks mean no more than spaces.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reads the text of a filter from a file, as tcpdump does: a `#` begins a comment, which ends with the line.
fn read(path: &Path) -> Result<String, Error> {
    let name = printable(path);
    let mut text = String::new();
    let read = |file: &mut dyn Read, text: &mut String| file.take(MAX_FILTER_FILE + 1).read_to_string(text);
    let length = if path == Path::new("-") {
        read(&mut std::io::stdin(), &mut text)
    } else {
        File::open(path).and_then(|mut file| read(&mut file, &mut text))
    };
    match length {
        Ok(length) if length as u64 > MAX_FILTER_FILE => {
            Err(Error::NoFilter(name, "it is longer than 64 KiB"))
        }
        Ok(_) => {
            let without_comment = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
            Ok(text.lines().map(without_comment).collect::<Vec<_>>().join("\n"))
        }
        Err(source) if source.kind() == std::io::ErrorKind::InvalidData => {
            Err(Error::NoFilter(name, "it is not text"))
        }
        Err(source) => Err(Error::File { file: name, source }),
    }
}

/// What is done with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is selected, and was cut if necessary.
    Taken,
    /// The filter rejected it.
    Filtered,
    /// The filter accepted it, but sampling left it out.
    Thinned,
}

/// Applies a selection to one packet after another.
#[derive(Clone, Debug)]
pub struct Selector {
    selection: Selection,
    /// Whether [`Selection::is_everything`], so that this is one comparison for a packet.
    takes_everything: bool,
    /// Number of packets to leave out before the next one is taken.
    to_leave_out: u32,
    /// Number of frames lost since the last packet that was taken.
    lost: u64,
}

impl Selector {
    /// A selector that takes the first packet that the filter accepts, and from then on one of so many.
    pub fn new(selection: Selection) -> Self {
        Self { takes_everything: selection.is_everything(), selection, to_leave_out: 0, lost: 0 }
    }

    /// From now on, selects this. Frames that were lost are still counted at the next packet that is taken.
    pub fn exchange(&mut self, selection: Selection) {
        let takes_everything = selection.is_everything() && self.lost == 0;
        *self = Self { selection, takes_everything, to_leave_out: 0, lost: self.lost };
    }

    /// Whether it takes every packet as a whole.
    pub fn takes_everything(&self) -> bool {
        self.takes_everything
    }

    /// Applies the selection to a packet; `cpu` is the CPU that received it, if known. A packet that is taken is cut,
    /// and its count of lost frames includes those of the packets left out before it.
    #[inline]
    pub fn choose(&mut self, packet: &mut Packet<'_>, cpu: Option<u32>) -> Choice {
        if self.takes_everything { Choice::Taken } else { self.choose_among(packet, cpu) }
    }

    fn choose_among(&mut self, packet: &mut Packet<'_>, cpu: Option<u32>) -> Choice {
        self.lost += packet.meta.lost;
        let Selection { filter, one_in, headers } = &self.selection;
        let frame = Frame {
            bytes: packet.frame,
            len: packet.frame_len,
            direction: packet.meta.direction,
            queue: packet.meta.queue,
            cpu,
            verdict: packet.meta.verdict.and_then(|verdict| u32::try_from(verdict).ok()),
        };
        if filter.as_ref().is_some_and(|filter| !filter.matches(&frame)) {
            return Choice::Filtered;
        }
        if let Some(one_in) = one_in {
            if let Some(fewer) = self.to_leave_out.checked_sub(1) {
                self.to_leave_out = fewer;
                return Choice::Thinned;
            }
            self.to_leave_out = one_in.get() - 1;
        }
        if let Some(headers) = headers {
            let wanted = headers.len(&frame) as usize;
            packet.frame = packet.frame.get(..wanted).unwrap_or(packet.frame);
        }
        packet.meta.lost = mem::take(&mut self.lost);
        Choice::Taken
    }
}

impl Default for Selector {
    fn default() -> Self {
        Self::new(Selection::default())
    }
}
