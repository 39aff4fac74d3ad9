//! The ways in which a capture can end, for each kind of ring and of output. Needs root.
#![expect(clippy::unwrap_used, reason = "tests")]

mod case;
mod messages;
mod output;
mod reasons;

use std::{
    thread,
    time::{Duration, Instant},
};

use case::{Case, Expected, ROOM, Running, Surroundings};
use output::{Output, Reader};
use xdpdump_testing::{cgroup::ControlGroup, processes, skip, wait};

const ALL: &[Output] = &[Output::File, Output::Pipe, Output::Text];
const PIPES: &[Output] = &[Output::Pipe, Output::Text];
/// Size in bytes of a file system that is full after a few hundred frames.
const LITTLE_ROOM: u64 = 512 << 10;
/// Time within which a capture must end if nothing delays it.
const SOON: Duration = Duration::from_secs(2);
/// Time within which a capture must give up if its output is stuck: it waits for a few seconds.
const PATIENT: Duration = Duration::from_secs(8);

/// The failure of a capture that gave up.
const TOO_LATE: Expected = Expected::Failure("the reader did not take the rest in time", PATIENT);

/// The usual case, from which the others differ.
const CASE: Case = Case {
    outputs: ALL,
    reader: Reader::Fast,
    surroundings: Surroundings::Usual,
    room: ROOM,
    end: |running| running.signal(libc::SIGTERM),
    expected: Expected::Success(SOON),
};

/// timeout(1) sends the signal to the process and then to its group, so the second one arrives while the capture is ending
/// because of the first.
#[test]
fn sigterm_several_times_within_a_moment() {
    let end = |running: &mut Running| {
        for _ in 0..20 {
            running.signal(libc::SIGTERM);
            thread::sleep(Duration::from_millis(1));
        }
    };
    Case { end, ..CASE }.run();
}

#[test]
fn a_second_signal_after_a_second_kills_what_is_still_running() {
    let end = |running: &mut Running| {
        running.signal(libc::SIGTERM);
        thread::sleep(Duration::from_millis(1100));
        if running.capture.is_running() {
            running.signal(libc::SIGINT);
        }
    };
    Case { end, ..CASE }.run();
    let stuck = Expected::Killed(libc::SIGINT);
    Case { end, outputs: PIPES, reader: Reader::Stuck, expected: stuck, ..CASE }.run();
}

/// The program is detached at the first signal, the rest ends within a limit, and the packets lost by the output are
/// reported.
fn stop_at_a_reader(reader: Reader, outputs: &'static [Output], expected: Expected) {
    let end = |running: &mut Running| {
        let begin = Instant::now();
        running.signal(libc::SIGTERM);
        running.scene.assert_clean();
        let took = begin.elapsed();
        assert!(took < SOON * wait::slowness(), "{took:?} until it was detached");
    };
    Case { outputs, reader, end, expected, ..CASE }.run();
}

#[test]
fn a_pipe_that_nobody_reads() {
    stop_at_a_reader(Reader::Stuck, PIPES, TOO_LATE);
}

#[test]
fn a_pipe_that_is_read_slowly() {
    stop_at_a_reader(Reader::Slow, &[Output::Pipe], TOO_LATE);
    // Text is shorter than frames, so the slow reader takes all of it in time.
    stop_at_a_reader(Reader::Slow, &[Output::Text], Expected::Success(PATIENT));
}

#[test]
fn a_disk_that_is_full() {
    let expected = Expected::Failure("free some space or write elsewhere with -w", PATIENT);
    let outputs = &[Output::File, Output::Text];
    Case { end: |_| {}, outputs, room: LITTLE_ROOM, expected, ..CASE }.run();
}

#[test]
fn a_guardian_that_is_killed_is_replaced() {
    let end = |running: &mut Running| {
        // A guardian that lived for at least a second is replaced at once.
        thread::sleep(Duration::from_secs(1));
        let guardians = || processes::children(running.capture.pid());
        let [killed] = guardians()[..] else { panic!("not one guardian: {:?}", guardians()) };
        processes::signal(killed, libc::SIGKILL);
        wait::until(|| guardians().iter().any(|&pid| pid != killed && processes::is_alive(pid)));
        running.cut(|| running.signal(libc::SIGKILL));
    };
    Case { end, outputs: &[Output::File], expected: Expected::Killed(libc::SIGKILL), ..CASE }.run();
}

#[test]
fn a_control_group_that_is_killed() {
    if ControlGroup::killable().is_none() {
        return skip::because("no control group can be killed here: Linux 5.14 with version 2 can");
    }
    let end = |running: &mut Running| running.cut(|| running.group.unwrap().kill());
    let expected = Expected::Killed(libc::SIGKILL);
    Case { end, surroundings: Surroundings::Group, expected, ..CASE }.run();
}

#[test]
fn a_pid_namespace_whose_init_is_killed() {
    let end = |running: &mut Running| {
        let [init] = processes::children(running.capture.pid())[..] else { panic!("not one init") };
        running.cut(|| processes::signal(init, libc::SIGKILL));
    };
    let expected = Expected::Killed(libc::SIGKILL);
    Case { end, surroundings: Surroundings::PidNamespace, expected, ..CASE }.run();
}

#[test]
fn sigterm_while_it_is_stopped() {
    let end = |running: &mut Running| {
        running.signal(libc::SIGSTOP);
        thread::sleep(Duration::from_millis(500));
        running.signal(libc::SIGTERM);
        thread::sleep(Duration::from_millis(100));
        running.signal(libc::SIGCONT);
    };
    Case { end, ..CASE }.run();
}
