//! Whether this machine lets tests attach XDP programs.

use std::process::{Command, Stdio};

use crate::process;

/// Why XDP cannot be attached here, for the summary; `None` when it can.
///
/// Loading a program is one permission, attaching it to a device of one's own namespace another.
pub fn refusal() -> Option<String> {
    if !process::root_available() {
        return Some(
            "they need root, and sudo gave none: run `sudo -v` first, or run this as root".to_owned(),
        );
    }
    let features = output(process::as_root("bpftool").args(["feature", "probe", "kernel"]));
    if !features.contains("program_type xdp is available") {
        return Some(
            "the kernel refuses to load XDP programs, as containers' often do: use a virtual machine"
                .to_owned(),
        );
    }
    let mut namespace = process::as_root("unshare");
    namespace.args(["--net", "ip", "link", "add", "try0", "type", "veth", "peer", "name", "try1"]);
    let made = namespace.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    (!made).then(|| "the kernel refuses to make a network namespace with a veth pair".to_owned())
}

fn output(command: &mut Command) -> String {
    let output = command.env("PATH", process::search_path()).stderr(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}
