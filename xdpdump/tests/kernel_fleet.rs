//! The image of `docs/fleet/` is built, and the pod of its DaemonSet captures, without a container runtime. Needs root.
//!
//! The steps of the Containerfile run in the root of Debian's smallest system, which `cargo xtask test` makes. The pod runs in
//! that root as the manifest says: users, capabilities, volumes, a root that cannot be written to, and the limit of memory.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    io::Read,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::Value;
use tempfile::TempDir;
use xdpdump::input::{CaptureFile, Item};
use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    cgroup::ControlGroup,
    disk::Disk,
    files,
    fleet::{self, Containerfile, Manifests, Step, strings},
    netns::NetNs,
    processes::{self, Running},
    skip, wait,
    wire::{self, Wire},
};

/// Where programs are in an image, unless it says something else.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Runs a program in the file system `$0`.
const IN_ROOT: &str = r#"
    mount -t proc proc "$0/proc"
    exec chroot "$0" "$@"
"#;

/// Starts a container: `$0` is the root, which cannot be written to, `$1` has the folders of the volumes. (`ip netns exec`
/// has mounted a /sys that shows the network namespace.)
const CONTAINER: &str = r#"
    set -e
    mount --bind "$0" "$0"
    mount -o remount,bind,ro "$0"
    for volume in $(ls "$1"); do mount --bind "$1/$volume" "$0/$volume"; done
    mount -t proc proc "$0/proc"
    mount --bind /sys "$0/sys"
    shift
    exec "$@"
"#;

/// A file system.
struct Image {
    root: TempDir,
    recipe: Containerfile,
}

impl Image {
    /// Builds it. `None` if that is not possible here, which is said.
    fn build() -> Option<Self> {
        let recipe = Containerfile::of_fleet();
        assert_eq!(recipe.base, "docker.io/library/debian:12-slim");
        let debian = fleet::repository("target/tools/debian-12.tar");
        if !debian.exists() {
            skip::because("there is no root of Debian 12: `cargo xtask test` makes it");
            return None;
        }
        let root = tempfile::tempdir().unwrap();
        success(Command::new("tar").arg("-xf").arg(debian).arg("-C").arg(root.path()));
        let image = Self { root, recipe };
        if !image.has_libraries_of_the_tool() {
            skip::because(
                "the tool was built for a newer glibc than Debian 12 has; `dist --check` tests the static one",
            );
            return None;
        }
        let folder = build_folder();
        for step in &image.recipe.steps {
            match step {
                Step::Copy { from, to } => {
                    let to = image.inside(to);
                    let from = from.iter().map(|path| folder.path().join(path));
                    success(Command::new("cp").arg("--preserve=mode").args(from).arg(to));
                }
                Step::Run(command) => image.run_with_network(command),
            }
        }
        Some(image)
    }

    fn path(&self) -> &str {
        self.root.path().to_str().unwrap()
    }

    fn inside(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    fn has_libraries_of_the_tool(&self) -> bool {
        success(Command::new("cp").arg(xdpdump()).arg(self.inside("/tmp/xdpdump")));
        let output = self.run(&["/tmp/xdpdump", "--version"]);
        fs::remove_file(self.inside("/tmp/xdpdump")).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || stderr.contains("GLIBC"), "{stderr}");
        output.status.success()
    }

    /// Runs a program inside, as root.
    fn run(&self, command: &[&str]) -> Output {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", IN_ROOT, self.path()]);
        unshare.args(command).env_clear().env("PATH", PATH).stdin(Stdio::null());
        unshare.output().unwrap()
    }

    /// Runs a shell's command line inside, with this machine's way to the package archive, as a builder of images does.
    fn run_with_network(&self, command: &str) {
        let settings = Command::new("apt-config").arg("dump").output().unwrap().stdout;
        let settings = String::from_utf8(settings).unwrap();
        let settings =
            settings.lines().filter(|line| line.starts_with("Acquire::")).collect::<Vec<_>>().join("\n");
        let apt = self.inside("/etc/apt/apt.conf.d/99builder");
        fs::write(&apt, settings + "\n").unwrap();
        let resolver = self.inside("/etc/resolv.conf");
        fs::write(&resolver, fs::read("/etc/resolv.conf").unwrap_or_default()).unwrap();
        let output = self.run(&["/bin/sh", "-c", command]);
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "{command}\n{}\n{}", text[0], text[1]);
        fs::remove_file(apt).unwrap();
        fs::remove_file(resolver).unwrap();
    }

    /// Where a program is.
    fn program(&self, name: &str) -> String {
        let mut places = PATH.split(':').map(|folder| format!("{folder}/{name}"));
        places.find(|path| self.inside(path).exists()).unwrap_or_else(|| panic!("the image has no {name}"))
    }
}

/// The folder in which the image is built: what the archive with the static binary has.
fn build_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    success(Command::new("cp").arg(xdpdump()).arg(folder.path().join("xdpdump")));
    success(Command::new("cp").arg("-R").arg(fleet::repository("docs")).arg(folder.path()));
    folder
}

