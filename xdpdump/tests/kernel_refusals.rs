//! Messages about obstacles to a capture name the obstacle, and the advice in them works. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::{self, File},
    io,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    kernel,
    netns::{self, NetNs},
    objects::Objects,
    scene::Scene,
    wait,
    xdp::{DRIVER_MODE, PassProgram},
};

/// The tool's arguments for a capture that should not begin.
const ARGUMENTS: [&str; 4] = ["-i", "right", "-w", "/dev/null"];

/// The one sentence with which it refuses.
fn sentence(command: &mut Command) -> String {
    let ended = Capture::spawn(command.stdout(Stdio::null())).wait();
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.failure().to_owned()
}

/// The advice in the sentence: the part after the description of the obstacle.
fn remedy(netns: &NetNs) -> String {
    remedy_for(netns, &[])
}

/// The same for a capture with these options.
fn remedy_for(netns: &NetNs, options: &[&str]) -> String {
    let sentence = sentence(netns.command(xdpdump()).args(ARGUMENTS).args(options));
    assert!(sentence.starts_with("right has an XDP program already: id "), "{sentence}");
    let (_, more) = sentence.split_once("; it was left alone").unwrap_or_else(|| panic!("{sentence}"));
    // With another mode than that of the program, a capture beside it is not tried.
    assert_eq!(
        more.contains("; without -S, frames are captured beside it"),
        options.contains(&"-S"),
        "{sentence}"
    );
    // Perhaps there is a sentence in between.
    more.rsplit_once(". ").unwrap_or_else(|| panic!("{sentence}")).1.to_owned()
}

/// The programs of xdp-tools run in native mode. Where the kernel lets programs run beside another one, only a capture in
/// another mode is refused.
const IN_ANOTHER_MODE: [&str; 1] = ["-S"];

/// Runs the command between backticks in the sentence, and asserts that a capture can begin afterwards.
fn follow(scene: &Scene, remedy: &str) {
    let command = remedy.split('`').nth(1).unwrap_or_else(|| panic!("{remedy}"));
    let words: Vec<_> = command.split(' ').collect();
    scene.right.execute(words[0], &words[1..]);
    scene.assert_clean();
    let capture = scene.capture(&[]);
    scene.send(60);
    assert_eq!(capture.stop().totals(), Totals::exact(1, 0));
}

#[test]
fn another_xdpdump_is_named_as_the_process_that_it_is() {
    let scene = Scene::new();
    let capture = scene.capture(&[]);
    let expected = format!("Process {} (xdpdump) holds it: end that process first", capture.pid());
    assert_eq!(remedy(&scene.right), expected);
    capture.stop().totals();
}

#[test]
fn a_process_of_any_other_name_is_named_too() {
    let scene = Scene::new();
    let program = PassProgram::load();
    let index = scene.right.interface_index("right");
    let attachment = scene.right.run(|| program.attach(index, DRIVER_MODE));
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    let expected =
        format!("Process {} ({}) holds it: end that process first", std::process::id(), name.trim_end());
    assert_eq!(remedy(&scene.right), expected);
    drop(attachment);
    scene.assert_clean();
}

/// Where even root cannot look into each process, the sentence says so.
fn assert_is_held_by_none(remedy: &str, mode: &str) {
    let expected = format!("No process holds it: detach it with `ip link set dev right {mode} off`");
    assert_eq!(remedy.replace("whose descriptors can be read ", ""), expected);
}

#[test]
fn a_program_that_no_process_holds_is_taken_off_by_the_command_named() {
    for mode in ["xdpdrv", "xdpgeneric"] {
        let scene = Scene::new();
        let program = PassProgram::load();
        let id = program.id().to_string();
        // Attached through netlink, so the program stays when bpftool has ended.
        scene.right.execute("bpftool", &["net", "attach", mode, "id", &id, "dev", "right"]);
        drop(program);
        let remedy = remedy(&scene.right);
        assert_is_held_by_none(&remedy, mode);
        follow(&scene, &remedy);
    }
}

