//! A copy of a capture file has all that the file has: tshark and capinfos show the same of both, and blocks are the same bytes.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use xdpdump_testing::order::{ORDERS, Order, padded};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
const JOURNAL: u32 = 9;
const SECRETS: u32 = 10;
const CUSTOM: u32 = 0x0bad;
const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
/// For local use, section 10.1 of the draft.
const UNKNOWN: u32 = 0x8000_1234;

/// An Ethernet frame with an IPv4 UDP packet in it.
const FRAME: &[u8] =
    b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\x00\x45\x00\x00\x20\x00\x01\x00\x00\x40\x11\x66\xca\
    \x0a\x00\x00\x01\x0a\x00\x00\x02\x00\x09\x00\x09\x00\x0c\x00\x00ping";

/// Blocks of a section.
trait Blocks: Sized {
    fn time(self, units: u64) -> Vec<u8>;
    fn options(self, options: &[(u16, Vec<u8>)]) -> Vec<u8>;
    fn section(self, options: &[(u16, Vec<u8>)]) -> Vec<u8>;
    fn interface(self, link_type: u16, snap_len: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8>;
    fn packet(self, interface: u32, time: u64, frame: &[u8], options: &[(u16, Vec<u8>)]) -> Vec<u8>;
    fn custom(self, code: u16, value: &[u8]) -> (u16, Vec<u8>);
    fn names(self) -> Vec<u8>;
    fn secrets(self) -> Vec<u8>;
    fn statistics(self, interface: u32) -> Vec<u8>;
    fn everything(self) -> Vec<Vec<u8>>;
}

impl Blocks for Order {
    /// A time of a block: its upper half first.
    fn time(self, units: u64) -> Vec<u8> {
        self.words(&[(units >> 32) as u32, units as u32])
    }

    /// Options, and the mark of their end.
    fn options(self, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let all = options.iter().map(|(code, value)| self.option(*code, value));
        all.chain([self.option(0, &[])]).collect::<Vec<_>>().concat()
    }

    fn section(self, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let head = [self.u32(0x1a2b_3c4d), self.u16(1), self.u16(0), self.u64(u64::MAX)].concat();
        self.block(SECTION, &[head, self.options(options)])
    }

    fn interface(self, link_type: u16, snap_len: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let head = [self.u16(link_type), self.u16(0), self.u32(snap_len)].concat();
        self.block(INTERFACE, &[head, self.options(options)])
    }

    fn packet(self, interface: u32, time: u64, frame: &[u8], options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let lengths = self.words(&[frame.len() as u32, frame.len() as u32 + 4]);
        let options = if options.is_empty() { Vec::new() } else { self.options(options) };
        self.block(PACKET, &[self.u32(interface), self.time(time), lengths, padded(frame), options])
    }

    /// An option of a vendor: its number, and anything.
    fn custom(self, code: u16, value: &[u8]) -> (u16, Vec<u8>) {
        (code, [self.u32(32_473), value.to_vec()].concat())
    }

    fn names(self) -> Vec<u8> {
        let record = |kind: u16, value: &[u8]| self.option(kind, value);
        let options = self.options(&[text(1, "who is who"), text(2, "dns1"), (3, vec![9, 9, 9, 9])]);
        let records = [record(1, b"\x0a\x00\x00\x01router\0"), record(0, &[])];
        self.block(NAMES, &[records.concat(), options])
    }

    fn secrets(self) -> Vec<u8> {
        let keys = b"CLIENT_RANDOM 00 11\n";
        let head = self.words(&[0x544c_534b, keys.len() as u32]);
        self.block(SECRETS, &[head, padded(keys), self.options(&[text(1, "for the decryption")])])
    }

    fn statistics(self, interface: u32) -> Vec<u8> {
        let number = |code, value| (code, self.u64(value));
        let options = [
            text(1, "at the end"),
            (2, self.time(1_699_999_999_000_000)),
            (3, self.time(1_700_000_100_000_000)),
            number(4, 100),
            number(5, 2),
            number(6, 90),
            number(7, 3),
            number(8, 80),
        ];
        let head = [self.u32(interface), self.time(1_700_000_100_000_000)];
        self.block(STATISTICS, &[head.concat(), self.options(&options)])
    }

