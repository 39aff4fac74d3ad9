//! Which frames are wanted, and how much of each: the filter first, then one of so many, then the cut.
//!
//! The kernel program does all of it where it can. What it leaves is done here, and so is everything for packets from a file.

use std::{collections::BTreeMap, fs::File, io::Read, mem, num::NonZeroU32, path::Path};

use crate::{
    config,
    filter::{self, Filter, Frame, Headers},
    packet::{Interface, LinkType, Packet},
    printable::printable,
};

/// Bytes of a file with a filter; what is longer was not meant to be one.
const MAX_FILTER_FILE: u64 = 1 << 20;

/// Why a selection cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is wrong.
    #[error(transparent)]
    Filter(#[from] filter::Error),
    /// The file with the filter cannot be read.
    #[error("cannot read the filter from {file}: {source}")]
    File {
        /// Its name.
        file: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{0} is no file with a filter: {1}")]
    NoFilter(String, &'static str),
}

/// What is wanted of the frames of one link type. The default is everything.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Frames that it accepts are wanted.
    pub filter: Option<Filter>,
    /// Of so many of those, one is wanted.
    pub one_in: Option<NonZeroU32>,
    /// Of each of those, what is up to the end of its headers.
    pub headers: Option<Headers>,
}

/// What a configuration asks for, with the text of the filter, for frames of any link type.
#[derive(Clone, Debug, Default)]
pub struct Request {
    filter: Option<String>,
    one_in: Option<NonZeroU32>,
    headers: Option<u32>,
}

impl Request {
    /// Reads the filter's file, if it is in one.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn read(config: &config::Selection) -> Result<Self, Error> {
        let filter = match &config.filter {
            Some(config::Filter::Text(text)) => Some(text.clone()),
            Some(config::Filter::File(path)) => Some(read(path)?),
            None => None,
        };
        Ok(Self { filter, one_in: config.one_in, headers: config.headers })
    }

    /// Whether every packet is wanted, whole.
    pub fn is_everything(&self) -> bool {
        self.filter.is_none() && self.one_in.is_none() && self.headers.is_none()
    }

    /// The filter that packets of an interface in a file went through in the end, if this one is another.
    pub fn filter_behind(&self, interface: &Interface) -> Option<String> {
        let here = self.filter.as_deref()?;
        Some(match interface.filter.as_deref() {
            Some(there) => format!("({there}) and ({here})"),
            None => here.to_owned(),
        })
    }

    /// Compiles it for frames of a link type. Names in the filter may be asked for on the network.
    ///
    /// # Errors
    /// When the filter is wrong.
    pub fn compile(&self, link_type: LinkType) -> Result<Selection, Error> {
        let filter = self.filter.as_deref().map(|text| Filter::compile(text, link_type)).transpose()?;
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

    /// Whether every frame is wanted, whole.
    pub fn is_everything(&self) -> bool {
        self.filter.is_none() && self.one_in.is_none() && self.headers.is_none()
    }
}

/// The text of a filter in a file, as tcpdump reads it: what is behind a `#` in a line does not count.
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
            Err(Error::NoFilter(name, "it is longer than 1 MiB"))
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

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is wanted, as much of it as is left.
    Taken,
    /// The filter does not accept it.
    Filtered,
    /// The filter accepts it, and it is not the one of so many.
    Thinned,
}

/// Applies a selection to packets, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    selection: Selection,
    /// How many more packets are left out before the next one is taken.
    to_leave_out: u32,
    /// Frames lost since the last packet that was taken.
    lost: u64,
}

impl Selector {
    /// A selector that takes the first packet the filter accepts, and then one of so many.
    pub fn new(selection: Selection) -> Self {
        Self { selection, ..Self::default() }
    }

    /// Whether it takes every packet, whole.
    pub fn takes_everything(&self) -> bool {
        self.selection.is_everything()
    }

    /// Says what becomes of a packet that this CPU received, where that is known; one that is taken is cut, and carries the losses
    /// of those before it that were not.
    pub fn choose(&mut self, packet: &mut Packet<'_>, cpu: Option<u32>) -> Choice {
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
