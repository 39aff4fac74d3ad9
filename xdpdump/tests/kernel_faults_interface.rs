//! Changes of the interface by other programs during a capture, and unusual interfaces. Needs root.

use std::{
    fmt::Write as _,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use xdpdump_testing::{
    capture::{Capture, Ended, Totals, xdpdump},
    files, kernel,
    load::under_load,
    netns::{self, NetNs, Traces},
    objects::Objects,
    scene::Scene,
    wait, wire,
    xdp::{DRIVER_MODE, PassProgram, SKB_MODE},
};

/// Asserts that exactly these frames were captured, and that the capture left nothing behind.
fn assert_captured(scene: &Scene, capture: Capture, lengths: &[u32]) -> Ended {
    let ended = capture.stop();
    assert_eq!(ended.totals(), Totals::exact(lengths.len() as u64, 0));
    assert_eq!(files::read_by_tshark(&scene.file()), lengths);
    scene.assert_clean();
    ended
}

/// Every way to capture on this kernel: a mode and a kind of ring.
fn both_modes() -> impl Iterator<Item = (&'static str, &'static str)> {
    ["-N", "-S"]
        .into_iter()
        .flat_map(|mode| kernel::transports().iter().map(move |transport| (mode, *transport)))
}

#[test]
fn an_interface_that_goes_down_and_up_under_load_loses_nothing_unseen() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        let mut capture = scene.capture(&["--transport", transport]);
        under_load(&scene.left, "left", 200, 100_000 / wait::slowness(), || {
            for _ in 0..3 {
                thread::sleep(Duration::from_millis(150));
                scene.right.ip(["link", "set", "right", "down"]);
                capture.wait_for("right is down");
                scene.right.ip(["link", "set", "right", "up"]);
                capture.wait_for("right is up");
            }
            thread::sleep(Duration::from_millis(150));
        });
        let arrived = scene.arrived();
        let totals = capture.stop().totals();
        assert_eq!(totals, Totals::exact(totals.captured, totals.dropped));
        // Frames in the interface's queue when it goes down are counted by the interface and dropped before a program sees
        // them.
        assert!(totals.captured > 0 && totals.received <= arrived, "{totals:?}, {arrived} arrived");
        assert_eq!(files::read_by_tshark(&scene.file()).len() as u64, totals.captured, "{transport}");
    }
}

#[test]
fn an_interface_renamed_or_moved_away_is_followed_or_reported_by_the_perf_rings_too() {
    let scene = Scene::new();
    let elsewhere = NetNs::new();
    let mut capture = scene.capture(&["--transport", "perf"]);
    let objects = Objects::of_process(capture.pid());
    scene.right.ip_batch("link set right down\nlink set right name other\nlink set other up\n");
    capture.wait_for("right was renamed to other");
    scene.send(60);
    scene.right.ip(["link", "set", "other", "netns", elsewhere.name()]);
    let ended = capture.wait();
    assert_eq!(
        ended.failure(),
        "the interface other is gone: it was deleted or moved to another network namespace"
    );
    assert_eq!(ended.counts(), Totals::exact(1, 0));
    assert_eq!(files::read_by_tshark(&scene.file()), [60]);
    wait::until_equal(&Traces::default(), || elsewhere.traces("other"));
    objects.assert_gone();
}

#[test]
fn frames_larger_than_the_mtu_of_the_beginning_are_captured_whole() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        // Before multi-buffer XDP, drivers did not accept a larger MTU while a program was attached.
        let mode = if kernel::has_multi_buffer() { "-N" } else { "-S" };
        let mut capture = scene.capture(&[mode, "--transport", transport]);
        for (netns, interface) in [(&scene.left, "left"), (&scene.right, "right")] {
            netns.ip(["link", "set", interface, "mtu", "65535"]);
        }
        capture.wait_for("the MTU of right is now 65535 bytes");
        scene.send(9000);
        scene.send(60_000);
        assert_captured(&scene, capture, &[9000, 60_000]);
        assert_eq!(files::read(&scene.file()).frames()[1], wire::frame(60_000, b""));
    }
}

#[test]
fn tools_that_would_replace_or_remove_the_program_are_refused_and_it_stays() {
    for mode in ["-N", "-S"] {
        let scene = Scene::new();
        let capture = scene.capture(&[mode]);
        let index = scene.right.interface_index("right");
        for tool in [
            &["ip", "link", "set", "dev", "right", "xdp", "off"][..],
            &["ip", "-force", "link", "set", "dev", "right", "xdp", "off"],
            &["bpftool", "net", "detach", "xdp", "dev", "right"],
        ] {
            // Only some of these tools report the refusal; the test checks that the program stays attached.
            let _ = scene.right.command(tool[0]).args(&tool[1..]).output().unwrap();
        }
        let program = PassProgram::load();
        for mode in [DRIVER_MODE, SKB_MODE] {
            assert!(scene.right.run(|| program.try_attach(index, mode)).is_err());
        }
        // Longer than the capture needs to notice that a program is gone.
        thread::sleep(Duration::from_millis(1500));
        scene.send(60);
        assert_captured(&scene, capture, &[60]);
    }
}

