//! The text of `-D`, `-L` and `-J`.

use std::fmt::Write;

use super::Link;
use crate::{packet::LinkType, printable::printable};

/// One line per interface: number and name as `-i` accepts them, state, then other facts, in columns. `program_name`
/// returns the name of the BPF program with an id, `programs_in` ids and names of those that it calls.
///
/// ```text
/// 1.lo   [Up, Running, Loopback]
/// 2.eth0 [Up, Running]            driver virtio_net, XDP native: program 42 "xdp_pass"
/// ```
pub fn interfaces(
    links: &[Link],
    program_name: impl Fn(u32) -> Option<String>,
    programs_in: impl Fn(u32) -> Vec<(u32, String)>,
) -> String {
    let rows: Vec<[String; 3]> = links
        .iter()
        .map(|link| {
            let name = format!("{}.{}", link.index, link.display_name());
            [name, format!("[{}]", state(link)), facts(link, &program_name, &programs_in)]
        })
        .collect();
    // One very long name must not move the columns of all lines.
    let width = |column: usize, most: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
            .min(most)
    };
    let (name_width, state_width) = (width(0, 20), width(1, 32));

    let mut text = String::new();
    for [name, state, facts] in &rows {
        let line = format!("{name:name_width$} {state:state_width$} {facts}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The text of `-L`: the link types with which an interface can be captured. There is always exactly one.
pub fn link_types(interface: &str, link_type: LinkType) -> String {
    let description = link_type.description().unwrap_or("not decoded");
    format!("Data link types for {interface}:\n  {} ({description})\n", link_type.name())
}

/// The text of `-J`: whose clock can stamp the frames of an interface.
pub fn time_stamp_types(link: &Link) -> String {
    let mut text = format!("Time stamp types for {} (use option -j to set):\n", link.display_name());
    for kind in link.time_stamp_types() {
        // Writing to a `String` does not fail.
        let _ = writeln!(text, "  {} ({})", kind.name(), kind.description());
    }
    text
}

/// The state of a link in tcpdump's words.
fn state(link: &Link) -> String {
    let words = [(link.up, "Up"), (link.running, "Running"), (link.is_loopback(), "Loopback")];
    let words: Vec<_> = words.into_iter().filter_map(|(holds, word)| holds.then_some(word)).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn facts(
    link: &Link,
    program_name: impl Fn(u32) -> Option<String>,
    programs_in: impl Fn(u32) -> Vec<(u32, String)>,
) -> String {
    let mut facts = Vec::new();
    match (&link.driver, &link.kind) {
        (Some(driver), _) => facts.push(format!("driver {}", driver.name)),
        (None, Some(kind)) => facts.push(format!("kind {}", printable(kind))),
        (None, None) => {}
    }
    for program in &link.xdp {
        let mut fact = format!("XDP {}: program {}", program.mode, program.program_id);
        if let Some(name) = program_name(program.program_id) {
            // Writing to a `String` does not fail.
            let _ = write!(fact, " {name:?}");
        }
        let called = programs_in(program.program_id);
        if !called.is_empty() {
            let called: Vec<_> = called.into_iter().map(|(id, name)| format!("{id} {name:?}")).collect();
            let _ = write!(fact, " calls {}", called.join(" and "));
        }
        facts.push(fact);
    }
    if link.link_type().is_err() {
        facts.push(format!("cannot be captured (hardware type {})", link.hardware_type));
    }
    facts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interface::{AttachedProgram, Driver, XdpMode};

    #[test]
    fn columns_begin_as_tcpdump_prints_them() {
        let driver = |name: &str| Some(Driver { name: name.to_owned(), ..Driver::default() });
        let ethernet = Link { hardware_type: libc::ARPHRD_ETHER, ..Link::default() };
        let program = |mode, program_id| AttachedProgram { mode, program_id };
        let links = [
            Link {
                index: 1,
                name: "lo".into(),
                up: true,
                running: true,
                hardware_type: libc::ARPHRD_LOOPBACK,
                ..Link::default()
            },
            Link {
                index: 2,
                name: "eth0".into(),
                up: true,
                running: true,
                driver: driver("virtio_net"),
                xdp: vec![program(XdpMode::Native, 42), program(XdpMode::Offload, 43)],
                ..ethernet.clone()
            },
            Link { index: 10, name: "wg0".into(), kind: Some("wireguard".to_owned()), ..ethernet.clone() },
            Link { index: 11, name: "ppp0".into(), up: true, hardware_type: libc::ARPHRD_PPP, ..ethernet },
        ];
        let names = |id| (id == 42).then(|| "xdp_pass".to_owned());
        let in_slots = |id| if id == 43 { vec![(44, "a".to_owned()), (45, String::new())] } else { vec![] };
        let expected = r#"
1.lo    [Up, Running, Loopback]
2.eth0  [Up, Running]           driver virtio_net, XDP native: program 42 "xdp_pass", XDP offload: program 43 calls 44 "a" and 45 ""
10.wg0  [none]                  kind wireguard
11.ppp0 [Up]                    cannot be captured (hardware type 512)
"#;
        assert_eq!(interfaces(&links, names, in_slots), expected.trim_start());
    }

    #[test]
    fn one_long_name_moves_only_its_own_columns() {
        let long = Link { index: 1, name: "\u{1b}\u{1b}\u{1b}\u{1b}".into(), up: true, ..Link::default() };
        let short = Link { index: 2, name: "a".into(), up: true, ..Link::default() };
        let text = interfaces(&[long, short], |_| None, |_| vec![]);
        assert!(text.starts_with(r"1.\u{1b}\u{1b}\u{1b}\u{1b} [Up] "), "{text}");
        assert!(text.contains("\n2.a                  [Up] "), "{text}");
    }

    #[test]
    fn what_the_kernel_calls_an_interface_stays_on_its_line() {
        let kind = Some("a\n9.eth9\u{1b}[2J".to_owned());
        let text =
            interfaces(&[Link { index: 1, name: "x".into(), kind, ..Link::default() }], |_| None, |_| vec![]);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(r"kind a\n9.eth9\u{1b}[2J"), "{text}");
    }

    #[test]
    fn link_types_are_printed_as_tcpdump_does() {
        assert_eq!(
            link_types("eth0", LinkType::ETHERNET),
            "Data link types for eth0:\n  EN10MB (Ethernet)\n"
        );
        assert_eq!(link_types("tun0", LinkType::RAW), "Data link types for tun0:\n  RAW (Raw IP)\n");
    }
}
