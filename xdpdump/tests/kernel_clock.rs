//! Times of frames in a time namespace, where the process sees shifted clocks. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use xdpdump_testing::{
    capture::{Capture, Totals, xdpdump},
    files, kernel,
    scene::Scene,
};

/// How far a recorded time may be from the wall clock.
const TOLERANCE: Duration = Duration::from_secs(1);

fn wall_clock() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[test]
fn times_in_a_time_namespace_are_those_of_the_wall_clock() {
    for &transport in kernel::transports() {
        let scene = Scene::new();
        let mut command = scene.right.command("unshare");
        // Only children of unshare(1) are in the new namespace.
        command.args(["--time", "--monotonic", "1000", "--fork", xdpdump(), "-i", "right", "-c", "2", "-w"]);
        let mut capture = Capture::spawn(command.arg(scene.file()).args(["--transport", transport]));
        capture.wait_for("listening on");
        let before = wall_clock();
        scene.send(60);
        scene.send(60);
        // If the tool ignored the offset, it would not read frames that seem to be in the future, or their times would be
        // wrong by a quarter of an hour.
        let totals = capture.wait().totals();
        let after = wall_clock();
        assert_eq!(totals, Totals::exact(2, 0), "{transport}");
        for packet in files::read(&scene.file()).packets {
            let time = Duration::from_nanos(packet.time.cast_unsigned());
            assert!(
                before <= time + TOLERANCE && time <= after + TOLERANCE,
                "{transport}: {time:?}, sent between {before:?} and {after:?}"
            );
        }
    }
}
