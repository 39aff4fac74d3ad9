//! Captures in another network namespace than that of the tool (`--netns`). Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    kernel,
    netns::{self, NetNs, Traces},
    wait,
    wire::{self, Wire},
};

/// Name of the interface that is captured, and of one in the namespace of the tool that must not be.
const INTERFACE: &str = "same";
/// Length of the frames to the interface in the namespace of the tool; other frames have other lengths.
const NOT_THIS_ONE: usize = 99;

/// A process in a network namespace that has no name, like that of a container; it ends when this is dropped.
struct Container(Child);

impl Container {
    fn new() -> Self {
        let child = Command::new("unshare").args(["--net", "sleep", "1000"]).spawn().unwrap();
        let container = Self(child);
        let of = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
        wait::until(|| of(&container.pid()).is_some_and(|own| Some(own) != of("self")));
        container
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn ip(&self, arguments: &[&str]) -> String {
        netns::run("nsenter", ["-n", "-t", &self.pid(), "ip"].iter().chain(arguments))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The tool's namespace, and one from which frames are sent to interfaces of the same name in this and in other namespaces.
struct Scene {
    /// Where the tool runs.
    tool: NetNs,
    sender: NetNs,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { tool: NetNs::quiet(), sender: NetNs::quiet() };
        scene.join("here", scene.tool.name());
        scene.tool.ip(["link", "set", INTERFACE, "up"]);
        scene
    }

    /// Puts an interface into a namespace, which ip(8) takes by name or process, and its other end, `near`, to the sender.
    fn join(&self, near: &str, namespace: &str) {
        let peer = ["peer", "name", INTERFACE, "netns", namespace];
        self.sender.ip(["link", "add", near, "type", "veth"].iter().chain(&peer));
        self.sender.ip(["link", "set", near, "up"]);
    }

    fn named(&self) -> NetNs {
        let netns = NetNs::quiet();
        self.join("there", netns.name());
        netns.ip(["link", "set", INTERFACE, "up"]);
        netns
    }

    fn container(&self) -> Container {
        let container = Container::new();
        self.join("there", &container.pid());
        let off = "echo 1 > /proc/sys/net/ipv6/conf/same/disable_ipv6";
        netns::run("nsenter", ["-n", "-t", &container.pid(), "sh", "-c", off]);
        container.ip(&["link", "set", INTERFACE, "up"]);
        container
    }

    fn send(&self, near: &str, len: usize) {
        // Before the kernel has noticed the carrier, it sends nothing.
        wait::until(|| self.sender.ip(["link", "show", near]).contains(" state UP "));
        Wire::open(&self.sender, near).send(&wire::frame(len, b""));
    }

    fn start(&self, arguments: &[&str]) -> Capture {
        Capture::spawn(self.tool.command(xdpdump()).args(arguments))
    }

    /// The one sentence with which the tool refuses a namespace.
    fn refusal(&self, wanted: &str) -> String {
        let ended = self.start(&["--netns", wanted, "-i", INTERFACE, "-w", "/dev/null"]).wait();
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        ended.failure().to_owned()
    }

    /// Captures in the namespace that `wanted` names while frames arrive there and here; checks that the file holds those of
    /// that namespace alone and says so in `words`, as the message does.
    fn assert_captures(&self, wanted: &str, words: &str) {
        for &transport in kernel::transports() {
            for mode in ["-N", "-S"] {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("out.pcapng");
                let out = path.to_str().unwrap();
                let options = ["--netns", wanted, "-i", INTERFACE, mode, "--transport", transport, "-w", out];
                let mut capture = self.start(&options);
                capture.wait_for(&format!("listening on {INTERFACE} in {words}, link-type EN10MB"));
                assert_eq!(self.tool.traces(INTERFACE), Traces::default());
                for (near, len) in [("there", 60), ("here", NOT_THIS_ONE), ("there", 61)] {
                    self.send(near, len);
                }
                assert_eq!(capture.stop().totals(), Totals::exact(2, 0), "{wanted} {transport} {mode}");
                assert_eq!(contents(&path), (vec![format!("in {words}")], vec![60, 61]), "{wanted}");
            }
        }
    }
}

/// The descriptions of interfaces in a file, and the lengths of its packets.
fn contents(path: &Path) -> (Vec<String>, Vec<u32>) {
    let mut file = CaptureFile::open(path).unwrap();
    let (mut descriptions, mut lengths) = (Vec::new(), Vec::new());
    while let Some(item) = file.next().unwrap() {
        match item {
            Item::Interface(interface) => descriptions.push(interface.description.clone().unwrap()),
            Item::Packet(packet) => lengths.push(packet.frame_len),
            Item::Statistics(..) | Item::Block(_) => {}
        }
    }
    (descriptions, lengths)
}

#[test]
fn a_namespace_is_captured_by_its_name() {
    let scene = Scene::new();
    let netns = scene.named();
    scene.assert_captures(netns.name(), &format!("network namespace {}", netns.name()));
    assert_eq!(netns.traces(INTERFACE), Traces::default());
}

#[test]
fn a_namespace_is_captured_by_the_path_of_its_file() {
    let scene = Scene::new();
    let netns = scene.named();
    let path = format!("/run/netns/{}", netns.name());
    scene.assert_captures(&path, &format!("network namespace {path}"));

    let container = Container::new();
    let path = format!("/proc/{}/ns/net", container.pid());
    let ended = scene.start(&["--netns", &path, "-i", INTERFACE, "-w", "/dev/null"]).wait();
    assert!(ended.failure().starts_with(r#"no interface named "same""#), "{}", ended.stderr);
}

#[test]
fn a_namespace_without_a_name_is_captured_by_the_pid_of_a_process_in_it() {
    let scene = Scene::new();
    let container = scene.container();
    let pid = container.pid();
    scene.assert_captures(&pid, &format!("network namespace of process {pid}"));
    assert!(!container.ip(&["-d", "link", "show", INTERFACE]).contains("prog/xdp"));
}

#[test]
fn any_follows_the_interfaces_of_the_other_namespace() {
    let scene = Scene::new();
    let container = scene.container();
    let mut capture = scene.start(&["--netns", &container.pid(), "-i", "any", "-w", "/dev/null"]);
    capture.wait_for("listening on same in network namespace of process");
    scene.sender.ip([
        "link",
        "add",
        "later",
        "type",
        "veth",
        "peer",
        "name",
        "late",
        "netns",
        &container.pid(),
    ]);
    scene.sender.ip(["link", "set", "later", "up"]);
    container.ip(&["link", "set", "late", "up"]);
    capture.wait_for("listening on late in network namespace of process");
    container.ip(&["link", "delete", "late"]);
    capture.wait_for("the interface late is gone");
    capture.stop().totals();
}

/// What the tool prints, without privileges of a capture being needed.
fn printed(scene: &Scene, arguments: &[&str]) -> String {
    scene.tool.execute(xdpdump(), arguments)
}

#[test]
fn lists_and_filters_are_those_of_the_other_namespace() {
    let scene = Scene::new();
    let netns = scene.named();
    netns.ip(["tuntap", "add", "dev", "only-there", "mode", "tun"]);
    let listed = printed(&scene, &["-D", "--netns", netns.name()]);
    assert!(listed.contains(".only-there "), "{listed}");
    assert!(listed.contains("driver tun"), "drivers are those of that namespace too: {listed}");
    assert!(!printed(&scene, &["-D"]).contains("only-there"));
    let there = ["--netns", netns.name(), "-i", "only-there"];
    let link_types = printed(&scene, &[&there[..], &["-L"]].concat());
    assert!(link_types.contains("RAW (Raw IP)"), "{link_types}");
    let filter = printed(&scene, &[&there[..], &["-d", "ip proto 6"]].concat());
    assert_eq!(filter, printed(&scene, &["-y", "RAW", "-d", "ip proto 6"]));
    assert_ne!(filter, printed(&scene, &["-d", "ip proto 6"]));
}

#[test]
fn what_is_not_there_or_no_network_namespace_is_refused_with_a_sentence() {
    let scene = Scene::new();
    let typo = format!("{}x", scene.sender.name());
    let refusal = scene.refusal(&typo);
    let expected =
        format!("no network namespace named {typo:?}; did you mean {:?}? these exist: ", scene.sender.name());
    assert!(refusal.starts_with(&expected), "{refusal}");
    assert!(refusal.ends_with("; a path or the pid of a process is accepted too"), "{refusal}");
    let names = refusal.split_once("these exist: ").unwrap().1;
    assert!(names.contains("xdpd-"), "{refusal}");
    assert!(scene.refusal("").starts_with(r#"no network namespace named """#));

    let gone = {
        let container = Container::new();
        container.pid()
    };
    let expected = format!("no process has the number {gone}, and no network namespace is named so");
    assert_eq!(scene.refusal(&gone), expected);
    assert_eq!(
        scene.refusal("/no/such/file"),
        "cannot open \"/no/such/file\": No such file or directory (os error 2)"
    );
    assert_eq!(scene.refusal("/etc/passwd"), r#""/etc/passwd" is not a network namespace"#);
    assert_eq!(scene.refusal("/proc/self/ns/mnt"), r#""/proc/self/ns/mnt" is not a network namespace"#);
    // Nothing writes to it, and nobody waits for that.
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    netns::run("mkfifo", [&pipe]);
    let pipe = pipe.to_str().unwrap();
    assert_eq!(scene.refusal(pipe), format!("{pipe:?} is not a network namespace"));
}

#[test]
fn a_name_that_outlived_its_namespace_is_refused() {
    let scene = Scene::new();
    let name = format!("{}-left", scene.tool.name());
    let file = format!("/run/netns/{name}");
    fs::write(&file, "").unwrap();
    let refusal = scene.refusal(&name);
    fs::remove_file(&file).unwrap();
    assert_eq!(refusal, format!("{file:?} is not a network namespace"));
}

#[test]
fn a_name_of_digits_is_a_name_first() {
    let scene = Scene::new();
    let netns = scene.named();
    // There is a process with this number, this one.
    let name = std::process::id().to_string();
    let file = format!("/run/netns/{name}");
    fs::write(&file, "").unwrap();
    netns::run("mount", ["--bind", &format!("/run/netns/{}", netns.name()), &file]);
    let mut capture = scene.start(&["--netns", &name, "-i", INTERFACE, "-w", "/dev/null"]);
    let said = capture.hear("listening on");
    netns::run("ip", ["netns", "delete", &name]);
    assert!(said.unwrap().contains(&format!("{INTERFACE} in network namespace {name},")));
    capture.stop().totals();
}

#[test]
fn who_may_not_enter_is_told_which_capability_that_takes() {
    let scene = Scene::new();
    let netns = scene.named();
    let refused = |options: &[&str], wanted: &str| -> Ended {
        let mut command = scene.tool.command("setpriv");
        command.args(options).args([xdpdump(), "-D", "--netns", wanted]).stdout(Stdio::null());
        Capture::spawn(&mut command).wait()
    };
    let ended = refused(&["--bounding-set", "-sys_admin"], netns.name());
    let expected = format!(
        "cannot enter the network namespace {}, which needs root or CAP_SYS_ADMIN: Operation not permitted (os error 1)",
        netns.name()
    );
    assert_eq!(ended.failure(), expected);

    let container = Container::new();
    let ended = refused(&["--bounding-set", "-sys_admin,-sys_ptrace"], &container.pid());
    let expected = format!(
        "cannot open \"/proc/{}/ns/net\", which needs root or CAP_SYS_PTRACE: Permission denied (os error 13)",
        container.pid()
    );
    assert_eq!(ended.failure(), expected);
}
