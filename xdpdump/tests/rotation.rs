//! Several files instead of one, from a capture file; needs no privileges.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin_cmd;
use tempfile::TempDir;
use xdpdump::{
    output::{Format, Precision, open},
    packet::{Interface, LinkType, Meta, Packet, Timestamp},
};
use xdpdump_testing::{files, wait};

const SECOND: i64 = 1_000_000_000;
/// 2023-11-14 22:13:20 UTC.
const BEGIN: i64 = 1_700_000_000 * SECOND;
const FRAMES: u8 = 100;

/// A folder with a capture of 100 frames of 1000 bytes, one a second, whose first byte is their number.
fn captured() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in.pcapng");
    let mut sink = open(&input, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&Interface { link_type: LinkType::ETHERNET, ..Interface::default() }).unwrap();
    for number in 0..FRAMES {
        let mut frame = [0; 1000];
        frame[0] = number;
        let timestamp = Timestamp(BEGIN + i64::from(number) * SECOND);
        let packet = Packet {
            timestamp,
            uptime: None,
            record: xdpdump::packet::Record::None,
            interface: 0,
            frame: &frame,
            frame_len: 1000,
            meta: Meta::default(),
        };
        sink.packet(&packet).unwrap();
    }
    sink.finish(&[]).unwrap();
    (folder, input)
}

fn split(input: &Path, output: &Path, options: &[&str]) -> Output {
    let mut command = cargo_bin_cmd!("xdpdump");
    command.env("TZ", "UTC0").arg("-r").arg(input).arg("-w").arg(output).args(options);
    command.output().unwrap()
}

/// Splits the usual capture into files that are named after `pattern`; returns each name with the numbers of its frames.
fn files_of(pattern: &str, options: &[&str]) -> Vec<(String, Vec<u8>)> {
    let (folder, input) = captured();
    let output = folder.path().join("out");
    fs::create_dir(&output).unwrap();
    let ended = split(&input, &output.join(pattern), options);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let names: BTreeSet<_> = fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let numbers = |name: &OsStr| {
        let contents = files::read(&output.join(name));
        assert_eq!(contents.interfaces.len(), 1, "{}", name.display());
        contents.packets.iter().map(|packet| packet.frame[0]).collect()
    };
    names.iter().map(|name| (name.to_str().unwrap().to_owned(), numbers(name))).collect()
}

/// All frames of the files, in the order of their names.
fn joined(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    files.iter().flat_map(|(_, numbers)| numbers.clone()).collect()
}

#[test]
fn a_file_that_is_full_is_followed_by_another_as_in_tcpdump() {
    for name in ["out.pcapng", "out.pcap"] {
        let files = files_of(name, &["-C", "20k"]);
        let names: Vec<_> = files.iter().map(|(name, _)| &name[..]).collect();
        let numbered: Vec<_> = (1..=4).map(|number| format!("{name}{number}")).collect();
        assert_eq!(names[0], name);
        assert_eq!(names[1..], numbered);
        assert_eq!(joined(&files), (0..FRAMES).collect::<Vec<_>>());
        // A frame of 1000 bytes takes some more; the one that fills the file is still in it.
        let counts: Vec<_> = files.iter().map(|(_, numbers)| numbers.len()).collect();
        assert!(counts[..4].iter().all(|count| (18..=21).contains(count)), "{counts:?}");
    }
}

#[test]
fn a_ring_of_files_keeps_the_newest_packets() {
    let files = files_of("out.pcapng", &["-C", "10k", "-W", "3"]);
    let names: Vec<_> = files.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, ["out.pcapng0", "out.pcapng1", "out.pcapng2"]);
    let mut numbers = joined(&files);
    numbers.sort_unstable();
    let first = numbers[0];
    assert!(first > 60, "{numbers:?}");
    assert_eq!(numbers, (first..FRAMES).collect::<Vec<_>>());
}

#[test]
fn one_file_that_is_begun_again_and_again_keeps_the_newest_packets() {
    let files = files_of("out.pcapng", &["-C", "10k", "-W", "1"]);
    let [(name, numbers)] = &files[..] else { panic!("{files:?}") };
    assert_eq!(name, "out.pcapng");
    assert_eq!(numbers.last(), Some(&(FRAMES - 1)));
    assert!(numbers.len() <= 12, "{numbers:?}");
}

#[test]
fn files_of_equal_time_are_named_by_the_time_of_their_first_packet() {
    let files = files_of("%H%M%S-%%.pcap", &["-G", "30"]);
    let expected = [
        ("221320-%.pcap".to_owned(), (0..30).collect()),
        ("221350-%.pcap".to_owned(), (30..60).collect()),
        ("221420-%.pcap".to_owned(), (60..90).collect()),
        ("221450-%.pcap".to_owned(), (90..100).collect::<Vec<u8>>()),
    ];
    assert_eq!(files, expected);
}

#[test]
fn aligned_files_begin_with_the_minute() {
    let files = files_of("%H%M%S.pcapng", &["-G", "1m", "--align"]);
    let expected = [
        ("221320.pcapng".to_owned(), (0..40).collect()),
        ("221400.pcapng".to_owned(), (40..100).collect::<Vec<u8>>()),
    ];
    assert_eq!(files, expected);
}

/// tcpdump overwrites the first file with the second.
#[test]
fn files_whose_names_do_not_tell_the_time_do_not_overwrite_each_other() {
    let files = files_of("out.pcapng", &["-G", "50"]);
    let expected = [
        ("out.pcapng".to_owned(), (0..50).collect()),
        ("out.pcapng1".to_owned(), (50..100).collect::<Vec<u8>>()),
    ];
    assert_eq!(files, expected);
}

