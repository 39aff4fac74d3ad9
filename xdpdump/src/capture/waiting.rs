//! Interfaces that wait for a change of their XDP program to be captured.

use std::time::{Duration, Instant};

use super::Error;
use crate::{
    interface::{Link, XdpMode},
    probe,
};

/// An interface that is not captured now, and will be when its XDP program changes.
pub struct Waiting {
    pub link: Link,
    pub until: Until,
    /// The program that is there, if it cannot be captured beside.
    pub refused: Option<u32>,
}

/// What an interface is waiting for.
#[derive(Clone, Copy)]
pub enum Until {
    /// A program that can be captured beside: the one that was, was replaced or removed. The latter is said once.
    Replaced { is_said: bool },
    /// A program that can be captured beside: there was none.
    Attached,
    /// Such a program, or that none has been there since a while: the one that is there keeps it from being captured.
    Free { since: Option<Instant> },
}

/// How long no program has to be on an interface before this capture attaches its own where somebody else's was: whoever
/// restarts that one does not find the place taken.
pub const FREE_FOR: Duration = Duration::from_secs(2);

impl Waiting {
    /// The interface was left out for this reason; `None` if another program would change nothing.
    pub fn for_another_program(link: &Link, reason: &Error, mode: Option<XdpMode>) -> Option<Self> {
        let until = match reason {
            Error::NoExit(_) | Error::NoProgram(_) => Until::Attached,
            reason if reason.is_of_a_program() => Until::Free { since: None },
            _ => return None,
        };
        Some(Self { link: link.clone(), until, refused: probe::beside(link, mode) })
    }
}