fn success(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The number of a capability, by the name that Kubernetes has for it.
fn capability(name: &str) -> u32 {
    match name {
        "CHOWN" => 0,
        "NET_ADMIN" => 12,
        "NET_RAW" => 13,
        "PERFMON" => 38,
        "BPF" => 39,
        _ => panic!("{name}"),
    }
}

/// What makes a process one of a container: its root, its capabilities, its user. Then comes the command line of a program.
fn process(image: &Image, context: &Value) -> Vec<String> {
    assert_eq!(strings(&context["capabilities"]["drop"]), ["ALL"]);
    let added: Vec<_> =
        strings(&context["capabilities"]["add"]).iter().map(|name| capability(name)).collect();
    let last: u32 = fs::read_to_string("/proc/sys/kernel/cap_last_cap").unwrap().trim().parse().unwrap();
    let dropped: Vec<_> =
        (0..=last).filter(|number| !added.contains(number)).map(|n| n.to_string()).collect();
    let mut words = vec!["env".to_owned(), "-i".to_owned(), format!("PATH={PATH}"), "capsh".to_owned()];
    words.push(format!("--chroot={}", image.path()));
    words.push(format!("--drop={}", dropped.join(",")));
    if context["allowPrivilegeEscalation"] == false {
        words.push("--no-new-privs".to_owned());
    }
    words.extend([format!("--gid={}", context["runAsGroup"]), "--groups=".to_owned()]);
    words.push(format!("--uid={}", context["runAsUser"]));
    words
}

/// A pod that is about to start on a node.
struct Pod<'a> {
    image: &'a Image,
    manifests: &'a Manifests,
    node: &'a NetNs,
    /// With room for what the budget leaves free.
    volumes: Disk,
}

impl<'a> Pod<'a> {
    /// Makes the folders of the node as the kubelet does: they are root's.
    fn new(image: &'a Image, manifests: &'a Manifests, node: &'a NetNs) -> Self {
        let volumes = Disk::in_memory(16 << 30);
        success(Command::new("chmod").arg("755").arg(volumes.path()));
        let pod = Self { image, manifests, node, volumes };
        for mount in pod.container()["volumeMounts"].as_array().unwrap() {
            let path = mount["mountPath"].as_str().unwrap();
            fs::create_dir(pod.volume(path)).unwrap();
            // A container runtime makes the places in the image.
            let _ = fs::create_dir(image.inside(path));
        }
        pod
    }

    fn container(&self) -> &'a Value {
        &self.manifests.pod()["containers"][0]
    }

    /// The folder on the node that a container sees at this path.
    fn volume(&self, path: &str) -> PathBuf {
        self.volumes.path().join(path.trim_start_matches('/'))
    }

    /// Starts a container.
    fn start(&self, context: &Value, program: &str, arguments: &[String]) -> Command {
        let mut command = self.node.command("unshare");
        command.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            "-c",
            CONTAINER,
            self.image.path(),
        ]);
        command.arg(self.volumes.path()).args(process(self.image, context));
        command.arg(format!("--shell={program}")).arg("--").args(arguments);
        command
    }

    /// Starts the capture, under a changed security context.
    fn capture(&self, context: &Value) -> Command {
        let [entrypoint] = &self.image.recipe.entrypoint[..] else { panic!("one word") };
        self.start(context, entrypoint, &fleet::arguments(self.container(), "node-a"))
    }

    /// Runs the first container.
    fn prepare(&self) {
        let first = &self.manifests.pod()["initContainers"][0];
        let command = strings(&first["command"]);
        let program = self.image.program(&command[0]);
        success(&mut self.start(&first["securityContext"], &program, &command[1..]));
    }

    /// What `kubectl exec` does in the container whose first process is `pid`.
    fn exec(&self, pid: i32, command: &[&str]) -> Command {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &pid.to_string(), "--mount", "--pid", "--net"]);
        nsenter.args(process(self.image, &self.container()["securityContext"]));
        nsenter.arg(format!("--shell={}", self.image.program(command[0]))).arg("--").args(&command[1..]);
        nsenter.stdin(Stdio::null());
        nsenter
    }

    /// The capture files, without those that are only prepared.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.volume("captures")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.')).collect()
    }
}

/// The first payload byte of each frame, as it comes; the stream is closed after the next one when nobody wants them any more.
fn numbers(stream: impl Read + Send + 'static) -> Receiver<u8> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut file = CaptureFile::new(stream, "stream").unwrap();
        while let Ok(Some(item)) = file.next() {
            if let Item::Packet(packet) = item
                && sender.send(packet.frame[14]).is_err()
            {
                return;
            }
        }
    });
    receiver
}

