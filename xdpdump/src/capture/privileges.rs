//! Privileges of a capture: as whom it opens outputs, and what it needs after it has begun.

use std::{fs, os::fd::AsFd as _};

use super::{
    Error,
    connect::{Connection, Order, Source},
};
use crate::{
    config::{self, Interfaces},
    interface::Disturbance,
    output,
    privilege::{self, Capabilities, Reserve, User, takes_capabilities},
    probe::{self, Place},
    transport::Rings,
};

/// Whom to become.
#[derive(Debug)]
pub struct Change {
    user: User,
    /// Whether the user was asked for.
    is_named: bool,
}

impl Change {
    /// Finds out whom to become, if anybody.
    pub fn of(wanted: &config::User) -> Result<Option<Self>, Error> {
        let change = match wanted {
            config::User::Root => None,
            config::User::Caller => User::who_called_sudo().map(|user| Self { user, is_named: false }),
            config::User::Named(name) => Some(Self { user: User::named(name)?, is_named: true }),
        };
        Ok(change.filter(|change| !change.user.is_root()))
    }

    /// Becomes that user, and keeps what is needed until the capture has begun.
    pub fn make(&self) -> Result<(), Error> {
        // Who called sudo may write where root may.
        let reserve = if self.is_named { Reserve::Nothing } else { Reserve::AllFiles };
        Ok(self.user.become_it(Capabilities::TO_BEGIN, reserve)?)
    }

    /// Explains why the user cannot open an output.
    pub fn explain(&self, error: output::Error) -> Error {
        match error {
            output::Error::Open(..) if self.is_named => Error::OpenAs(self.user.name().to_owned(), error),
            error => error.into(),
        }
    }
}

/// Opens outputs, with root's rights if the user has none and called sudo.
pub fn open<T>(mut open: impl FnMut() -> Result<T, output::Error>) -> Result<T, output::Error> {
    match open() {
        Err(output::Error::Open(_, error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            // Without that reserve, the second attempt says what the first one said.
            privilege::with_reserve(&mut open).unwrap_or_else(open)
        }
        result => result,
    }
}

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
