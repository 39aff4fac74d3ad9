//! What Wireshark shows in its list of interfaces, and how an interface is named there.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};

use super::{control, sentence::Sentence};
use crate::{
    config::EXTCAP_PREFIX as PREFIX,
    interface::{self, Link},
    packet::LinkType,
    printable::printable,
};

/// The name for every interface that is up.
pub const ANY: &str = "any";

/// In front of a number that stands for a name.
const NUMBER: char = '#';

/// The page about Wireshark, where the Debian package puts it.
const PAGE: &str = "/usr/share/doc/xdpdump/docs/wireshark.md";

/// The language of filters, of which the buttons "Help" tell where the page is not installed.
const LANGUAGE: &str = "https://www.tcpdump.org/manpages/pcap-filter.7.html";

/// Where the buttons "Help" lead to. Wireshark opens files too.
fn help(page: &str) -> String {
    if Path::new(page).is_file() { format!("file://{page}") } else { LANGUAGE.to_owned() }
}

/// The answer to `--extcap-interfaces`: the program, the interfaces that are up, and the toolbar.
pub fn list(links: &[Link]) -> Vec<Sentence> {
    let about = Sentence::new("extcap")
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("help", help(PAGE))
        .with("display", "XDP capture");
    let any = Sentence::new("interface")
        .with("value", format!("{PREFIX}{ANY}"))
        .with("display", "XDP on every interface that is up");
    let captured = links
        .iter()
        .filter(|link| link.up && link.link_type().is_ok())
        .map(|link| Sentence::new("interface").with("value", value(link)).with("display", display(link)));
    [about].into_iter().chain(captured).chain([any]).chain(control::sentences()).collect()
}

/// The answer to `--extcap-dlts`. An interface has one link type; those of `any` each have their own in the file.
pub fn link_types(link_type: LinkType) -> Vec<Sentence> {
    let (name, description) = (link_type.name(), link_type.description().unwrap_or("not decoded"));
    let number = if link_type == LinkType::ETHERNET { DLT_EN10MB } else { DLT_RAW };
    vec![Sentence::new("dlt").with("number", number).with("name", name).with("display", description)]
}

/// Numbers of libpcap (`pcap/dlt.h`), which are not those in capture files.
const DLT_EN10MB: u32 = 1;
const DLT_RAW: u32 = 12;

/// The name of an interface on Wireshark's command lines: with its number where its name has characters that the protocol
/// cannot carry or a shell may not print, or means something else here.
fn value(link: &Link) -> String {
    let name = link.name.to_str().filter(|name| {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"{}\\".contains(&byte);
        name.bytes().all(is_plain) && *name != ANY && !name.starts_with(NUMBER)
    });
    match name {
        Some(name) => format!("{PREFIX}{name}"),
        None => format!("{PREFIX}{NUMBER}{}", link.index),
    }
}

fn display(link: &Link) -> String {
    let name = link.display_name();
    let more = link
        .alias
        .as_deref()
        .map(printable)
        .or_else(|| link.driver.as_ref().map(|driver| driver.name.clone()).or_else(|| link.kind.clone()));
    more.map_or_else(|| format!("XDP on {name}"), |more| format!("XDP on {name} ({more})"))
}

/// The name of the interface that `value`, without the prefix, stands for.
///
/// # Errors
/// When no interface has that number.
pub fn name(value: &OsStr) -> Result<OsString, interface::Error> {
    let number = value.to_str().and_then(|value| value.strip_prefix(NUMBER)?.parse().ok());
    Ok(match number {
        Some(index) => Link::by_index(index)?.name,
        None => value.to_owned(),
    })
}

/// The interface that `value`, without the prefix, stands for; `None` for every interface.
///
/// # Errors
/// When there is none.
pub fn find(value: &OsStr) -> Result<Option<Link>, interface::Error> {
    if value.as_bytes() == ANY.as_bytes() { Ok(None) } else { Link::find(&name(value)?).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extcap::sentence::text;

    fn link(index: u32, name: impl AsRef<OsStr>) -> Link {
        let name = name.as_ref().to_owned();
        Link { index, name, up: true, hardware_type: libc::ARPHRD_ETHER, ..Link::default() }
    }

    #[test]
    fn names_that_the_protocol_cannot_carry_become_numbers() {
        for (name, expected) in [
            ("eth0", "xdp:eth0"),
            ("-x", "xdp:-x"),
            ("a}{b", "xdp:#7"),
            ("any", "xdp:#7"),
            ("#3", "xdp:#7"),
            ("é", "xdp:#7"),
            ("a\u{1b}[2J", "xdp:#7"),
        ] {
            assert_eq!(value(&link(7, name)), expected);
        }
        assert_eq!(value(&link(7, OsStr::from_bytes(b"\xff"))), "xdp:#7");
    }

    #[test]
    fn interfaces_that_are_up_and_can_be_captured_are_listed_and_every_one_after_them() {
        let down = Link { up: false, ..link(1, "down0") };
        let ppp = Link { hardware_type: libc::ARPHRD_PPP, ..link(2, "ppp0") };
        let kind = Some("veth".to_owned());
        let named = Link { alias: Some("up}link".into()), ..link(4, "eth1") };
        let text = text(list(&[down, ppp, Link { kind, ..link(3, "eth0") }, named]));
        let listed: Vec<_> = text.lines().filter(|line| line.starts_with("interface")).collect();
        assert_eq!(
            listed,
            [
                "interface {value=xdp:eth0}{display=XDP on eth0 (veth)}",
                "interface {value=xdp:eth1}{display=XDP on eth1 (up)link)}",
                "interface {value=xdp:any}{display=XDP on every interface that is up}",
            ]
        );
        assert!(text.starts_with("extcap {version="), "{text}");
    }

    #[test]
    fn help_is_a_page_that_exists_or_one_of_the_web() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/wireshark.md");
        assert_eq!(help(page), format!("file://{page}"));
        assert_eq!(help("/nowhere/wireshark.md"), LANGUAGE);
    }

    #[test]
    fn link_types_have_libpcaps_numbers() {
        assert_eq!(text(link_types(LinkType::ETHERNET)), "dlt {number=1}{name=EN10MB}{display=Ethernet}\n");
        assert_eq!(text(link_types(LinkType::RAW)), "dlt {number=12}{name=RAW}{display=Raw IP}\n");
    }
}