/// A field of `/proc/PID/status`.
fn status(pid: i32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_image_is_built_and_the_pod_of_the_daemonset_captures() {
    let Some(manifests) = Manifests::of_fleet() else {
        skip::because("kubernetes-validate is not installed: `cargo xtask test` installs it from PyPI");
        return;
    };
    let Some(image) = Image::build() else { return };
    // Interfaces of a node are those of its network namespace.
    let (peer, node) = NetNs::quiet_pair("peer", "eth0");
    let pod = Pod::new(&image, &manifests, &node);
    let context = &pod.container()["securityContext"];

    what_the_page_says_about_capabilities_is_so(&pod, context);

    pod.prepare();
    let user = image.recipe.user;
    let limit = pod.container()["resources"]["limits"]["memory"].as_str().unwrap();
    let limit: u64 = limit.strip_suffix("Mi").unwrap().parse().unwrap();
    let group = ControlGroup::with_memory_limit(limit << 20);
    let mut capture = Capture::spawn(&mut group.enter(&pod.capture(context)));
    capture.wait_for("listening on eth0");
    let pid = processes::children(capture.pid())[0];
    assert_eq!(status(pid, "Uid"), format!("{0} {0} {0} {0}", user.0));
    assert_eq!(u64::from_str_radix(&status(pid, "CapEff"), 16).unwrap(), 1 << capability("PERFMON"));
    let bounding =
        strings(&context["capabilities"]["add"]).iter().map(|name| 1 << capability(name)).sum::<u64>();
    assert_eq!(u64::from_str_radix(&status(pid, "CapBnd"), 16).unwrap() & !bounding, 0);

    let wire = Wire::open(&peer, "peer");
    (0..5).for_each(|number| wire.send(&wire::numbered(number)));
    the_probe_notices_old_metrics(&pod, pid);

    // `kubectl exec POD -- xdpdump -r /captures -w - FILTER`, while the capture goes on.
    let recorded = || {
        let output =
            pod.exec(pid, &["xdpdump", "-r", "/captures", "-w", "-", "ether proto 0x88b5"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        numbers(std::io::Cursor::new(output.stdout)).iter().collect::<Vec<_>>()
    };
    wait::until_equal(&vec![0, 1, 2, 3, 4], recorded);

    // `kubectl exec POD -- xdpdump-live FILTER`
    let mut live = pod.exec(pid, &["xdpdump-live", "ether proto 0x88b5"]);
    let mut live = Running::start(live.stdout(Stdio::piped()).stderr(Stdio::null()));
    let seen = numbers(live.stdout());
    wait::until(|| pod.files().len() == 2);
    wire.send(&wire::numbered(5));
    assert_eq!(seen.recv_timeout(wait::PATIENCE), Ok(5), "nothing from before");
    // `kubectl exec POD -- sh -c 'kill -HUP 1'`
    success(&mut pod.exec(pid, &["sh", "-c", "kill -HUP 1"]));
    wait::until(|| pod.files().len() == 3);
    wire.send(&wire::numbered(6));
    assert_eq!(seen.recv_timeout(wait::PATIENCE), Ok(6), "of the next file");
    // When its reader is gone, nothing is left of it in the pod, where nobody waits for processes of others: only the guardian.
    drop(seen);
    let mut sent = 7;
    wait::until(|| {
        wire.send(&wire::numbered(7));
        sent += 1;
        live.has_ended()
    });
    wait::until_equal(&1, || processes::children(pid).len());

    // The kubelet ends a container by SIGTERM to its first process.
    processes::signal(pid, libc::SIGTERM);
    assert_eq!(capture.wait().totals(), Totals::exact(sent, 0));
    let files = pod.files();
    assert_eq!(files.iter().map(|path| files::read(path).packets.len()).sum::<usize>() as u64, sent);
    for path in files {
        assert!(path.file_name().unwrap().to_str().unwrap().starts_with("node-a-2"), "{}", path.display());
        let metadata = path.metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o777), (user.0, user.1, 0o600));
    }
    let metrics = pod.volume("metrics/xdpdump.prom");
    assert_eq!(metrics.metadata().unwrap().mode() & 0o777, 0o644);
    let metrics = fs::read_to_string(metrics).unwrap();
    let captured = format!(r#"xdpdump_captured_packets_total{{interface="eth0",direction="in"}} {sent}"#);
    assert!(metrics.lines().any(|line| line == captured), "{metrics}");
}

/// Without these capabilities the program is not started, and with `allowPrivilegeEscalation: false` it gets none.
fn what_the_page_says_about_capabilities_is_so(pod: &Pod, context: &Value) {
    let mut fewer = context.clone();
    fewer["capabilities"]["add"] = Value::from(vec!["NET_ADMIN", "NET_RAW"]);
    let output =
        pod.start(&fewer, &pod.image.recipe.entrypoint[0], &["--version".to_owned()]).output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");

    let mut no_escalation = context.clone();
    no_escalation["allowPrivilegeEscalation"] = Value::from(false);
    let output = pod.capture(&no_escalation).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && stderr.contains("not allowed to load"), "{stderr}");
}

fn the_probe_notices_old_metrics(pod: &Pod, pid: i32) {
    let command = strings(&pod.container()["livenessProbe"]["exec"]["command"]);
    let words: Vec<_> = command.iter().map(String::as_str).collect();
    let is_alive = || pod.exec(pid, &words).status().unwrap().success();
    assert!(is_alive());
    let file = pod.volume("metrics/xdpdump.prom");
    let make_old = |path: &Path| success(Command::new("touch").args(["-d", "3 minutes ago"]).arg(path));
    // It may be written in between.
    wait::until(|| {
        make_old(&file);
        !is_alive()
    });
}
