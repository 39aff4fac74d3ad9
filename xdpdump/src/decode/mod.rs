//! One line of text per frame, as tcpdump 4.99 prints it with `-n`.
//!
//! Every protocol is a function from the bytes of its layer to text. Nothing here depends on files, time stamps or
//! terminals. Layers are read through [`cursor::Cursor`], so a frame that was cut anywhere ends with `[|proto]` and never
//! with a panic.

mod address;
mod checksum;
mod cursor;
pub(crate) mod headers;
pub(crate) mod hex;
pub(crate) mod layers;
mod link;
mod network;
mod printer;
mod routing;
mod services;
mod transport;
mod tunnels;

use crate::packet::LinkType;
use cursor::{Layer, Truncated};
use printer::Printer;
use transport::conversation::Conversations;

/// How much of a frame to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// Number of `-v` given: 1 adds fields of the headers, 2 and more add details of some protocols.
    pub verbosity: u8,
    /// `-q`: print less about the protocols.
    pub quiet: bool,
    /// `-e`: print the link-level header.
    pub link_header: bool,
    /// `-K`: do not verify the checksums of IP, TCP and UDP.
    pub unverified: bool,
    /// Print TCP sequence numbers unchanged, not relative to the first one of the conversation.
    pub absolute_seq: bool,
    /// The caller prints the frame in hex itself, so that unknown payloads are not shown in hex as well.
    pub hex_follows: bool,
}

/// Turns frames into text. Remembers TCP conversations from frame to frame.
#[derive(Debug, Default)]
pub struct Decoder {
    style: Style,
    conversations: Conversations,
}

impl Decoder {
    /// A decoder that has seen no conversation yet.
    pub fn new(style: Style) -> Self {
        Self { style, conversations: Conversations::default() }
    }

    /// Appends tcpdump's text of the frame, without time stamp and newline, to `out`. Time and memory are proportional to
    /// the number of captured bytes; the text is at most a few MiB.
    ///
    /// `frame` are the captured bytes from the link-level header on, `frame_len` the bytes on the wire.
    pub fn frame(&mut self, out: &mut Vec<u8>, link_type: LinkType, frame: &[u8], frame_len: u32) {
        let layer = Layer { bytes: frame, len: (frame_len as usize).max(frame.len()) };
        if frame.is_empty() {
            out.extend_from_slice(match frame_len {
                0 => b"[Invalid header: caplen==0, len==0]",
                _ => b"[Invalid header: caplen==0]",
            });
            return;
        }
        let mut printer = Printer::new(out, &self.style, &mut self.conversations);
        let result = match link_type.usual() {
            LinkType::ETHERNET => link::ethernet::print(&mut printer, layer),
            LinkType::RAW => network::ip::print_raw(&mut printer, layer),
            LinkType::LINUX_SLL => link::cooked::print(&mut printer, layer),
            LinkType::LINUX_SLL2 => link::cooked::print_2(&mut printer, layer),
            LinkType::NULL | LinkType::LOOP => link::null::print(&mut printer, layer),
            LinkType::PPP | LinkType::PPP_PPPD => link::ppp::links::print(&mut printer, layer),
            LinkType::PPP_ETHER => link::pppoe::print(&mut printer, layer),
            LinkType::PPP_SERIAL => link::ppp::links::print_hdlc(&mut printer, layer),
            LinkType::NFLOG => link::nflog::print(&mut printer, layer),
            LinkType::IEEE802_11 => link::wlan::print(&mut printer, layer),
            LinkType::RADIOTAP => link::radiotap::print(&mut printer, layer),
            LinkType::USB_LINUX => link::usb::print(&mut printer, layer),
            LinkType::USB_LINUX_MMAPPED => link::usb::print_mmapped(&mut printer, layer),
            link_type => {
                match link_type.known_name() {
                    Some(name) => write!(printer, "link-type {name}, length {}", layer.len),
                    None => write!(printer, "link-type {}, length {}", link_type.0, layer.len),
                }
                printer.payload(layer);
                Ok(())
            }
        };
        if let Err(Truncated(protocol)) = result {
            write!(printer, " [|{protocol}]");
        }
        printer.finish();
    }
}
