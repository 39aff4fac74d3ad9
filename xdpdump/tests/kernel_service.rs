//! A capture as a service: what a service manager hears, and the unit of the package. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    ffi::OsString,
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    time::{Duration, Instant},
};

use xdpdump::{
    cli,
    config::{Config, Interfaces},
};
use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    scene::Scene,
    wait,
};

/// The next message to a service manager.
fn message(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 200];
    let len = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..len]).trim_end().to_owned()
}

#[test]
fn a_service_manager_hears_that_a_capture_runs_goes_on_and_ends() {
    let scene = Scene::new();
    let path = scene.directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(wait::PATIENCE)).unwrap();
    let mut command = scene.right.command(xdpdump());
    command.args(["-i", "right", "-w"]).arg(scene.file());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let capture = Capture::spawn(&mut command);
    assert_eq!(message(&socket), "READY=1");
    // What it says is true.
    scene.send_numbered(3);
    let begin = Instant::now();
    for _ in 0..10 {
        assert_eq!(message(&socket), "WATCHDOG=1");
    }
    assert!(begin.elapsed() >= Duration::from_millis(800), "{:?}", begin.elapsed());
    assert_eq!(capture.stop().totals(), Totals::exact(3, 0));
    let mut last = message(&socket);
    while last == "WATCHDOG=1" {
        last = message(&socket);
    }
    assert_eq!(last, "STOPPING=1");
}

/// The words of a setting, with what systemd puts in for `%` (systemd.unit(5)) and for variables.
fn command_line(unit: &str) -> Vec<OsString> {
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    let options = value("Environment=").split('"').nth(1).unwrap().strip_prefix("OPTIONS=").unwrap();
    let line = value("ExecStart=/usr/bin/")
        .replace("%%", "\0")
        .replace("%I", "eth0")
        .replace("%S", "/var/lib")
        .replace('\0', "%")
        .replace("$OPTIONS", options)
        .replace("$FILTER", "not port 22");
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn the_unit_of_the_package_is_a_capture_in_several_files() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/systemd/xdpdump@.service");
    let config = cli::parse(command_line(&fs::read_to_string(unit).unwrap())).unwrap();
    let Config::Capture(capture) = config else { panic!("no capture: {config:?}") };
    assert_eq!(capture.interfaces, Interfaces::Named(vec!["eth0".into()]));
    let file = capture.destination.file.unwrap();
    assert_eq!(file.path, Path::new("/var/lib/xdpdump/eth0/eth0-%Y%m%d-%H%M%S.pcapng"));
    let rotation = file.rotation.unwrap();
    assert!(rotation.on_hangup && rotation.is_aligned);
    assert_eq!((rotation.size, rotation.max_total), (Some(100 << 20), Some(10 << 30)));
}
