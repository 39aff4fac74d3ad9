//! Becoming an ordinary user before any output is opened, so that outputs are opened, and belong, as if that user had.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
};

use nix::unistd;
use rustix::{
    process::{DumpableBehavior, set_dumpable_behavior},
    thread::{
        CapabilitySet, CapabilitySets, Gid, Uid, capabilities, set_capabilities, set_keep_capabilities,
        set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

use super::{Capabilities, capabilities::shrink_bounding_set};

/// Why the user cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such user.
    #[error("no user is called {0:?}: -Z takes the name or number of one, -Z root changes nothing")]
    Unknown(String),
    /// Sudo's variables do not say who called it.
    #[error("the variable SUDO_UID is {0:?}, which is no user: unset it, or say with -Z as whom to run")]
    Sudo(OsString),
    /// The list of users cannot be read.
    #[error("cannot look up the user {0}")]
    Lookup(String, #[source] io::Error),
    /// The kernel refused.
    #[error("cannot become the user {0}{hint}", hint = hint(.1))]
    Switch(String, #[source] io::Error),
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => ", which takes root: leave -Z out",
        _ => "",
    }
}

/// An ordinary user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: String,
    id: Uid,
    group: Gid,
    groups: Vec<Gid>,
}

impl User {
    /// The user with this name or number.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Self, Error> {
        let lookup = |error: nix::Error| Error::Lookup(name.to_owned(), error.into());
        let found = match unistd::User::from_name(name).map_err(lookup)? {
            Some(found) => Some(found),
            None => match name.parse().map(unistd::Uid::from_raw) {
                Ok(number) => unistd::User::from_uid(number).map_err(lookup)?,
                Err(_) => None,
            },
        };
        found.map(|found| Self::from(&found)).ok_or_else(|| Error::Unknown(name.to_owned()))
    }

    /// The ordinary user who called sudo(8), if this process is root because of that.
    ///
    /// # Errors
    /// When sudo's variables name no user.
    pub fn who_called_sudo() -> Result<Option<Self>, Error> {
        let Some(caller) = env::var_os("SUDO_UID").filter(|_| unistd::getuid().is_root()) else {
            return Ok(None);
        };
        let number = |text: &OsStr| text.to_str()?.parse::<u32>().ok();
        let id = number(&caller).ok_or_else(|| Error::Sudo(caller.clone()))?;
        if id == 0 {
            return Ok(None);
        }
        if let Ok(Some(found)) = unistd::User::from_uid(unistd::Uid::from_raw(id)) {
            return Ok(Some(Self::from(&found)));
        }
        // A user of whom no list tells: sudo knows the group.
        let group = env::var_os("SUDO_GID").and_then(|group| number(&group));
        let group = Gid::from_raw(group.ok_or(Error::Sudo(caller))?);
        Ok(Some(Self { name: id.to_string(), id: Uid::from_raw(id), group, groups: vec![group] }))
    }

    /// The user's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this process is of this user already.
    pub fn is_this(&self) -> bool {
        self.id == rustix::process::getuid()
    }

    /// Whether this is root.
    pub fn is_root(&self) -> bool {
        self.id.is_root()
    }

    /// Turns this process, which has one thread, into one of this user that keeps the capabilities in `keep`. Those of
    /// `reserve` are kept too, but have no effect outside of [`with_reserve`].
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn become_it(&self, keep: Capabilities, reserve: Reserve) -> Result<(), Error> {
        self.switch(keep, reserve).map_err(|error| Error::Switch(self.name.clone(), error))
    }

    fn switch(&self, keep: Capabilities, reserve: Reserve) -> io::Result<()> {
        let keep = capabilities(None)?.permitted & keep.0;
        // This takes CAP_SETPCAP, which goes with root.
        shrink_bounding_set(keep);
        set_thread_groups(&self.groups)?;
        set_thread_res_gid(self.group, self.group, self.group)?;
        set_keep_capabilities(true)?;
        set_thread_res_uid(self.id, self.id, self.id)?;
        set_keep_capabilities(false)?;
        let permitted = keep | (capabilities(None)?.permitted & reserve.set());
        set_capabilities(
            None,
            CapabilitySets { effective: keep, permitted, inheritable: CapabilitySet::empty() },
        )?;
        // Otherwise `/proc/self` belongs to root (proc(5)). Nobody but root can trace a process that has capabilities which he
        // has not (`cap_ptrace_access_check`, security/commoncap.c, v6.18).
        set_dumpable_behavior(DumpableBehavior::Dumpable)?;
        Ok(())
    }
}

impl From<&unistd::User> for User {
    fn from(found: &unistd::User) -> Self {
        let group = Gid::from_raw(found.gid.as_raw());
        let name = std::ffi::CString::new(found.name.as_bytes()).unwrap_or_default();
        let groups = unistd::getgrouplist(&name, found.gid).unwrap_or_default();
        let mut groups: Vec<_> = groups.into_iter().map(|group| Gid::from_raw(group.as_raw())).collect();
        if groups.is_empty() {
            groups.push(group);
        }
        Self { name: found.name.clone(), id: Uid::from_raw(found.uid.as_raw()), group, groups }
    }
}

/// What a process that became an ordinary user may still do about files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// No more than the user.
    Nothing,
    /// On request, open what only root may.
    AllFiles,
}

impl Reserve {
    fn set(self) -> CapabilitySet {
        match self {
            Self::Nothing => CapabilitySet::empty(),
            Self::AllFiles => CapabilitySet::DAC_OVERRIDE,
        }
    }
}

/// Runs `action` with the reserve of [`Reserve::AllFiles`]; `None` if this process has none.
pub fn with_reserve<T>(action: impl FnOnce() -> T) -> Option<T> {
    let sets = capabilities(None).ok()?;
    let all_files = Reserve::AllFiles.set();
    if !sets.permitted.contains(all_files) || sets.effective.contains(all_files) {
        return None;
    }
    set_capabilities(None, CapabilitySets { effective: sets.effective | all_files, ..sets }).ok()?;
    let result = action();
    // It was in the permitted set all the time, so taking it out of the effective one cannot fail.
    let _ = set_capabilities(None, sets);
    Some(result)
}