    /// The blocks of a section with everything that the draft has.
    fn everything(self) -> Vec<Vec<u8>> {
        let section = [
            text(1, "taken on the edge router"),
            text(1, "a second comment"),
            text(2, "riscv64"),
            text(3, "Plan 9"),
            text(4, "otherapp 3"),
            self.custom(2988, b"text"),
            self.custom(2989, &[1, 2, 3]),
            self.custom(19372, b"text, not copied"),
            self.custom(19373, &[4, 5]),
        ];
        let interface = [
            text(1, "the uplink"),
            text(2, "net0"),
            text(3, "Uplink to the world"),
            (4, vec![10, 0, 0, 1, 255, 255, 255, 0]),
            (5, [&[0xfe, 0x80][..], &[0; 13], &[1, 64]].concat()),
            (6, vec![2, 0, 0, 0, 0, 1]),
            (7, vec![2, 0, 0, 0xff, 0xfe, 0, 0, 1]),
            (8, self.u64(10_000_000_000)),
            (9, vec![6]),
            (10, self.u32(3600)),
            (11, b"\0udp port 9".to_vec()),
            text(12, "Plan 9"),
            (14, self.u64(0)),
            text(15, "a card"),
            (16, self.u64(1_000_000)),
            (17, self.u64(2_000_000)),
            text(18, "Europe/Berlin"),
            self.custom(2988, b"text"),
        ];
        let other_interface = [text(2, "net1"), (9, vec![9]), (14, self.u64(3))];
        let metadata = [
            text(1, "look here"),
            text(1, "and here"),
            (2, self.u32(0x0100_0085)),
            (3, vec![2, 1, 2, 3, 4]),
            (3, vec![5, 1, 2, 3, 4]),
            (4, self.u64(7)),
            (5, self.u64(u64::MAX - 1)),
            (6, self.u32(3)),
            (7, [vec![2], self.u64(2)].concat()),
            (8, self.u32(99)),
            self.custom(2989, &[9]),
        ];
        let custom = [self.u32(32_473), b"anything at all".to_vec()];
        let time = 1_700_000_000_123_456;
        let old = [self.u16(1), self.u16(5), self.time(time * 1000), self.words(&[46, 60]), padded(FRAME)];
        vec![
            self.section(&section),
            self.names(),
            self.interface(1, 0, &interface),
            self.secrets(),
            self.block(CUSTOM, &custom),
            self.packet(0, time, FRAME, &metadata),
            self.interface(1, 4096, &other_interface),
            self.block(UNKNOWN, &[b"nobody knows".to_vec()]),
            self.block(JOURNAL, &[b"__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=hello\n\n".to_vec()]),
            self.packet(1, time * 1000 + 1, &FRAME[..33], &[]),
            self.block(OLD_PACKET, &[old.concat(), self.options(&[text(1, "old"), (2, self.u32(2))])]),
            self.block(SIMPLE_PACKET, &[self.u32(46), padded(FRAME)]),
            self.block(CUSTOM_NOT_COPIED, &custom),
            self.packet(0, time + 5, FRAME, &[(2, self.u32(0xffff_fffc))]),
            self.statistics(0),
        ]
    }
}

fn text(code: u16, text: &str) -> (u16, Vec<u8>) {
    (code, text.as_bytes().to_vec())
}

/// Runs the tool.
fn run(arguments: &[&str]) -> (Output, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_xdpdump")).args(arguments).env("TZ", "UTC").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, errors)
}

/// Runs the tool, which must succeed, and returns what it says besides what it reads.
fn copy(arguments: &[&str]) -> String {
    let (output, errors) = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    errors.lines().filter(|line| !line.starts_with("reading from ")).collect::<Vec<_>>().join("\n")
}

/// A file in a folder of its own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.name(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

/// All that tshark shows of the packets of a file, without what depends on their place in it.
fn json(file: &str) -> String {
    let output = Command::new("tshark")
        .args(["-n", "-T", "json", "-r", file])
        .env("TZ", "UTC")
        .output()
        .expect("tshark (package tshark)");
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Each packet as tshark shows it, in one line, without numbers that a filter or a merge changes.
fn packets(file: &str) -> Vec<String> {
    let fields = [
        "frame.time_epoch",
        "frame.len",
        "frame.cap_len",
        "frame.interface_name",
        "frame.interface_description",
        "frame.packet_flags",
        "frame.comment",
        "frame.packet_id",
        "frame.interface_queue",
        "frame.drop_count",
        "frame.verdict.ebpf_xdp",
        "udp.payload",
    ];
    let fields = fields.iter().flat_map(|field| ["-e", field]);
    let output = Command::new("tshark")
        .args(["-n", "-Y", "eth or usb", "-T", "fields"])
        .args(fields)
        .args(["-r", file])
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap().lines().map(str::to_owned).collect()
}

/// All that capinfos knows of a file, without what it says of the file itself.
fn facts(file: &str) -> Vec<String> {
    let output = Command::new("capinfos").args(["-M", file]).env("TZ", "UTC").output().expect("capinfos");
    let text = String::from_utf8(output.stdout).unwrap();
    let is_of_file = |line: &&str| {
        ["File name", "File size", "Data byte rate", "SHA", "RIPEMD", "SHA1"]
            .iter()
            .any(|word| line.starts_with(word))
    };
    text.lines().filter(|line| !is_of_file(line)).map(str::to_owned).collect()
}

/// The type and the bytes of each block of a file that is in the order `order`.
fn blocks(file: &Path, order: Order) -> Vec<(u32, Vec<u8>)> {
    let bytes = fs::read(file).unwrap();
    let (mut rest, mut blocks) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        let number = |at: usize| {
            let bytes: [u8; 4] = rest[at..at + 4].try_into().unwrap();
            if order.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let (block, behind) = rest.split_at(number(4) as usize);
        blocks.push((number(0), block.to_vec()));
        rest = behind;
    }
    blocks
}

fn kinds(blocks: &[(u32, Vec<u8>)]) -> Vec<u32> {
    blocks.iter().map(|(kind, _)| *kind).collect()
}

const NATIVE: Order = Order { big: cfg!(target_endian = "big") };

#[test]
fn a_whole_copy_is_the_same_file() {
    let files = Files::new();
    let all = ORDERS.map(|order| order.everything().concat());
    for bytes in [all[0].clone(), all[1].clone(), all.concat(), [&all[1][..], &all[0], &all[1]].concat()] {
        let (original, copied) = (files.write("a.pcapng", &bytes), files.name("b.pcapng"));
        assert_eq!(copy(&["-r", &original, "-w", &copied]), "");
        assert_eq!(json(&original), json(&copied));
        assert_eq!(facts(&original), facts(&copied));
        assert_eq!(bytes, fs::read(&copied).unwrap());
        // Through pipes, too.
        let piped = format!("{} -r - -w - <{original} >{copied}", env!("CARGO_BIN_EXE_xdpdump"));
        assert!(Command::new("sh").args(["-c", &piped]).status().unwrap().success());
        assert_eq!(bytes, fs::read(&copied).unwrap());
    }
}

#[test]
fn a_part_keeps_what_it_does_not_leave_out() {
    let files = Files::new();
    for order in ORDERS {
        let everything = order.everything();
        let (original, copied) = (files.write("a.pcapng", &everything.concat()), files.name("b.pcapng"));
        let said = copy(&["-r", &original, "-w", &copied, "-c", "3"]);
        assert_eq!(said, "");
        let copied_blocks = blocks(Path::new(&copied), order);
        // All up to the third packet; the header of the section says that it is a part.
        let original_blocks: Vec<_> = everything[1..11].to_vec();
        assert_eq!(
            copied_blocks[1..].iter().map(|(_, block)| block.clone()).collect::<Vec<_>>(),
            original_blocks
        );
        assert_eq!(packets(&copied), packets(&original)[..3]);
        let said = facts(&copied).join("\n");
        for fact in ["riscv64", "Plan 9", "otherapp 3", "taken on the edge router", "a second comment"] {
            assert!(said.contains(fact), "{fact} in {said}");
        }
        assert!(said.contains("copied a part of this section"), "{said}");

        // Frames that are cut keep their options; the filter is added to that of the capture.
        let said = copy(&["-r", &original, "-w", &copied, "--headers=0", "udp"]);
        assert!(said.contains("custom blocks (1)"), "{said}");
        let (before, after) = (packets(&original), packets(&copied));
        for (before, after) in before.iter().zip(&after) {
            let pick = |line: &str| {
                line.split('\t')
                    .enumerate()
                    .filter(|(at, _)| ![2, 11].contains(at))
                    .map(|(_, field)| field.to_owned())
                    .collect::<Vec<_>>()
            };
            // A packet without a time has that of 1970 if its block has to be of another kind.
            if !before.starts_with('\t') {
                assert_eq!(pick(before), pick(after));
            }
        }
        assert!(
            facts(&copied).join("\n").contains("Filter string = (udp port 9) and (udp)"),
            "{:?}",
            facts(&copied)
        );
        let kinds = kinds(&blocks(Path::new(&copied), order));
        assert_eq!(
            kinds
                .iter()
                .filter(|kind| [NAMES, SECRETS, CUSTOM, UNKNOWN, JOURNAL, STATISTICS].contains(kind))
                .count(),
            6
        );
    }
}

#[test]
fn a_merge_keeps_names_secrets_and_metadata() {
    let files = Files::new();
    for order in ORDERS {
        let interface = [text(2, "net0"), text(1, "the uplink"), (9, vec![6]), (8, order.u64(1_000_000))];
        let metadata =
            [text(1, "look here"), (2, order.u32(0x0100_0085)), (5, order.u64(77)), (6, order.u32(3))];
        let first = [
            order.section(&[text(1, "the first"), text(4, "otherapp"), text(3, "Plan 9")]),
            order.names(),
            order.interface(1, 0, &interface),
            order.secrets(),
            order.packet(0, 1_700_000_000_000_000, FRAME, &metadata),
            order.block(JOURNAL, &[b"__REALTIME_TIMESTAMP=1700000001000000\nMESSAGE=hello\n\n".to_vec()]),
            order.packet(0, 1_700_000_002_000_000, FRAME, &[]),
        ];
        let second = [
            order.section(&[text(4, "another app")]),
            order.interface(1, 0, &[text(2, "net1"), (9, vec![0x8a]), (14, order.u64(1_700_000_000))]),
            order.packet(0, 1536, FRAME, &[(4, order.u64(9)), (7, [vec![2], order.u64(3)].concat())]),
            order.block(CUSTOM, &[order.u32(32_473), b"anything".to_vec()]),
        ];
        let first = files.write("first.pcapng", &first.concat());
        let second = files.write("second.pcapng", &second.concat());
        let merged = files.name("merged.pcapng");
        let said = copy(&["-r", &first, "-r", &second, "-w", &merged]);
        let mut expected = [packets(&first), packets(&second)].concat();
        expected.sort();
        assert_eq!(packets(&merged), expected);
        let blocks = blocks(Path::new(&merged), NATIVE);
        let kinds = kinds(&blocks);
        let mut wanted =
            vec![SECTION, INTERFACE, INTERFACE, NAMES, SECRETS, PACKET, JOURNAL, PACKET, CUSTOM, PACKET];
        if order.big == NATIVE.big {
            assert_eq!(said, "");
        } else {
            assert!(said.contains("custom blocks (1)"), "{said}");
            wanted.retain(|kind| *kind != CUSTOM);
        }
        let mut sorted = (kinds.clone(), wanted.clone());
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1, "{kinds:?}");
        let secrets = |order: Order| order.secrets();
        assert!(blocks.iter().any(|(_, block)| *block == secrets(NATIVE)));
        assert!(blocks.iter().any(|(_, block)| *block == NATIVE.names()));
        let facts = facts(&merged).join("\n");
        for fact in [
            "comment: the first; captured by: otherapp; operating system: Plan 9",
            "captured by: another app",
        ] {
            assert!(
                fs::read(&merged).unwrap().windows(fact.len()).any(|window| window == fact.as_bytes()),
                "{fact}"
            );
        }
        assert!(!facts.contains("Capture oper-sys"), "nothing is said of this machine: {facts}");
    }
}

#[test]
fn each_of_several_files_is_complete() {
    let files = Files::new();
    for order in ORDERS {
        let section = |comment: &str, name: &str, first: u64| {
            let mut blocks = vec![order.section(&[text(1, comment), text(4, "otherapp")])];
            blocks.push(order.interface(1, 0, &[text(2, "unused")]));
            blocks.push(order.interface(1, 0, &[text(2, name)]));
            blocks.push(order.secrets());
            for second in 0..20 {
                blocks.push(order.packet(1, (first + second) * 1_000_000, FRAME, &[text(1, "look here")]));
            }
            blocks.concat()
        };
        let both =
            [section("the first", "net0", 1_700_000_000), section("the second", "net1", 1_700_000_030)];
        let original = files.write("a.pcapng", &both.concat());
        let folder = Files::new();
        copy(&["-r", &original, "-w", &folder.name("part.pcapng"), "-C", "1k"]);
        let mut names: Vec<_> =
            fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort_by_key(|path| (path.to_str().unwrap().len(), path.clone()));
        assert!(names.len() > 4, "{names:?}");
        let mut found = Vec::new();
        for name in &names {
            let name = name.to_str().unwrap();
            found.extend(packets(name));
            let facts = facts(name).join("\n");
            assert!(
                facts.contains("Number of decryption secrets in file: ") && facts.contains("otherapp"),
                "{facts}"
            );
            assert!(facts.contains("Capture comment:     the "), "{facts}");
        }
        let packets = packets(&original);
        assert_eq!(found.len(), packets.len());
        // tshark 4.0 looks for the name of an interface in the first section.
        assert!(found.last().unwrap().contains("\tnet1\t"), "{found:?}");
        for (found, packet) in found.iter().zip(&packets) {
            assert_eq!(found.replace("net1", "net0"), *packet);
        }
    }
}

/// Whatever is wrong with a file, a copy of it can be read to its end.
#[test]
fn copies_of_damaged_files_are_whole() {
    let files = Files::new();
    let (mut state, everything) = (1_u32, ORDERS.map(|order| order.everything().concat()).concat());
    let mut random = |most: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % most
    };
    for _ in 0..60 {
        let mut bytes = everything.clone();
        for _ in 0..=random(4) {
            let (place, value) = (random(bytes.len()), random(256) as u8);
            bytes[place] = value;
        }
        bytes.truncate(bytes.len() - random(200));
        let original = files.write("a.pcapng", &bytes);
        let twice: &[&str] = &["-r", &original];
        for (name, more) in
            [("b.pcapng", &[][..]), ("c.pcapng", &["udp"]), ("d.pcap", &[]), ("e.pcapng", twice)]
        {
            let copied = files.name(name);
            let (output, errors) = run(&[&["-r", &original, "-w", &copied], more].concat());
            assert!(matches!(output.status.code(), Some(0 | 1)), "{errors}");
            if errors.contains("cannot be filtered") || !Path::new(&copied).exists() {
                continue;
            }
            let (output, errors) = run(&["-r", &copied, "--count"]);
            assert!(output.status.success(), "{name}: {errors}");
            fs::remove_file(&copied).unwrap();
        }
    }
}