#[test]
fn the_end_comes_after_a_number_of_periods() {
    let files = files_of("%S.pcapng", &["-G", "10", "-W", "2"]);
    let expected = [
        ("20.pcapng".to_owned(), (0..10).collect()),
        ("30.pcapng".to_owned(), (10..20).collect::<Vec<u8>>()),
    ];
    assert_eq!(files, expected);
}

#[test]
fn of_files_limited_in_time_and_size_the_newest_are_kept() {
    let files = files_of("%H%M%S-", &["-G", "30", "-C", "10k", "-W", "5"]);
    assert_eq!(files.len(), 5, "{files:?}");
    let numbers = joined(&files);
    assert_eq!(numbers, (numbers[0]..FRAMES).collect::<Vec<_>>());
    // As in tcpdump, the time is that of the period.
    let names: Vec<_> = files.iter().map(|(name, _)| &name[..]).collect();
    assert_eq!(names, ["221350-2", "221420-0", "221420-1", "221420-2", "221450-0"]);
}

#[test]
fn without_a_packet_there_is_one_file() {
    let files = files_of("out.pcapng", &["-G", "10", "-C", "1", "ip6"]);
    assert_eq!(files, [("out.pcapng".to_owned(), vec![])]);
}

#[test]
fn what_cannot_be_followed_by_another_file_is_refused() {
    let (folder, input) = captured();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let directory = folder.path().join("directory");
    fs::create_dir(&directory).unwrap();
    for (output, options, status, hint) in [
        (Path::new("-"), &["-C", "1"][..], 2, "standard output cannot be followed by other files"),
        (Path::new("/dev/stdout"), &["-G", "1"], 2, "standard output cannot be followed by other files"),
        (&pipe, &["-C", "1"], 1, "no regular file"),
        (&directory, &["-C", "1"], 1, "no regular file"),
        (&folder.path().join("nowhere/out"), &["-C", "1"], 1, "no such directory"),
        (&folder.path().join("100%_"), &["-G", "1"], 2, "write \"%%\" for the character"),
        (&folder.path().join("out"), &["-W", "1"], 2, "-W limits the number of files that -C or -G begin"),
        (&folder.path().join("out"), &["-z", "true"], 2, "-z is for files that -C or -G begin"),
        (&folder.path().join("out"), &["-C", "2m", "-z", "true", "-W", "x"], 2, "invalid"),
        (&folder.path().join("out"), &["-C", "0"], 2, "it must not be 0"),
        (&folder.path().join("out"), &["-C", "5x"], 2, "a size is a number, or one with k, m, g or t"),
        (&folder.path().join("out"), &["-G", "5y"], 2, "a time is a number of seconds, or one with"),
        (&folder.path().join("out"), &["-C", "1", "--align"], 2, "--file-time"),
    ] {
        let ended = split(&input, output, options);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(status), "{said}");
        assert!(said.contains(hint), "{said}");
    }
    assert!(directory.is_dir() && fs::symlink_metadata(&pipe).is_ok());
    let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with('.')), "{left:?}");
}

#[test]
fn a_file_that_another_capture_writes_is_not_replaced() {
    let (folder, input) = captured();
    let other = folder.path().join("out.pcapng1");
    fs::write(&other, "of another capture").unwrap();
    let lock = fs::File::open(&other).unwrap();
    lock.lock().unwrap();
    let ended = split(&input, &folder.path().join("out.pcapng"), &["-C", "10k"]);
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("out.pcapng1 is being written by another capture"), "{said}");
    assert_eq!(fs::read(&other).unwrap(), b"of another capture");
    assert!(!files::read(&folder.path().join("out.pcapng")).packets.is_empty());
}

/// Also on the last file, and while the capture goes on.
#[test]
fn a_command_is_run_on_each_finished_file() {
    let (folder, input) = captured();
    let output = folder.path().join("out");
    fs::create_dir(&output).unwrap();
    let ended = split(&input, &output.join("a.pcapng"), &["-C", "20k", "-z", "gzip -1"]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let expected: BTreeSet<_> =
        ["", "1", "2", "3", "4"].iter().map(|number| format!("a.pcapng{number}.gz")).collect();
    wait::until_equal(&expected, || {
        let names = fs::read_dir(&output).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    });
    let unpacked = Command::new("gzip").arg("-dr").arg(&output).status().unwrap();
    assert!(unpacked.success());
    let frames: usize =
        fs::read_dir(&output).unwrap().map(|entry| files::read(&entry.unwrap().path()).packets.len()).sum();
    assert_eq!(frames, usize::from(FRAMES));
}

#[test]
fn a_command_that_is_no_program_is_refused() {
    let (folder, input) = captured();
    let output = folder.path().join("a.pcapng");
    for command in ["/nowhere/compress -9", "no-such-program", "", "/etc/passwd"] {
        let ended = split(&input, &output, &["-C", "50k", "-z", command]);
        assert_eq!(ended.status.code(), Some(2));
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(said.contains("-z: there is no program"), "{command}: {said}");
        assert!(!output.exists());
    }
}

/// Also on the last file.
#[test]
fn a_command_that_fails_is_named_for_each_file() {
    let (folder, input) = captured();
    let output = folder.path().join("a.pcapng");
    let ended = split(&input, &output, &["-C", "50k", "-z", "false"]);
    assert!(ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    for number in ["", "1", "2"] {
        let file = folder.path().join(format!("a.pcapng{number}"));
        let sentence = format!("-z false failed on {}: its status is 1", file.display());
        assert_eq!(file.exists(), said.contains(&sentence), "{said}");
    }
}
