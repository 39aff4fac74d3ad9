//! A capture or output that is impossible is refused with one sentence, and nothing is left behind. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;
use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    files, kernel,
    netns::{self, NetNs, Traces},
    wait,
    wire::{self, Wire},
    xdp::{DRIVER_MODE, PassProgram, SKB_MODE},
};

/// The user id of `nobody`, which has no rights.
const NOBODY: &str = "65534";

/// Runs xdpdump to its end and returns the one sentence with which it refuses.
fn refusal(netns: &NetNs, arguments: &[&str]) -> String {
    sentence(&run_tool(netns.command(xdpdump()).args(arguments)))
}

fn run_tool(command: &mut Command) -> Ended {
    Capture::spawn(command.stdout(Stdio::null())).wait()
}

/// The sentence of a run that failed before the capture began.
fn sentence(ended: &Ended) -> String {
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.failure().to_owned()
}

fn assert_clean(netns: &NetNs) {
    wait::until_equal(&Traces::default(), || netns.traces("right"));
}

/// A copy of the tool that the user `nobody` may execute, and a folder in which `nobody` may write.
struct ForNobody(TempDir);

impl ForNobody {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // A copy by this process could still be open in a child of another test, and could not be executed then.
        let copied = Command::new("cp").arg(xdpdump()).arg(directory.path().join("xdpdump")).status();
        assert!(copied.unwrap().success());
        Self(directory)
    }

    /// The command that runs it as `nobody`, with these capabilities only.
    fn command(&self, netns: &NetNs, capabilities: &str) -> Command {
        let mut command = netns.command("prlimit");
        // The kernel's default limit of locked memory for a user (`MLOCK_LIMIT`, include/uapi/linux/resource.h).
        command.args(["--memlock=8388608", "setpriv"]);
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        command.args(["--inh-caps", capabilities, "--ambient-caps", capabilities]);
        command.arg(self.0.path().join("xdpdump")).args(["-i", "right", "-w"]).arg(self.file());
        command
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("capture.pcapng")
    }
}

#[test]
fn without_rights_the_sentence_says_which() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let place = ForNobody::new();
    for capabilities in ["-all", "-all,+net_admin", "-all,+bpf,+perfmon"] {
        let refused = sentence(&run_tool(&mut place.command(&right, capabilities)));
        assert_eq!(
            refused,
            "not allowed to load and attach an XDP program: run as root, or give the program the capabilities \
             cap_bpf, cap_net_admin and cap_perfmon",
            "{capabilities}"
        );
        assert_clean(&right);
    }
}

#[test]
fn three_capabilities_suffice() {
    let (left, right) = NetNs::quiet_pair("left", "right");
    let place = ForNobody::new();
    for &transport in kernel::transports() {
        let mut command = place.command(&right, "-all,+bpf,+net_admin,+perfmon");
        let mut capture = Capture::spawn(command.args(["--transport", transport]));
        capture.wait_for("listening on");
        Wire::open(&left, "left").send(&wire::frame(60, b""));
        assert_eq!(capture.stop().totals(), Totals::exact(1, 0), "{transport}");
        assert_eq!(files::read_by_tshark(&place.file()), [60], "{transport}");
    }
}

#[test]
fn rings_larger_than_nobody_may_lock_are_refused() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let place = ForNobody::new();
    let mut command = place.command(&right, "-all,+bpf,+net_admin,+perfmon");
    let refused = sentence(&run_tool(command.args(["--transport", "perf", "-B", "1048576"])));
    assert!(refused.starts_with("cannot get a ring of "), "{refused}");
    assert!(refused.contains("cap_ipc_lock"), "{refused}");
}

/// Whatever it is that finds no descriptor left, the interface and the kernel are not to blame.
#[test]
fn too_low_a_limit_of_open_files_is_named() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    for transport in kernel::transports() {
        for limit in 6..12 {
            let mut command = right.command("prlimit");
            command.arg(format!("--nofile={limit}")).arg(xdpdump());
            let refused = sentence(&run_tool(command.args(["-i", "right", "--transport", transport])));
            assert_eq!(refused, "the limit of open files is too low: raise it (`ulimit -n`)", "{limit}");
        }
        assert_clean(&right);
    }
}

#[test]
fn an_unknown_interface_is_refused_with_the_name_that_was_meant() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    assert_eq!(
        refusal(&right, &["-i", "rihgt", "-w", "/dev/null"]),
        r#"no interface named "rihgt"; did you mean "right"? -D in place of -i lists them"#
    );
    assert_eq!(
        refusal(&right, &["-i", "4000", "-w", "/dev/null"]),
        "no interface has the number 4000; -D in place of -i lists them"
    );
}