/// A capture of xdp-tools, which attaches through netlink.
fn start_theirs(scene: &Scene) -> Theirs {
    let file = scene.directory.path().join("theirs.pcap");
    let theirs = scene
        .right
        .command("/usr/sbin/xdpdump")
        .args(["-i", "right", "--load-xdp-program", "-w", file.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let theirs = Theirs(theirs.expect("xdpdump of xdp-tools runs (package xdp-tools)"));
    wait::until(|| scene.right.traces("right").xdp);
    theirs
}

/// A process of somebody else's that ends with the test, also when that fails.
struct Theirs(Child);

impl Drop for Theirs {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn what_a_killed_capture_of_xdp_tools_left_is_not_another_xdpdump() {
    let scene = Scene::new();
    drop(start_theirs(&scene));
    let remedy = remedy_for(&scene.right, &IN_ANOTHER_MODE);
    assert_is_held_by_none(&remedy, "xdpdrv");
    follow(&scene, &remedy);
}

#[test]
fn a_capture_of_xdp_tools_that_is_running_is_named_as_the_process_that_it_is() {
    let scene = Scene::new();
    let theirs = start_theirs(&scene);
    let remedy = remedy_for(&scene.right, &IN_ANOTHER_MODE);
    let begin = format!(
        "Process {} (xdpdump) holds it: end that process first; if the program stays attached, ",
        theirs.0.id()
    );
    assert!(remedy.starts_with(&begin), "{remedy}");
    drop(theirs);
    follow(&scene, &remedy);
}

/// Nothing is said of processes that cannot be seen: where there is no `/proc`, and in a container.
#[test]
fn nobody_is_said_to_hold_nothing_who_cannot_be_seen() {
    let scene = Scene::new();
    let theirs = start_theirs(&scene);
    let without_proc = ["-m", "sh", "-ec", r#"mount -t tmpfs none /proc; exec "$@""#, "sh"];
    let container = ["--pid", "--fork", "--mount-proc"];
    for options in [&without_proc[..], &container] {
        let mut command = scene.right.command("unshare");
        let refused = sentence(command.args(options).arg(xdpdump()).args(ARGUMENTS).args(IN_ANOTHER_MODE));
        assert!(refused.contains("Who holds it cannot be seen from here: "), "{options:?}: {refused}");
    }
    drop(theirs);
}

#[test]
fn a_pinned_link_is_taken_off_by_the_command_named() {
    let scene = Scene::new();
    let program = PassProgram::load();
    let index = scene.right.interface_index("right");
    let attachment = scene.right.run(|| program.attach(index, DRIVER_MODE));
    let own = Objects::of_process(std::process::id().cast_signed());
    let link = own.links.first().unwrap().to_string();
    let place = BpfFileSystem::mount();
    netns::run("bpftool", ["link", "pin", "id", &link, place.0.path().join("link").to_str().unwrap()]);
    drop(attachment);
    let remedy = remedy(&scene.right);
    assert!(remedy.starts_with(&format!("BPF link {link} holds it")), "{remedy}");
    follow(&scene, &remedy);
}

/// A BPF file system to pin objects in; unmounted when dropped.
struct BpfFileSystem(TempDir);

impl BpfFileSystem {
    fn mount() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        netns::run("mount", ["-t", "bpf", "bpf", place.0.path().to_str().unwrap()]);
        place
    }
}

impl Drop for BpfFileSystem {
    fn drop(&mut self) {
        // A failure of the test itself is more important than a failure here.
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn root_of_a_user_namespace_is_told_that_it_is_in_one() {
    let mut command = Command::new("unshare");
    command.args(["-Urn", xdpdump(), "-i", "lo", "-w", "/dev/null"]);
    let refused = sentence(&mut command);
    assert!(
        refused.starts_with("not allowed to load and attach an XDP program from a user namespace, such as a rootless container"),
        "{refused}"
    );
}

#[test]
fn root_without_capabilities_is_told_which() {
    let netns = NetNs::new();
    let mut command = netns.command("setpriv");
    command.args(["--bounding-set", "-bpf,-perfmon,-sys_admin", xdpdump(), "-i", "lo", "-w", "/dev/null"]);
    let refused = sentence(&mut command);
    assert!(refused.contains("root lacks the capabilities cap_bpf, cap_perfmon here"), "{refused}");
}

/// What the tool says where a seccomp filter lets this system call fail.
fn sentence_without(call: libc::c_long, errno: i32, options: &[&str]) -> String {
    let netns = NetNs::new();
    let mut command = netns.command(xdpdump());
    command.args(["-i", "lo", "-w", "/dev/null"]).args(options);
    // SAFETY: between fork and exec it makes one system call and allocates nothing.
    unsafe { command.pre_exec(move || forbid(call, errno)) };
    sentence(&mut command)
}

#[test]
fn a_seccomp_filter_is_named_as_what_it_is() {
    // The profiles of containers say the one or the other.
    for errno in [libc::EPERM, libc::ENOSYS] {
        let refused = sentence_without(libc::SYS_bpf, errno, &[]);
        assert!(refused.starts_with("not allowed to load and attach an XDP program: "), "{refused}");
        assert!(refused.contains("a seccomp filter that forbids bpf(2)"), "{refused}");
        for &transport in kernel::transports() {
            let refused = sentence_without(libc::SYS_perf_event_open, errno, &["--transport", transport]);
            assert!(refused.starts_with("not allowed to open the perf event of a ring: "), "{refused}");
            assert!(refused.contains("a seccomp filter that forbids perf_event_open(2)"), "{refused}");
        }
    }
}

/// Lets a system call fail from now on.
fn forbid(call: libc::c_long, errno: i32) -> io::Result<()> {
    const LOAD: u16 = 0x20;
    const JUMP_IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    let statement = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        // The number of the system call is the first field of `struct seccomp_data`.
        statement(LOAD, 0, 0, 0),
        statement(JUMP_IF_EQUAL, 0, 1, call.cast_unsigned() as u32),
        statement(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | errno.cast_unsigned()),
        statement(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the program has the given length and outlives the call.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Captures two frames while these folders are empty.
fn capture_without(folders: &[&str]) -> Ended {
    let scene = Scene::new();
    let hide: Vec<_> = folders.iter().map(|folder| format!("mount -t tmpfs none {folder}")).collect();
    let script = format!("{}\nexec \"$0\" \"$@\"", hide.join(" && "));
    let mut command = scene.right.command("unshare");
    command.args(["-m", "sh", "-ec", &script, xdpdump(), "-i", "right", "-w"]).arg(scene.file());
    let mut capture = Capture::spawn(&mut command);
    capture.wait_for("listening on");
    scene.send(60);
    scene.send(60);
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(2, 0), "{folders:?}");
    scene.assert_clean();
    ended
}

#[test]
fn a_capture_needs_neither_sys_nor_proc() {
    let lines = |ended: &Ended| ended.stderr.lines().filter(|line| line.starts_with("xdpdump: ")).count();
    let usual = lines(&capture_without(&[]));
    assert_eq!(lines(&capture_without(&["/sys"])), usual, "nothing is missing");
    for folders in [&["/proc"][..], &["/proc", "/sys"]] {
        let ended = capture_without(folders);
        assert!(lines(&ended) <= usual + 1, "one line for the guardian: {}", ended.stderr);
    }
}

#[test]
fn standard_input_needs_no_proc() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/protocols.pcap");
    let script = "mount -t tmpfs none /proc; exec \"$0\" -r /dev/stdin --count";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-ec", script, xdpdump()])
        .stdin(File::open(file).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && String::from_utf8_lossy(&output.stdout).ends_with(" packets\n"),
        "{said}"
    );
}

#[test]
fn a_set_user_id_program_opens_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("xdpdump");
    fs::copy(xdpdump(), &copy).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Set-user-ID root, and readable to root alone.
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).unwrap();
    let secret = directory.path().join("secret");
    fs::write(&secret, "not a capture").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&copy)
        .arg("-r")
        .arg(&secret)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("xdpdump: refusing to run with the rights of") && said.contains("setcap"),
        "{said}"
    );
    assert!(!said.contains("secret"), "{said}");
}
