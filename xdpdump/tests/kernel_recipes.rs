//! The pipes that the pages in `docs/` show, each run as it stands there, on an interface called eth4. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use tempfile::TempDir;
use xdpdump_testing::{
    capture::xdpdump,
    display::Display,
    files,
    netns::{NetNs, Traces},
    processes::{self, Running},
    skip,
    wait::{self, PATIENCE},
    wire::{self, Wire},
};

/// The pages with recipes.
const PAGES: &str =
    concat!(include_str!("../../docs/wireshark.md"), include_str!("../../docs/long-captures.md"));

/// Two namespaces joined by a veth pair, of which eth4 is captured.
struct Scene {
    left: NetNs,
    right: NetNs,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let (left, right) = NetNs::quiet_pair("left", "eth4");
        Self { left, right, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command line of a shell.
    fn shell(&self, netns: &NetNs, line: &str) -> Command {
        let folder = Path::new(xdpdump()).parent().unwrap();
        let path = env::var("PATH").unwrap();
        let mut command = netns.command("sh");
        command.args(["-c", line]).current_dir(&self.folder);
        command.env("PATH", format!("{}:{}:{path}", self.folder.path().display(), folder.display()));
        command.env("TMPDIR", self.folder.path()).stdin(Stdio::null());
        command
    }

    fn send(&self, count: u8) {
        let wire = Wire::open(&self.left, "left");
        (0..count).for_each(|number| wire.send(&wire::numbered(number)));
    }

    fn assert_clean(&self) {
        wait::until_equal(&Traces::default(), || self.right.traces("eth4"));
    }

    fn wait_for_capture(&self) {
        wait::until(|| self.right.traces("eth4").xdp);
    }
}

/// The command line, which the pages have to contain. Words in capitals stand for something.
fn recipe(line: &str, words: &[(&str, &str)]) -> String {
    assert!(PAGES.contains(line), "no page shows `{line}`");
    words.iter().fold(line.to_owned(), |line, (word, meaning)| line.replace(word, meaning))
}

/// Runs a command line that prints a line for each packet, and ends it as Ctrl-C does.
fn prints_packets(line: &str) {
    let scene = Scene::new();
    let mut command = scene.shell(&scene.right, line);
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let stdout = BufReader::new(running.stdout());
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line))));
    scene.wait_for_capture();
    // A program that is not told to writes its lines when there are many, or at its end.
    scene.send(20);
    if line.ends_with("-i -") {
        // It has a program of its own that captures, into a file.
        wait::until(|| has_packets(scene.folder.path(), 20));
    } else {
        thread::sleep(Duration::from_millis(500));
    }
    running.signal(libc::SIGINT);
    let printed: Vec<_> = (0..20).map_while(|_| lines.recv_timeout(PATIENCE).ok()).collect();
    assert_eq!(printed.len(), 20, "{line}: {printed:#?}");
    running.wait();
    scene.assert_clean();
}

#[test]
fn into_tcpdump() {
    prints_packets(&recipe("xdpdump -i eth4 -w - | tcpdump -n -r -", &[]));
}

#[test]
fn into_tshark_as_a_file_and_as_an_interface() {
    prints_packets(&recipe("xdpdump -i eth4 -w - | tshark -r -", &[]));
    prints_packets(&recipe("xdpdump -i eth4 -w - | tshark -i -", &[]));
}

#[test]
fn into_a_program_that_leaves_early() {
    let scene = Scene::new();
    let line = recipe("xdpdump -i eth4 -w - | head -c 10", &[]);
    let mut command = scene.shell(&scene.right, &line);
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let (mut stdout, mut stderr) = (Vec::new(), String::new());
    running.stdout().read_to_end(&mut stdout).unwrap();
    running.stderr().read_to_string(&mut stderr).unwrap();
    running.wait();
    assert_eq!(stdout.len(), 10);
    // If the reader leaves before the capture has begun, there are no totals either.
    assert!(!stderr.to_lowercase().contains("pipe") && !stderr.contains("cannot"), "{stderr}");
    scene.assert_clean();
}