#[test]
fn a_program_somebody_detached_is_missed_within_a_second_and_a_half() {
    for (mode, transport) in both_modes() {
        let scene = Scene::new();
        let capture = scene.capture(&[mode, "--transport", transport]);
        scene.send(60);
        let objects = Objects::of_process(capture.pid());
        thread::sleep(Duration::from_millis(300));
        for link in &objects.links {
            netns::run("bpftool", ["link", "detach", "id", &link.to_string()]);
        }
        let detached = Instant::now();
        let ended = capture.wait();
        let noticed = detached.elapsed();
        assert_eq!(ended.failure(), "somebody detached the capture program from right");
        assert!(noticed < Duration::from_millis(1500) * wait::slowness(), "{noticed:?}");
        assert_eq!(ended.counts(), Totals::exact(1, 0));
        assert_eq!(files::read_by_tshark(&scene.file()), [60]);
        objects.assert_gone();
    }
}

#[test]
fn a_second_xdpdump_is_told_of_the_first() {
    for mode in ["native", "generic (SKB)"] {
        let scene = Scene::new();
        let capture = scene.capture(if mode == "native" { &["-N"] } else { &["-S"] });
        let second =
            Capture::spawn(scene.right.command(xdpdump()).args(["-i", "right", "-w", "/dev/null"])).wait();
        let sentence = second.failure();
        let (id, rest) = sentence
            .strip_prefix("right has an XDP program already: id ")
            .and_then(|rest| rest.split_once(' '))
            .unwrap_or_else(|| panic!("{sentence}"));
        assert!(Objects::of_process(capture.pid()).programs.contains(&id.parse().unwrap()), "{sentence}");
        assert!(rest.starts_with("(xdpdump"), "{sentence}");
        assert!(rest.contains(&format!("), {mode} mode; it was left alone")), "{sentence}");
        scene.send(60);
        assert_captured(&scene, capture, &[60]);
    }
}

#[test]
fn one_of_a_thousand_interfaces_is_captured() {
    let scene = Scene::new();
    let others: String = (0..499).fold(String::new(), |mut batch, number| {
        writeln!(batch, "link add a{number} type veth peer name b{number}").unwrap();
        batch
    });
    scene.right.ip_batch(&others);
    for &transport in kernel::transports() {
        let begin = Instant::now();
        let capture = scene.capture(&["--transport", transport]);
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(2) * wait::slowness(), "{took:?} until it listens");
        // Changes of other interfaces must not matter.
        scene
            .right
            .ip_batch("link set a7 up\nlink set b7 up\nlink delete a8\nlink add a8 type veth peer name b8\n");
        thread::sleep(Duration::from_millis(1200));
        scene.send(60);
        let ended = assert_captured(&scene, capture, &[60]);
        let said_after = ended.stderr.split_once(", direction in\n").unwrap().1;
        // The reason of the end, and the totals.
        assert_eq!(said_after.lines().count(), 4, "{}", ended.stderr);
    }
}

#[test]
fn interfaces_with_odd_names_are_captured() {
    for name in ["-x", "--help", "7", "$(id)", "a'b\"c", "äöü", "veth.1@2", "0123456789abcde"] {
        let scene = Scene::new();
        scene.right.ip(["link", "set", "right", "down"]);
        scene.right.ip(["link", "set", "dev", "right", "name", name]);
        scene.right.ip(["link", "set", "dev", name, "up"]);
        // Before the kernel has noticed the carrier, it sends nothing.
        wait::until(|| scene.left.ip(["link", "show", "left"]).contains(" state UP "));
        let file = scene.file();
        let interface = format!("--interface={name}");
        let capture = Capture::start(&scene.right, [&interface, "-w", file.to_str().unwrap()]);
        scene.send(60);
        assert_eq!(capture.stop().totals(), Totals::exact(1, 0), "{name}");
        assert_eq!(files::read_by_tshark(&file), [60], "{name}");
        let read = Command::new("capinfos").arg(&file).output().unwrap();
        assert!(
            String::from_utf8_lossy(&read.stdout).contains(&format!("Name = {name}")),
            "{name}: {read:?}"
        );
    }
}

#[test]
fn a_capture_works_in_a_namespace_whose_lo_is_down() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        scene.right.ip(["link", "set", "lo", "down"]);
        let capture = scene.capture(&["--transport", transport]);
        scene.send(60);
        assert_captured(&scene, capture, &[60]);
    }
}
