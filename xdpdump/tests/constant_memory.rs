//! Reading a capture needs the same memory however long the capture is.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use xdpdump_testing::capture::xdpdump;

/// Memory in bytes for the program, its buffers and the conversations that it remembers.
const ENOUGH: u64 = 64 << 20;

const FILE_HEADER: [u32; 6] = [0xa1b2_3c4d, 2 | 4 << 16, 0, 0, 262_144, 1];
/// Bytes of each frame: the largest frame of most networks.
const FRAME: usize = 1514;
const RECORD: usize = 16 + FRAME;
/// Number of records in one write.
const RECORDS: usize = 700;

/// A pcap record with a TCP segment.
fn record() -> [u8; RECORD] {
    let mut record = [0; RECORD];
    for (to, word) in record.chunks_exact_mut(4).zip([1, 0, FRAME as u32, FRAME as u32]) {
        to.copy_from_slice(&word.to_ne_bytes());
    }
    let ipv4_and_tcp = [
        [0x45, 0, 0x05, 0xdc, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
        [0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0],
    ];
    record[16 + 12..][..2].copy_from_slice(&[0x08, 0x00]);
    record[16 + 14..][..40].copy_from_slice(ipv4_and_tcp.as_flattened());
    record
}

/// Makes the tool read `bytes` bytes from a pipe, with every frame in a conversation of its own. Returns the tool's peak
/// memory in bytes.
fn peak_memory(bytes: u64, arguments: &[&str]) -> u64 {
    let mut tool = Command::new(xdpdump())
        .args(["-r", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = tool.stdin.take().unwrap();
    stdin.write_all(&FILE_HEADER.map(u32::to_ne_bytes).concat()).unwrap();
    let mut records = record().repeat(RECORDS);
    let mut conversation = 0u32;
    let mut written = 0;
    while written < bytes {
        for record in records.chunks_exact_mut(RECORD) {
            conversation += 1;
            record[16 + 26..][..4].copy_from_slice(&conversation.to_be_bytes());
        }
        stdin.write_all(&records).unwrap();
        written += records.len() as u64;
    }
    // The tool waits for more input: it has read everything except what the pipe holds.
    let status = fs::read_to_string(format!("/proc/{}/status", tool.id())).unwrap();
    drop(stdin);
    assert!(tool.wait().unwrap().success());
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kib: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    println!("{written} bytes read, {peak_kib} KiB used: {arguments:?}");
    peak_kib << 10
}

#[test]
fn a_bomb_is_decompressed_in_little_memory() {
    // 64 MiB of the same packet in some kilobytes, as often as makes a gigabyte.
    let records = record().repeat((64 << 20) / RECORD);
    let count = (64 << 20) / RECORD * 16;
    let header = zstd::encode_all(&FILE_HEADER.map(u32::to_ne_bytes).concat()[..], 1).unwrap();
    let bomb = zstd::encode_all(&records[..], 19).unwrap();
    println!("a gigabyte from {} bytes", 16 * bomb.len());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bomb");
    fs::write(&path, [header, bomb.repeat(16)].concat()).unwrap();
    // KiB of address space, of which the program itself takes some.
    let limit = (ENOUGH >> 10) + 80_000;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {limit}; exec \"$@\""), "sh", xdpdump(), "--count", "-r"]);
    let output = command.arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{count} packets\n"), "{said}");
}

#[test]
fn two_gigabytes_are_converted_in_little_memory() {
    assert!(peak_memory(2 << 30, &["-w", "/dev/null"]) < ENOUGH);
}

#[test]
fn half_a_gigabyte_of_conversations_is_printed_in_little_memory() {
    // 350,000 conversations, several times as many as the tool remembers.
    assert!(peak_memory(512 << 20, &[]) < ENOUGH);
}
