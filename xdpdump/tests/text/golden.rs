//! Compares the text output with what tcpdump prints.
//!
//! `XDPDUMP_BLESS=1 cargo test --test text` writes the fixtures anew and records tcpdump's text of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::capture::{self, Record};
use crate::frames;
use crate::{links, routing, services, transports, tunnels};
use xdpdump::packet::LinkType;

/// The options of the golden files, as they appear in the names of the files: tcpdump's letters.
const PROTOCOLS: [&str; 12] =
    ["n", "nq", "ne", "nqe", "ntttt", "nxx", "nXX", "nAA", "nv", "nvv", "nve", "ntt#"];
const WIRE: [&str; 4] = ["n", "nq", "nv", "ne"];
const RAW: [&str; 3] = ["n", "ne", "nv"];
const ROUTING: [&str; 4] = ["n", "nq", "nv", "nvv"];
const SERVICES: [&str; 4] = ["n", "nq", "nv", "nvv"];
const TRUNCATED: [&str; 4] = ["n", "nq", "ne", "nv"];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// Every comparison: a capture and the options.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    let protocols = PROTOCOLS.map(|letters| ("protocols", letters));
    let truncated = TRUNCATED.map(|letters| ("truncated", letters));
    let raw = RAW.map(|letters| ("raw", letters));
    let routing = ROUTING.map(|letters| ("routing", letters));
    let services = SERVICES.map(|letters| ("services", letters));
    let own = ["links", "transports", "tunnels"];
    let own = own.into_iter().flat_map(|capture| WIRE.map(|letters| (capture, letters)));
    protocols.into_iter().chain(truncated).chain(raw).chain(own).chain(routing).chain(services)
}

/// Name, link type and records of every capture.
fn captures() -> Vec<(&'static str, LinkType, Vec<Record>)> {
    let protocols = frames::protocols();
    vec![
        ("truncated", LinkType::ETHERNET, frames::truncated(&protocols)),
        ("protocols", LinkType::ETHERNET, frames::records(protocols)),
        ("raw", LinkType::RAW, frames::records(frames::raw())),
        ("routing", LinkType::ETHERNET, frames::records(routing::frames())),
        ("services", LinkType::ETHERNET, frames::records(services::frames())),
        ("classic", LinkType::ETHERNET, frames::classic()),
        ("links", LinkType::ETHERNET, frames::records(links::frames())),
        ("transports", LinkType::ETHERNET, frames::records(transports::frames())),
        ("tunnels", LinkType::ETHERNET, frames::records(tunnels::frames())),
    ]
}

/// What the tool prints for a capture file.
fn print(capture: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_xdpdump"))
        .env("TZ", "UTC")
        .args(arguments)
        .arg("-r")
        .arg(capture)
        .output()
        .expect("the tool runs");
    assert!(output.status.success(), "xdpdump: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn tcpdump(capture: &Path, letters: &str) -> Vec<u8> {
    let output = Command::new("tcpdump")
        .env("TZ", "UTC")
        .arg(format!("-{letters}"))
        .arg("-r")
        .arg(capture)
        .output()
        .expect("tcpdump is needed for this test: apt-get install tcpdump");
    assert!(output.status.success(), "tcpdump: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn assert_same(name: &str, got: &[u8], expected: &[u8]) {
    let got = String::from_utf8_lossy(got);
    let expected = String::from_utf8_lossy(expected);
    let mut different = Vec::new();
    for (i, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        if got != expected {
            different.push(format!("line {}\n  expected {expected}\n  printed  {got}", i + 1));
        }
    }
    assert!(
        different.is_empty(),
        "{name}: {} lines differ\n{}",
        different.len(),
        different[..different.len().min(20)].join("\n")
    );
    assert_eq!(got.lines().count(), expected.lines().count(), "{name}: number of lines");
}

fn golden(capture: &str, letters: &str) -> PathBuf {
    fixtures().join(format!("{capture}.{}.txt", letters.replace('#', "-number")))
}

/// Writes captures and golden files when asked to; nothing otherwise.
fn bless() {
    static BLESSED: std::sync::Once = std::sync::Once::new();
    if std::env::var_os("XDPDUMP_BLESS").is_none() {
        return;
    }
    BLESSED.call_once(|| {
        for (name, link_type, records) in captures() {
            fs::write(fixtures().join(format!("{name}.pcap")), capture::encode(link_type.0.into(), &records))
                .unwrap();
        }
        for (capture, letters) in cases() {
            let text = tcpdump(&fixtures().join(format!("{capture}.pcap")), letters);
            fs::write(golden(capture, letters), text).unwrap();
        }
    });
}

#[test]
fn captures_are_those_the_generator_makes() {
    bless();
    for (name, link_type, records) in captures() {
        let file = fs::read(fixtures().join(format!("{name}.pcap"))).unwrap();
        assert!(
            file == capture::encode(link_type.0.into(), &records),
            "{name}.pcap is stale: run with XDPDUMP_BLESS=1"
        );
    }
}

#[test]
fn text_equals_the_golden_files() {
    bless();
    for (capture, letters) in cases() {
        let file = fixtures().join(format!("{capture}.pcap"));
        let expected = fs::read(golden(capture, letters)).unwrap();
        assert_same(&format!("{capture} -{letters}"), &print(&file, &[&format!("-{letters}")]), &expected);
    }
}

#[test]
fn text_equals_the_installed_tcpdump() {
    bless();
    for (capture, letters) in cases() {
        let file = fixtures().join(format!("{capture}.pcap"));
        let expected = tcpdump(&file, letters);
        assert_same(&format!("{capture} -{letters}"), &print(&file, &[&format!("-{letters}")]), &expected);
    }
}

#[test]
fn classic_prints_the_demos_examples() {
    bless();
    let file = fixtures().join("classic.pcap");
    let text = String::from_utf8(print(&file, &["--text-style", "classic"])).unwrap();
    let lines = [
        "28228.714182 IP 10.0.0.2:9203 > 10.0.0.1:0 TCP seq 437136853, length 6",
        "28233.714510 IP6 fe80::268a:7ff:fe3b:46:9 > 2001:db8:85a3::370:7334:9 UDP, length 16",
        "28298.719497 IP 10.0.0.2:1697 > 10.0.0.1:0 TCP seq 1017625101, length 6",
        "28357.729517 IP 10.0.0.2:54013 > 10.0.0.1:53 UDP, length 51",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);

    let with_hex = print(&file, &["--text-style", "classic", "-x"]);
    let example = "28298.719497 IP 10.0.0.2:1697 > 10.0.0.1:0 TCP seq 1017625101, length 6
\t0015 4d13 0880 248a 073b 0046 0800 4500
\t0028 18fa 0000 4006 4dd4 0a00 0002 0a00
\t0001 06a1 0000 3ca7 ba0d 558d d5a8 5000
\t0200 7156 0000 0000 0000 0000
";
    let with_hex = String::from_utf8(with_hex).unwrap();
    assert!(with_hex.contains(example), "{with_hex}");
}