#[test]
fn a_link_type_that_the_interface_does_not_have_is_refused() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let sentence = refusal(&right, &["-i", "right", "-y", "RAW"]);
    assert_eq!(sentence, "right has link type EN10MB (Ethernet), not RAW (Raw IP): leave -y out");
    assert_clean(&right);
}

#[test]
fn a_program_that_is_attached_is_named_and_left_alone() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let program = PassProgram::load();
    let index = right.interface_index("right");
    for (mode, word) in [(DRIVER_MODE, "native"), (SKB_MODE, "generic (SKB)")] {
        let attachment = right.run(|| program.attach(index, mode));
        let attached = || {
            let details = right.ip(["-d", "link", "show", "right"]);
            details.lines().find(|line| line.contains("prog/xdp")).map(str::to_owned)
        };
        let before = attached();
        assert!(before.is_some());
        for option in ["-p", "-N", "-S"] {
            let refused = refusal(&right, &["-i", "right", option, "-w", "/dev/null"]);
            let id = program.id();
            let begin =
                format!("right has an XDP program already: id {id} (pass), {word} mode; it was left alone");
            let rest = refused.strip_prefix(&begin).unwrap_or_else(|| panic!("{option}: {refused}"));
            let is_other = matches!((option, mode), ("-N", SKB_MODE) | ("-S", DRIVER_MODE));
            let hint = format!("; without {option}, frames are captured beside it. ");
            assert_eq!(rest.starts_with(&hint), is_other, "{option}: {refused}");
            assert_eq!(attached(), before, "{option}");
        }
        drop(attachment);
        assert_clean(&right);
    }
}

#[test]
fn a_mode_asked_for_is_never_replaced() {
    let netns = NetNs::new();
    netns.ip_batch("link add right type bridge\nlink set right up\n");
    assert_eq!(
        refusal(&netns, &["-i", "right", "-N", "-w", "/dev/null"]),
        "right has no native XDP (driver bridge); generic mode works on every driver: use -S"
    );
    assert_clean(&netns);
    let refused = refusal(&netns, &["-i", "right", "-H", "-w", "/dev/null"]);
    assert!(
        refused.starts_with("right (driver bridge) does not run XDP programs on the NIC; use -N or -S"),
        "{refused}"
    );
    assert_clean(&netns);

    let (_left, right) = NetNs::quiet_pair("left", "right");
    let refused = refusal(&right, &["-i", "right", "-H", "-w", "/dev/null"]);
    assert!(
        refused.starts_with("right (driver veth) does not run XDP programs on the NIC; use -N or -S"),
        "{refused}"
    );
    assert_clean(&right);
}

#[test]
fn without_a_mode_generic_stands_in_for_native_and_says_so() {
    let netns = NetNs::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lo.pcapng");
    let capture = Capture::start(&netns, ["-i", "lo", "-w", path.to_str().unwrap()]);
    netns.execute("ping", &["-q", "-n", "-c", "1", "127.0.0.1"]);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(2, 0), "request and reply");
    let first = ended.stderr.lines().next().unwrap();
    assert!(first.starts_with("xdpdump: lo: no native XDP ("), "{first}");
    assert!(first.ends_with("; capturing in generic mode"), "{first}");
    assert_eq!(files::read_by_tshark(&path), [98, 98]);
}

#[test]
fn wrong_usage_ends_with_status_2() {
    let netns = NetNs::new();
    for arguments in [
        "-i lo -s 262145 -w /dev/null",
        "-i lo -s -1 -w /dev/null",
        "-i lo -s many -w /dev/null",
        "-i lo -c 0 -w /dev/null",
        "-i lo -B 0 -w /dev/null",
        "-i lo -N -S -w /dev/null",
        "-w /dev/null",
        "-i lo --no-such-option",
    ] {
        let ended = run_tool(netns.command(xdpdump()).args(arguments.split(' ')));
        assert_eq!(ended.status.code(), Some(2), "{arguments}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{arguments}: {}", ended.stderr);
    }
}

#[test]
fn rings_larger_than_the_memory_are_refused() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let refused = refusal(&right, &["-i", "right", "-B", "1099511627776", "-w", "/dev/null"]);
    assert!(refused.starts_with("cannot get a ring of "), "{refused}");
    assert!(refused.contains("ask for less with -B"), "{refused}");
    assert_clean(&right);
}