#[test]
fn into_dumpcap_that_begins_another_file_when_one_is_full() {
    let scene = Scene::new();
    let file = scene.path("ring.pcapng");
    let line = recipe(
        "xdpdump -i IF -w - | dumpcap -i - -b filesize:KB -b files:N -w FILE",
        &[("IF", "eth4"), ("KB", "10"), (":N ", ":3 "), ("FILE", file.to_str().unwrap())],
    );
    let mut running = Running::start(scene.shell(&scene.right, &line).stderr(Stdio::null()));
    scene.wait_for_capture();
    let parts = || -> Vec<PathBuf> {
        let entries = fs::read_dir(&scene.folder).unwrap().map(|entry| entry.unwrap().path());
        let mut parts: Vec<_> = entries.filter(|path| path.to_string_lossy().contains("/ring_")).collect();
        parts.sort();
        parts
    };
    let is_turned = || parts().first().is_some_and(|first| !first.to_string_lossy().contains("_00001_"));
    wait::until(|| {
        scene.send(50);
        thread::sleep(Duration::from_millis(50));
        is_turned()
    });
    running.signal(libc::SIGINT);
    running.wait();
    let parts = parts();
    assert!((2..=3).contains(&parts.len()), "{parts:?}");
    for part in parts {
        assert!(files::read_by_tshark(&part).iter().all(|len| *len == 60), "{part:?}");
    }
    scene.assert_clean();
}

#[test]
fn into_dumpcap_that_begins_another_file_after_some_time() {
    let scene = Scene::new();
    assert!(PAGES.contains("(or `-b duration:SECONDS`)"));
    let line = "xdpdump -i eth4 -w - | dumpcap -i - -b duration:1 -w ring.pcapng";
    let mut running = Running::start(scene.shell(&scene.right, line).stderr(Stdio::null()));
    scene.wait_for_capture();
    let parts = || {
        let names = fs::read_dir(&scene.folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("ring_")).count()
    };
    wait::until(|| {
        scene.send(5);
        thread::sleep(Duration::from_millis(100));
        parts() >= 3
    });
    running.signal(libc::SIGINT);
    running.wait();
    scene.assert_clean();
}

/// A file of Wireshark's in which this many packets are.
fn has_packets(folder: &Path, count: usize) -> bool {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut captures = entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wireshark_")));
    captures.any(|path| {
        let mut tshark = Command::new("tshark");
        // The end of a file that is being written may be missing, which is not asked about.
        let output = tshark.args(["-n", "-T", "fields", "-e", "frame.len", "-r"]).arg(path).output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().count() >= count
    })
}

/// Runs a command line that ends in Wireshark, until it has 20 packets; then Wireshark is ended.
fn shows_in_wireshark(scene: &Scene, netns: &NetNs, line: &str, sent: impl Fn()) {
    let display = Display::new();
    let mut command = scene.shell(netns, line);
    display.show(&mut command, scene.folder.path());
    let mut running = Running::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    scene.wait_for_capture();
    sent();
    wait::until(|| has_packets(scene.folder.path(), 20));
    let wireshark = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: i32 = entry.unwrap().file_name().to_str()?.parse().ok()?;
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let ours = format!("TMPDIR={}", scene.folder.path().display());
        let is_ours = environment.split(|byte| *byte == 0).any(|word| word == ours.as_bytes());
        (is_ours && fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim() == "wireshark")
            .then_some(pid)
    });
    wireshark.for_each(|pid| processes::signal(pid, libc::SIGTERM));
    // Its dumpcap notices by the next packet.
    wait::until(|| {
        scene.send(1);
        scene.right.traces("eth4") == Traces::default()
    });
    running.wait();
}

