//! The capabilities that a capture needs after it has begun.

use std::{fs, os::fd::AsFd as _};

use super::connect::{Connection, Order, Source};
use crate::{
    config::Interfaces,
    interface::Disturbance,
    privilege::{Capabilities, takes_capabilities},
    probe::{self, Place},
    transport::Rings,
};

/// The capabilities that the capture needs until its end.
pub fn needed_later(order: Order<'_>, connection: &Connection) -> Capabilities {
    let mut needed = Capabilities::PERF_EVENTS;
    if only_root_opens_perf_events() {
        needed = needed.and(Capabilities::PERF_EVENTS_OF_ROOT);
    }
    if matches!(connection.rings, Rings::Perf(_)) {
        needed = needed.and(Capabilities::LARGE_PERF_RINGS);
    }
    let map = connection.probe.events();
    if takes_capabilities(|| probe::check_map(map.as_fd())) {
        needed = needed.and(Capabilities::MAPS);
    }
    let sources = || connection.sources.iter();
    let is_beside = sources().any(|source| source.beside.is_some());
    let may_attach = is_beside || order.config.interfaces == Interfaces::Any;
    if may_attach || order.may_change {
        needed = needed.and(Capabilities::ATTACH);
    }
    if may_attach {
        needed = needed.and(Capabilities::OPEN_PROGRAMS);
    }
    let changes_back = |source: &Source| {
        source.attached.place == Place::Clsact
            || source.stamping.is_some()
            || source.disturbance.as_ref().is_some_and(Disturbance::is_to_be_undone)
    };
    if sources().any(changes_back) {
        needed = needed.and(Capabilities::CONFIGURE);
    }
    needed
}

/// Whether the kernel lets only root open perf events: 3 is a value of Debian's kernels.
fn only_root_opens_perf_events() -> bool {
    let paranoid = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid");
    paranoid.is_ok_and(|value| value.trim().parse().is_ok_and(|value: i32| value > 2))
}