#[test]
fn an_output_that_cannot_be_opened_or_written_is_refused() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    for (path, refused) in [
        (
            "/none/out.pcap",
            "cannot open /none/out.pcap for writing: no such directory: create it or write elsewhere with -w",
        ),
        ("/proc", "cannot open /proc for writing: it is a directory: name a file with -w"),
        (
            "/dev/full",
            "cannot write to /dev/full: no space left on device: free some space or write elsewhere with -w",
        ),
    ] {
        assert_eq!(refusal(&right, &["-i", "right", "-w", path]), refused);
        assert_clean(&right);
    }
}

#[test]
fn a_capture_that_cannot_begin_leaves_an_earlier_file_alone() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("earlier.pcap");
    fs::write(&path, "precious").unwrap();
    let file = path.to_str().unwrap();

    refusal(&right, &["-i", "rihgt", "-w", file]);
    refusal(&right, &["-i", "right", "-H", "-w", file]);
    let program = PassProgram::load();
    let attachment = right.run(|| program.attach(right.interface_index("right"), DRIVER_MODE));
    refusal(&right, &["-i", "right", "-w", file]);
    drop(attachment);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn waiting_for_the_reader_of_a_named_pipe_can_be_interrupted() {
    let (_left, right) = NetNs::quiet_pair("left", "right");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe");
    netns::run("mkfifo", [&path]);
    let mut capture = Capture::spawn(right.command(xdpdump()).args(["-i", "right", "-w"]).arg(&path));
    capture.wait_for("waiting for a reader of the named pipe");
    assert!(right.traces("right").xdp);
    assert_eq!(capture.stop().status.signal(), Some(libc::SIGINT));
    assert_clean(&right);
}

/// Captures more than fits into `path`. `command` runs xdpdump and has no arguments yet.
fn capture_too_much(left: &NetNs, right: &NetNs, mut command: Command, path: &Path) -> Ended {
    let mut capture = Capture::spawn(command.args(["-i", "right", "-w"]).arg(path));
    capture.wait_for("listening on");
    let wire = Wire::open(left, "left");
    for _ in 0..2000 {
        wire.send(&wire::frame(1514, b""));
    }
    let ended = capture.wait();
    assert_clean(right);
    ended
}

/// Asserts that a file with a limit of `limit` bytes is nearly full, and that it ends with a whole packet.
fn assert_full(path: &Path, limit: u64) {
    let size = path.metadata().unwrap().len();
    assert!((limit - 4096..=limit).contains(&size), "{size} of {limit} bytes");
    let frames = files::read(path).packets.len();
    assert!(frames > 0);
    assert_eq!(files::read_by_tshark(path).len(), frames);
}

#[test]
fn a_full_disk_ends_the_capture_and_the_file_opens() {
    for name in ["out.pcapng", "out.pcap"] {
        let (left, right) = NetNs::quiet_pair("left", "right");
        let disk = SmallDisk::mount();
        let path = disk.0.path().join(name);
        let ended = capture_too_much(&left, &right, right.command(xdpdump()), &path);
        assert_eq!(
            ended.failure(),
            format!(
                "cannot write to {}: no space left on device: free some space or write elsewhere with -w",
                path.display()
            )
        );
        assert_full(&path, SmallDisk::SIZE);
    }
}

#[test]
fn a_file_at_its_size_limit_ends_the_capture_and_opens() {
    const LIMIT: u64 = 1_000_000;
    for name in ["out.pcapng", "out.pcap"] {
        let (left, right) = NetNs::quiet_pair("left", "right");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        let mut command = right.command("prlimit");
        command.arg(format!("--fsize={LIMIT}")).arg(xdpdump());
        let ended = capture_too_much(&left, &right, command, &path);
        assert_eq!(
            ended.failure(),
            format!(
                "cannot write to {}: the file reached its size limit: raise it (`ulimit -f`) or write elsewhere with -w",
                path.display()
            )
        );
        assert_full(&path, LIMIT);
    }
}

/// A file system in memory, unmounted when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    const SIZE: u64 = 1 << 20;

    fn mount() -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        let options = format!("size={}", Self::SIZE);
        netns::run("mount", ["-t", "tmpfs", "-o", &options, "tmpfs", disk.0.path().to_str().unwrap()]);
        disk
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A failure of the test itself is more important than a failure here.
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}