#[test]
fn into_wireshark() {
    if wait::slowness() > 1 {
        return skip::because("Wireshark takes minutes to start on an emulated CPU");
    }
    let scene = Scene::new();
    let line = recipe("xdpdump -i eth4 -w - | wireshark -k -i -", &[]);
    shows_in_wireshark(&scene, &scene.right, &line, || scene.send(20));
}

/// A server for ssh in `right`, with its own keys, and a client in the folder that is called `ssh`.
fn serve_ssh(scene: &Scene) -> Running {
    scene.left.ip(["address", "add", "10.0.0.1/24", "dev", "left"]);
    scene.right.ip(["address", "add", "10.0.0.2/24", "dev", "eth4"]);
    for key in ["host", "user"] {
        let mut keygen = Command::new("ssh-keygen");
        let made = keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(scene.path(key)).status();
        assert!(made.unwrap().success());
    }
    let folder = scene.folder.path().display();
    let tools = Path::new(xdpdump()).parent().unwrap().display();
    let path = env::var("PATH").unwrap();
    let server = format!(
        "ListenAddress 10.0.0.2:22\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nPidFile none\n\
         StrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\nUsePAM no\n\
         SetEnv PATH={tools}:{path}\n"
    );
    fs::write(scene.path("sshd_config"), server).unwrap();
    let client = format!(
        "Host HOST\nHostName 10.0.0.2\nIdentityFile {folder}/user\nIdentitiesOnly yes\nBatchMode yes\n\
         StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\nLogLevel ERROR\n"
    );
    fs::write(scene.path("config"), client).unwrap();
    fs::write(scene.path("ssh"), format!("#!/bin/sh\nexec /usr/bin/ssh -F {folder}/config \"$@\"\n"))
        .unwrap();
    fs::set_permissions(scene.path("ssh"), PermissionsExt::from_mode(0o755)).unwrap();
    // A folder that the server insists on; it is empty.
    fs::create_dir_all("/run/sshd").unwrap();
    let mut command = scene.right.command("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f"]).arg(scene.path("sshd_config"));
    let server = Running::start(command.stderr(Stdio::null()));
    wait::until(|| {
        let mut ssh = scene.shell(&scene.left, "ssh root@HOST true");
        ssh.stderr(Stdio::null()).status().unwrap().success()
    });
    server
}

/// Whether this machine has a server for ssh. To install one would start it as a service.
fn has_sshd() -> bool {
    let has = Path::new("/usr/sbin/sshd").exists() && Path::new("/usr/bin/ssh").exists();
    if !has {
        skip::because("there is no /usr/sbin/sshd (package openssh-server)");
    }
    has
}

#[test]
fn through_ssh_into_tcpdump() {
    if !has_sshd() {
        return;
    }
    let scene = Scene::new();
    let _server = serve_ssh(&scene);
    let line = recipe("ssh root@HOST xdpdump -i eth4 -w - not tcp port 22 | tcpdump -n -r -", &[]);
    let mut command = scene.shell(&scene.left, &line);
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    scene.wait_for_capture();
    scene.send(20);
    thread::sleep(Duration::from_secs(1));
    running.signal(libc::SIGINT);
    let mut text = String::new();
    running.stdout().read_to_string(&mut text).unwrap();
    assert_eq!(text.lines().filter(|line| line.contains("0x88b5")).count(), 20, "{text}");
    assert!(!text.contains("10.0.0.2.22"), "not its own packets: {text}");
    running.wait();
    scene.assert_clean();
}

#[test]
fn through_ssh_into_wireshark() {
    if wait::slowness() > 1 {
        return skip::because("Wireshark takes minutes to start on an emulated CPU");
    }
    if !has_sshd() {
        return;
    }
    let scene = Scene::new();
    let _server = serve_ssh(&scene);
    let line = recipe("ssh root@HOST xdpdump -i eth4 -w - not tcp port 22 | wireshark -k -i -", &[]);
    shows_in_wireshark(&scene, &scene.left, &line, || scene.send(20));
}
