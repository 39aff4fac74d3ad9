//! `--json` on the command line.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Output, Stdio},
};

use crate::{fixture, object};

fn xdpdump(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xdpdump")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn packets_that_a_filter_accepts_are_printed_and_counted_from_one() {
    let file = fixture("protocols");
    let output = xdpdump(&["--json", "-n", "-c", "3", "-r", file.to_str().unwrap(), "arp"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<_> = text(&output.stdout).split_inclusive('\n').map(object).collect();
    assert_eq!(lines.len(), 3);
    for (line, number) in lines.iter().zip(1..) {
        assert_eq!(line["frame"]["number"], number);
        assert!(line["arp"]["opcode"].is_number(), "{line}");
    }
}

#[test]
fn json_is_printed_beside_a_file_as_text_is() {
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("out.pcapng");
    let (fixture, written) = (fixture("classic"), written.to_str().unwrap());
    let output = xdpdump(&["-r", fixture.to_str().unwrap(), "-w", written, "--print", "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 4);
    assert!(fs::metadata(written).unwrap().len() > 300);
}

#[test]
fn options_of_text_are_refused_with_it() {
    for option in [
        &["-x"][..],
        &["-X"],
        &["-A"],
        &["-t"],
        &["-tttt"],
        &["--time-style=date"],
        &["--nano"],
        &["--micro"],
        &["-e"],
        &["-q"],
        &["-#"],
        &["-K"],
        &["--absolute-tcp-sequence-numbers"],
        &["--text-style=classic"],
        &["--text-style=tcpdump"],
        &["--count"],
    ] {
        let output = xdpdump(&[&["-r", "x.pcap", "--json"], option].concat());
        assert_eq!(output.status.code(), Some(2), "{option:?}");
        assert!(text(&output.stderr).contains("cannot be used with"), "{option:?}: {}", text(&output.stderr));
    }
    let output = xdpdump(&["-r", "x.pcap", "--json", "-w", "y.pcap"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("add --print"), "{}", text(&output.stderr));
}

#[test]
fn a_reader_that_leaves_ends_it_without_an_error() {
    let file = fixture("truncated");
    let mut tool = Command::new(env!("CARGO_BIN_EXE_xdpdump"))
        .args(["--json", "-l", "-r"])
        .arg(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(1, tool.stdout.take().unwrap()).read_line(&mut first).unwrap();
    object(&first);
    let mut said = String::new();
    tool.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(tool.wait().unwrap().success(), "{said}");
    assert!(!said.contains("rror"), "{said}");
}

/// With `-l`, a line is there while the input goes on.
#[test]
fn a_line_is_written_at_once_if_that_is_asked_for() {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_xdpdump"))
        .args(["--json", "-l", "-r", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let bytes = fs::read(fixture("classic")).unwrap();
    let mut input = tool.stdin.take().unwrap();
    // The header of the file, and one record.
    std::io::Write::write_all(&mut input, &bytes[..24 + 16 + 60]).unwrap();
    let mut first = String::new();
    BufReader::new(tool.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(object(&first)["frame"]["time_epoch"], "28228.714182000");
    drop(input);
    tool.wait().unwrap();
}
