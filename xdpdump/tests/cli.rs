//! The command line, for everything that needs no privileges.

use std::{
    fs,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use assert_cmd::cargo::cargo_bin_cmd;
use xdpdump::input::{CaptureFile, Item};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn xdpdump<const N: usize>(arguments: [&str; N]) -> Output {
    cargo_bin_cmd!("xdpdump").args(arguments).output().expect("the tool runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Time stamps and bytes of every packet of a file.
fn packets(path: &Path) -> Vec<(i64, u32, Vec<u8>)> {
    let mut file = CaptureFile::open(path).expect("a capture file");
    let mut packets = Vec::new();
    while let Some(item) = file.next().expect("an undamaged file") {
        if let Item::Packet(packet) = item {
            packets.push((packet.timestamp.0, packet.frame_len, packet.frame.to_vec()));
        }
    }
    packets
}

#[test]
fn a_wrong_command_line_ends_with_2_and_says_what_is_wrong() {
    for (arguments, hint) in [
        (&[][..], "--interface"),
        (&["-i", "nowhere", "-r", "x.pcap"], "cannot be used with"),
        (&["-i", "nowhere", "-N", "-S"], "cannot be used with"),
        (&["-i", "nowhere", "-s", "262145"], "262145"),
        (&["-i", "nowhere", "-s", "-1"], "-1"),
        (&["-i", "nowhere", "-c", "0"], "0"),
        (&["-i", "nowhere", "-D"], "cannot be used with"),
        (&["-r", "x.pcap", "--netns", "blue"], "cannot be used with"),
        (&["-d", "--netns", "blue", "tcp"], "--interface"),
        (&["-r", "x.pcap", "-H"], "mesh headers"),
        (&["-r", "x.pcap", "-N"], "no domain names"),
        (&["-r", "x.pcap", "-S"], "--absolute-tcp-sequence-numbers"),
        (&["-i", "any", "-i", "nowhere"], "-i any is every interface"),
        (&["-L", "-i", "any"], "-L takes one interface"),
        (&["-d", "-i", "a", "-i", "b", "tcp"], "-d takes one interface"),
        (&["-d", "tcp", "port", "httpx"], "no service of tcp or udp is called 'httpx'"),
        (&["-i", "nowhere", "-F", "x", "tcp"], "cannot be used with"),
        (&["-i", "nowhere", "--sample", "0"], "0"),
        (&["-i", "nowhere", "--headers=no"], "no"),
        (&["-d", "tcp and"], "the filter is incomplete"),
        (&["-dd", "type mgt"], "802.11"),
        (&["-r", "x.pcap", "-nC", "10"], "--write <FILE>"),
        (&["doktor"], "doktor is no command: there are repair, doctor, extcap"),
        (&["tcp", "port", "443"], "as in xdpdump -i eth0 tcp"),
        (&["-r", "x.pcap", "-Q", "inout"], "the filters inbound and outbound"),
        (
            &["-i", "x", "-Q", "out", "--at", "exit"],
            "--at is about received frames, of which -Q out captures none",
        ),
        (&["-i", "x", "--program", "y", "-Q", "out"], "--program is about received frames"),
        (&["-r", "x.pcap", "--at", "exit"], "cannot be used with '--at <POINT>'"),
        (&["-r", "x.pcap", "--direction=out"], "the filters inbound and outbound"),
        (&["-i", "nowhere", "-Q", "out", "-H"], "-H is about received frames"),
        (&["-i", "nowhere", "-j", "atomic"], "possible values: host, adapter, adapter_unsynced"),
        (&["-i", "nowhere", "-j", "adapter", "-S"], "-j adapter cannot be used with -S"),
        (&["-i", "nowhere", "-j", "adapter", "-Q", "out"], "it is about received frames"),
        (&["-i", "nowhere", "-j", "adapter", "--transport", "ring"], "it takes perf rings"),
        (&["-i", "nowhere", "--rx-hash"], "--write"),
        (&["-i", "nowhere", "--rx-hash", "-w", "x.pcap"], "only pcapng has it"),
        (&["-i", "nowhere", "--rx-hash", "-w", "x", "-H"], "--rx-hash cannot be used with -H"),
        (&["-r", "x.pcap", "-j", "adapter"], "packets keep the time stamps of the file"),
        (&["-i", "nowhere", "--lean", "-w", "x.pcap"], "--lean is about pcapng files"),
        (&["-i", "nowhere", "--lean", "--full", "-w", "x"], "cannot be used with"),
        (&["-i", "a", "-i", "b", "-J"], "-J takes one interface"),
        (&["-i", "nowhere", "-y", "IEEE802_11"], "EN10MB or RAW"),
        (&["-i", "nowhere", "-m", "mib"], "tcpdump's -m"),
        (&["-i", "nowhere", "-w", "x.pcap", "-W", "3"], "that -C or -G begin"),
        (&["-r", "x.pcap", "--micro", "--nano"], "cannot be used with"),
        (&["-r", "x.pcap", "--skip", "1"], "tcpdump's --skip"),
        (&["-r", "x.pcap", "--monitor-mode"], "tcpdump's --monitor-mode"),
        (&["-r", "x.pcap", "-tt", "--time-style", "date"], "cannot be used with"),
        (&["-i", "nowhere", "--print"], "--write"),
    ] {
        let output = cargo_bin_cmd!("xdpdump").args(arguments).output().expect("the tool runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(hint), "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn version_and_help_go_to_standard_output() {
    assert_eq!(text(&xdpdump(["--version"]).stdout), concat!("xdpdump ", env!("CARGO_PKG_VERSION"), "\n"));
    let help = xdpdump(["-h"]);
    assert!(help.status.success());
    for letter in "iwrcsneqvtxXAUBDLJjlpNSHh#".chars() {
        assert!(text(&help.stdout).contains(&format!("-{letter}")), "-{letter}");
    }
}

#[test]
fn short_help_is_a_line_for_each_option_and_long_help_has_details_and_examples() {
    let (short, long) = (xdpdump(["-h"]), xdpdump(["--help"]));
    let (short, long) = (text(&short.stdout), text(&long.stdout));
    // An option begins its line with up to six spaces; a line that goes on begins behind a column of options.
    let goes_on = |line: &&str| line.starts_with("        ");
    assert_eq!(short.lines().find(goes_on), None);
    assert!(short.lines().all(|line| line.chars().count() <= 100));
    assert!(short.lines().count() < 72, "{} lines do not fit on a screen", short.lines().count());
    for heading in ["Source:", "Capture:", "Selection:", "Output:", "Files:", "Text:", "Commands"] {
        for help in [short, long] {
            assert!(help.lines().any(|line| line.starts_with(heading)), "{heading}");
        }
    }
    for detail in ["Examples:", "| wireshark -k -i -", "Differences from tcpdump:", "--lean"] {
        assert!(!short.contains(detail), "{detail}");
    }
    for detail in ["in the order of time", "Examples:", "| wireshark -k -i -", "Differences from", "--lean"] {
        assert!(long.contains(detail), "{detail}");
    }
    assert!(short.contains("repair  Cut an unfinished packet") && short.contains("--help has all options"));
}

#[test]
fn long_forms_print_what_the_letters_print() {
    let file = fixture("protocols.pcap");
    let file = file.to_str().expect("a path");
    let lines = |options: &[&str]| {
        let output =
            cargo_bin_cmd!("xdpdump").args(["-r", file]).args(options).output().expect("the tool runs");
        assert!(output.status.success(), "{options:?}: {}", text(&output.stderr));
        output.stdout
    };
    for (letters, long) in [
        ("-n", "--numeric"),
        ("-n", "--no-resolve"),
        ("-K", "--dont-verify-checksums"),
        ("-x", "--hex"),
        ("-X", "--hex-and-ascii"),
        ("-A", "--ascii"),
        ("-t", "--time-style=none"),
        ("-tt", "--time-style=epoch"),
        ("-ttt", "--time-style=delta"),
        ("-tttt", "--time-style=date"),
        ("-ttttt", "--time-style=since-first"),
    ] {
        assert!(lines(&[letters]) == lines(&[long]), "{letters} {long}");
    }
    assert!(lines(&[]) == lines(&["--time-style=day"]));
}

#[test]
fn options_without_effect_are_accepted_as_in_tcpdump() {
    let file = fixture("protocols.pcap");
    let lines = |options: &[&str]| {
        let output =
            cargo_bin_cmd!("xdpdump").arg("-r").arg(&file).args(options).output().expect("the tool runs");
        assert!(output.status.success(), "{options:?}: {}", text(&output.stderr));
        output.stdout
    };
    let plain = lines(&[]);
    for options in [
        &["-naf"][..],
        &["-O"],
        &["--no-optimize"],
        &["-Q", "in"],
        &["--direction=in"],
        &["-y", "EN10MB"],
        &["--linktype=en10mb"],
        &["-j", "host"],
        &["-Z", "root"],
        &["--micro"],
    ] {
        assert!(lines(options) == plain, "{options:?}");
    }
}

#[test]
fn checksums_are_not_looked_at_when_told_so() {
    let file = fixture("protocols.pcap");
    let judged = |command: &mut Command| {
        let output = command.args(["-nn", "-vv", "-K", "-r"]).arg(&file).output().expect("it runs");
        assert!(output.status.success(), "{}", text(&output.stderr));
        output.stdout
    };
    let ours = judged(&mut Command::new(env!("CARGO_BIN_EXE_xdpdump")));
    assert!(ours == judged(&mut Command::new("tcpdump")), "tcpdump prints something else");
    assert!(!text(&ours).contains("udp sum ok") && !text(&ours).contains("bad udp cksum"));
}

#[test]
fn microseconds_are_written_to_both_formats() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = fixture("protocols.pcap");
    for name in ["out.pcapng", "out.pcap"] {
        let files = ["--micro", "--time-stamp-precision=micro"].map(|option| {
            let to = folder.path().join(format!("{option}{name}"));
            let output =
                cargo_bin_cmd!("xdpdump").arg("-r").arg(&from).arg("-w").arg(&to).arg(option).output();
            assert!(output.expect("the tool runs").status.success());
            assert!(packets(&to).iter().all(|(time, ..)| time % 1000 == 0), "{name}");
            fs::read(to).expect("a file")
        });
        assert!(files[0] == files[1], "{name}");
    }
}

#[test]
fn a_file_is_rewritten_packet_for_packet() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = fixture("protocols.pcap");
    for name in ["out.pcapng", "out.pcap"] {
        let to = folder.path().join(name);
        let output = xdpdump(["-r", from.to_str().expect("a path"), "-w", to.to_str().expect("a path")]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert_eq!(packets(&to), packets(&from), "{name}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_file_is_not_overwritten_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("only.pcap");
    fs::copy(fixture("protocols.pcap"), &file).expect("a copy");
    let before = fs::read(&file).expect("a file");
    let path = file.to_str().expect("a path");
    let output = xdpdump(["-r", path, "-w", path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("another file"), "{}", text(&output.stderr));
    assert!(fs::read(&file).expect("a file") == before);
}

#[test]
fn a_terminal_gets_no_capture_file() {
    let command = format!("{} -r {} -w -", env!("CARGO_BIN_EXE_xdpdump"), fixture("classic.pcap").display());
    // script(1) gives the command a terminal and copies its output.
    let output = Command::new("script").args(["-qec", &command, "/dev/null"]).output().expect("script runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("xdpdump: standard output is a terminal"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn text_waits_for_a_standard_output_that_does_not_block() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // SAFETY: the descriptor is open, and the command takes a number and no pointer.
    assert_eq!(unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }, 0);
    let fixture = fixture("protocols.pcap");
    let mut child = Command::new(env!("CARGO_BIN_EXE_xdpdump"))
        .args(["-XX", "-vvv", "-r"])
        .arg(&fixture)
        .stdout(writer)
        .spawn()
        .expect("the tool runs");
    // By now the tool has printed more than a pipe holds.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let lines = std::io::read_to_string(reader).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    let whole = xdpdump(["-XX", "-vvv", "-r", fixture.to_str().expect("a path")]);
    assert!(lines == text(&whole.stdout));
    assert!(lines.len() > 64 << 10, "a pipe holds all {} bytes", lines.len());
}

#[test]
fn packets_are_counted_and_limited() {
    let file = fixture("protocols.pcap");
    let file = file.to_str().expect("a path");
    assert_eq!(text(&xdpdump(["-r", file, "-c", "3", "--count"]).stdout), "3 packets\n");
    assert_eq!(text(&xdpdump(["-r", file, "-c", "1", "--count"]).stdout), "1 packet\n");
    assert_eq!(text(&xdpdump(["-r", file, "-c", "1", "-t", "-n"]).stdout).lines().count(), 1);
}

#[test]
fn packets_before_a_cut_are_printed_and_the_cut_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cut.pcap");
    let mut bytes = fs::read(fixture("classic.pcap")).expect("a file");
    bytes.truncate(bytes.len() - 10);
    fs::write(&file, bytes).expect("a file");
    let output = xdpdump(["-r", file.to_str().expect("a path"), "--text-style", "classic"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout).lines().count(), 3);
    assert!(text(&output.stderr).contains("truncated"), "{}", text(&output.stderr));
}

#[test]
fn a_closed_pipe_is_a_normal_end() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xdpdump"))
        .args(["-v", "-x", "-r"])
        .arg(fixture("truncated.pcap"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0));
    assert!(!text(&output.stderr).contains("xdpdump:"), "{}", text(&output.stderr));
}

#[test]
fn a_file_that_is_not_a_capture_is_named() {
    let output = xdpdump(["-r", "/dev/null"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/dev/null"));
    let output = xdpdump(["-r", "/nonexistent.pcap"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/nonexistent.pcap"));
}

/// How many packets of a fixture are printed, by tcpdump or by us.
fn printed(program: &str, name: &str, filter: &[&str]) -> usize {
    let output = Command::new(program).args(["-n", "-t", "-r"]).arg(fixture(name)).args(filter).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().filter(|line| !line.starts_with(['\t', ' '])).count()
}

#[test]
fn a_filter_chooses_what_tcpdump_chooses() {
    let ours = env!("CARGO_BIN_EXE_xdpdump");
    for name in ["protocols.pcap", "raw.pcap"] {
        for filter in [
            &["tcp"][..],
            &["udp", "port", "53", "or", "icmp6"],
            &["not", "ip"],
            &["greater 100"],
            &["ip[8] > 10 and not (tcp or udp)"],
        ] {
            assert_eq!(printed(ours, name, filter), printed("tcpdump", name, filter), "{name} {filter:?}");
        }
    }
}

#[test]
fn a_filter_comes_from_a_file_or_from_standard_input() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("filter");
    fs::write(&file, "# only these\ntcp and # the lines are one filter\n  port 80\n").expect("written");
    let of_words = xdpdump(["-d", "tcp", "and", "port", "80"]);
    assert!(of_words.status.success() && of_words.stdout.starts_with(b"(000)"));
    let of_file = xdpdump(["-d", "-F", file.to_str().expect("a path")]);
    assert_eq!(text(&of_file.stdout), text(&of_words.stdout));
    let of_input = cargo_bin_cmd!("xdpdump")
        .args(["-d", "-F", "-"])
        .write_stdin("tcp and port 80")
        .output()
        .expect("it runs");
    assert_eq!(text(&of_input.stdout), text(&of_words.stdout));

    let missing = xdpdump(["-d", "-F", "/nowhere/filter"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("cannot read the filter from /nowhere/filter"));
    fs::write(&file, b"tcp \xff").expect("written");
    let binary = xdpdump(["-d", "-F", file.to_str().expect("a path")]);
    assert!(text(&binary.stderr).contains("it is not text"), "{}", text(&binary.stderr));
}

#[test]
fn what_a_filter_is_compiled_to_is_printed() {
    let form = xdpdump(["-d", "ip proto 6"]);
    assert_eq!(
        text(&form.stdout),
        "(000) [12:2] == 0x800 ? 001 : reject\n(001) [23] == 6 ? accept : reject\n"
    );
    let raw = xdpdump(["-d", "-y", "RAW", "ip"]);
    assert_eq!(text(&raw.stdout), "(000) ([0] & 0xf0) == 0x40 ? accept : reject\n");
    let of_file = xdpdump(["-d", "-r", fixture("raw.pcap").to_str().expect("a path"), "ip"]);
    assert_eq!(text(&of_file.stdout), text(&raw.stdout));
    assert_eq!(text(&xdpdump(["-d"]).stdout), "accept\n");
    let instructions = xdpdump(["-dd", "ip"]);
    let lines: Vec<_> = text(&instructions.stdout).lines().collect();
    assert!(lines.len() > 4 && lines.iter().all(|line| line.starts_with("{ 0x") && line.ends_with("},")));
    assert_eq!(*lines.last().expect("a line"), "{ 0x95, 0, 0, 0, 0x00000000 },");
}

#[test]
fn a_wrong_filter_leaves_the_output_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let precious = folder.path().join("out.pcapng");
    fs::write(&precious, "precious").expect("written");
    let input = fixture("protocols.pcap");
    let output = xdpdump([
        "-r",
        input.to_str().expect("a path"),
        "-w",
        precious.to_str().expect("a path"),
        "tcp port\thttpx",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.ends_with("\n  tcp port httpx\n           ^^^^^\n"), "{stderr}");
    assert_eq!(fs::read(&precious).expect("it is there"), b"precious");
}

#[test]
fn packets_of_a_file_are_thinned_out_and_cut_and_the_filters_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (first, second) = (folder.path().join("first.pcapng"), folder.path().join("second.pcapng"));
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let input = path(&fixture("protocols.pcap"));
    let all = packets(&fixture("protocols.pcap"));
    assert!(
        xdpdump(["-r", &input, "-w", &path(&first), "--sample", "4", "--headers=2", "ip or ip6"])
            .status
            .success()
    );
    let chosen = packets(&first);
    let matching = printed("tcpdump", "protocols.pcap", &["ip", "or", "ip6"]);
    assert_eq!(chosen.len(), matching.div_ceil(4));
    for (time, length, frame) in &chosen {
        let whole = all.iter().find(|(other, ..)| other == time).expect("a packet of the file");
        assert_eq!((*length, &whole.2[..frame.len()]), (whole.1, &frame[..]));
    }
    assert!(chosen.iter().any(|(_, length, frame)| frame.len() < *length as usize), "nothing was cut");

    assert!(xdpdump(["-r", &path(&first), "-w", &path(&second), "ip"]).status.success());
    let mut file = CaptureFile::open(&second).expect("a capture file");
    assert!(matches!(file.next(), Ok(Some(Item::Block(_)))), "a section");
    let Some(Item::Interface(interface)) = file.next().expect("an undamaged file") else {
        panic!("no interface")
    };
    assert_eq!(interface.filter.as_deref(), Some("(ip or ip6) and (ip)"));
}
