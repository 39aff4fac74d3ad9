//! Compressed captures are read like others.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use flate2::{Compression, write::GzEncoder};
use lz4_flex::frame::{BlockSize, FrameEncoder, FrameInfo};
use xdpdump::{
    output::{self, Format, Precision},
    packet::{Interface, Meta, Packet, Timestamp},
};

type Encode = fn(&[u8]) -> Vec<u8>;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn lz4(data: &[u8]) -> Vec<u8> {
    let blocks = FrameInfo::new().block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(blocks, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).unwrap()
}

const ALL: [(&str, Encode); 3] = [("gzip", gzip), ("lz4", lz4), ("zstd", zstd)];

fn fixture() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/protocols.pcap")).unwrap()
}

/// A capture of `packets` packets whose bytes compress badly.
fn large(packets: u32) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.pcapng");
    let mut sink = output::open(&path, Format::Pcapng, Precision::Nano).unwrap();
    sink.interface(&Interface::default()).unwrap();
    let mut state = 1_u32;
    for number in 0..packets {
        let frame: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 25) as u8
        })
        .take(1000)
        .collect();
        let timestamp = Timestamp(number.into());
        let (uptime, interface, meta) = (None, 0, Meta::default());
        let packet = Packet {
            timestamp,
            uptime,
            record: xdpdump::packet::Record::None,
            interface,
            frame: &frame,
            frame_len: 1000,
            meta,
        };
        sink.packet(&packet).unwrap();
    }
    sink.finish(&[]).unwrap();
    drop(sink);
    fs::read(path).unwrap()
}

fn tool(arguments: &[&str], file: Option<&Path>, stdin: Option<&[u8]>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xdpdump"));
    command.args(arguments).args(file).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = stdin.unwrap_or_default().to_vec();
    let writer = std::thread::spawn(move || pipe.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    drop(writer.join().unwrap());
    output
}

fn said(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn the_text_is_the_same_from_a_file_and_from_a_pipe() {
    let directory = tempfile::tempdir().unwrap();
    let plain = fixture();
    let expected = tool(&["-tt", "-r", "-"], None, Some(&plain));
    assert!(expected.status.success() && expected.stdout.len() > 1000);
    let (begin, end) = plain.split_at(plain.len() / 3);
    for (name, encode) in ALL {
        // The name says something else.
        let path = write(directory.path(), "capture.pcap", &encode(&plain));
        let read = tool(&["-tt", "-r"], Some(&path), None);
        assert_eq!(read.stdout, expected.stdout, "{name}");
        assert_eq!(read.status.code(), Some(0));
        assert_eq!(
            said(&read),
            format!(
                "reading from file {}, link-type EN10MB (Ethernet), snapshot length 262144\n",
                path.display()
            )
        );
        // Two members, the border within a packet.
        let members = [encode(begin), encode(end)].concat();
        let read = tool(&["-tt", "-r", "-"], None, Some(&members));
        assert_eq!((read.status.code(), read.stdout), (Some(0), expected.stdout.clone()), "{name}");
    }
}

#[test]
fn what_the_usual_tools_write() {
    let directory = tempfile::tempdir().unwrap();
    let plain = write(directory.path(), "plain.pcap", &fixture());
    let expected = tool(&["-r"], Some(&plain), None);
    for (program, arguments) in [
        ("gzip", &["-c"][..]),
        ("lz4", &["-c", "-9", "-BD", "-B4"]),
        ("lz4", &["-c", "--content-size", "-BX"]),
        ("zstd", &["-c", "-19", "--check"]),
    ] {
        let path = directory.path().join("compressed");
        let mut command = Command::new(program);
        command.args(arguments).arg(&plain).stdout(File::create(&path).unwrap()).stderr(Stdio::null());
        match command.status() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                println!("skipped: {program} is not installed");
                continue;
            }
            status => assert!(status.unwrap().success()),
        }
        assert_eq!(tool(&["-r"], Some(&path), None).stdout, expected.stdout, "{program} {arguments:?}");
    }
}

#[test]
fn a_missing_end_is_said_after_what_comes_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let whole = large(600);
    for (name, encode) in ALL {
        let compressed = encode(&whole);
        let path = write(directory.path(), "cut", &compressed[..compressed.len() * 9 / 10]);
        let read = tool(&["-c", "100000", "--count", "-r"], Some(&path), None);
        assert_eq!(read.status.code(), Some(1), "{name}");
        let count: u32 =
            String::from_utf8(read.stdout).unwrap().trim().strip_suffix(" packets").unwrap().parse().unwrap();
        // All but what belongs to a block of up to 128 KiB.
        assert!((400..600).contains(&count), "{name}: {count}");
        let sentence = format!(
            "xdpdump: {}: truncated {name} data: the end is missing (all before it was read)\n",
            path.display()
        );
        assert!(said(&Output { stdout: Vec::new(), ..read }).ends_with(&sentence), "{name}");
    }
}