/// A file that reaches its size limit is cut back to a whole block, whatever order its numbers have.
#[test]
fn a_failed_copy_ends_on_a_whole_block() {
    let files = Files::new();
    for order in ORDERS {
        let other = Order { big: !order.big };
        let packets = |order: Order, count: u64| -> Vec<u8> {
            (0..count).flat_map(|time| order.packet(0, time, FRAME, &[text(1, "look here")])).collect()
        };
        let section = |order: Order| [order.section(&[]), order.interface(1, 0, &[])].concat();
        let first = [section(other), packets(other, 3)].concat();
        let bytes = [first.clone(), section(order), packets(order, 50_000)].concat();
        let (original, copied) = (files.write("a.pcapng", &bytes), files.name("b.pcapng"));
        let copy =
            format!("ulimit -f 2000; exec {} -r {original} -w {copied}", env!("CARGO_BIN_EXE_xdpdump"));
        let output = Command::new("bash").args(["-c", &copy]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let copied = fs::read(&copied).unwrap();
        assert!(bytes.starts_with(&copied));
        let block = order.packet(0, 0, FRAME, &[text(1, "look here")]).len();
        let behind = copied.len() - first.len() - section(order).len();
        assert!(behind > 10_000 * block && behind.is_multiple_of(block), "{behind} bytes of {block} each");
    }
}

/// A file with one interface that counts time in this way, and one packet at this time.
fn timed(resolution: u8, offset: i64, units: u64) -> Vec<u8> {
    let order = NATIVE;
    let options = [(9, vec![resolution]), (14, order.u64(offset.cast_unsigned()))];
    [order.section(&[]), order.interface(1, 0, &options), order.packet(0, units, FRAME, &[])].concat()
}

#[test]
fn times_are_kept_or_refused() {
    let files = Files::new();
    let copied = files.name("b.pcapng");
    let pcap = files.name("b.pcap");
    for (resolution, offset, units, epoch, refused) in [
        (6, -86_401, 750_000, "-86400.250000000", Some("from 1970 to 2106")),
        (0, 0, 253_402_300_800, "253402300800.000000000", Some("from 1970 to 2106")),
        (0, 0, 4_323_283_200, "4323283200.000000000", Some("from 1970 to 2106")),
        (12, 0, 1_700_000_000_123_456_789_012, "", Some("fractions of nanoseconds")),
        (0xa0, 0, (1_700_000_000 << 32) + (1 << 31), "1700000000.500000000", None),
        (9, 0, 1_700_000_000_123_456_789, "1700000000.123456789", None),
        (6, 100, 1_700_000_000_123_456, "1700000100.123456000", None),
    ] {
        let Ok(units) = u64::try_from(units % (1_i128 << 64)) else { panic!("a count") };
        let bytes = timed(resolution, offset, units);
        let original = files.write("a.pcapng", &bytes);
        copy(&["-r", &original, "-w", &copied]);
        assert_eq!(bytes, fs::read(&copied).unwrap());
        if !epoch.is_empty() {
            // tshark counts the fraction of negative times in the wrong direction.
            if !epoch.starts_with('-') {
                assert_eq!(packets(&copied)[0].split('\t').next(), Some(epoch));
            }
            let printed = run(&["-r", &original, "-tt", "--nano"]).0.stdout;
            assert_eq!(String::from_utf8(printed).unwrap().split(' ').next(), Some(epoch));
        }
        let (output, errors) = run(&["-r", &original, "-w", &pcap]);
        match refused {
            Some(reason) => {
                assert_eq!(output.status.code(), Some(1), "{errors}");
                assert!(errors.contains(reason) && errors.contains("write pcapng"), "{errors}");
            }
            None => assert!(output.status.success(), "{errors}"),
        }
    }
}

#[test]
fn what_pcap_cannot_hold_is_said_in_one_line() {
    let files = Files::new();
    for order in ORDERS {
        let original = files.write("a.pcapng", &order.everything().concat());
        let said = copy(&["-r", &original, "-w", &files.name("b.pcap")]);
        assert_eq!(said.lines().count(), 1, "{said}");
        for loss in [
            "comments (5)",
            "custom blocks (2)",
            "decryption secrets (1)",
            "journal entries (1)",
            "metadata of packets (3)",
            "names of addresses (1)",
            "packets without a time, which are written as of 1970 (1)",
            "unknown blocks (1)",
            "write pcapng to keep them",
        ] {
            assert!(said.contains(loss), "{loss} in {said}");
        }
        assert_eq!(packets(&files.name("b.pcap")).len(), packets(&original).len());
    }
    // Several link types would make packets wrong.
    let order = NATIVE;
    let both = [order.section(&[]), order.interface(1, 0, &[]), order.interface(101, 0, &[])].concat();
    let (output, errors) = run(&["-r", &files.write("a.pcapng", &both), "-w", &files.name("b.pcap")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors.contains("holds one link type, not EN10MB (Ethernet) and RAW (Raw IP)"), "{errors}");
}

/// A pcap file whose header and records are in this order.
fn pcap(
    order: Order,
    magic: u32,
    link_type: u32,
    snap_len: u32,
    records: &[(u32, u32, &[u8], u32)],
) -> Vec<u8> {
    let version = [order.u16(2), order.u16(4)].concat();
    let mut file = [order.u32(magic), version, order.words(&[7, 0, snap_len, link_type])].concat();
    for (seconds, fraction, frame, length) in records {
        file.extend(order.words(&[*seconds, *fraction, frame.len() as u32, *length]));
        file.extend(*frame);
    }
    file
}

#[test]
fn a_copy_of_a_pcap_file_is_the_same_file() {
    let files = Files::new();
    for order in ORDERS {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
            let records = [
                (1_700_000_000, 123_456, FRAME, 60),
                // Longer than the snap length, longer than on the wire, and a fraction of more than a second.
                (1_700_000_001, 0, FRAME, 60),
                (1_700_000_002, 999_999, FRAME, 3),
                (u32::MAX, u32::MAX, FRAME, 46),
            ];
            // The frame check sequence has two words.
            let bytes = pcap(order, magic, 0x2400_0001, 20, &records);
            let (original, copied) = (files.write("a.pcap", &bytes), files.name("b.pcap"));
            copy(&["-r", &original, "-w", &copied]);
            assert_eq!(bytes, fs::read(&copied).unwrap());
            let part = [&bytes[..24], &bytes[24 + 16 + FRAME.len()..]].concat();
            copy(&["-r", &original, "-w", &copied, "greater 0 and less 50"]);
            assert_eq!(part.len() - 16 - FRAME.len(), fs::read(&copied).unwrap().len());
        }
    }
}

/// In a copy of the file it has none either; another block for it has to have one.
#[test]
fn a_packet_without_a_time_that_gets_one_is_said() {
    let files = Files::new();
    for order in ORDERS {
        let timeless = order.block(SIMPLE_PACKET, &[order.u32(46), padded(FRAME)]);
        let file = [order.section(&[]), order.interface(1, 0, &[]), timeless].concat();
        let (first, second) = (files.write("first.pcapng", &file), files.write("second.pcapng", &file));
        assert_eq!(copy(&["-r", &first, "-w", &files.name("copy.pcapng")]), "");
        let said = copy(&["-r", &first, "-r", &second, "-w", &files.name("merged.pcapng")]);
        // In the byte order of the merge, that of its first interface is copied as it is.
        let count = if order.big == NATIVE.big { 1 } else { 2 };
        let expected =
            format!("without a time (Simple Packet Blocks), which are written as of 1970: {count}");
        assert!(said.contains(&expected), "{said}");
    }
}

/// USB captures have frames of which some have megabytes.
#[test]
fn long_frames_are_not_cut() {
    let files = Files::new();
    let frame = vec![7; 1_000_000];
    let bytes = pcap(NATIVE, 0xa1b2_3c4d, 249, 0, &[(1_700_000_000, 5, &frame, 1_000_000)]);
    let original = files.write("a.pcap", &bytes);
    let said = copy(&["-r", &original, "-w", &files.name("b.pcap")]);
    assert!(
        said.contains(
            "packets of more than 262144 bytes, which tcpdump and Wireshark read for some link types only: 1"
        ),
        "{said}"
    );
    assert_eq!(bytes, fs::read(files.name("b.pcap")).unwrap());
    copy(&["-r", &original, "-w", &files.name("b.pcapng")]);
    copy(&["-r", &files.name("b.pcapng"), "-w", &files.name("c.pcap")]);
    for name in ["b.pcapng", "c.pcap"] {
        let lines = packets(&files.name(name));
        assert!(lines[0].starts_with("1700000000.000000005\t1000000\t1000000\t"), "{lines:?}");
    }
    let text = run(&["-r", &original, "-x"]).0.stdout;
    assert!(String::from_utf8(text).unwrap().contains("[737856 more bytes were captured]"));
}

/// `TZ` has many forms; the C library knows all of them.
#[test]
fn local_time_is_that_of_the_c_library() {
    let files = Files::new();
    let records = [
        (1_700_000_000, 0, FRAME, 46),
        (1_720_000_000, 0, FRAME, 46),
        // The last second of 2016, the leap second behind it, and the first of 2017 with and without leap seconds.
        (1_483_228_799, 0, FRAME, 46),
        (1_483_228_800, 0, FRAME, 46),
        (1_483_228_825, 0, FRAME, 46),
        (1_483_228_826, 0, FRAME, 46),
        (1_483_228_827, 0, FRAME, 46),
        // Around the change to summer time in 2024.
        (1_711_846_799, 0, FRAME, 46),
        (1_711_846_800, 0, FRAME, 46),
        (0, 0, FRAME, 46),
        (i32::MAX as u32, 999_999, FRAME, 46),
    ];
    let original = files.write("a.pcap", &pcap(NATIVE, 0xa1b2_c3d4, 1, 65_535, &records));
    for zone in [
        "UTC",
        "",
        "CET-1CEST",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "<+0330>-3:30",
        "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
        "EST5EDT,M3.2.0/26,M11.1.0/-167",
        "IST-1GMT0,M10.5.0,M3.5.0/1",
        "XXX-24:59:59",
        "Europe/Berlin",
        ":America/New_York",
        "Asia/Kathmandu",
        "right/Europe/Berlin",
        "right/UTC",
        "nonsense",
    ] {
        for style in ["-t", "-tttt", ""] {
            let arguments = ["-n", "-r", &original, style];
            let arguments = arguments.iter().filter(|argument| !argument.is_empty());
            let print = |program: &str, more: &[&str]| {
                let output =
                    Command::new(program).args(more).args(arguments.clone()).env("TZ", zone).output();
                String::from_utf8(output.unwrap().stdout).unwrap()
            };
            let ours = print(env!("CARGO_BIN_EXE_xdpdump"), &[]);
            assert_eq!(ours, print("tcpdump", &["-Z", "root"]), "TZ={zone} {style}");
        }
    }
}
