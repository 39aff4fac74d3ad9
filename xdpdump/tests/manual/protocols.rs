//! The table of protocols in the documentation, from what their decoders say of themselves.

use std::{fmt::Write as _, fs, path::Path};

/// Folders of decoders, from the wire upwards, and what a person calls what is in them.
const FOLDERS: [(&str, &str); 6] = [
    ("link", "Links, and what runs directly on them"),
    ("network", "IP, its control messages, and address resolution"),
    ("transport", "Transport"),
    ("tunnels", "Tunnels"),
    ("routing", "Routing"),
    ("services", "Services"),
];

/// Files that are no protocols, but what several of them need.
const SHARED: [&str; 19] = [
    "conversation",
    "dns_name",
    "dns_type",
    "duration",
    "ethertype",
    "gmpls",
    "group_records",
    "icmp_extension",
    "ip",
    "ipv6_options",
    "nsap",
    "numbers",
    "osi",
    "oui",
    "port",
    "stp_regions",
    "tcp_options",
    "wlan_management",
    "edns",
];

/// The page.
pub fn page() -> String {
    let mut page = "# Protocols\n\nWhat is printed of a packet: a line, in tcpdump's words, and details with `-v` and `-vv`. What has no printer here \
        ends as tcpdump's line of the protocol below does, such as `UDP, length 40`. JSON (`--json`) has the headers up to TCP, UDP and ICMP; filters \
        know them too. This page is made from the code (`cargo xtask docs`).\n"
        .to_owned();
    for (folder, title) in FOLDERS {
        let _ = write!(page, "\n## {title}\n\n| | |\n|:--|:--|\n");
        for (name, text) in protocols(folder) {
            let _ = writeln!(page, "| {name} | {text} |");
        }
    }
    page
}

/// Name and description of each protocol in a folder.
fn protocols(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/decode").join(folder);
    let mut protocols: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            if name == "mod" || SHARED.contains(&&*name) {
                return None;
            }
            let file = if path.is_dir() { path.join("mod.rs") } else { path };
            Some((name, description(&fs::read_to_string(file).expect("a file"))))
        })
        .collect();
    protocols.sort();
    protocols
}

/// The first paragraph of a file's documentation.
fn description(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//! "));
    lines.collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

/// A decoder that is added has to say what it is.
#[test]
fn every_protocol_says_what_it_is() {
    for (folder, _) in FOLDERS {
        for (name, text) in protocols(folder) {
            assert!(text.len() > 8, "{folder}/{name}: {text:?}");
        }
    }
}