#[test]
fn damage_is_said_after_what_comes_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let whole = large(600);
    for (name, encode) in ALL {
        let mut compressed = encode(&whole);
        let middle = compressed.len() / 2;
        compressed[middle..].iter_mut().for_each(|byte| *byte = 0xff);
        let path = write(directory.path(), "damaged", &compressed);
        let out = directory.path().join("out.pcapng");
        let read = tool(&["-w", out.to_str().unwrap(), "-r"], Some(&path), None);
        let said = said(&read);
        assert_eq!(read.status.code(), Some(1), "{name}: {said}");
        let compressed = format!("{}: damaged {name} data (", path.display());
        // DEFLATE notices damage only when it contradicts itself.
        let decompressed = format!("{} (decompressed): damaged dump file at byte ", path.display());
        assert!(
            said.contains(&compressed) || name == "gzip" && said.contains(&decompressed),
            "{name}: {said}"
        );
        let saved = tool(&["--count", "-r"], Some(&out), None);
        assert_eq!(saved.status.code(), Some(0));
        let count: u32 = String::from_utf8(saved.stdout)
            .unwrap()
            .trim()
            .strip_suffix(" packets")
            .unwrap()
            .parse()
            .unwrap();
        assert!((150..350).contains(&count), "{name}: {count}");
    }
}

#[test]
fn a_capture_that_ends_within_a_packet_and_was_compressed_then() {
    let directory = tempfile::tempdir().unwrap();
    let whole = fixture();
    for (name, encode) in ALL {
        let path = write(directory.path(), "cut", &encode(&whole[..whole.len() - 3]));
        let read = tool(&["-r"], Some(&path), None);
        assert_eq!(read.status.code(), Some(1), "{name}");
        assert!(said(&read).contains("truncated dump file; tried to read"), "{}", said(&read));
        assert!(!said(&read).contains("repair"), "{}", said(&read));
        let before = fs::read(&path).unwrap();
        let repaired = tool(&["repair"], Some(&path), None);
        assert_eq!(repaired.status.code(), Some(1));
        let sentence = format!(
            "xdpdump: {} is compressed with {name}: save what can be read of it with -r and -w\n",
            path.display()
        );
        assert_eq!(said(&repaired), sentence);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn compressed_data_that_are_no_capture() {
    let directory = tempfile::tempdir().unwrap();
    for (_, encode) in ALL {
        let path = write(directory.path(), "letter", &encode(b"dear reader"));
        let read = tool(&["-r"], Some(&path), None);
        assert_eq!(read.status.code(), Some(1));
        let sentence = format!("xdpdump: {}: unknown file format: neither pcap nor pcapng\n", path.display());
        assert_eq!(said(&read), sentence);
    }
}

#[test]
fn a_filter_and_a_limit_apply_to_what_was_decompressed() {
    let directory = tempfile::tempdir().unwrap();
    let plain = write(directory.path(), "plain", &fixture());
    let expected = tool(&["-c", "3", "udp", "-r"], Some(&plain), None);
    assert_eq!(String::from_utf8_lossy(&expected.stdout).lines().count(), 3);
    for (name, encode) in ALL {
        let path = write(directory.path(), "compressed", &encode(&fixture()));
        let read = tool(&["-c", "3", "udp", "-r"], Some(&path), None);
        assert_eq!(read.stdout, expected.stdout, "{name}");
    }
}

/// Runs the tool on a file, and writes another.
fn rewrite(from: &Path, to: &Path, options: &[&str]) -> Output {
    let arguments = ["-r", from.to_str().unwrap(), "-w", to.to_str().unwrap()];
    tool(&[&arguments[..], options].concat(), None, None)
}

#[test]
fn what_is_written_compressed_decompresses_to_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("large"), large(5000)).unwrap();
    for (plain, compressed, options) in [
        ("a.pcapng", "a.pcapng.zst", &[][..]),
        ("b.pcap", "b.pcap.zst", &["--compress=-7"]),
        ("c.pcapng", "c.pcapng", &["--compress"]),
    ] {
        let plain = path(plain);
        assert!(rewrite(&path("large"), &plain, &[]).status.success());
        let expected = fs::read(&plain).unwrap();
        let compressed = path(compressed);
        let output = rewrite(&path("large"), &compressed, options);
        assert!(output.status.success(), "{}", said(&output));
        let bytes = fs::read(&compressed).unwrap();
        assert_eq!(bytes[..4], [0x28, 0xb5, 0x2f, 0xfd]);
        assert!(zstd::decode_all(&bytes[..]).unwrap() == expected, "{}", compressed.display());
    }
}

#[test]
fn a_name_that_promises_another_compression_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let fixture = write(directory.path(), "fixture", &fixture());
    for name in ["a.pcap.gz", "a.xz", "a.pcapng.lz4"] {
        let output = rewrite(&fixture, &directory.path().join(name), &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("end in .zst") && said(&output).contains("pipe"), "{}", said(&output));
    }
}
