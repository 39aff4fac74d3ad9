//! As whom a run opens its outputs, which then belong to that user.

use std::io;

use crate::{
    config,
    output::{self, Fanout},
    privilege::{self, Capabilities, Reserve, User},
};

/// Why outputs could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process cannot become the user.
    #[error(transparent)]
    User(#[from] privilege::Error),
    /// An output cannot be opened.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// An output cannot be opened as the user that was asked for.
    #[error("as the user {0}: {1}")]
    As(String, #[source] output::Error),
}

/// Whom to become before outputs are opened, if anybody.
#[derive(Debug, Default)]
pub struct RunAs {
    user: Option<User>,
    /// Whether the user was asked for by name.
    is_named: bool,
}

impl RunAs {
    /// Finds the user.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn of(wanted: &config::User) -> Result<Self, privilege::Error> {
        let (user, is_named) = match wanted {
            config::User::Root => (None, false),
            config::User::Caller => (User::who_called_sudo()?, false),
            config::User::Named(name) => (Some(User::named(name)?), true),
        };
        Ok(Self { user: user.filter(|user| !user.is_root() && !user.is_this()), is_named })
    }

    /// The name of the user to become.
    pub fn name(&self) -> Option<&str> {
        self.user.as_ref().map(User::name)
    }

    /// Becomes the user, and keeps these capabilities.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn become_it(&self, keep: Capabilities) -> Result<(), privilege::Error> {
        // Who called sudo may write where root may.
        let reserve = if self.is_named { Reserve::Nothing } else { Reserve::AllFiles };
        self.user.as_ref().map_or(Ok(()), |user| user.become_it(keep, reserve))
    }

    /// Opens outputs by `open`, with root's rights if the user has none and called sudo.
    ///
    /// # Errors
    /// Those of `open`, with the user's name if he was asked for.
    pub fn open(&self, mut open: impl FnMut() -> Result<Fanout, output::Error>) -> Result<Fanout, Error> {
        let opened = match open() {
            Err(output::Error::Open(_, error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                // Without that reserve, the second attempt says what the first one said.
                privilege::with_reserve(&mut open).unwrap_or_else(open)
            }
            result => result,
        };
        opened.map_err(|error| match (error, self.name()) {
            (error @ output::Error::Open(..), Some(name)) if self.is_named => {
                Error::As(name.to_owned(), error)
            }
            (error, _) => error.into(),
        })
    }
}
